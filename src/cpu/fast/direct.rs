//! Convolutions of stride 1, computed from the images without a matrix of windows.
//!
//! In a padded image all values that one tap reads are a single run: the window of the next pixel begins one number
//! further on, also from one row to the next. So each pass is sums of products of whole runs (see [`super::tile`]). The
//! few pixels between two rows are computed as well, and dropped.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::ConvPass;
use super::tile::{DOTS, Dots, LANES, Outer, ROWS};
use super::{offsets, scratch};
use crate::kernel::{Geometry, Side};

/// One side of a pass of stride 1 over padded images.
#[derive(Clone, Copy)]
struct UnitSide {
    /// The size of the input image.
    size: usize,
    /// The size of the result.
    out: usize,
    pad: usize,
    taps: usize,
    dilation: usize,
}

impl UnitSide {
    fn forward(side: &Side) -> Option<UnitSide> {
        let &Side { size, out, kernel, stride, pad, dilation } = side;
        (stride == 1).then_some(UnitSide { size, out, pad, taps: kernel, dilation })
    }

    /// The side for the input gradient, with the taps in reverse.
    fn backward(side: &Side) -> Option<UnitSide> {
        let pad = (side.dilation * (side.kernel - 1)).checked_sub(side.pad)?;
        let axis = UnitSide::forward(side)?;
        Some(UnitSide { size: axis.out, out: axis.size, pad, ..axis })
    }

    /// The padded size, which the taps of all results read.
    fn seen(&self) -> usize {
        self.out + (self.taps - 1) * self.dilation
    }
}

/// The layout of images and results.
#[derive(Clone, Copy)]
pub struct Plan {
    rows: UnitSide,
    columns: UnitSide,
    /// Channels that one result reads.
    channels: usize,
    /// Results that read the same channels.
    results: usize,
    reverse: bool,
}

impl Plan {
    /// The layout for y, if the geometry allows.
    pub fn forward(g: &Geometry) -> Option<Plan> {
        let (rows, columns) = (UnitSide::forward(&g.rows)?, UnitSide::forward(&g.columns)?);
        Some(Plan { rows, columns, channels: g.seen(), results: g.outputs / g.groups, reverse: false })
    }

    /// The layout for dx, if the geometry allows.
    pub fn backward(g: &Geometry) -> Option<Plan> {
        let (rows, columns) = (UnitSide::backward(&g.rows)?, UnitSide::backward(&g.columns)?);
        Some(Plan { rows, columns, channels: g.outputs / g.groups, results: g.seen(), reverse: true })
    }

    /// Terms of a sum.
    fn terms(&self) -> usize {
        self.channels * self.rows.taps * self.columns.taps
    }

    /// Numbers of an image of one channel with its padding.
    fn plane(&self) -> usize {
        self.rows.seen() * self.columns.seen()
    }

    /// The length of the run for `rows` rows of a result, in whole vectors.
    fn run(&self, rows: usize) -> usize {
        (rows * self.columns.seen()).next_multiple_of(LANES)
    }

    /// Numbers of the padded images of a group: a run may read past the end of the last.
    fn padded(&self) -> usize {
        self.channels * self.plane() + (self.columns.taps - 1) * self.columns.dilation + LANES
    }

    /// The offset of each term's run in the padded images, in the order of the weights.
    fn starts(&self) -> impl ExactSizeIterator<Item = usize> {
        (0..self.terms()).map(|term| self.start(term))
    }

    fn start(&self, term: usize) -> usize {
        let Plan { rows, columns, .. } = self;
        let (channel, tap) = (term / (rows.taps * columns.taps), term % (rows.taps * columns.taps));
        let (r, s) = (tap / columns.taps, tap % columns.taps);
        channel * self.plane() + r * rows.dilation * columns.seen() + s * columns.dilation
    }

    /// Lays out the padded images of a group: the rows that these rows of the result read.
    fn pad(&self, images: &[f32], results: &Range<usize>, padded: &mut [f32]) {
        let UnitSide { size, pad, taps, dilation, .. } = self.rows;
        let width = self.columns.seen();
        padded.fill(0.0);
        let seen = results.start..results.end + (taps - 1) * dilation;
        let within = seen.start.max(pad)..seen.end.min(size + pad);
        for channel in 0..self.channels {
            let image = &images[channel * size * self.columns.size..][..size * self.columns.size];
            let padded = &mut padded[channel * self.plane()..][..self.plane()];
            for row in within.clone() {
                let from = &image[(row - pad) * self.columns.size..][..self.columns.size];
                copy_row(from, &mut padded[(row - seen.start) * width + self.columns.pad..]);
            }
        }
    }

