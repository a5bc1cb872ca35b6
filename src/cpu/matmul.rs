//! The twin of `matmul_naive.wgsl` and of every faster version of it.

use super::{EPS, TINY};
use crate::kernel::consts;
use crate::kernel::{Activation, Call, Const, Consts, Epilogue, Real, Slice, SliceMut};

impl Epilogue {
    /// The value of a finished sum, and its largest error in f32 when the sum has the error `error`.
    pub fn error(self, activation: Activation, sum: f64, error: f64, extra: f64) -> (f64, f64) {
        match self {
            Epilogue::Plain => (sum, error),
            Epilogue::Bias => {
                let z = sum + extra;
                let z_error = error + EPS * (sum.abs() + extra.abs());
                (activation.apply(z), activation.apply_error(z, z_error))
            }
            Epilogue::Derivative => {
                let derivative = activation.derivative(extra);
                let derivative_error = activation.derivative_error(extra);
                let value = sum * derivative;
                (value, error * derivative.abs() + (sum.abs() + error) * derivative_error + EPS * value.abs())
            }
        }
    }
}

/// The constants of a dense layer's weighted sums: activate(x·Wᵀ + b).
pub fn weighted_sums(batch: usize, outputs: usize, inputs: usize, activation: Activation) -> Consts {
    let (kind, leak) = activation.consts();
    consts! {
        M: batch, N: outputs, K: inputs, TRANSPOSE_A: false, TRANSPOSE_B: true, ADD: false,
        EPILOGUE: Const::Uint(Epilogue::Bias as u32), ACTIVATION: kind, LEAK: leak,
    }
}

/// The sizes and strides of one product.
pub(super) struct ProductSizes {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    a: Strides,
    b: Strides,
}

/// The strides of a matrix.
struct Strides {
    /// From one row to the next.
    down: usize,
    /// From one column to the next.
    along: usize,
}

impl ProductSizes {
    pub fn of(call: Call) -> ProductSizes {
        let [m, n, k] = ["M", "N", "K"].map(|name| call.consts.uint(name));
        let a = if call.consts.flag("TRANSPOSE_A") { [1, m] } else { [k, 1] };
        let b = if call.consts.flag("TRANSPOSE_B") { [1, k] } else { [n, 1] };
        let [a, b] = [a, b].map(|[down, along]| Strides { down, along });
        ProductSizes { m, n, k, a, b }
    }

    /// The offset of `A[row, k]`.
    pub fn at_a(&self, row: usize, k: usize) -> usize {
        row * self.a.down + k * self.a.along
    }

    /// The offset of `B[k, column]`.
    pub fn at_b(&self, k: usize, column: usize) -> usize {
        k * self.b.down + column * self.b.along
    }
}

/// The offset that an epilogue reads for element `at` of C, in `column`.
///
/// A plain one reads nothing.
pub fn extra_at(epilogue: Epilogue, at: usize, column: usize) -> usize {
    match epilogue {
        Epilogue::Plain => 0,
        Epilogue::Bias => column,
        Epilogue::Derivative => at,
    }
}

/// C = A·B, then the epilogue.   A: (M, K)  B: (K, N)  C: (M, N)
pub fn matmul<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let p = ProductSizes::of(call);
    let (a, b, extra, c) = (reads[0].real(), reads[1].real(), reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    for row in 0..p.m {
        for column in 0..p.n {
            let mut sum = 0.0;
            for k in 0..p.k {
                sum += a[p.at_a(row, k)].f64() * b[p.at_b(k, column)].f64();
            }
            let at = row * p.n + column;
            sum = epilogue.apply(activation, sum, extra[extra_at(epilogue, at, column)].f64());
            c[at] = T::of(if add { c[at].f64() + sum } else { sum });
        }
    }
}

pub fn matmul_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let p = ProductSizes::of(call);
    let (a, b, extra, c) = (reads[0].real(), reads[1].real(), reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    for row in 0..p.m {
        for column in 0..p.n {
            let (mut sum, mut size) = (0.0, 0.0);
            for k in 0..p.k {
                let term = a[p.at_a(row, k)] * b[p.at_b(k, column)];
                sum += term;
                size += term.abs();
            }
            let at = row * p.n + column;
            let extra = extra[extra_at(epilogue, at, column)];
            let (value, error) = epilogue.error(activation, sum, super::sum_error(p.k, size), extra);
            c[at] = error + TINY + if add { EPS * (c[at].abs() + value.abs()) } else { 0.0 };
        }
    }
}
