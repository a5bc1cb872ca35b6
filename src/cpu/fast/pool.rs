//! Pooling plane by plane on every core.

use rayon::prelude::*;

use super::functions::{derivative, for_kind};
use super::vectorised;
use crate::cpu::pool::Pooling;
use crate::kernel::{Activation, Call, Slice, SliceMut};

/// Whether windows are 2×2 pixels without overlap, as most are.
fn is_quartering(p: &Pooling) -> bool {
    [&p.rows, &p.columns].iter().all(|side| (side.kernel, side.stride, side.pad) == (2, 2, 0))
}

/// `max_pool`: the largest value of each window, and its offset.
pub fn max_pool_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (from, to) = (p.input() / p.planes, p.output() / p.planes);
    let [y, chosen] = writes else { panic!("max_pool writes two buffers") };
    let planes = y.real().par_chunks_exact_mut(to).zip(chosen.uint().par_chunks_exact_mut(to));
    let planes = planes.zip(reads[0].real().par_chunks_exact(from));
    if is_quartering(p) {
        return planes.for_each(|((y, chosen), x)| {
            vectorised(
                #[inline(always)]
                || largest_of_fours(p, x, y, chosen),
            );
        });
    }
    planes.for_each(|((y, chosen), x)| {
        let rows = y.chunks_exact_mut(p.columns.out).zip(chosen.chunks_exact_mut(p.columns.out));
        for (row, (y, chosen)) in rows.enumerate() {
            y.fill(f32::NEG_INFINITY);
            chosen.fill(u32::MAX);
            // Tap by tap over a whole row of windows: in the order in which a window is read.
            for row in (0..p.rows.kernel).filter_map(|r| p.rows.reads(row, r)) {
                for s in 0..p.columns.kernel {
                    larger_of_row(p, x, row, s, y, chosen);
                }
            }
        }
    });
}

/// The largest of each two by two pixels of a plane, in the order in which a window is read.
#[inline(always)]
fn largest_of_fours(p: &Pooling, x: &[f32], y: &mut [f32], chosen: &mut [u32]) {
    let (size, out) = (p.columns.size, p.columns.out);
    let rows = y.chunks_exact_mut(out).zip(chosen.chunks_exact_mut(out));
    for (row, (y, chosen)) in rows.enumerate() {
        let start = 2 * row * size;
        let (upper, _) = x[start..][..2 * out].as_chunks::<2>();
        let (lower, _) = x[start + size..][..2 * out].as_chunks::<2>();
        for (q, (((y, chosen), upper), lower)) in y.iter_mut().zip(chosen).zip(upper).zip(lower).enumerate() {
            let (first, below) = ((start + 2 * q) as u32, size as u32);
            let (mut most, mut offset) = (upper[0], first);
            for (value, at) in
                [(upper[1], first + 1), (lower[0], first + below), (lower[1], first + below + 1)]
            {
                let larger = value > most;
                most = if larger { value } else { most };
                offset = if larger { at } else { offset };
            }
            (*y, *chosen) = (most, offset);
        }
    }
}

/// One tap of a row of windows: keeps the larger values.
fn larger_of_row(p: &Pooling, x: &[f32], row: usize, s: usize, y: &mut [f32], chosen: &mut [u32]) {
    let start = row * p.columns.size;
    let mut take = |q: usize, column: usize| {
        let value = x[start + column];
        if value > y[q] || chosen[q] == u32::MAX {
            (y[q], chosen[q]) = (value, (start + column) as u32);
        }
    };
    if p.columns.pad == 0 {
        // No window reaches past the image.
        (0..p.columns.out).for_each(|q| take(q, q * p.columns.stride + s));
    } else {
        (0..p.columns.out).for_each(|q| {
            if let Some(column) = p.columns.reads(q, s) {
                take(q, column);
            }
        });
    }
}