    /// The weights as [`Outer`] reads them: (tiles of results, terms, ROWS).
    fn arrange(&self, weights: &[f32], arranged: &mut [f32]) {
        let taps = self.rows.taps * self.columns.taps;
        arranged.fill(0.0);
        for result in 0..self.results {
            let tile = &mut arranged[result / ROWS * self.terms() * ROWS..][..self.terms() * ROWS];
            for (term, to) in tile.chunks_exact_mut(ROWS).enumerate() {
                let (channel, tap) = (term / taps, term % taps);
                let weight = if self.reverse {
                    (channel * self.results + result) * taps + taps - 1 - tap
                } else {
                    (result * self.channels + channel) * taps + tap
                };
                to[result % ROWS] = weights[weight];
            }
        }
    }
}

fn copy_row(from: &[f32], to: &mut [f32]) {
    to[..from.len()].copy_from_slice(from);
}

/// One pass over a batch, forward or backward.
pub fn convolve(plan: &Plan, pass: &ConvPass, images: &[f32], results: &mut [f32]) {
    let g = &pass.geometry;
    let (terms, tiles) = (plan.terms(), plan.results.div_ceil(ROWS));
    let (image, result) = (images.len() / g.batch, results.len() / g.batch);
    scratch(g.groups * tiles * terms * ROWS, |arranged| {
        let groups = pass.weights.chunks_exact(plan.results * terms);
        groups
            .zip(arranged.chunks_exact_mut(tiles * terms * ROWS))
            .for_each(|(weights, arranged)| plan.arrange(weights, arranged));
        let arranged = &*arranged;
        offsets(plan.starts(), |starts| {
            let samples = results.par_chunks_exact_mut(result).zip(images.par_chunks_exact(image));
            samples.enumerate().for_each(|(sample, (results, images))| {
                let one = One { plan, pass, starts, first: sample * result };
                one.convolve(arranged, images, results);
            });
        });
    });
}

/// One sample on its way through a pass.
struct One<'a> {
    plan: &'a Plan,
    pass: &'a ConvPass<'a>,
    starts: &'a [usize],
    /// The offset of the sample's first result in the batch.
    first: usize,
}

impl One<'_> {
    fn convolve(&self, arranged: &[f32], images: &[f32], results: &mut [f32]) {
        let Plan { rows, columns, channels, results: own, .. } = *self.plan;
        let (run, image, plane) = (self.plan.run(rows.out), rows.size * columns.size, rows.out * columns.out);
        let tile = self.plan.terms() * ROWS;
        scratch(self.plan.padded() + ROWS * run, |memory| {
            let (padded, sums) = memory.split_at_mut(self.plan.padded());
            let groups =
                arranged.chunks_exact(own.div_ceil(ROWS) * tile).zip(images.chunks_exact(channels * image));
            for (group, (arranged, images)) in groups.enumerate() {
                self.plan.pad(images, &(0..rows.out), padded);
                for (at, a) in arranged.chunks_exact(tile).enumerate() {
                    Outer { a, b: padded, starts: self.starts, c: sums }.run();
                    let first = group * own + at * ROWS;
                    let planes = results[first * plane..(group + 1) * own * plane].chunks_exact_mut(plane);
                    for (row, (plane, sums)) in planes.zip(sums.chunks_exact(run)).enumerate() {
                        self.finish(first + row, sums, plane);
                    }
                }
            }
        });
    }

    /// Copies the pixels of a channel's run, without the values between two rows.
    fn finish(&self, channel: usize, sums: &[f32], plane: &mut [f32]) {
        let (columns, length) = (self.plan.columns, plane.len());
        let finished = |plane: &mut [f32]| {
            let rows = plane.chunks_exact_mut(columns.out).zip(sums.chunks(columns.seen()));
            rows.for_each(|(to, from)| to.copy_from_slice(&from[..columns.out]));
            self.pass.finish(self.first + channel * length, channel, length, plane);
        };
        if !self.pass.add {
            return finished(plane);
        }
        // The epilogue applies to the finished sum, before it is added to what is there.
        scratch(length, |sums| {
            finished(sums);
            plane.iter_mut().zip(&*sums).for_each(|(value, sum)| *value += sum);
        });
    }
}

/// Samples whose images are laid out at once; their sums stay in registers.
const RUNS: usize = 4;

/// The most parts of sums: 8 MiB.
const MOST_PARTS: usize = 1 << 21;

