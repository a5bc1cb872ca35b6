//! y = x ∗ w + b   x: (B, C, H, W)  w: (O, C/groups, KH, KW)  b: (O)  y: (B, O, OH, OW)
//!
//! Every output looks through a small window that slides over the image: a
//! weighted sum of what it sees there. As `nn.Conv2d`, whose layout w has.

use std::fmt;

use super::words::{Inits, Pair, Words};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Epilogue, Geometry, Side};
use crate::program::View;
use crate::program::init::Fans;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Gradient, Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;

/// No sum of a convolution has more terms: some drivers stop a loop after 65,535 rounds.
const MOST_TERMS: usize = 60_000;
/// As of dense layers.
const MOST_WEIGHTS: usize = 1 << 30;

/// A convolution as the user writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    pub outputs: usize,
    pub kernel: Pair,
    pub stride: Pair,
    pub pad: Pair,
    pub dilation: Pair,
    /// Each group of outputs sees only its own group of channels.
    pub groups: usize,
    pub bias: bool,
    pub inits: Inits,
}

impl Conv {
    /// One with stride 1, no padding, one group and a bias: `nn.Conv2d(…, outputs, kernel)`.
    pub fn new(outputs: usize, kernel: Pair) -> Conv {
        Conv {
            outputs,
            kernel,
            stride: Pair::both(1),
            pad: Pair::both(0),
            dilation: Pair::both(1),
            groups: 1,
            bias: true,
            inits: Inits::default(),
        }
    }
}

pub fn parse(words: &mut Words) -> Result<Conv, String> {
    let form = "conv takes the number of its outputs and the size of its kernel, as in “conv 16 3x3”";
    let outputs = words.next().and_then(|text| text.parse().ok());
    let outputs = outputs.filter(|outputs| (1..=MOST_WEIGHTS).contains(outputs)).ok_or(form)?;
    if words.clone().next().is_none() {
        return Err(form.to_owned());
    }
    let mut conv = Conv::new(outputs, Pair::parse(words, "size of a kernel", 1)?);
    while let Some(word) = words.next() {
        match word {
            "stride" => conv.stride = Pair::parse(words, "stride", 1)?,
            "pad" => conv.pad = Pair::parse(words, "pad", 0)?,
            "dilation" => conv.dilation = Pair::parse(words, "dilation", 1)?,
            "groups" => conv.groups = Pair::parse(words, "number of groups", 1)?.x,
            "no-bias" => conv.bias = false,
            _ if conv.inits.parse(word, words)? => {}
            _ => {
                return Err(format!(
                    "conv takes no “{word}”; behind its kernel it takes stride, pad, dilation, groups, no-bias, {}",
                    Inits::TAKES
                ));
            }
        }
    }
    Ok(conv)
}

impl fmt::Display for Conv {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Pair { y, x } = self.kernel;
        write!(f, "conv {} {y}x{x}", self.outputs)?;
        for (name, value, usual) in
            [("stride", self.stride, 1), ("pad", self.pad, 0), ("dilation", self.dilation, 1)]
        {
            if value != Pair::both(usual) {
                write!(f, " {name} {value}")?;
            }
        }
        if self.groups != 1 {
            write!(f, " groups {}", self.groups)?;
        }
        write!(f, "{}{}", if self.bias { "" } else { " no-bias" }, self.inits)
    }
}

