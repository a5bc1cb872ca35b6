//! The twins of `pack_f16.wgsl`, `matmul_f16.wgsl` and `matmul_cooperative.wgsl`: f16 numbers, two to a
//! word.

use crate::kernel::{Call, Real, Slice, SliceMut};

/// The smallest f16 that keeps all its digits (2⁻¹⁴), and the first size that rounds to an infinity.
const SMALLEST: f32 = 1.0 / 16_384.0;
const BEYOND: f32 = 65_520.0;

/// The bits of the nearest f16, ties to even.
///
/// Below 2⁻¹⁴ that is zero; a NaN, or a number that is too large, becomes an infinity.
pub fn to_f16(number: f32) -> u16 {
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

/// The value of an f16's bits; [`to_f16`] makes none between zero and 2⁻¹⁴.
pub fn from_f16(bits: u16) -> f32 {
    let (exponent, digits) = (i32::from(bits >> 10 & 31), f32::from(bits & 1_023));
    let size = match exponent {
        0 => digits * SMALLEST / 1_024.0,
        31 if digits == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1_024.0 + digits) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// The values of words with two f16 each.
pub fn unpack(words: &[u32]) -> impl Iterator<Item = f32> + '_ {
    words.iter().flat_map(|word| [from_f16(*word as u16), from_f16((word >> 16) as u16)])
}

/// The factor of a packed gradient: 2⁸ for each sample of its step, rounded up to a power of two.
///
/// A loss is a mean over the samples of a step, so its gradients are that many times smaller than those of one
/// sample; and f16 loses numbers below 2⁻¹⁴. With this factor the gradient of one sample may be from 2⁻²² to nearly
/// 2⁷, and to nearly 2⁸ where the number of samples is a power of two. A power of two rounds nothing, and neither does
/// the division of the product's sums by it. A larger gradient becomes an infinity in f16, so what is computed from it
/// is infinite or NaN, and the [guard](crate::cpu::guard) stops the update.
pub fn gradient_scale(samples: u32) -> f64 {
    256.0 * u64::from(samples).next_power_of_two() as f64
}

/// The factor that a matrix was packed with.
fn scale(call: Call) -> f64 {
    if call.consts.flag("GRADIENT") { gradient_scale(call.step.samples) } else { 1.0 }
}

/// `h[i]` = the f16 nearest to s·`x[i]`, s = 1 or [`gradient_scale`]
///
/// x: (LENGTH)  h: (LENGTH), two to a word
pub fn pack_f16<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let scale = scale(call);
    for (word, two) in writes[0].uint().iter_mut().zip(reads[0].real().chunks_exact(2)) {
        let [low, high] = [two[0], two[1]].map(|value| u32::from(to_f16((scale * value.f64()) as f32)));
        *word = low | high << 16;
    }
}

pub fn pack_f16_bound(_: Call, _: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    // Bits are as they are.
    writes[0].uint().fill(0);
}

/// C = A·B, then the epilogue.   A: (M, K)  B: (K, N) in f16  C: (M, N)
pub fn matmul_f16<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let b: Vec<T> = unpack(reads[1].uint()).map(|value| T::of(value.into())).collect();
    super::matmul::matmul(call, &[reads[0], Slice::Real(&b), reads[2]], writes);
}

pub fn matmul_f16_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    // f32 holds every f16 exactly.
    let b: Vec<f64> = unpack(reads[1].uint()).map(f64::from).collect();
    super::matmul::matmul_bound(call, &[reads[0], Slice::Real(&b), reads[2]], writes);
}

/// C = A·B / s, then the epilogue, s = 1 or [`gradient_scale`]   A: (M, K)  B: (K, N), both in f16  C: (M, N)
pub fn matmul_cooperative<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let [a, b] = factors(call, reads).map(|factor| factor.into_iter().map(T::of).collect::<Vec<T>>());
    super::matmul::matmul(call, &[Slice::Real(&a), Slice::Real(&b), reads[2]], writes);
}

/// The bound of the same product in f32, for sums in any order.
///
/// Two f16 have 22 binary digits together, so their product is exact in f32. An adapter may truncate a sum instead of
/// rounding it: the bound allows a whole last digit for each. The factor of A is a power of two and rounds nothing.
/// An adapter may flush f16 below 2⁻¹⁴ to zero, but `pack_f16` makes none of those.
pub fn matmul_cooperative_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [a, b] = factors(call, reads);
    super::matmul::matmul_bound(call, &[Slice::Real(&a), Slice::Real(&b), reads[2]], writes);
}

/// A / s and B, exact in f32.
fn factors<T: Real>(call: Call, reads: &[Slice<T>]) -> [Vec<f64>; 2] {
    let scale = scale(call);
    let a = unpack(reads[0].uint()).map(|value| f64::from(value) / scale).collect();
    [a, unpack(reads[1].uint()).map(f64::from).collect()]
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
    fn every_f16_is_its_own_nearest_and_so_is_what_lies_close_to_it() {
        for bits in (0..=u16::MAX).filter(|bits| bits & 0x7c00 != 0 && bits & 0x7c00 != 0x7c00) {
            let value = from_f16(bits);
            assert_eq!(to_f16(value), bits, "{value}");
            // An f16 has 11 binary digits: what is off by less than half of the last rounds back.
            for near in [value * (1.0 + 0.49 / 2_048.0), value * (1.0 - 0.24 / 2_048.0)] {
                // Below the smallest is zero.
                let nearest = if near.abs() < SMALLEST { bits & 0x8000 } else { bits };
                assert_eq!(to_f16(near), nearest, "{near} is near {value}");
            }
        }
    }

    #[test]
    fn what_no_f16_is_near_to_is_zero_or_infinite() {
        for (value, bits) in [
            (0.0, 0),
            (-0.0, 0x8000),
            (6.1e-5, 0),
            (-1e-30, 0x8000),
            (1.0, 0x3c00),
            (-2.0, 0xc000),
            // A tie: to the even one.
            (1.0 + 1.0 / 2_048.0, 0x3c00),
            (1.0 + 3.0 / 2_048.0, 0x3c02),
            (65_504.0, 0x7bff),
            (65_519.0, 0x7bff),
            (65_520.0, 0x7c00),
            (-1e30, 0xfc00),
            (f32::INFINITY, 0x7c00),
            (f32::NAN, 0x7c00),
        ] {
            assert_eq!(to_f16(value), bits, "{value}");
        }
        assert_eq!([from_f16(0x7c00), from_f16(0xfc00)], [f32::INFINITY, f32::NEG_INFINITY]);
        assert!(from_f16(0x7c01).is_nan());
    }
}
