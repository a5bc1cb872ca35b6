//! Normalisation: pixels, which are bytes, become the inputs of a network.

use std::fmt;
use std::str::FromStr;

use rayon::prelude::*;

use super::dataset::Samples;
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// How pixels become inputs of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalise {
    /// Mean 0 and standard deviation 1 over the train part, per channel.
    Standard,
    /// byte/255, from 0 to 1.
    Unit,
}

impl Normalise {
    /// The names in recipes.
    pub const NAMES: &[&str] = &["standard", "unit"];

    /// The normaliser for training on `samples`.
    pub fn measure(self, samples: &Samples) -> Normaliser {
        let channels = samples.shape.channels;
        match self {
            Normalise::Standard => Normaliser::of(samples),
            Normalise::Unit => Normaliser { mean: vec![0.0; channels], std: vec![1.0; channels] },
        }
    }
}

impl FromStr for Normalise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Normalise> {
        match text {
            "standard" => Ok(Normalise::Standard),
            "unit" => Ok(Normalise::Unit),
            _ => Err(Error::Usage(format!(
                "⟨normalise⟩: there is no “{text}”{}; there are {}",
                suggestion(text, Normalise::NAMES),
                Normalise::NAMES.join(" and "),
                text = shorten(text)
            ))),
        }
    }
}

impl fmt::Display for Normalise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Normalise::Standard => "standard",
            Normalise::Unit => "unit",
        })
    }
}

/// A mean and a standard deviation per channel: value = (byte/255 − mean) / std.
#[derive(Clone, Debug, PartialEq)]
pub struct Normaliser {
    /// C means of byte/255.
    pub mean: Vec<f32>,
    /// C standard deviations of byte/255 (over N, not N − 1).
    ///
    /// 1 for a constant channel, never 0.
    pub std: Vec<f32>,
}

/// The number of images that one thread adds up at a time.
const IMAGES: usize = 1_024;

/// Sums over the bytes of a channel; u64 is enough for 2^48 of them.
#[derive(Clone, Copy, Default)]
struct ChannelSums {
    /// Σ x
    sum: u64,
    /// Σ x²
    squares: u64,
}

impl ChannelSums {
    fn plus(self, other: ChannelSums) -> ChannelSums {
        ChannelSums { sum: self.sum + other.sum, squares: self.squares + other.squares }
    }
}

/// The sums of each channel.
fn sums(images: &[u8], plane: usize, channels: usize) -> Vec<ChannelSums> {
    // The sum of this many squares of bytes stays below 2³², and a processor adds u32 fastest.
    const MOST: usize = 1 << 16;
    let mut sums = vec![ChannelSums::default(); channels];
    for (index, values) in images.chunks_exact(plane).enumerate() {
        for values in values.chunks(MOST) {
            let (mut sum, mut squares) = (0u32, 0u32);
            for value in values.iter().map(|value| u32::from(*value)) {
                sum += value;
                squares += value * value;
            }
            let more = ChannelSums { sum: sum.into(), squares: squares.into() };
            sums[index % channels] = sums[index % channels].plus(more);
        }
    }
    sums
}

impl Normaliser {
    /// Measures the pixels of `samples`, which should be the train part alone.
    ///
    /// Nothing of held-out samples may reach the network, not even their mean. The sums are of integers, so they are
    /// exact and independent of any order. Without samples the mean is 0.
    pub fn of(samples: &Samples) -> Normaliser {
        let channels = samples.shape.channels;
        let plane = samples.shape.height * samples.shape.width;
        let sums = samples
            .pixels
            .par_chunks(plane * channels * IMAGES)
            .map(|images| sums(images, plane, channels))
            .reduce(
                || vec![ChannelSums::default(); channels],
                |one, two| one.iter().zip(two).map(|(one, two)| one.plus(two)).collect(),
            );
        let count = (samples.len() * plane).max(1) as u128;
        let scale = 255.0 * count as f64;
        let measure = |&ChannelSums { sum, squares }: &ChannelSums| {
            let sum = u128::from(sum);
            // N·Σx² − (Σx)² = N²·variance is exact, so it is 0 for a constant channel alone.
            let spread = u128::from(squares) * count - sum * sum;
            let std = if spread == 0 { 1.0 } else { (spread as f64).sqrt() / scale };
            ((sum as f64 / scale) as f32, std as f32)
        };
        let (mean, std) = sums.iter().map(measure).unzip();
        Normaliser { mean, std }
    }

    /// C scales, then C shifts: byte · scale + shift = (byte/255 − mean) / std.
    pub fn scale_and_shift(&self) -> Vec<f32> {
        let pairs = || self.mean.iter().zip(&self.std);
        let scale = pairs().map(|(_, std)| (1.0 / (255.0 * f64::from(*std))) as f32);
        let shift = pairs().map(|(mean, std)| (-f64::from(*mean) / f64::from(*std)) as f32);
        scale.chain(shift).collect()
    }
}
