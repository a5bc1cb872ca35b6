//! Products whose second matrix is f16, computed in f32.

use super::matmul::matmul_fast;
use super::scratch;
use crate::cpu::f16::unpack;
use crate::kernel::{Call, Slice, SliceMut};

/// `matmul_f16`: C = A·B, then the epilogue.   A: (M, K)  B: (K, N) in f16  C: (M, N)
pub fn matmul_f16_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let words = reads[1].uint();
    scratch(2 * words.len(), |b| {
        b.iter_mut().zip(unpack(words)).for_each(|(to, value)| *to = value);
        matmul_fast(call, &[reads[0], Slice::Real(b), reads[2]], writes);
    });
}