/// `max_pool_backward`: every window's gradient to the value that it chose.
pub fn max_pool_backward_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (activation, add) = (Activation::of(call), call.consts.flag("ADD"));
    let (from, to) = (p.input() / p.planes, p.output() / p.planes);
    let (chosen, y, dy) = (reads[0].uint(), reads[1].real(), reads[2].real());
    let windows = chosen.par_chunks_exact(to).zip(y.par_chunks_exact(to)).zip(dy.par_chunks_exact(to));
    let planes = writes[0].real().par_chunks_exact_mut(from).zip(windows);
    if is_quartering(p) {
        return planes.for_each(|(dx, ((chosen, y), dy))| {
            vectorised(
                #[inline(always)]
                || {
                    // Compiled for both cases, so that no pixel is read without need.
                    for_kind!(activation, kind => {
                        if add {
                            to_one_of_four::<true>(p, chosen, (y, dy), dx, |y| derivative(kind, y))
                        } else {
                            to_one_of_four::<false>(p, chosen, (y, dy), dx, |y| derivative(kind, y))
                        }
                    });
                },
            );
        });
    }
    planes.for_each(|(dx, ((chosen, y), dy))| {
        if !add {
            dx.fill(0.0);
        }
        for ((at, y), dy) in chosen.iter().zip(y).zip(dy) {
            dx[*at as usize] += dy * derivative(activation, *y);
        }
    });
}

/// The gradient of 2×2 pixels: the window's for the chosen pixel, else 0.
#[inline(always)]
fn to_one_of_four<const ADD: bool>(
    p: &Pooling,
    chosen: &[u32],
    (y, dy): (&[f32], &[f32]),
    dx: &mut [f32],
    derivative: impl Fn(f32) -> f32,
) {
    let (size, out) = (p.columns.size, p.columns.out);
    if !ADD && p.rows.out * out * 4 != dx.len() {
        // Pixels that are in no window.
        dx.fill(0.0);
    }
    let windows = chosen.chunks_exact(out).zip(y.chunks_exact(out)).zip(dy.chunks_exact(out));
    for (row, (((chosen, y), dy), dx)) in windows.zip(dx.chunks_mut(2 * size)).enumerate() {
        let (upper, lower) = dx.split_at_mut(size);
        let (upper, _) = upper[..2 * out].as_chunks_mut::<2>();
        let (lower, _) = lower[..2 * out].as_chunks_mut::<2>();
        let windows = chosen.iter().zip(y).zip(dy).zip(upper.iter_mut().zip(lower));
        let first = (2 * row * size) as u32;
        for (q, (((chosen, y), dy), (upper, lower))) in (0u32..).zip(windows) {
            let (gradient, offset) = (dy * derivative(*y), chosen.wrapping_sub(first));
            let of = |at: u32| if offset == at { gradient } else { 0.0 };
            let (first, below) = (2 * q, 2 * q + size as u32);
            let gradients = [of(first), of(first + 1), of(below), of(below + 1)];
            if ADD {
                *upper = [upper[0] + gradients[0], upper[1] + gradients[1]];
                *lower = [lower[0] + gradients[2], lower[1] + gradients[3]];
            } else {
                (*upper, *lower) = ([gradients[0], gradients[1]], [gradients[2], gradients[3]]);
            }
        }
    }
}

/// `average_pool`: the mean of each window.
pub fn average_pool_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (from, to, area) = (p.input() / p.planes, p.output() / p.planes, p.area() as f32);
    let planes = writes[0].real().par_chunks_exact_mut(to).zip(reads[0].real().par_chunks_exact(from));
    planes.for_each(|(y, x)| {
        for (at, y) in y.iter_mut().enumerate() {
            let mut sum = 0.0;
            for_each_offset(p, at, |offset| sum += x[offset]);
            *y = sum / area;
        }
    });
}

/// `average_pool_backward`: every window's gradient, in equal parts, to all its pixels.
pub fn average_pool_backward_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (activation, add) = (Activation::of(call), call.consts.flag("ADD"));
    let (from, to, area) = (p.input() / p.planes, p.output() / p.planes, p.area() as f32);
    let planes = reads[0].real().par_chunks_exact(from).zip(reads[1].real().par_chunks_exact(to));
    writes[0].real().par_chunks_exact_mut(from).zip(planes).for_each(|(dx, (x, dy))| {
        if !add {
            dx.fill(0.0);
        }
        for (at, dy) in dy.iter().enumerate() {
            let part = dy / area;
            for_each_offset(p, at, |offset| dx[offset] += part * derivative(activation, x[offset]));
        }
    });
}

/// The offsets in a plane that one window reads.
fn for_each_offset(p: &Pooling, window: usize, mut each: impl FnMut(usize)) {
    let (row, column) = (window / p.columns.out, window % p.columns.out);
    for r in 0..p.rows.kernel {
        let Some(row) = p.rows.reads(row, r) else { continue };
        for s in 0..p.columns.kernel {
            if let Some(column) = p.columns.reads(column, s) {
                each(row * p.columns.size + column);
            }
        }
    }
}
