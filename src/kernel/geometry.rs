//! The sizes of a convolution, and which inputs each output reads.

use super::Consts;

/// Sizes along one side of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Size of the layer's input.
    pub size: usize,
    /// Size of the layer's output.
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub dilation: usize,
}

impl Side {
    /// The input position that tap `tap` of output `at` reads.
    ///
    /// None in the padding.
    pub fn reads(&self, at: usize, tap: usize) -> Option<usize> {
        (at * self.stride + tap * self.dilation).checked_sub(self.pad).filter(|at| *at < self.size)
    }

    /// The output whose tap `tap` reads input position `at`, if there is one.
    pub fn read_by(&self, at: usize, tap: usize) -> Option<usize> {
        let from = (at + self.pad).checked_sub(tap * self.dilation)?;
        (from.is_multiple_of(self.stride) && from / self.stride < self.out).then_some(from / self.stride)
    }
}

/// The sizes of a convolution: the first constants of its kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub batch: usize,
    /// Channels of the layer's input.
    pub channels: usize,
    /// Channels of the layer's output.
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

    /// Input channels of one output channel.
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

    pub fn at_input(&self, sample: usize, channel: usize, row: usize, column: usize) -> usize {
        ((sample * self.channels + channel) * self.rows.size + row) * self.columns.size + column
    }

    pub fn at_output(&self, sample: usize, channel: usize, row: usize, column: usize) -> usize {
        ((sample * self.outputs + channel) * self.rows.out + row) * self.columns.out + column
    }

    /// The offset of a weight; `channel` counts those of the output's group.
    pub fn at_weight(&self, output: usize, channel: usize, row: usize, column: usize) -> usize {
        ((output * self.seen() + channel) * self.rows.kernel + row) * self.columns.kernel + column
    }

    /// Calls `term` with the offsets of input and weight for each term of one value of y.
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

    /// Calls `term` with the offsets of dy and weight for each term of one value of dx.
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

    /// Every element of y, or with `backward` of dx: its offset and its four coordinates.
    pub fn elements(&self, backward: bool) -> impl Iterator<Item = (usize, [usize; 4])> {
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