/// How many windows fit along a side, if any does.
pub fn windows(size: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Option<usize> {
    let reach = (kernel - 1) * dilation + 1;
    (size + 2 * pad).checked_sub(reach).map(|room| room / stride + 1)
}

impl Conv {
    /// The sizes on a batch of inputs.
    ///
    /// # Errors
    /// What does not fit, as a part of a sentence.
    pub fn geometry(&self, batch: usize, input: Shape) -> Result<Geometry, String> {
        let side = |size, kernel, stride, pad, dilation| {
            let out = windows(size, kernel, stride, pad, dilation);
            out.map(|out| Side { size, out, kernel, stride, pad, dilation })
        };
        let rows = side(input.height, self.kernel.y, self.stride.y, self.pad.y, self.dilation.y);
        let columns = side(input.width, self.kernel.x, self.stride.x, self.pad.x, self.dilation.x);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            let reach = |kernel: usize, dilation: usize| (kernel - 1) * dilation + 1;
            return Err(format!(
                "its kernel reaches over {}×{} pixels, the padded image has {}×{}: use a smaller kernel or more pad",
                reach(self.kernel.y, self.dilation.y),
                reach(self.kernel.x, self.dilation.x),
                input.height + 2 * self.pad.y,
                input.width + 2 * self.pad.x
            ));
        };
        let (channels, outputs, groups) = (input.channels, self.outputs, self.groups);
        for (count, what) in [(channels, "channels that it gets"), (outputs, "outputs")] {
            if !count.is_multiple_of(groups) {
                return Err(format!(
                    "{groups} groups do not divide the {count} {what}: use a number of groups that does"
                ));
            }
        }
        let geometry = Geometry { batch, channels, outputs, groups, rows, columns };
        let terms = geometry.seen().max(outputs / groups).saturating_mul(geometry.taps());
        if terms > MOST_TERMS {
            return Err(format!(
                "a sum of {terms} terms is too long, at most {MOST_TERMS} are possible: \
                 use a smaller kernel, fewer channels or more groups"
            ));
        }
        match outputs.checked_mul(geometry.seen() * geometry.taps()) {
            Some(weights) if weights <= MOST_WEIGHTS => Ok(geometry),
            _ => Err(format!("its kernels take more than {MOST_WEIGHTS} weights: use fewer outputs")),
        }
    }

    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        input.check_image("conv")?;
        let geometry = self.geometry(1, *input)?;
        Ok(Shape::image(self.outputs, geometry.rows.out, geometry.columns.out))
    }

    /// Multiplications (each with its addition) to push one sample through.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        self.geometry(1, *input).map_or(0, |sizes| sizes.multiply_adds())
    }

    /// w and b uniform in ±1/√(inputs of one output), as `nn.Conv2d` draws them.
    pub fn declare(&self, path: &str, input: &Shape, arena: &mut ArenaBuilder) {
        let Pair { y, x } = self.kernel;
        let seen = input.channels / self.groups;
        let fans = Fans { fan_in: seen * y * x, fan_out: self.outputs * y * x };
        let shape = vec![self.outputs, seen, y, x];
        arena.add(format!("{path}.weight"), shape, self.inits.weight(fans));
        if self.bias {
            arena.add(format!("{path}.bias"), vec![self.outputs], self.inits.bias(fans));
        }
    }

    pub fn record(&self, recorder: &mut Recorder, x: Tensor, path: &str) -> Tensor {
        let geometry = self.geometry(x.rows, x.shape).expect("shapes were checked");
        let (weight, dweight) = recorder.parameter(&format!("{path}.weight"));
        let bias = self.bias.then(|| recorder.parameter(&format!("{path}.bias")));
        let y = recorder.tensor("y", Shape::image(self.outputs, geometry.rows.out, geometry.columns.out));
        let (epilogue, extra) = match bias {
            Some((bias, _)) => (Epilogue::Bias, bias),
            None => (Epilogue::Plain, x.value),
        };
        let consts = consts_of(&geometry, false, false, epilogue, Activation::Identity);
        let args = vec![x.value, weight, extra, y.value];
        recorder.dispatch(&table::CONV_NAIVE, consts, args, "weighted sums");

        recorder.on_backward(move |recorder| {
            let dy = recorder.written_gradient(y);
            record_weight_gradient(recorder, &geometry, x.value, dy, dweight);
            // db = Σ over the batch and all windows of dy
            if let Some((_, dbias)) = bias {
                record_channel_sums(recorder, dy, &geometry, dbias);
            }
            if !x.needs_gradient {
                return;
            }
            // dx: what the windows over a pixel say
            let dx = recorder.gradient(x);
            let consts = consts_of(&geometry, true, dx.add, Epilogue::Plain, Activation::Identity);
            let args = vec![dy, weight, dy, dx.view];
            recorder.dispatch(&table::CONV_NAIVE, consts, args, "input gradient");
        });
        y
    }
}

