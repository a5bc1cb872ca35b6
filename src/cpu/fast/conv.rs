//! Convolutions by matrix products, one sample at a time on every core: those that
//! `direct` can't compute.
//!
//! The windows of one sample are laid out as a matrix, a column per window
//! (`im2col`; Chellapilla et al., “High Performance Convolutional Neural Networks for
//! Document Processing”, 2006), so that each pass is a matrix product. Only one
//! sample's matrix exists per core at a time, and it stays in that core's cache.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::ConvPass;
use super::matrix::{MatrixView, Rectangle};
use super::product::product;
use super::{direct, scratch};
use crate::kernel::{Activation, Call, Epilogue, Geometry, Slice, SliceMut};

/// `conv`, forward or backward.
pub fn conv_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let pass = ConvPass {
        geometry: Geometry::of(call.consts),
        weights: reads[1].real(),
        epilogue: Epilogue::of(call),
        activation: Activation::of(call),
        extra: reads[2].real(),
        add: call.consts.flag("ADD"),
    };
    let (input, output) = (reads[0].real(), writes[0].real());
    let g = &pass.geometry;
    let (from, to) = (g.input() / g.batch, g.output() / g.batch);
    let backward = call.consts.flag("BACKWARD");
    if let Some(plan) = if backward { direct::Plan::backward(g) } else { direct::Plan::forward(g) } {
        return direct::convolve(&plan, &pass, input, output);
    }
    if backward {
        let samples = output.par_chunks_exact_mut(from).zip(input.par_chunks_exact(to)).enumerate();
        samples.for_each(|(sample, (dx, dy))| pass.backward(sample, dy, dx));
    } else {
        let samples = output.par_chunks_exact_mut(to).zip(input.par_chunks_exact(from)).enumerate();
        samples.for_each(|(sample, (y, x))| pass.forward(sample, x, y));
    }
}

impl ConvPass<'_> {
    /// y (O, P) = W (O, K) · windows (K, P), per group.
    fn forward(&self, sample: usize, x: &[f32], y: &mut [f32]) {
        let g = &self.geometry;
        let (own, k, pixels) = (g.outputs / g.groups, g.seen() * g.taps(), g.rows.out * g.columns.out);
        let start = sample * y.len();
        let make = |y: &mut [f32], add: bool| {
            for group in 0..g.groups {
                let weights = &self.weights[group * own * k..][..own * k];
                let y = &mut y[group * own * pixels..][..own * pixels];
                with_windows(g, x, group, 0..g.rows.out, |windows| {
                    let weights = MatrixView::rows(weights, own, k);
                    let mut y = Rectangle::new(y, own, pixels);
                    product(weights, MatrixView::rows(windows, k, pixels), &mut y, add);
                });
            }
            self.finish(start, 0, pixels, y);
        };
        if !self.add || self.epilogue == Epilogue::Plain {
            return make(y, self.add);
        }
        // The epilogue applies to the finished sum, before it is added to what is there.
        scratch(y.len(), |sums| {
            make(sums, false);
            y.iter_mut().zip(&*sums).for_each(|(y, sum)| *y += sum);
        });
    }

    /// windows (K, P) = Wᵀ (K, O) · dy (O, P), per group; every pixel sums over its windows.
    fn backward(&self, sample: usize, dy: &[f32], dx: &mut [f32]) {
        let g = &self.geometry;
        let (own, k, pixels) = (g.outputs / g.groups, g.seen() * g.taps(), g.rows.out * g.columns.out);
        let plane = g.rows.size * g.columns.size;
        let start = sample * dx.len();
        for group in 0..g.groups {
            let weights = &self.weights[group * own * k..][..own * k];
            let dy = &dy[group * own * pixels..][..own * pixels];
            let at = group * g.seen() * plane;
            let dx = &mut dx[at..][..g.seen() * plane];
            scratch(k * pixels, |windows| {
                let mut seen = Rectangle::new(windows, k, pixels);
                product(
                    MatrixView::columns(weights, k, own),
                    MatrixView::rows(dy, own, pixels),
                    &mut seen,
                    false,
                );
                scratch(dx.len(), |sums| {
                    sums.fill(0.0);
                    add_windows(g, windows, sums);
                    self.finish(start + at, group * g.seen(), plane, sums);
                    if self.add {
                        dx.iter_mut().zip(&*sums).for_each(|(dx, sum)| *dx += sum)
                    } else {
                        dx.copy_from_slice(sums)
                    }
                });
            });
        }
    }
}

/// `conv_weights`: dw (O, K) = Σ over the rows of a slice of dy (O, P) · windowsᵀ (P, K).
pub fn conv_weights_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let g = &Geometry::of(call.consts);
    let (x, dy, slice) = (reads[0].real(), reads[1].real(), call.consts.uint("SLICE"));
    let (from, to, lines) = (g.input() / g.batch, g.output() / g.batch, g.batch * g.rows.out);
    if let Some(plan) = direct::Plan::weights(g) {
        return direct::weights(&plan, g, x, dy, slice, writes[0].real());
    }
    writes[0].real().par_chunks_exact_mut(g.weights()).enumerate().for_each(|(z, dw)| {
        let (mut line, end) = (z * slice, ((z + 1) * slice).min(lines));
        let mut add = false;
        while line < end {
            // The rows of this slice in one sample.
            let (sample, first) = (line / g.rows.out, line % g.rows.out);
            let rows = first..(first + end - line).min(g.rows.out);
            let (x, dy) = (&x[sample * from..][..from], &dy[sample * to..][..to]);
            add_weights(g, x, dy, rows.clone(), dw, add);
            line += rows.len();
            add = true;
        }
    });
}

