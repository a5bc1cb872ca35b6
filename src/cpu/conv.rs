//! Twins of `conv_naive.wgsl` and `conv_weights_naive.wgsl`, and of every faster version of them.

use super::activation::Activation;
use super::matmul::{Epilogue, extra_at};
use super::{EPS, TINY};
use crate::kernel::{Call, Consts, Real, Slice, SliceMut};

/// Sizes and steps along one side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Of the layer's input.
    pub size: usize,
    /// Of the layer's output.
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub dilation: usize,
}

impl Side {
    /// The input position that tap `tap` of output `at` reads; none in the padding.
    pub fn reads(&self, at: usize, tap: usize) -> Option<usize> {
        (at * self.stride + tap * self.dilation).checked_sub(self.pad).filter(|at| *at < self.size)
    }

    /// The output whose tap `tap` reads input position `at`, if there is one.
    pub fn read_by(&self, at: usize, tap: usize) -> Option<usize> {
        let from = (at + self.pad).checked_sub(tap * self.dilation)?;
        (from.is_multiple_of(self.stride) && from / self.stride < self.out).then_some(from / self.stride)
    }
}

/// The sizes of a convolution: what every kernel of one has as its first constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub batch: usize,
    /// Of the layer's input.
    pub channels: usize,
    /// Of the layer's output.
    pub outputs: usize,
    pub groups: usize,
    pub rows: Side,
    pub columns: Side,
}

impl Geometry {
    /// The sizes in a call's constants.
    pub fn of(consts: &Consts) -> Geometry {
        let [batch, channels, outputs, groups] =
            ["BATCH", "CHANNELS", "OUTPUTS", "GROUPS"].map(|name| consts.uint(name));
        let side = |names: [&str; 6]| {
            let [size, out, kernel, stride, pad, dilation] = names.map(|name| consts.uint(name));
            Side { size, out, kernel, stride, pad, dilation }
        };
        let rows = side(["HEIGHT", "OUT_HEIGHT", "KERNEL_HEIGHT", "STRIDE_Y", "PAD_Y", "DILATION_Y"]);
        let columns = side(["WIDTH", "OUT_WIDTH", "KERNEL_WIDTH", "STRIDE_X", "PAD_X", "DILATION_X"]);
        Geometry { batch, channels, outputs, groups, rows, columns }
    }

    /// Channels that one output sees.
    pub fn seen(&self) -> usize {
        self.channels / self.groups
    }

    /// Taps of the kernel.
    pub fn taps(&self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// Weights: (outputs, channels / groups, kernel height, kernel width).
    pub fn weights(&self) -> usize {
        self.outputs * self.seen() * self.taps()
    }

    /// Values of x, the input: (batch, channels, height, width).
    pub fn input(&self) -> usize {
        self.batch * self.channels * self.rows.size * self.columns.size
    }

    /// Values of y, the output: (batch, outputs, out height, out width).
    pub fn output(&self) -> usize {
        self.batch * self.outputs * self.rows.out * self.columns.out
    }

    /// Multiply-adds of each pass, as if no tap read the padding.
    pub fn multiply_adds(&self) -> usize {
        self.output() * self.seen() * self.taps()
    }

    fn at_input(&self, sample: usize, channel: usize, row: usize, column: usize) -> usize {
        ((sample * self.channels + channel) * self.rows.size + row) * self.columns.size + column
    }

    fn at_output(&self, sample: usize, channel: usize, row: usize, column: usize) -> usize {
        ((sample * self.outputs + channel) * self.rows.out + row) * self.columns.out + column
    }

    /// `channel` is one of the seen ones.
    fn at_weight(&self, output: usize, channel: usize, row: usize, column: usize) -> usize {
        ((output * self.seen() + channel) * self.rows.kernel + row) * self.columns.kernel + column
    }

    /// Σ over the channels and taps that make one value of y: calls `term` with
    /// the places of the input and of the weight.
    pub fn forward(&self, [sample, output, p, q]: [usize; 4], mut term: impl FnMut(usize, usize)) {
        let first = output / (self.outputs / self.groups) * self.seen();
        for channel in 0..self.seen() {
            for r in 0..self.rows.kernel {
                for s in 0..self.columns.kernel {
                    let (Some(row), Some(column)) = (self.rows.reads(p, r), self.columns.reads(q, s)) else {
                        continue;
                    };
                    let input = self.at_input(sample, first + channel, row, column);
                    term(input, self.at_weight(output, channel, r, s));
                }
            }
        }
    }

    /// The same for one value of dx: the outputs whose taps read it.
    pub fn backward(&self, [sample, channel, row, column]: [usize; 4], mut term: impl FnMut(usize, usize)) {
        let own = self.outputs / self.groups;
        let first = channel / self.seen() * own;
        for output in first..first + own {
            for r in 0..self.rows.kernel {
                for s in 0..self.columns.kernel {
                    let (Some(p), Some(q)) = (self.rows.read_by(row, r), self.columns.read_by(column, s))
                    else {
                        continue;
                    };
                    let weight = self.at_weight(output, channel % self.seen(), r, s);
                    term(self.at_output(sample, output, p, q), weight);
                }
            }
        }
    }

    /// Every element of y, or with `backward` of dx: its place and its four coordinates.
    fn elements(&self, backward: bool) -> impl Iterator<Item = (usize, [usize; 4])> {
        let (channels, rows, columns) = if backward {
            (self.channels, self.rows.size, self.columns.size)
        } else {
            (self.outputs, self.rows.out, self.columns.out)
        };
        (0..self.batch * channels * rows * columns).map(move |at| {
            let plane = at / columns / rows;
            (at, [plane / channels, plane % channels, at / columns % rows, at % columns])
        })
    }
}

/// `y[b, o, p, q] = Σ x[b, c, p·stride + r·dilation - pad, …] · w[o, c, r, s]`, then the epilogue;
/// with BACKWARD its derivative: dx from dy.
pub fn conv<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let geometry = Geometry::of(call.consts);
    let (input, weights, extra) = (reads[0].real(), reads[1].real(), reads[2].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let (backward, add) = (call.consts.flag("BACKWARD"), call.consts.flag("ADD"));
    let output = writes[0].real();
    for (at, place) in geometry.elements(backward) {
        let mut sum = 0.0;
        let term = |i: usize, w: usize| sum += input[i].f64() * weights[w].f64();
        if backward {
            geometry.backward(place, term)
        } else {
            geometry.forward(place, term)
        }
        let extra = extra[extra_at(epilogue, at, place[1])].f64();
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
    for (at, place) in geometry.elements(backward) {
        let (mut sum, mut size) = (0.0, 0.0);
        let term = |i: usize, w: usize| {
            sum += input[i] * weights[w];
            size += (input[i] * weights[w]).abs();
        };
        if backward {
            geometry.backward(place, term)
        } else {
            geometry.forward(place, term)
        }
        let extra = extra[extra_at(epilogue, at, place[1])];
        let (value, error) = epilogue.error(activation, sum, super::sum_error(terms, size), extra);
        output[at] = error + TINY + if add { EPS * (output[at].abs() + value.abs()) } else { 0.0 };
    }
}

/// Rows of dy that each slice of [`conv_weights`] sums over, and how many slices there are.
fn slices(geometry: &Geometry, call: Call) -> (usize, usize) {
    let slice = call.consts.uint("SLICE");
    (slice, (geometry.batch * geometry.rows.out).div_ceil(slice))
}

/// Calls `term` with the places of dy, x and the weight for every product of a slice.
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

/// `dw[z, o, c, r, s]` = Σ over the rows of slice z of dy · the x that the weight met.
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
