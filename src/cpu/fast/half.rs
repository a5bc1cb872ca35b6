//! Products with a second matrix in half precision, by way of single precision.

use super::matmul::matmul_fast;
use super::scratch;
use crate::cpu::half::numbers;
use crate::kernel::{Call, Slice, SliceMut};

/// `matmul_f16`: C = A·B, then the epilogue.   A: (M, K)  B: (K, N) in halves  C: (M, N)
pub fn matmul_f16_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let words = reads[1].uint();
    scratch(2 * words.len(), |b| {
        b.iter_mut().zip(numbers(words)).for_each(|(to, value)| *to = value);
        matmul_fast(call, &[reads[0], Slice::Real(b), reads[2]], writes);
    });
}