/// Adds the weight gradient of the rows of one sample.
fn add_weights(g: &Geometry, x: &[f32], dy: &[f32], rows: Range<usize>, dw: &mut [f32], add: bool) {
    let (own, k) = (g.outputs / g.groups, g.seen() * g.taps());
    let (plane, pixels) = (g.rows.out * g.columns.out, rows.len() * g.columns.out);
    for group in 0..g.groups {
        let dy = &dy[group * own * plane + rows.start * g.columns.out..];
        let dy = MatrixView::strided(dy, (own, pixels), (plane, 1));
        let dw = &mut dw[group * own * k..][..own * k];
        with_windows(g, x, group, rows.clone(), |windows| {
            product(dy, MatrixView::columns(windows, pixels, k), &mut Rectangle::new(dw, own, k), add);
        });
    }
}

/// Calls `each` with the windows of these output rows over a group's channels:
/// (K, P), with K = (channel, r, s) and P = (row, column).
fn with_windows(g: &Geometry, x: &[f32], group: usize, rows: Range<usize>, then: impl FnOnce(&[f32])) {
    let plane = g.rows.size * g.columns.size;
    let x = &x[group * g.seen() * plane..][..g.seen() * plane];
    let whole = rows.len() == g.rows.out;
    if whole && g.taps() == 1 && (g.rows.out, g.columns.out) == (g.rows.size, g.columns.size) && unpadded(g) {
        // A window is one pixel: the image is that matrix already.
        return then(x);
    }
    let pixels = rows.len() * g.columns.out;
    scratch(g.seen() * g.taps() * pixels, |windows| {
        for_each_row(g, windows, rows, |row, source, s| match source {
            Some(start) => read_row(g, s, &x[start..][..g.columns.size], row),
            None => row.fill(0.0),
        });
        then(windows);
    });
}

fn unpadded(g: &Geometry) -> bool {
    (g.rows.stride, g.columns.stride, g.rows.pad, g.columns.pad) == (1, 1, 0, 0)
}

/// Adds every window to its pixels.
fn add_windows(g: &Geometry, windows: &mut [f32], x: &mut [f32]) {
    for_each_row(g, windows, 0..g.rows.out, |row, source, s| {
        if let Some(start) = source {
            add_row(g, s, row, &mut x[start..][..g.columns.size]);
        }
    });
}

/// Every row of output pixels in a matrix of windows, with the offset of its input row
/// in a group's channels, and the tap's column.
fn for_each_row(
    g: &Geometry,
    windows: &mut [f32],
    rows: Range<usize>,
    mut each: impl FnMut(&mut [f32], Option<usize>, usize),
) {
    let mut lines = windows.chunks_exact_mut(g.columns.out);
    for channel in 0..g.seen() {
        for r in 0..g.rows.kernel {
            for s in 0..g.columns.kernel {
                for p in rows.clone() {
                    let row = lines.next().expect("windows hold all channels and taps");
                    let source = g.rows.reads(p, r);
                    each(row, source.map(|at| (channel * g.rows.size + at) * g.columns.size), s);
                }
            }
        }
    }
}

/// The outputs of a row whose tap in column `s` is inside the image, for stride 1,
/// and the column that the first of them reads.
fn inside(g: &Geometry, s: usize) -> (Range<usize>, usize) {
    let (columns, shift) = (&g.columns, s * g.columns.dilation);
    let first = columns.pad.saturating_sub(shift).min(columns.out);
    let end = (columns.size + columns.pad).saturating_sub(shift).clamp(first, columns.out);
    (first..end, first + shift - columns.pad.min(first + shift))
}

fn read_row(g: &Geometry, s: usize, from: &[f32], to: &mut [f32]) {
    if g.columns.stride == 1 {
        let (range, start) = inside(g, s);
        to[..range.start].fill(0.0);
        to[range.end..].fill(0.0);
        let length = range.len();
        return to[range].copy_from_slice(&from[start..][..length]);
    }
    for (q, value) in to.iter_mut().enumerate() {
        *value = g.columns.reads(q, s).map_or(0.0, |at| from[at]);
    }
}

fn add_row(g: &Geometry, s: usize, from: &[f32], to: &mut [f32]) {
    if g.columns.stride == 1 {
        let (range, start) = inside(g, s);
        let to = &mut to[start..][..range.len()];
        return to.iter_mut().zip(&from[range]).for_each(|(to, from)| *to += from);
    }
    for (q, value) in from.iter().enumerate() {
        if let Some(at) = g.columns.reads(q, s) {
            to[at] += value;
        }
    }
}
