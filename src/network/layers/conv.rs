//! y = x ∗ w + b   x: (B, C, H, W)  w: (O, C/groups, KH, KW)  b: (O)  y: (B, O, OH, OW)
//!
//! Every output is a weighted sum over a small window that slides over the image. As `nn.Conv2d`, and w has its layout.

use std::fmt;

use super::limits::{MOST_TERMS, MOST_WEIGHTS};
use super::words::{Inits, Pair, Words};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Epilogue, Geometry, Side};
use crate::program::View;
use crate::program::init::Fans;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Gradient, Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;
use crate::text::shorten;

/// A convolution as the user writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// The number of output channels.
    pub outputs: usize,
    /// The size of the window, in pixels.
    pub kernel: Pair,
    /// The step from window to window, in pixels.
    pub stride: Pair,
    /// Rows and columns of zeros on each side of the image.
    pub pad: Pair,
    /// The step within a window, in pixels.
    pub dilation: Pair,
    /// The number of groups: each group of outputs sees only its own group of channels.
    pub groups: usize,
    /// Whether each output has a bias.
    pub bias: bool,
    /// The initialisers of w and b.
    pub inits: Inits,
}

impl Conv {
    /// A convolution with stride 1, no padding, one group and a bias: `nn.Conv2d(…, outputs, kernel)`.
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

/// Reads the words behind `conv`.
///
/// # Errors
/// The problem, as part of a sentence, as with all functions here.
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
                    Inits::TAKES,
                    word = shorten(word)
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

/// The sizes along one side, if a window fits.
pub fn side(size: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Option<Side> {
    let reach = (kernel - 1) * dilation + 1;
    let room = (size + 2 * pad).checked_sub(reach)?;
    Some(Side { size, out: room / stride + 1, kernel, stride, pad, dilation })
}

impl Conv {
    /// The sizes on a batch of inputs of shape `input`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn geometry(&self, batch: usize, input: Shape) -> Result<Geometry, String> {
        let rows = side(input.height, self.kernel.y, self.stride.y, self.pad.y, self.dilation.y);
        let columns = side(input.width, self.kernel.x, self.stride.x, self.pad.x, self.dilation.x);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            let reach = |kernel: usize, dilation: usize| (kernel - 1) * dilation + 1;
            return Err(format!(
                "its kernel covers {}×{} pixels, but the padded image has {}×{}: use a smaller kernel or more pad",
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

    /// The output shape for one sample: outputs × OH × OW.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        input.check_image("conv")?;
        let geometry = self.geometry(1, *input)?;
        Ok(Shape::image(self.outputs, geometry.rows.out, geometry.columns.out))
    }

    /// Multiply-adds of the forward pass of one sample.
    pub fn multiply_adds(&self, input: &Shape) -> usize {
        self.geometry(1, *input).map_or(0, |sizes| sizes.multiply_adds())
    }

    /// Declares w and b.
    ///
    /// By default they are uniform in ±1/√(inputs of one output), as in `nn.Conv2d`.
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

    /// Records the forward pass, and leaves the backward pass on the tape.
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
            // dx = Σ over the windows over a pixel of dy · w
            let dx = recorder.gradient(x);
            let consts = consts_of(&geometry, true, dx.add, Epilogue::Plain, Activation::Identity);
            let args = vec![dy, weight, dy, dx.view];
            recorder.dispatch(&table::CONV_NAIVE, consts, args, "input gradient");
        });
        y
    }
}

/// dw = Σ over the batch and all windows of dy · x
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

/// The constants of sizes, which all kernels of a convolution have.
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

/// The constants of a forward or backward convolution.
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

/// The constants of a weight gradient in slices of `slice` rows.
pub fn weights_consts(geometry: &Geometry, slice: usize) -> Consts {
    sizes(geometry).with("SLICE", Const::from(slice))
}

/// Products of a slice of a weight gradient, where memory allows: enough slices to keep a device busy.
const SLICE_PRODUCTS: usize = 2_048;
/// The most products of a slice, so that no driver cuts its loop short.
const MOST_PRODUCTS: usize = 40_000;
/// The most words of all slices together, where [`MOST_PRODUCTS`] allows: 4 MiB.
const SLICES_WORDS: usize = 1 << 20;

/// Rows of dy per slice.
fn slice(geometry: &Geometry) -> usize {
    let lines = geometry.batch * geometry.rows.out;
    let rows = |products: usize| (products / geometry.columns.out).max(1);
    let affordable = (SLICES_WORDS / geometry.weights()).max(1);
    lines
        .div_ceil(affordable)
        .clamp(rows(SLICE_PRODUCTS), rows(MOST_PRODUCTS).max(rows(SLICE_PRODUCTS)))
        .min(lines)
}

/// Values of a channel per slice of its sum.
const SLICE_VALUES: usize = 1_024;

fn record_channel_sums(recorder: &mut Recorder, dy: View, geometry: &Geometry, to: Gradient) {
    let plane = geometry.rows.out * geometry.columns.out;
    let slice = SLICE_VALUES.min(geometry.batch * plane);
    let consts = consts! { BATCH: geometry.batch, CHANNELS: geometry.outputs, PLANE: plane, SLICE: slice };
    recorder.in_slices((geometry.batch * plane).div_ceil(slice), to, "bias gradient", |recorder, sums| {
        recorder.dispatch(&table::CHANNEL_SUMS, consts, vec![dy, sums], "bias gradient");
    });
}