/// dw = Σ over the batch and all windows of dy · what the window saw
pub(crate) fn record_weight_gradient(
    recorder: &mut Recorder,
    geometry: &Geometry,
    x: View,
    dy: View,
    to: Gradient,
) {
    let slice = slice(geometry);
    let slices = (geometry.batch * geometry.rows.out).div_ceil(slice);
    recorder.in_slices(slices, to, "weight gradient", |recorder, dw| {
        let consts = weights_consts(geometry, slice);
        recorder.dispatch(&table::CONV_WEIGHTS_NAIVE, consts, vec![x, dy, dw], "weight gradient");
    });
}

/// The constants that all kernels of a convolution begin with.
fn sizes(g: &Geometry) -> Consts {
    let Geometry { rows, columns, .. } = g;
    consts! {
        BATCH: g.batch, CHANNELS: g.channels, HEIGHT: rows.size, WIDTH: columns.size,
        OUTPUTS: g.outputs, OUT_HEIGHT: rows.out, OUT_WIDTH: columns.out,
        KERNEL_HEIGHT: rows.kernel, KERNEL_WIDTH: columns.kernel,
        STRIDE_Y: rows.stride, STRIDE_X: columns.stride, PAD_Y: rows.pad, PAD_X: columns.pad,
        DILATION_Y: rows.dilation, DILATION_X: columns.dilation, GROUPS: g.groups,
    }
}

/// The constants of a convolution.
pub fn consts_of(
    geometry: &Geometry,
    backward: bool,
    add: bool,
    epilogue: Epilogue,
    activation: Activation,
) -> Consts {
    let (kind, leak) = activation.consts();
    sizes(geometry)
        .with("BACKWARD", Const::from(backward))
        .with("ADD", Const::from(add))
        .with("EPILOGUE", Const::Uint(epilogue as u32))
        .with("ACTIVATION", kind)
        .with("LEAK", leak)
}

/// The constants of a weight gradient in slices of so many rows.
pub fn weights_consts(geometry: &Geometry, slice: usize) -> Consts {
    sizes(geometry).with("SLICE", Const::from(slice))
}

/// Products of a slice of a weight gradient, as far as memory allows: enough
/// slices to keep a device busy, and never a loop that a driver cuts short.
const SLICE_PRODUCTS: usize = 2_048;
/// The most that one loop may do.
const MOST_PRODUCTS: usize = 40_000;
/// Words of all slices together, as far as [`MOST_PRODUCTS`] allows: 4 MiB.
const SLICES_WORDS: usize = 1 << 20;

/// Rows of dy to a slice.
fn slice(geometry: &Geometry) -> usize {
    let lines = geometry.batch * geometry.rows.out;
    let rows = |products: usize| (products / geometry.columns.out).max(1);
    let affordable = (SLICES_WORDS / geometry.weights()).max(1);
    lines
        .div_ceil(affordable)
        .clamp(rows(SLICE_PRODUCTS), rows(MOST_PRODUCTS).max(rows(SLICE_PRODUCTS)))
        .min(lines)
}

/// Values of a channel to a slice of its sum.
const SLICE_VALUES: usize = 1_024;

fn record_channel_sums(recorder: &mut Recorder, dy: View, geometry: &Geometry, to: Gradient) {
    let plane = geometry.rows.out * geometry.columns.out;
    let slice = SLICE_VALUES.min(geometry.batch * plane);
    let consts = consts! { BATCH: geometry.batch, CHANNELS: geometry.outputs, PLANE: plane, SLICE: slice };
    recorder.in_slices((geometry.batch * plane).div_ceil(slice), to, "bias gradient", |recorder, sums| {
        recorder.dispatch(&table::CHANNEL_SUMS, consts, vec![dy, sums], "bias gradient");
    });
}
