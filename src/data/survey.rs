//! What all pictures of a data set show together: the ground and the levels for them, and what reading lost.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use image::DynamicImage;

use super::fitting::Seen;
use super::rendering::{BLACK, Background, Colour, LevelRange, Levels, Rendering, WHITE};
use crate::program::shape::Shape;
use crate::text::shown;

/// The ground for drawings of which some are dark and some are bright.
const GREY: Colour = [128; 3];
/// Ink that differs less from the ground than this can't be seen, in steps of 255.
const INVISIBLE: u8 = 24;
/// One in this many pictures may be invisible before another ground is looked for.
const FEW_OF: usize = 20;
/// One in this many values may lie outside the levels, if that keeps many more apart.
const OUTLIERS_OF: u64 = 10_000;
/// Other levels must keep this many times the information.
const GAIN: f64 = 1.1;

/// How often each 16-bit value occurs in the pictures of a data set.
#[derive(Debug, Default)]
pub(super) struct Histogram(Mutex<Vec<u64>>);

impl Histogram {
    /// Counts the values of a 16-bit picture that can be seen; alpha is not one.
    pub fn add(&self, picture: &DynamicImage) {
        let mut counts = vec![0u32; 1 << 16];
        let mut count = |values: &[u16]| values.iter().for_each(|value| counts[usize::from(*value)] += 1);
        match picture {
            DynamicImage::ImageLuma16(deep) => count(deep),
            DynamicImage::ImageRgb16(deep) => count(deep),
            DynamicImage::ImageLumaA16(deep) => {
                deep.pixels().filter(|pixel| pixel.0[1] > 0).for_each(|pixel| count(&pixel.0[..1]));
            }
            DynamicImage::ImageRgba16(deep) => {
                deep.pixels().filter(|pixel| pixel.0[3] > 0).for_each(|pixel| count(&pixel.0[..3]));
            }
            _ => {}
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.resize(1 << 16, 0);
        all.iter_mut().zip(counts).for_each(|(all, count)| *all += u64::from(count));
    }

    /// The levels that keep most values apart, and a sentence if they are not the full range.
    ///
    /// None when there was no 16-bit picture.
    pub fn levels(self) -> Option<(LevelRange, Option<String>)> {
        let counts = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let used = between(&counts, 0)?;
        let outliers = counts.iter().sum::<u64>() / OUTLIERS_OF;
        // Where few values are used, those between, which resizing makes, would be lost too.
        let narrow = used.high - used.low < 1 << 15;
        let mut best = if narrow && !of_8_bits(&counts) { used } else { LevelRange::FULL };
        for range in [Some(used), between(&counts, outliers)].into_iter().flatten() {
            if information(&counts, &range) > GAIN * information(&counts, &best) {
                best = range;
            }
        }
        if best == LevelRange::FULL {
            return Some((best, None));
        }
        let outside = if best == used {
            String::new()
        } else {
            format!(" (up to 1 in {OUTLIERS_OF} lies outside and becomes 0 or 255)")
        };
        let note = format!(
            "16-bit pictures use the values {} to {} of 0 to 65535: scaled from {} to {}{outside}, so that bytes have {} \
             different values from 0 to 255, where plain rounding leaves {} from {} to {}; ⟨levels {}⟩ changes it",
            used.low,
            used.high,
            best.low,
            best.high,
            distinct(&counts, &best),
            distinct(&counts, &LevelRange::FULL),
            LevelRange::FULL.byte(used.low),
            LevelRange::FULL.byte(used.high),
            Levels::Range(LevelRange::FULL)
        );
        Some((best, Some(note)))
    }
}

/// Whether all values are those of 8 bits, which plain rounding brings back.
fn of_8_bits(counts: &[u64]) -> bool {
    counts.iter().enumerate().all(|(value, count)| *count == 0 || value % 257 == 0)
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

/// The ground on which transparent pictures are seen best, and a sentence about it.
///
/// None when no picture with transparent parts has anything to see.
pub(super) fn ground<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Option<(Colour, String)> {
    let inks: Vec<u8> = all.clone().filter_map(|seen| seen.ink).collect();
    let mean = inks.iter().map(|ink| usize::from(*ink)).sum::<usize>().checked_div(inks.len())?;
    let dark = inks.iter().filter(|ink| **ink < INVISIBLE).count();
    let bright = inks.iter().filter(|ink| **ink > 255 - INVISIBLE).count();
    let many = |count: usize| count * FEW_OF > inks.len();
    let (ground, because) = match (many(dark), many(bright)) {
        (true, true) => (GREY, format!("{dark} of the drawings are dark and {bright} are bright")),
        (true, false) => (WHITE, format!("{dark} of the drawings are dark")),
        (false, true) => (BLACK, format!("{bright} of the drawings are bright")),
        (false, false) if mean < 128 => {
            (WHITE, format!("the drawings are rather dark (a grey of {mean} of 255)"))
        }
        (false, false) => (BLACK, format!("the drawings are rather bright (a grey of {mean} of 255)")),
    };
    // Not one on which they can't be seen.
    let other = Background::Colour(match ground {
        _ if (ground == WHITE && many(dark)) || (ground == BLACK && many(bright)) => GREY,
        WHITE => BLACK,
        _ => WHITE,
    });
    let note = format!(
        "{} of {} pictures have transparent parts: composed onto {}, because {because}; ⟨background {other}⟩ changes it",
        all.clone().filter(|seen| seen.composed).count(),
        all.count(),
        name(ground),
    );
    Some((ground, note))
}

/// A ground in a sentence.
fn name(ground: Colour) -> String {
    if ground == GREY { "grey (128)".to_owned() } else { Background::Colour(ground).to_string() }
}

/// White if most opaque pictures are bright along their edge, as drawings on paper are, else black.
pub(super) fn paper<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Colour {
    let bright = all.clone().filter(|seen| seen.edge >= 192).count();
    if 2 * bright > all.count() { WHITE } else { BLACK }
}

/// A sentence for each way in which reading has lost what pictures show.
pub(super) fn losses<'a>(
    all: impl Iterator<Item = (&'a Path, &'a Seen)> + Clone,
    shape: &Shape,
    rendering: &Rendering,
) -> Vec<String> {
    let lost = |seen: &Seen| seen.varied && seen.contrast_left == 0;
    let faded = |seen: &Seen| !lost(seen) && seen.contrast >= 32 && seen.contrast_left <= seen.contrast / 8;
    let thin = |seen: &Seen| {
        let ((width, height), (to_width, to_height)) = (seen.size, seen.fitted);
        (to_width == 1 && width > 1 && shape.width > 1) || (to_height == 1 && height > 1 && shape.height > 1)
    };
    let count = all.clone().count();
    let sentence = |has: &dyn Fn(&Seen) -> bool, what: &dyn Fn(&str, &Seen) -> String| {
        let mut found = all.clone().filter(|(_, seen)| has(seen));
        let (path, seen) = found.next()?;
        let (found, file) = (found.count() + 1, shown(path));
        Some(format!("{found} of {count} pictures {}", what(&file, seen)))
    };
    [
        sentence(&lost, &|file, seen| {
            let cause = cause(seen, shape, rendering);
            format!("show something in their files and are of one colour once read (as {file}): {cause}")
        }),
        sentence(&faded, &|file, seen| {
            format!(
                "lose most of their contrast when they are resized, as thin lines do (as {file}, from {} to {} of 255), \
                 so use a larger ⟨resize⟩",
                seen.contrast, seen.contrast_left
            )
        }),
        sentence(&thin, &|file, seen| {
            let ((width, height), (to_width, to_height)) = (seen.size, seen.fitted);
            format!(
                "are so long that resizing leaves one pixel of their shorter side (as {file}, from {height}×{width} to \
                 {to_height}×{to_width}), so cut them or use a larger ⟨resize⟩"
            )
        }),
        sentence(&|seen| seen.animated, &|file, _| {
            format!("are animations, of which the still image alone is read (as {file})")
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Why a picture is of one colour, and what to do. The end of a sentence.
fn cause(seen: &Seen, shape: &Shape, rendering: &Rendering) -> String {
    if seen.contrast > 0 {
        let (height, width) = (shape.height, shape.width);
        return format!("it vanishes when they are resized to {height}×{width}, so use a larger ⟨resize⟩");
    }
    if seen.composed && seen.ink.is_none() {
        return "they are transparent throughout, so save them again with their opacity".to_owned();
    }
    if seen.composed {
        return format!(
            "their drawing has the colour of the ground, {}, so choose another ⟨background⟩",
            name(rendering.ground)
        );
    }
    if seen.deep {
        return "their 16-bit values differ too little, so choose ⟨levels⟩ that are closer together"
            .to_owned();
    }
    let Shape { height, width, .. } = shape;
    format!("their colours are equally bright, so keep the colours with ⟨resize 3x{height}x{width}⟩")
}
