//! The brightness and the contrast of images: what is usual in a data set, and images that are far from it.

use rayon::prelude::*;

use super::dataset::Samples;
use super::normaliser::Normaliser;
use crate::program::shape::Shape;

/// The fraction of a data set's images that may lie beyond either end of what is usual.
const OUTLIERS: f64 = 0.01;
/// How far an image may lie beyond what is usual: this fraction of the range, and at least `LEAST_ROOM`.
const ROOM: f32 = 0.25;
const LEAST_ROOM: f32 = 0.15;

/// The brightness and the contrast of an image, its bytes taken as 0 to 1; alpha is left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// The mean.
    pub brightness: f32,
    /// The standard deviation within a channel.
    pub contrast: f32,
}

impl Tone {
    /// Measures the C·H·W bytes of an image.
    pub fn of(image: &[u8], shape: &Shape) -> Tone {
        let colours = shape.channels - usize::from(shape.channels.is_multiple_of(2));
        let plane = shape.height * shape.width;
        let (mut mean, mut variance) = (0.0, 0.0);
        for channel in image.chunks_exact(plane).take(colours) {
            let (mut sum, mut squares) = (0, 0);
            for value in channel.iter().map(|value| u64::from(*value)) {
                sum += value;
                squares += value * value;
            }
            let of_channel = sum as f64 / plane as f64;
            mean += of_channel;
            variance += (squares as f64 / plane as f64 - of_channel * of_channel).max(0.0);
        }
        let colours = colours as f64;
        Tone {
            brightness: (mean / colours / 255.0) as f32,
            contrast: ((variance / colours).sqrt() / 255.0) as f32,
        }
    }
}

/// The tones of a data set's images, without the outermost: the least and the greatest of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tones {
    /// Least and greatest brightness.
    pub brightness: [f32; 2],
    /// Least and greatest contrast.
    pub contrast: [f32; 2],
}

/// In what an image is far from what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Oddity {
    /// It is brighter.
    Brighter,
    /// It is darker.
    Darker,
    /// It has less contrast.
    Flatter,
    /// It has more contrast.
    Starker,
}

impl Tones {
    /// The tones of samples; none without samples.
    pub fn of(samples: &Samples) -> Option<Tones> {
        let shape = samples.shape;
        let all: Vec<Tone> =
            samples.pixels.par_chunks_exact(shape.len()).map(|image| Tone::of(image, &shape)).collect();
        let ends = |value: fn(&Tone) -> f32| {
            let mut values: Vec<f32> = all.iter().map(value).collect();
            values.sort_unstable_by(f32::total_cmp);
            let outside = ((values.len() as f64 * OUTLIERS) as usize).min(values.len().saturating_sub(1) / 2);
            // Four digits are enough, and short in a file.
            let short = |value: &f32| (value * 1e4).round() / 1e4;
            Some([short(values.get(outside)?), short(values.iter().rev().nth(outside)?)])
        };
        Some(Tones { brightness: ends(|tone| tone.brightness)?, contrast: ends(|tone| tone.contrast)? })
    }

    /// An estimate from mean and deviation of all pixels, for a model that has nothing better; none where pixels were
    /// not measured.
    pub fn estimated(normaliser: &Normaliser) -> Option<Tones> {
        let Normaliser { mean, std } = normaliser;
        let is_unit = mean.iter().all(|mean| *mean == 0.0) && std.iter().all(|std| *std == 1.0);
        let colours = mean.len() - usize::from(mean.len().is_multiple_of(2));
        let average = |values: &[f32]| values.iter().take(colours).sum::<f32>() / colours as f32;
        let (mean, std) = (average(mean), average(std));
        let tones = Tones { brightness: [mean - 0.65 * std, mean + 0.65 * std], contrast: [0.25 * std, 1.0] };
        (!is_unit).then_some(tones)
    }

    /// How far an image lies beyond these, 0 for one among them.
    pub fn distance(&self, tone: &Tone) -> f32 {
        let beyond = |value: f32, [least, greatest]: [f32; 2]| (least - value).max(value - greatest).max(0.0);
        beyond(tone.brightness, self.brightness) + beyond(tone.contrast, self.contrast)
    }

    /// In what an image is far from these, if it is.
    pub fn oddity(&self, tone: &Tone) -> Option<Oddity> {
        let beyond = |value: f32, [least, greatest]: [f32; 2]| {
            let room = ((greatest - least) * ROOM).max(LEAST_ROOM);
            (value < least - room, value > greatest + room)
        };
        match (beyond(tone.brightness, self.brightness), beyond(tone.contrast, self.contrast)) {
            ((_, true), _) => Some(Oddity::Brighter),
            ((true, _), _) => Some(Oddity::Darker),
            (_, (true, _)) => Some(Oddity::Flatter),
            (_, (_, true)) => Some(Oddity::Starker),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_those_of_the_pixels_without_alpha() {
        let tone = Tone::of(&[0, 255, 0, 255, 9, 9, 9, 9], &Shape::image(2, 2, 2));
        assert_eq!(tone, Tone { brightness: 0.5, contrast: 0.5 });
        // Colours that differ have no contrast by themselves.
        let tone = Tone::of(&[255, 255, 0, 0, 0, 0], &Shape::image(3, 1, 2));
        assert_eq!((tone.contrast, (tone.brightness * 3.0).round()), (0.0, 1.0));
    }

    #[test]
    fn an_image_far_from_the_others_is_odd_and_one_beside_them_is_not() {
        let images: Vec<u8> = (0..200u8).flat_map(|at| [0, 0, 0, 150 + at / 2]).collect();
        let samples = Samples { shape: Shape::image(1, 2, 2), pixels: images, labels: vec![0; 200] };
        let tones = Tones::of(&samples).unwrap();
        let odd = |image: [u8; 4]| tones.oddity(&Tone::of(&image, &samples.shape));
        assert_eq!((odd([0, 0, 0, 200]), odd([0, 0, 0, 255])), (None, None));
        assert_eq!(odd([255, 255, 255, 50]), Some(Oddity::Brighter));
        let distance = |image: [u8; 4]| tones.distance(&Tone::of(&image, &samples.shape));
        assert!(distance([255, 255, 255, 50]) > distance([0, 0, 0, 205]) && distance([0, 0, 0, 205]) == 0.0);
        assert_eq!(odd([50; 4]), Some(Oddity::Flatter));
        let bright =
            Samples { pixels: samples.pixels.iter().map(|value| 255 - value).collect(), ..samples.clone() };
        let dark = Tones::of(&bright).unwrap().oddity(&Tone::of(&[0, 0, 0, 200], &bright.shape));
        assert_eq!(dark, Some(Oddity::Darker));
        let flat = Samples { pixels: vec![100; 40], labels: vec![0; 10], ..samples.clone() };
        let tones = Tones::of(&flat).unwrap();
        assert_eq!(tones.oddity(&Tone::of(&[20, 180, 20, 180], &flat.shape)), Some(Oddity::Starker));
        assert_eq!(Tones::of(&Samples { pixels: vec![], labels: vec![], ..flat }), None);
    }

    #[test]
    fn a_model_without_tones_has_those_of_its_normaliser() {
        let mnist = Tones::estimated(&Normaliser { mean: vec![0.13], std: vec![0.31] }).unwrap();
        let odd = |brightness: f32, contrast: f32| mnist.oddity(&Tone { brightness, contrast });
        assert_eq!((odd(0.87, 0.3), odd(0.2, 0.3)), (Some(Oddity::Brighter), None));
        assert_eq!(Tones::estimated(&Normaliser { mean: vec![0.0], std: vec![1.0] }), None);
    }
}
