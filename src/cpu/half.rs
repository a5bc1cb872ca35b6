//! The twins of `pack_f16.wgsl`, `matmul_f16.wgsl` and `matmul_cooperative.wgsl`: half-precision numbers,
//! two to a word.

use crate::kernel::{Call, Real, Slice, SliceMut};

/// The smallest half with all its digits, and the first size that is rounded to none.
const SMALLEST: f32 = 1.0 / 16_384.0;
const BEYOND: f32 = 65_520.0;

/// The half-precision number nearest to this, of two as near the even one: zero for what is below
/// 2⁻¹⁴, and an infinity for what is too large or no number.
pub fn half(number: f32) -> u16 {
    let (sign, size) = ((number.to_bits() >> 16) as u16 & 0x8000, number.abs());
    if size < SMALLEST {
        return sign;
    }
    if size.is_nan() || size >= BEYOND {
        return sign | 0x7c00;
    }
    // Eleven digits, of which the first is not stored.
    let exponent = (size.to_bits() >> 23) as i32 - 127;
    let digits = (f64::from(size) * 2f64.powi(10 - exponent)).round_ties_even() as u16;
    sign | ((((exponent + 15) as u16) << 10) + (digits - 1_024))
}

/// What a half-precision number is; none that [`half`] makes is between zero and 2⁻¹⁴.
pub fn number(half: u16) -> f32 {
    let (exponent, digits) = (i32::from(half >> 10 & 31), f32::from(half & 1_023));
    let size = match exponent {
        0 => digits * SMALLEST / 1_024.0,
        31 if digits == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1_024.0 + digits) * 2f32.powi(exponent - 25),
    };
    if half >> 15 == 1 { -size } else { size }
}

/// The numbers of words with two halves each.
pub fn numbers(words: &[u32]) -> impl Iterator<Item = f32> + '_ {
    words.iter().flat_map(|word| [number(*word as u16), number((word >> 16) as u16)])
}

/// What a gradient is multiplied by when it is packed: 2⁸ for each sample of its step, rounded up to a power
/// of two.
///
/// A loss is a mean over the samples of a step, which are fewer in the last one of an epoch and more where the
/// gradients of several batches add up: its gradients are as many times smaller than those of one sample, and
/// most of them are small besides. Halves end at 2⁻¹⁴, and what is smaller would be lost. Multiplied so, the
/// gradient of a sample alone may be from 2⁻²² to nearly 2⁷, and to nearly 2⁸ where their number is a power of
/// two. By such a power nothing is rounded, and the product divides its sums by it again, which rounds nothing
/// either. What is larger becomes an infinity as a half, and so does the gradient that is made of it or no number
/// at all, at which the [guard](crate::cpu::guard) stops the update, as at any other.
pub fn gradient_scale(samples: u32) -> f64 {
    256.0 * u64::from(samples).next_power_of_two() as f64
}

/// What a matrix was packed times, as its constant and the step say.
fn scale(call: Call) -> f64 {
    if call.consts.flag("GRADIENT") { gradient_scale(call.step.samples) } else { 1.0 }
}

/// `h[i]` = the half-precision number nearest to s·`x[i]`, s = 1 or [`gradient_scale`]
///
/// x: (LENGTH)  h: (LENGTH), two to a word
pub fn pack_f16<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let scale = scale(call);
    for (word, two) in writes[0].uint().iter_mut().zip(reads[0].real().chunks_exact(2)) {
        let [low, high] = [two[0], two[1]].map(|value| u32::from(half((scale * value.f64()) as f32)));
        *word = low | high << 16;
    }
}

pub fn pack_f16_bound(_: Call, _: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    // Bits are as they are.
    writes[0].uint().fill(0);
}

/// C = A·B, then the epilogue.   A: (M, K)  B: (K, N) in halves  C: (M, N)
pub fn matmul_f16<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let b: Vec<T> = numbers(reads[1].uint()).map(|value| T::of(value.into())).collect();
    super::matmul::matmul(call, &[reads[0], Slice::Real(&b), reads[2]], writes);
}

pub fn matmul_f16_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    // Every half is a number of single precision as well.
    let b: Vec<f64> = numbers(reads[1].uint()).map(f64::from).collect();
    super::matmul::matmul_bound(call, &[reads[0], Slice::Real(&b), reads[2]], writes);
}

/// C = A·B / s, then the epilogue, s = 1 or [`gradient_scale`]   A: (M, K)  B: (K, N), both in halves  C: (M, N)
pub fn matmul_cooperative<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [a, b] = factors(call, reads).map(|factor| factor.into_iter().map(T::of).collect::<Vec<T>>());
    super::matmul::matmul(call, &[Slice::Real(&a), Slice::Real(&b), reads[2]], writes);
}

/// That of the same product in single precision: two halves have 22 digits together, so a product of
/// them is exact, and what is left are the sums, in any order. An adapter may cut an addition off instead of
/// rounding it: the bound allows a whole last digit for each. What A was packed times is a power of two
/// and rounds nothing, and of the halves between 0 and 2⁻¹⁴, which an adapter may take for zero, `pack_f16` makes none.
pub fn matmul_cooperative_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [a, b] = factors(call, reads);
    super::matmul::matmul_bound(call, &[Slice::Real(&a), Slice::Real(&b), reads[2]], writes);
}

/// A / s and B, which single precision has without rounding.
fn factors<T: Real>(call: Call, reads: &[Slice<T>]) -> [Vec<f64>; 2] {
    let scale = scale(call);
    let a = numbers(reads[0].uint()).map(|value| f64::from(value) / scale).collect();
    [a, numbers(reads[1].uint()).map(f64::from).collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_scaled_by_a_power_of_two_that_grows_with_the_samples_of_the_step() {
        let samples = [0, 1, 2, 3, 64, 65, 1_024, u32::MAX];
        let scales = samples.map(|samples| gradient_scale(samples).log2());
        assert_eq!(scales, [8.0, 8.0, 9.0, 10.0, 14.0, 15.0, 18.0, 40.0]);
    }

    #[test]
    fn every_half_is_its_own_nearest_and_so_is_what_lies_close_to_it() {
        for bits in (0..=u16::MAX).filter(|bits| bits & 0x7c00 != 0 && bits & 0x7c00 != 0x7c00) {
            let value = number(bits);
            assert_eq!(half(value), bits, "{value}");
            // A half has 11 digits: what is off by less than half of the last is rounded back.
            for near in [value * (1.0 + 0.49 / 2_048.0), value * (1.0 - 0.24 / 2_048.0)] {
                // Of the smallest, what lies below is zero.
                let nearest = if near.abs() < SMALLEST { bits & 0x8000 } else { bits };
                assert_eq!(half(near), nearest, "{near} is near {value}");
            }
        }
    }

    #[test]
    fn what_no_half_is_near_to_is_zero_or_infinite() {
        for (value, bits) in [
            (0.0, 0),
            (-0.0, 0x8000),
            (6.1e-5, 0),
            (-1e-30, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            // Half way: to the even one.
            (1.0 + 1.0 / 2_048.0, 0x3c00),
            (1.0 + 3.0 / 2_048.0, 0x3c02),
            (65_504.0, 0x7bff),
            (65_519.0, 0x7bff),
            (65_520.0, 0x7c00),
            (-1e30, 0xfc00),
            (f32::INFINITY, 0x7c00),
            (f32::NAN, 0x7c00),
        ] {
            assert_eq!(half(value), bits, "{value}");
        }
        assert_eq!([number(0x7c00), number(0xfc00)], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(number(0x7c01).is_nan());
    }
}
