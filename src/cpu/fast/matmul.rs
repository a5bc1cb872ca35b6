//! Matrix products by the `gemm` crate on all cores.

use gemm::Parallelism;

use super::{Matrix, apply, product_on, slope};
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::kernel::{Call, Slice, SliceMut};

/// `matmul`: C = A·B, then the epilogue.   A: (M, K)  B: (K, N)  C: (M, N)
pub fn matmul_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [m, n, k] = ["M", "N", "K"].map(|name| call.consts.uint(name));
    let matrix = |values, rows, columns, transposed: &str| match call.consts.flag(transposed) {
        true => Matrix::columns(values, rows, columns),
        false => Matrix::rows(values, rows, columns),
    };
    let a = matrix(reads[0].real(), m, k, "TRANSPOSE_A");
    let b = matrix(reads[1].real(), k, n, "TRANSPOSE_B");
    let (extra, c) = (reads[2].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let add = call.consts.flag("ADD");
    // Below this the threads cost more than they save.
    let threads = if m * n * k < 1 << 18 { Parallelism::None } else { Parallelism::Rayon(0) };
    if add && epilogue != Epilogue::Plain {
        // An epilogue works on the finished sum, before it is added to what was there.
        let before = c.to_vec();
        product_on(a, b, c, false, threads);
        finish(epilogue, activation, extra, c, n);
        c.iter_mut().zip(before).for_each(|(value, before)| *value += before);
    } else {
        product_on(a, b, c, add, threads);
        finish(epilogue, activation, extra, c, n);
    }
}

fn finish(epilogue: Epilogue, activation: Activation, extra: &[f32], c: &mut [f32], columns: usize) {
    match epilogue {
        Epilogue::Plain => {}
        Epilogue::Bias => {
            for row in c.chunks_exact_mut(columns) {
                for (value, bias) in row.iter_mut().zip(extra) {
                    *value = apply(activation, *value + bias);
                }
            }
        }
        Epilogue::Slope => {
            for (value, y) in c.iter_mut().zip(extra) {
                *value *= slope(activation, *y);
            }
        }
    }
}
