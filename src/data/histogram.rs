//! The 16-bit values of pictures: the levels that keep most of what they show, and what is lost by given ones.

use std::sync::{Mutex, PoisonError};

use image::DynamicImage;

use super::rendering::{LevelRange, Levels};

/// All 16-bit values.
const VALUES: usize = 1 << 16;
/// One in this many values may lie outside the levels, if that keeps many more apart.
const OUTLIERS_OF: u64 = 10_000;
/// Other levels must keep this many times the information.
const GAIN: f64 = 1.1;
/// Levels without hot and dead pixels must keep this many times the information, …
const GAIN_WITHOUT_ALONE: f64 = 1.5;
/// … or spread the others this many times as far.
const CLOSER: u32 = 8;
/// A pixel stands alone from this many times the range of its neighbours, …
const ALONE: u32 = 8;
/// … and this many values.
const ALONE_VALUES: u32 = 64;
/// The pixels around one, as rows down and columns to the right.
const AROUND: [(isize, isize); 8] = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];

/// How often each 16-bit value occurs in the pictures of a data set.
#[derive(Debug, Default)]
pub(super) struct Histogram(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: Vec<u64>,
    /// Those of pixels that stand alone, as hot and dead ones do.
    alone: Vec<u64>,
}

impl Histogram {
    /// Counts the values of a 16-bit picture that can be seen; alpha is not one.
    pub fn add(&self, picture: &DynamicImage) {
        let Some(samples) = Samples::of(picture) else { return };
        let (mut all, mut alone) = (vec![0u32; VALUES], vec![0u32; VALUES]);
        samples.each(|value, at| {
            all[usize::from(value)] += 1;
            if samples.is_alone(at) {
                alone[usize::from(value)] += 1;
            }
        });
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Counts { all: all_before, alone: alone_before } = &mut *counts;
        for (sum, more) in [(all_before, all), (alone_before, alone)] {
            sum.resize(VALUES, 0);
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += u64::from(more));
        }
    }

    /// The levels that keep most values apart, and a sentence if they are not the full range.
    ///
    /// None when there was no 16-bit picture.
    pub fn levels(self) -> Option<(LevelRange, Option<String>)> {
        let Counts { all, alone } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let used = between(&all, 0)?;
        let best = best(&all, &alone, used);
        if best == LevelRange::FULL {
            return Some((best, None));
        }
        let (low, high) = (usize::from(best.low), usize::from(best.high));
        let count = |counts: &[u64]| counts.iter().sum::<u64>();
        let outside = match count(&all[..low]) + count(&all[high + 1..]) {
            0 => String::new(),
            outside => {
                format!(" ({outside} of {} values lie outside and become 0 or 255)", count(&all))
            }
        };
        let note = format!(
            "16-bit pictures use the values {} to {} of 0 to 65535: scaled from {low} to {high}{outside}, so that bytes have {} \
             different values from 0 to 255, where plain rounding leaves {} from {} to {}; ⟨levels {}⟩ changes it",
            used.low,
            used.high,
            distinct(&all, &best),
            distinct(&all, &LevelRange::FULL),
            LevelRange::FULL.byte(used.low),
            LevelRange::FULL.byte(used.high),
            Levels::Range(LevelRange::FULL)
        );
        Some((best, Some(note)))
    }
}

/// The levels that keep most of these values apart.
fn best(all: &[u64], alone: &[u64], used: LevelRange) -> LevelRange {
    if of_8_bits(all) {
        return LevelRange::FULL;
    }
    // Where few values are used, those between, which resizing makes, would be lost too.
    let narrow = width(&used) < 1 << 15;
    let mut best = if narrow { used } else { LevelRange::FULL };
    let few = |of: u64| all.iter().sum::<u64>() / of;
    for range in [Some(used), between(all, few(OUTLIERS_OF))].into_iter().flatten() {
        if information(all, &range) > GAIN * information(all, &best) {
            best = range;
        }
    }
    let others: Vec<u64> = all.iter().zip(alone).map(|(all, alone)| all - alone).collect();
    // Now and then two that stand alone are neighbours.
    for outliers in [0, few(OUTLIERS_OF), few(OUTLIERS_OF / 10)] {
        let Some(range) = between(&others, outliers) else { continue };
        let (kept, before) = (information(&others, &range), information(&others, &best));
        let spread = width(&range) * CLOSER <= width(&best) && kept * GAIN >= before;
        if spread || kept > GAIN_WITHOUT_ALONE * before {
            best = range;
        }
    }
    best
}

/// What levels leave of the values of a 16-bit picture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    /// The different values in the file, without few that lie outside the levels.
    pub values: usize,
    /// The different bytes of them.
    pub bytes: usize,
    /// The difference of bytes within which nine in ten of its samples lie.
    pub middle: u8,
    /// Whether much is lost.
    pub few: bool,
}

