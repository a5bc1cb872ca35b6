//! Randomness on the host: every generator is a pure function of the seed, the
//! purpose and a number, so a run can be continued from its step alone.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// What random numbers are drawn for; purposes never share numbers.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Initial weights; the number is the parameter's index.
    Weights = 1,
    /// The order of the samples; the number is the epoch.
    Order = 2,
    /// Awkward inputs for comparing kernels with their twins.
    Cases = 3,
}

/// The generator for one purpose.
pub fn generator(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&number.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// The order in which an epoch visits the samples.
pub fn shuffled(samples: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..samples as u32).collect();
    order.shuffle(&mut generator(seed, Purpose::Order, epoch));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

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
