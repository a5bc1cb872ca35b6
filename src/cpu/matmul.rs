//! The twin of `matmul_naive.wgsl` and of every faster version of it.

use gemm::Parallelism;

use super::activation::Activation;
use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// What happens to a finished sum; the numbers are those in the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epilogue {
    /// Nothing; `extra` is not read.
    Plain = 0,
    /// activate(sum + extra\[column\])
    Bias = 1,
    /// sum · activation'(extra\[row, column\])
    Slope = 2,
}

impl Epilogue {
    /// The epilogue that a call's constants choose.
    pub fn of(call: Call) -> Epilogue {
        match call.consts.uint("EPILOGUE") {
            1 => Epilogue::Bias,
            2 => Epilogue::Slope,
            _ => Epilogue::Plain,
        }
    }

    /// What becomes of a finished sum.
    pub fn apply(self, activation: Activation, sum: f64, extra: f64) -> f64 {
        match self {
            Epilogue::Plain => sum,
            Epilogue::Bias => activation.apply(sum + extra),
            Epilogue::Slope => sum * activation.slope(extra),
        }
    }

    /// The same, and its largest error in f32 when the sum is off by `error`.
    pub fn error(self, activation: Activation, sum: f64, error: f64, extra: f64) -> (f64, f64) {
        match self {
            Epilogue::Plain => (sum, error),
            Epilogue::Bias => {
                let z = sum + extra;
                let z_error = error + EPS * (sum.abs() + extra.abs());
                (activation.apply(z), activation.apply_error(z, z_error))
            }
            Epilogue::Slope => {
                let slope = activation.slope(extra);
                let slope_error = activation.slope_error(extra);
                let value = sum * slope;
                (value, error * slope.abs() + (sum.abs() + error) * slope_error + EPS * value.abs())
            }
        }
    }
}

/// The sizes and strides of one product.
struct Product {
    m: usize,
    n: usize,
    k: usize,
    /// Distance in A from one row to the next, and along a row.
    a: (usize, usize),
    /// Distance in B from one row to the next, and along a row.
    b: (usize, usize),
}

impl Product {
    fn of(call: Call) -> Product {
        let [m, n, k] = ["M", "N", "K"].map(|name| call.consts.uint(name));
        let a = if call.consts.flag("TRANSPOSE_A") { (1, m) } else { (k, 1) };
        let b = if call.consts.flag("TRANSPOSE_B") { (1, k) } else { (n, 1) };
        Product { m, n, k, a, b }
    }
}

/// Where an epilogue reads for the element `at` of C, which is in `column`; a plain one reads nothing.
pub fn extra_at(epilogue: Epilogue, at: usize, column: usize) -> usize {
    match epilogue {
        Epilogue::Plain => 0,
        Epilogue::Bias => column,
        Epilogue::Slope => at,
    }
}

/// C = A·B, then the epilogue.   A: (M, K)  B: (K, N)  C: (M, N)
pub fn matmul<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let p = Product::of(call);
    let (a, b, extra, c) = (reads[0].real(), reads[1].real(), reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    for row in 0..p.m {
        for column in 0..p.n {
            let mut sum = 0.0;
            for k in 0..p.k {
                sum += a[row * p.a.0 + k * p.a.1].f64() * b[k * p.b.0 + column * p.b.1].f64();
            }
            let at = row * p.n + column;
            sum = epilogue.apply(activation, sum, extra[extra_at(epilogue, at, column)].f64());
            c[at] = T::of(if add { c[at].f64() + sum } else { sum });
        }
    }
}

pub fn matmul_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let p = Product::of(call);
    let (a, b, extra, c) = (reads[0].real(), reads[1].real(), reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    for row in 0..p.m {
        for column in 0..p.n {
            let (mut sum, mut size) = (0.0, 0.0);
            for k in 0..p.k {
                let term = a[row * p.a.0 + k * p.a.1] * b[k * p.b.0 + column * p.b.1];
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

/// The same by the `gemm` crate on all cores, for training on the CPU.
pub fn matmul_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = Product::of(call);
    let (a, b, extra, c) = (reads[0].real(), reads[1].real(), reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    if add && epilogue != Epilogue::Plain {
        // An epilogue works on the finished sum, before it is added to what was there.
        let before = c.to_vec();
        product(&p, a, b, c, false);
        finish(epilogue, activation, extra, c, p.n);
        c.iter_mut().zip(before).for_each(|(value, before)| *value += before);
    } else {
        product(&p, a, b, c, add);
        finish(epilogue, activation, extra, c, p.n);
    }
}

/// C = A·B, or C += A·B.
fn product(p: &Product, a: &[f32], b: &[f32], c: &mut [f32], add: bool) {
    // Below this the threads cost more than they save.
    let threads = if p.m * p.n * p.k < 1 << 18 { Parallelism::None } else { Parallelism::Rayon(0) };
    assert!(a.len() >= p.m * p.k && b.len() >= p.k * p.n && c.len() >= p.m * p.n);
    // SAFETY: the three pointers and their strides stay within slices whose
    // lengths the assertion above has checked; C overlaps neither A nor B
    // because it is borrowed mutably.
    unsafe {
        gemm::gemm(
            p.m,
            p.n,
            p.k,
            c.as_mut_ptr(),
            1,
            p.n as isize,
            add,
            a.as_ptr(),
            p.a.1 as isize,
            p.a.0 as isize,
            b.as_ptr(),
            p.b.1 as isize,
            p.b.0 as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

fn finish(epilogue: Epilogue, activation: Activation, extra: &[f32], c: &mut [f32], columns: usize) {
    match epilogue {
        Epilogue::Plain => {}
        Epilogue::Bias => {
            for row in c.chunks_exact_mut(columns) {
                for (value, bias) in row.iter_mut().zip(extra) {
                    *value = apply_f32(activation, *value + bias);
                }
            }
        }
        Epilogue::Slope => {
            for (value, y) in c.iter_mut().zip(extra) {
                *value *= slope_f32(activation, *y);
            }
        }
    }
}

fn apply_f32(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        _ => activation.apply(x.into()) as f32,
    }
}

fn slope_f32(activation: Activation, y: f32) -> f32 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => {
            if y > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        Activation::LeakyRelu(slope) => {
            if y > 0.0 {
                1.0
            } else {
                slope
            }
        }
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        // Never in an epilogue.
        Activation::Gelu | Activation::Silu => activation.slope(y.into()) as f32,
    }
}
