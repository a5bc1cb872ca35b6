//! Pooling plane by plane on every core.

use rayon::prelude::*;

use super::slope;
use crate::cpu::activation::Activation;
use crate::cpu::pool::Pooling;
use crate::kernel::{Call, Slice, SliceMut};

/// `max_pool`: the largest value of each window, and where it stands.
pub fn max_pool_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (from, to) = (p.input() / p.planes, p.output() / p.planes);
    let [y, chosen] = writes else { panic!("max_pool writes two buffers") };
    let planes = y.real().par_chunks_exact_mut(to).zip(chosen.uint().par_chunks_exact_mut(to));
    planes.zip(reads[0].real().par_chunks_exact(from)).for_each(|((y, chosen), x)| {
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

/// One tap of a row of windows: takes over what is larger than what they have.
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
    writes[0].real().par_chunks_exact_mut(from).zip(windows).for_each(|(dx, ((chosen, y), dy))| {
        if !add {
            dx.fill(0.0);
        }
        for ((at, y), dy) in chosen.iter().zip(y).zip(dy) {
            dx[*at as usize] += dy * slope(activation, *y);
        }
    });
}

/// `average_pool`: the mean of each window.
pub fn average_pool_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let p = &Pooling::of(call.consts);
    let (from, to, area) = (p.input() / p.planes, p.output() / p.planes, p.area() as f32);
    let planes = writes[0].real().par_chunks_exact_mut(to).zip(reads[0].real().par_chunks_exact(from));
    planes.for_each(|(y, x)| {
        for (at, y) in y.iter_mut().enumerate() {
            let mut sum = 0.0;
            for_each_place(p, at, |place| sum += x[place]);
            *y = sum / area;
        }
    });
}

/// `average_pool_backward`: every window's gradient in equal parts to all that it saw.
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
            let share = dy / area;
            for_each_place(p, at, |place| dx[place] += share * slope(activation, x[place]));
        }
    });
}

/// The places within a plane that one window reads.
fn for_each_place(p: &Pooling, window: usize, mut each: impl FnMut(usize)) {
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