impl Kept {
    /// Counts the values of a picture. None when it hasn't 16 bits.
    pub fn of(picture: &DynamicImage, levels: &LevelRange) -> Option<Kept> {
        let samples = Samples::of(picture)?;
        let mut counts = vec![0u64; VALUES];
        samples.each(|value, _| counts[usize::from(value)] += 1);
        let inside = usize::from(levels.low)..=usize::from(levels.high);
        let all = counts.iter().sum::<u64>();
        let used = |counts: &[u64]| counts.iter().filter(|count| **count > 0).count();
        let few_outside = counts[inside.clone()].iter().sum::<u64>() * 20 >= all * 19;
        let values = used(if few_outside { &counts[inside] } else { &counts });
        let bytes = distinct(&counts, levels);
        let middle = between(&counts, all / 20);
        let steps = middle.map_or(u8::MAX, |middle| levels.byte(middle.high) - levels.byte(middle.low));
        // Less than nine in ten values are left, or most lie in a thirtieth of the bytes.
        let few = !of_8_bits(&counts) && (bytes * 10 <= values * 9 || steps < 8);
        Some(Kept { values, bytes, middle: steps, few })
    }
}

/// The samples of a 16-bit picture.
struct Samples<'a> {
    values: &'a [u16],
    /// Pixels of a row.
    width: usize,
    /// Samples of a pixel.
    channels: usize,
    /// Those that are not alpha.
    colours: usize,
}

impl Samples<'_> {
    /// None when the picture hasn't 16 bits.
    fn of(picture: &DynamicImage) -> Option<Samples<'_>> {
        let (values, channels, colours): (&[u16], _, _) = match picture {
            DynamicImage::ImageLuma16(deep) => (deep, 1, 1),
            DynamicImage::ImageLumaA16(deep) => (deep, 2, 1),
            DynamicImage::ImageRgb16(deep) => (deep, 3, 3),
            DynamicImage::ImageRgba16(deep) => (deep, 4, 3),
            _ => return None,
        };
        Some(Samples { values, width: picture.width() as usize, channels, colours })
    }

    /// Hands on each value that can be seen, with its index.
    fn each(&self, mut take: impl FnMut(u16, usize)) {
        for (pixel, values) in self.values.chunks_exact(self.channels).enumerate() {
            if self.channels == self.colours || values[self.colours] > 0 {
                for (channel, value) in values[..self.colours].iter().enumerate() {
                    take(*value, pixel * self.channels + channel);
                }
            }
        }
    }

    /// Whether a value is far from those around it, all but one of them.
    fn is_alone(&self, at: usize) -> bool {
        let (row, value) = (self.width * self.channels, u32::from(self.values[at]));
        let x = at % row;
        let (first, last) = (x < self.channels, x + self.channels >= row);
        let like = |at: usize| value.abs_diff(u32::from(self.values[at])) <= ALONE_VALUES;
        if !first && !last && like(at - self.channels) && like(at + self.channels) {
            return false;
        }
        // The two least and the two largest around it.
        let (mut low, mut high, mut count) = ([u32::MAX; 2], [0; 2], 0);
        for (down, right) in AROUND {
            if (first && right < 0) || (last && right > 0) {
                continue;
            }
            let near = at as isize + down * row as isize + right * self.channels as isize;
            // Above the first row an index is negative, and so too large.
            let Some(near) = self.values.get(near as usize).copied().map(u32::from) else { continue };
            low = [low[0].min(near), low[1].min(low[0].max(near))];
            high = [high[0].max(near), high[1].max(high[0].min(near))];
            count += 1;
        }
        let ([_, low], [_, high]) = (low, high);
        if count < 3 {
            return false;
        }
        let far = ALONE * (high - low) + ALONE_VALUES;
        value > high + far || value + far < low
    }
}

/// Whether all values are those of 8 bits, which plain rounding brings back.
fn of_8_bits(counts: &[u64]) -> bool {
    counts.iter().enumerate().all(|(value, count)| *count == 0 || value % 257 == 0)
}

fn width(range: &LevelRange) -> u32 {
    u32::from(range.high - range.low)
}

/// The range of the values, without `outliers` of them at either end. None when it is a single value.
fn between(counts: &[u64], outliers: u64) -> Option<LevelRange> {
    let low = end(counts.iter().enumerate(), outliers)?;
    let high = end(counts.iter().enumerate().rev(), outliers)?;
    (low < high).then_some(LevelRange { low: low as u16, high: high as u16 })
}

/// The first value after `outliers` occurrences.
fn end<'a>(mut values: impl Iterator<Item = (usize, &'a u64)>, outliers: u64) -> Option<usize> {
    let mut seen = 0;
    let (value, _) = values.find(|(_, count)| {
        seen += **count;
        seen > outliers
    })?;
    Some(value)
}

/// How often each byte occurs by these levels.
fn bytes(counts: &[u64], range: &LevelRange) -> [u64; 256] {
    let mut bytes = [0; 256];
    for (value, count) in counts.iter().enumerate() {
        bytes[usize::from(range.byte(value as u16))] += count;
    }
    bytes
}

/// The entropy of the bytes, in bits.
fn information(counts: &[u64], range: &LevelRange) -> f64 {
    let bytes = bytes(counts, range);
    let all = bytes.iter().sum::<u64>().max(1) as f64;
    let fractions = bytes.iter().filter(|count| **count > 0).map(|count| *count as f64 / all);
    -fractions.map(|fraction| fraction * fraction.log2()).sum::<f64>()
}

fn distinct(counts: &[u64], range: &LevelRange) -> usize {
    bytes(counts, range).iter().filter(|count| **count > 0).count()
}
