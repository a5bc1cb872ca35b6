//! Pooling: y = the maximum or the mean of each window of each channel.
//!
//! As `nn.MaxPool2d`, `nn.AvgPool2d` and `nn.AdaptiveAvgPool2d(1)`: windows that would reach beyond the padded image are
//! left out, and a mean counts the padding.

use std::fmt;

use super::conv::side;
use super::limits::MOST_TERMS;
use super::words::{Pair, Words};
use crate::cpu::pool::Pooling;
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Element, Kernel};
use crate::program::View;
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;
use crate::text::shorten;

/// The value that a window is reduced to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// The largest value of the window.
    Maximum,
    /// The mean over the window, padding included.
    Mean,
}

/// A pooling as the user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// The value that a window is reduced to.
    pub reduction: Reduction,
    /// The size of the window, in pixels; none for the whole image.
    pub kernel: Option<Pair>,
    /// The step from window to window, in pixels.
    pub stride: Pair,
    /// Rows and columns of padding on each side of the image.
    pub pad: Pair,
}

impl Pool {
    /// Pooling over windows side by side, without padding.
    pub fn new(reduction: Reduction, kernel: Pair) -> Pool {
        Pool { reduction, kernel: Some(kernel), stride: kernel, pad: Pair::both(0) }
    }

    /// Global average pooling: the mean of each channel.
    pub const GLOBAL: Pool =
        Pool { reduction: Reduction::Mean, kernel: None, stride: Pair::both(1), pad: Pair::both(0) };

    /// `maxpool`, `avgpool` or `globalavgpool`.
    fn name(&self) -> &'static str {
        match (self.reduction, self.kernel) {
            (_, None) => "globalavgpool",
            (Reduction::Maximum, _) => "maxpool",
            (Reduction::Mean, _) => "avgpool",
        }
    }
}

/// Reads the words behind `maxpool` or `avgpool`.
///
/// # Errors
/// The problem, as part of a sentence.
pub fn parse(reduction: Reduction, words: &mut Words) -> Result<Pool, String> {
    let mut pool = Pool::new(reduction, Pair::parse(words, "size of a window", 1)?);
    while let Some(word) = words.next() {
        match word {
            "stride" => pool.stride = Pair::parse(words, "stride", 1)?,
            "pad" => pool.pad = Pair::parse(words, "pad", 0)?,
            _ => {
                let name = pool.name();
                return Err(format!(
                    "{name} takes no “{word}”; behind its window it takes stride and pad",
                    word = shorten(word)
                ));
            }
        }
    }
    let kernel = pool.kernel.unwrap_or(Pair::both(1));
    if 2 * pool.pad.y > kernel.y || 2 * pool.pad.x > kernel.x {
        return Err(format!(
            "a pad of {} is more than half its window of {kernel}: use a smaller pad",
            pool.pad
        ));
    }
    Ok(pool)
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())?;
        let Some(kernel) = self.kernel else { return Ok(()) };
        write!(f, " {kernel}")?;
        if self.stride != kernel {
            write!(f, " stride {}", self.stride)?;
        }
        if self.pad != Pair::both(0) { write!(f, " pad {}", self.pad) } else { Ok(()) }
    }
}

impl Pool {
    /// The sizes on a batch of inputs of shape `input`.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn pooling(&self, batch: usize, input: Shape) -> Result<Pooling, String> {
        let kernel = self.kernel.unwrap_or(Pair { y: input.height, x: input.width });
        if kernel.y.saturating_mul(kernel.x) > MOST_TERMS {
            return Err(format!(
                "a window of {kernel} is too large, at most {MOST_TERMS} values fit one: use a smaller one"
            ));
        }
        let rows = side(input.height, kernel.y, self.stride.y, self.pad.y, 1);
        let columns = side(input.width, kernel.x, self.stride.x, self.pad.x, 1);
        match rows.zip(columns) {
            Some((rows, columns)) => Ok(Pooling { planes: batch * input.channels, rows, columns }),
            None => Err(format!(
                "nothing is left, as its window of {}×{} is larger than the padded image of {}×{}: \
                 use a smaller window or fewer poolings",
                kernel.y,
                kernel.x,
                input.height + 2 * self.pad.y,
                input.width + 2 * self.pad.x
            )),
        }
    }

    /// The output shape for one sample: C × OH × OW.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        input.check_image(self.name())?;
        let pooling = self.pooling(1, *input)?;
        Ok(Shape::image(input.channels, pooling.rows.out, pooling.columns.out))
    }

    /// Records the forward pass, and leaves the backward pass on the tape.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor) -> Tensor {
        let pooling = self.pooling(x.rows, x.shape).expect("shapes were checked");
        let shape = Shape::image(x.shape.channels, pooling.rows.out, pooling.columns.out);
        let y = recorder.tensor("y", shape);
        let y = Tensor { needs_gradient: x.needs_gradient, ..y };
        match self.reduction {
            Reduction::Maximum => record_maximum(recorder, x, y, &pooling),
            Reduction::Mean => record_mean(recorder, x, y, &pooling),
        }
        y
    }
}

/// y = max of each window   dx = dy where the window chose x
fn record_maximum(recorder: &mut Recorder, x: Tensor, y: Tensor, pooling: &Pooling) {
    let chosen = recorder.local("chosen", Element::Uint, y.value.len);
    let consts = sizes(pooling);
    recorder.dispatch(&table::MAX_POOL, consts.clone(), vec![x.value, y.value, chosen], "maximum");
    let read = vec![chosen, y.value];
    on_backward(recorder, [x, y], consts, &table::MAX_POOL_BACKWARD, (read, "gradient to the maximum"));
}

/// y = mean of each window   dx = dy / area of every window over x
fn record_mean(recorder: &mut Recorder, x: Tensor, y: Tensor, pooling: &Pooling) {
    let consts = sizes(pooling);
    recorder.dispatch(&table::AVERAGE_POOL, consts.clone(), vec![x.value, y.value], "mean");
    let read = vec![x.value];
    on_backward(recorder, [x, y], consts, &table::AVERAGE_POOL_BACKWARD, (read, "gradient through the mean"));
}

/// Leaves the backward pass on the tape: a kernel over the views `read`, then dy and dx.
fn on_backward(
    recorder: &mut Recorder,
    [x, y]: [Tensor; 2],
    sizes: Consts,
    kernel: &'static Kernel,
    (read, label): (Vec<View>, &'static str),
) {
    if !x.needs_gradient {
        return;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let dx = recorder.gradient(x);
        let consts = backward(sizes, Activation::Identity, dx.add);
        recorder.dispatch(kernel, consts, [read, vec![dy, dx.view]].concat(), label);
    });
}

/// The constants of sizes, which all kernels of a pooling have.
pub fn sizes(pooling: &Pooling) -> Consts {
    let Pooling { planes, rows, columns } = pooling;
    consts! {
        PLANES: *planes, HEIGHT: rows.size, WIDTH: columns.size, OUT_HEIGHT: rows.out, OUT_WIDTH: columns.out,
        KERNEL_HEIGHT: rows.kernel, KERNEL_WIDTH: columns.kernel,
        STRIDE_Y: rows.stride, STRIDE_X: columns.stride, PAD_Y: rows.pad, PAD_X: columns.pad,
    }
}

/// The constants of a backward kernel.
///
/// It also goes through the activation that made x.
pub fn backward(sizes: Consts, activation: Activation, add: bool) -> Consts {
    let (kind, leak) = activation.consts();
    sizes.with("ACTIVATION", kind).with("LEAK", leak).with("ADD", Const::from(add))
}
