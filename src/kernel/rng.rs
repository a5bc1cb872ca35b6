//! Random numbers: each is a pure function of the seed, the purpose and counters, so a run resumes from its step alone.
//!
//! The host draws with ChaCha8 ([`generator`]). Kernels draw with a function without state that is here and in
//! `shaders/common.wgsl`, with the same bits ([`random_words`]).

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The purpose of random numbers; purposes have different numbers.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Initial weights; the number is the parameter's index.
    Weights = 1,
    /// The order of the samples; the number is the epoch.
    Order = 2,
    /// Awkward inputs for comparing kernels with their twins.
    Cases = 3,
    /// Augmentation; drawn inside kernels.
    Augment = 4,
    /// Dropout; drawn inside kernels.
    Dropout = 5,
}

/// The generator for one purpose.
pub fn generator(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&number.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// The shuffled order of an epoch's samples.
pub fn shuffled(samples: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    order.shuffle(&mut generator(seed, Purpose::Order, epoch));
    order
}

/// Four random words for a purpose, inside a kernel and its twin.
///
/// `number` and `index` are counters: for an augmentation the epoch and the sample.
///
/// This is pcg4d of M. Jarzynski and M. Olano, “Hash Functions for GPU Rendering”,
/// Journal of Computer Graphics Techniques 9(3), 2020: a step of a linear congruential
/// generator on each word, then twice a round of products across the words.
#[inline]
pub fn random_words(seed: u32, purpose: u32, number: u32, index: u32) -> [u32; 4] {
    let mut v =
        [seed, purpose, number, index].map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    pcg_round(&mut v);
    v = v.map(|word| word ^ (word >> 16));
    pcg_round(&mut v);
    v
}

/// Each word takes in the product of two others; the order of the lines counts.
#[inline]
fn pcg_round(v: &mut [u32; 4]) {
    v[0] = v[0].wrapping_add(v[1].wrapping_mul(v[3]));
    v[1] = v[1].wrapping_add(v[2].wrapping_mul(v[0]));
    v[2] = v[2].wrapping_add(v[0].wrapping_mul(v[1]));
    v[3] = v[3].wrapping_add(v[1].wrapping_mul(v[2]));
}

/// The purpose for [`random_words`] of one of several streams, such as a layer's number. Streams are below 2^24.
pub fn random_stream(purpose: Purpose, stream: u32) -> u32 {
    purpose as u32 | stream << 8
}

/// From 0 to just below 1, by the upper 24 bits: exact in f32 and in f64.
#[inline]
pub fn random_unit(word: u32) -> f32 {
    (word >> 8) as f32 / (1 << 24) as f32
}

/// The seed of kernels, in one word: nearby seeds get different ones.
pub fn kernel_seed(seed: u64) -> u32 {
    // Seeds below 2^32, which is all that people choose, stay as they are.
    let (low, high) = (seed as u32, (seed >> 32) as u32);
    if high == 0 { low } else { low ^ random_words(high, 0, 0, 0)[0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The chi-squared statistic of pairs of draws.
    ///
    /// It counts a quarter of a million pairs by sixteenths of the unit interval: 255 degrees of freedom.
    fn chi_squared(pair: impl Fn(u32) -> (u32, u32)) -> f64 {
        const PAIRS: u32 = 1 << 18;
        let mut counts = [0u32; 256];
        for at in 0..PAIRS {
            let (a, b) = pair(at);
            counts[(a >> 28 << 4 | b >> 28) as usize] += 1;
        }
        let expected = f64::from(PAIRS) / 256.0;
        counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn neighbouring_draws_are_independent_in_every_argument() {
        let words = |seed, purpose, number, index| random_words(seed, purpose, number, index);
        let tests: [(&str, f64); 7] = [
            ("words", chi_squared(|at| (words(1, 4, 1, at)[0], words(1, 4, 1, at)[1]))),
            ("last words", chi_squared(|at| (words(1, 4, 1, at)[2], words(1, 4, 1, at)[3]))),
            ("index", chi_squared(|at| (words(1, 4, 1, at)[0], words(1, 4, 1, at + 1)[0]))),
            (
                "number",
                chi_squared(|at| {
                    (words(1, 4, at >> 9, at & 511)[1], words(1, 4, (at >> 9) + 1, at & 511)[1])
                }),
            ),
            ("purpose", chi_squared(|at| (words(1, 4, 1, at)[2], words(1, 5, 1, at)[2]))),
            ("stream", chi_squared(|at| (words(1, 4, 1, at)[3], words(1, 4 | 1 << 8, 1, at)[3]))),
            ("seed", chi_squared(|at| (words(1, 4, 1, at)[0], words(2, 4, 1, at)[0]))),
        ];
        // 255 expected, with a deviation of √(2·255) = 22.6: six of them to either side. The draws
        // are always the same ones, so this test gives one result for ever.
        for (what, found) in tests {
            assert!((119.0..391.0).contains(&found), "{what}: {found}");
        }
    }

    #[test]
    fn units_are_from_zero_to_below_one() {
        assert_eq!(random_unit(0), 0.0);
        assert_eq!(random_unit(255), 0.0);
        assert_eq!(random_unit(u32::MAX), 1.0 - f32::EPSILON / 2.0);
        let mean =
            (0..100_000).map(|at| f64::from(random_unit(random_words(7, 5, 0, at)[0]))).sum::<f64>() / 1e5;
        // Six times the deviation of such a mean, 1/√(12·100,000).
        assert!((mean - 0.5).abs() < 6.0 / (12.0f64 * 1e5).sqrt(), "{mean}");
    }

    #[test]
    fn seeds_of_more_than_a_word_count_in_full() {
        assert_eq!(kernel_seed(7), 7);
        assert_ne!(kernel_seed(7), kernel_seed(7 + (1 << 32)));
        assert_ne!(kernel_seed(7 + (1 << 32)), kernel_seed(7 + (2 << 32)));
    }

    #[test]
    fn an_epoch_visits_every_sample_once() {
        for samples in [0, 1, 2, 1000] {
            let mut order = shuffled(samples, 1, 0);
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..samples as u32));
        }
    }

    #[test]
    fn the_order_differs_by_epoch_and_by_seed_and_by_nothing_else() {
        let order = shuffled(1000, 1, 0);
        assert_eq!(order, shuffled(1000, 1, 0));
        assert_ne!(order, shuffled(1000, 1, 1));
        assert_ne!(order, shuffled(1000, 2, 0));
        assert!(!order.is_sorted());
    }
}
