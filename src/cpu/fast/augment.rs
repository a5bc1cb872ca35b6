//! Augmentation, row by row, from images with a black border.

use super::bytes::normalise;
use super::{OFFSETS, lend, scratch, vectorised};
use crate::cpu::augment::{Change, Look, SourceLine};
use crate::cpu::gather::SampleRow;

/// Black pixels around an image, so that interpolation never reads outside it.
///
/// A position further outside counts as one in the border, where two by two pixels are black as well.
const BORDER: usize = 2;

/// The pixels of an augmented sample, channel after channel.
pub fn changed(
    sample: &SampleRow,
    change: &Change,
    [width, height]: [usize; 2],
    look: impl Fn(usize) -> Look,
    x: &mut [f32],
) {
    let (wide, size) = (width + 2 * BORDER, width * height);
    let plane = wide * (height + 2 * BORDER);
    let channels = x.len() / size;
    scratch(channels * plane + 2 * width, |memory| {
        let (bordered, parts) = memory.split_at_mut(channels * plane);
        bordered.fill(0.0);
        for (channel, bordered) in bordered.chunks_exact_mut(plane).enumerate() {
            for row in 0..height {
                let to = &mut bordered[(row + BORDER) * wide + BORDER..][..width];
                normalise(sample, channel * size + row * width, (1.0, 0.0), to);
            }
        }
        lend(&OFFSETS, width, |starts| {
            let (right, down) = parts.split_at_mut(width);
            for row in 0..height {
                let line = change.line(row);
                vectorised(
                    #[inline(always)]
                    || find(&line, [width, height], starts, right, down),
                );
                for (channel, bordered) in bordered.chunks_exact(plane).enumerate() {
                    let x = &mut x[channel * size + row * width..][..width];
                    let tone = change.tone(look(channel)).map(|number| number as f32);
                    vectorised(
                        #[inline(always)]
                        || mix(bordered, wide, starts, (right, down), tone, x),
                    );
                    x[line.cut.clone()].fill(0.0);
                }
            }
        });
    });
}

/// The first pixel that each pixel of a row is interpolated from, and the fractions between the pixels.
#[inline(always)]
fn find(line: &SourceLine, size: [usize; 2], starts: &mut [usize], right: &mut [f32], down: &mut [f32]) {
    let [width, height] = size.map(|length| length as f64);
    // In 32 bits, to which vectors of numbers convert at once.
    let (wide, border) = ((size[0] + 2 * BORDER) as i32, BORDER as i32);
    for (at, (start, (right, down))) in starts.iter_mut().zip(right.iter_mut().zip(down)).enumerate() {
        // In f64, as the twin does: the position decides which pixels are read.
        let along =
            |axis: usize, length: f64| (line.first[axis] + at as f64 * line.step[axis]).clamp(-1.0, length);
        let (x, y) = (along(0, width), along(1, height));
        let (column, row) = (x.floor(), y.floor());
        *start = ((row as i32 + border) * wide + column as i32 + border) as usize;
        (*right, *down) = ((x - column) as f32, (y - row) as f32);
    }
}

/// A row of a channel: bilinear interpolation, then the change of the values.
#[inline(always)]
fn mix(
    image: &[f32],
    wide: usize,
    starts: &[usize],
    (right, down): (&[f32], &[f32]),
    [factor, offset]: [f32; 2],
    x: &mut [f32],
) {
    let between = |a: f32, b: f32, part: f32| a + part * (b - a);
    for ((x, start), (right, down)) in x.iter_mut().zip(starts).zip(right.iter().zip(down)) {
        let pixels = &image[*start..][..wide + 2];
        let upper = between(pixels[0], pixels[1], *right);
        let lower = between(pixels[wide], pixels[wide + 1], *right);
        *x = between(upper, lower, *down) * factor + offset;
    }
}