impl Plan {
    /// The layout for dw, if the geometry allows.
    pub fn weights(g: &Geometry) -> Option<Plan> {
        Plan::forward(g).filter(|plan| plan.dots().0 * plan.dots().1 * LANES <= MOST_PARTS)
    }

    /// Rows and columns of the sums, rounded up for [`Dots`].
    fn dots(&self) -> (usize, usize) {
        (self.results.next_multiple_of(DOTS.0), self.terms().next_multiple_of(DOTS.1))
    }

    /// Lays out the rows of dy of a group like the images, with zeros in between.
    fn spread(&self, dy: &[f32], lines: &Range<usize>, spread: &mut [f32]) {
        let (width, plane) = (self.columns.out, self.rows.out * self.columns.out);
        let run = self.run(lines.len());
        spread.fill(0.0);
        for (dy, spread) in dy.chunks_exact(plane).zip(spread.chunks_exact_mut(run)) {
            let rows = dy[lines.start * width..lines.end * width].chunks_exact(width);
            rows.zip(spread.chunks_mut(self.columns.seen())).for_each(|(from, to)| copy_row(from, to));
        }
    }
}

/// dw (O, K) = Σ over the rows of a slice of dy (O, P) · windowsᵀ (P, K), slice by slice.
pub fn weights(plan: &Plan, g: &Geometry, x: &[f32], dy: &[f32], slice: usize, slices: &mut [f32]) {
    let (own, terms) = plan.dots();
    let lines = g.batch * g.rows.out;
    let last = plan.terms() - 1;
    offsets((0..terms).map(|term| plan.start(term.min(last))), |starts| {
        slices.par_chunks_exact_mut(g.weights()).enumerate().for_each(|(z, dw)| {
            let part = BatchSlice { plan, g, x, dy, starts, lines: z * slice..((z + 1) * slice).min(lines) };
            scratch(own * terms * LANES, |sums| {
                for group in 0..g.groups {
                    let dw = &mut dw[group * plan.results * plan.terms()..][..plan.results * plan.terms()];
                    part.group(group, sums);
                    for (dw, sums) in dw.chunks_exact_mut(plan.terms()).zip(sums.chunks_exact(terms * LANES))
                    {
                        let parts = sums.chunks_exact(LANES);
                        dw.iter_mut().zip(parts).for_each(|(dw, parts)| *dw = parts.iter().sum());
                    }
                }
            });
        });
    });
}

/// A slice of the rows of a whole batch.
struct BatchSlice<'a> {
    plan: &'a Plan,
    g: &'a Geometry,
    x: &'a [f32],
    dy: &'a [f32],
    starts: &'a [usize],
    lines: Range<usize>,
}

impl BatchSlice<'_> {
    /// Sets `sums` to the slice's weight gradient of a group.
    fn group(&self, group: usize, sums: &mut [f32]) {
        sums.fill(0.0);
        let rows = self.g.rows.out;
        let mut line = self.lines.start;
        while line < self.lines.end {
            let (sample, first) = (line / rows, line % rows);
            // The rest of a sample, or whole samples, or the beginning of the last.
            let whole = ((self.lines.end - line) / rows).min(RUNS);
            let (runs, rows) = if first == 0 && whole > 0 {
                (whole, 0..rows)
            } else {
                (1, first..(first + self.lines.end - line).min(rows))
            };
            self.add(group, sample, runs, &rows, sums);
            line += runs * rows.len();
        }
    }

    /// Adds the weight gradient of these rows of some samples.
    fn add(&self, group: usize, sample: usize, runs: usize, rows: &Range<usize>, sums: &mut [f32]) {
        let (plan, g) = (self.plan, self.g);
        let (x, dy) = (self.x.len() / g.batch, self.dy.len() / g.batch);
        let (image, output) = (x / g.groups, dy / g.groups);
        let (own, length) = (plan.dots().0, plan.run(rows.len()));
        let steps = (own * length, plan.padded());
        scratch(runs * (steps.0 + steps.1), |memory| {
            let (spread, padded) = memory.split_at_mut(runs * steps.0);
            let parts = spread.chunks_exact_mut(steps.0).zip(padded.chunks_exact_mut(steps.1));
            for (sample, (spread, padded)) in (sample..).zip(parts) {
                plan.spread(&self.dy[sample * dy + group * output..][..output], rows, spread);
                plan.pad(&self.x[sample * x + group * image..][..image], rows, padded);
            }
            offsets((0..own).map(|row| row * length), |a_starts| {
                let (a, b, b_starts) = (&*spread, &*padded, self.starts);
                Dots { a, a_starts, b, b_starts, runs, steps, length, sums }.run();
            });
        });
    }
}
