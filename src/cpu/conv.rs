//! Twins of `conv_naive.wgsl` and `conv_weights_naive.wgsl`, and of every faster version of them.

use super::matmul::extra_at;
use super::{EPS, TINY};
use crate::kernel::{Activation, Call, Epilogue, Geometry, Real, Slice, SliceMut};

/// `y[b, o, p, q] = Σ x[b, c, p·stride + r·dilation - pad, …] · w[o, c, r, s]`, then the epilogue;
/// with BACKWARD its input gradient: dx from dy.
pub fn conv<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let geometry = Geometry::of(call.consts);
    let (input, weights, extra) = (reads[0].real(), reads[1].real(), reads[2].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let (backward, add) = (call.consts.flag("BACKWARD"), call.consts.flag("ADD"));
    let output = writes[0].real();
    for (at, element) in geometry.elements(backward) {
        let mut sum = 0.0;
        let term = |i: usize, w: usize| sum += input[i].f64() * weights[w].f64();
        if backward {
            geometry.backward(element, term)
        } else {
            geometry.forward(element, term)
        }
        let extra = extra[extra_at(epilogue, at, element[1])].f64();
        let value = epilogue.apply(activation, sum, extra);
        output[at] = T::of(if add { output[at].f64() + value } else { value });
    }
}

pub fn conv_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let geometry = Geometry::of(call.consts);
    let (input, weights, extra) = (reads[0].real(), reads[1].real(), reads[2].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let (backward, add) = (call.consts.flag("BACKWARD"), call.consts.flag("ADD"));
    let output = writes[0].real();
    let own = if backward { geometry.outputs / geometry.groups } else { geometry.seen() };
    let terms = own * geometry.taps();
    for (at, element) in geometry.elements(backward) {
        let (mut sum, mut size) = (0.0, 0.0);
        let term = |i: usize, w: usize| {
            sum += input[i] * weights[w];
            size += (input[i] * weights[w]).abs();
        };
        if backward {
            geometry.backward(element, term)
        } else {
            geometry.forward(element, term)
        }
        let extra = extra[extra_at(epilogue, at, element[1])];
        let (value, error) = epilogue.error(activation, sum, super::sum_error(terms, size), extra);
        output[at] = error + TINY + if add { EPS * (output[at].abs() + value.abs()) } else { 0.0 };
    }
}

/// The rows of dy in each slice of [`conv_weights`], and the number of slices.
fn slices(geometry: &Geometry, call: Call) -> (usize, usize) {
    let slice = call.consts.uint("SLICE");
    (slice, (geometry.batch * geometry.rows.out).div_ceil(slice))
}

/// Calls `term` with the offsets of dy, x and the weight for every product of a slice.
fn products(geometry: &Geometry, rows: std::ops::Range<usize>, mut term: impl FnMut(usize, usize, usize)) {
    for row in rows.start..rows.end.min(geometry.batch * geometry.rows.out) {
        let (sample, p) = (row / geometry.rows.out, row % geometry.rows.out);
        for output in 0..geometry.outputs {
            for q in 0..geometry.columns.out {
                let dy = geometry.at_output(sample, output, p, q);
                geometry.forward([sample, output, p, q], |x, w| term(dy, x, w));
            }
        }
    }
}

/// `dw[z, o, c, r, s]` = Σ over the rows of slice z of dy · x, at the x that the weight was multiplied by.
pub fn conv_weights<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let geometry = Geometry::of(call.consts);
    let (x, dy) = (reads[0].real(), reads[1].real());
    let (slice, count) = slices(&geometry, call);
    let mut sums = vec![0.0; geometry.weights()];
    for z in 0..count {
        sums.fill(0.0);
        products(&geometry, z * slice..(z + 1) * slice, |at, i, w| sums[w] += dy[at].f64() * x[i].f64());
        let partial = &mut writes[0].real()[z * sums.len()..][..sums.len()];
        partial.iter_mut().zip(&sums).for_each(|(to, sum)| *to = T::of(*sum));
    }
}

pub fn conv_weights_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let geometry = Geometry::of(call.consts);
    let (x, dy) = (reads[0].real(), reads[1].real());
    let (slice, count) = slices(&geometry, call);
    let mut sizes = vec![0.0; geometry.weights()];
    for z in 0..count {
        sizes.fill(0.0);
        products(&geometry, z * slice..(z + 1) * slice, |at, i, w| sizes[w] += (dy[at] * x[i]).abs());
        let partial = &mut writes[0].real()[z * sizes.len()..][..sizes.len()];
        let terms = slice * geometry.columns.out;
        partial.iter_mut().zip(&sizes).for_each(|(to, size)| *to = super::sum_error(terms, *size) + TINY);
    }
}
