//! Pooling: of each window of each channel only its largest value, or the mean of its values.
//!
//! As `nn.MaxPool2d`, `nn.AvgPool2d` and `nn.AdaptiveAvgPool2d(1)`: windows that
//! would stick out of the padded image are left out, and padding counts in a mean.

use std::fmt;

use super::conv::windows;
use super::words::{Pair, Words};
use crate::cpu::pool::Pooling;
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Element, Side};
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;

/// No window has more values: some drivers stop a loop after 65,535 rounds.
const MOST_VALUES: usize = 60_000;

/// What is kept of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    Maximum,
    Mean,
}

/// A pooling as the user writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub kept: Kept,
    /// None for the whole image.
    pub kernel: Option<Pair>,
    pub stride: Pair,
    pub pad: Pair,
}

impl Pool {
    /// Windows side by side, without padding.
    pub fn new(kept: Kept, kernel: Pair) -> Pool {
        Pool { kept, kernel: Some(kernel), stride: kernel, pad: Pair::both(0) }
    }

    /// The mean of each channel.
    pub const GLOBAL: Pool =
        Pool { kept: Kept::Mean, kernel: None, stride: Pair::both(1), pad: Pair::both(0) };

    /// `maxpool`, `avgpool` or `globalavgpool`.
    fn name(&self) -> &'static str {
        match (self.kept, self.kernel) {
            (_, None) => "globalavgpool",
            (Kept::Maximum, _) => "maxpool",
            (Kept::Mean, _) => "avgpool",
        }
    }
}

pub fn parse(kept: Kept, words: &mut Words) -> Result<Pool, String> {
    let mut pool = Pool::new(kept, Pair::parse(words, "size of a window", 1)?);
    while let Some(word) = words.next() {
        match word {
            "stride" => pool.stride = Pair::parse(words, "stride", 1)?,
            "pad" => pool.pad = Pair::parse(words, "pad", 0)?,
            _ => {
                let name = pool.name();
                return Err(format!("{name} takes no “{word}”; behind its window it takes stride and pad"));
            }
        }
    }
    let kernel = pool.kernel.unwrap_or(Pair::both(1));
    if 2 * pool.pad.y > kernel.y || 2 * pool.pad.x > kernel.x {
        return Err(format!("a pad of {} is more than half its window of {kernel}", pool.pad));
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
    /// The sizes on a batch of inputs.
    ///
    /// # Errors
    /// What does not fit, as a part of a sentence.
    pub fn pooling(&self, batch: usize, input: Shape) -> Result<Pooling, String> {
        let kernel = self.kernel.unwrap_or(Pair { y: input.height, x: input.width });
        if kernel.y.saturating_mul(kernel.x) > MOST_VALUES {
            return Err(format!("a window of {kernel} is too large, at most {MOST_VALUES} values fit one"));
        }
        let side = |size, kernel, stride, pad| {
            let out = windows(size, kernel, stride, pad, 1);
            out.map(|out| Side { size, out, kernel, stride, pad, dilation: 1 })
        };
        let rows = side(input.height, kernel.y, self.stride.y, self.pad.y);
        let columns = side(input.width, kernel.x, self.stride.x, self.pad.x);
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

    pub fn output(&self, input: &Shape) -> Result<Shape, String> {
        input.check_image(self.name())?;
        let pooling = self.pooling(1, *input)?;
        Ok(Shape::image(input.channels, pooling.rows.out, pooling.columns.out))
    }

    pub fn record(&self, recorder: &mut Recorder, x: Tensor) -> Tensor {
        let pooling = self.pooling(x.rows, x.shape).expect("shapes were checked");
        let shape = Shape::image(x.shape.channels, pooling.rows.out, pooling.columns.out);
        let y = recorder.tensor("y", shape);
        let y = Tensor { needs_gradient: x.needs_gradient, ..y };
        match self.kept {
            Kept::Maximum => record_maximum(recorder, x, y, &pooling),
            Kept::Mean => record_mean(recorder, x, y, &pooling),
        }
        y
    }
}

/// y = max of each window   dx = dy where the window chose x
fn record_maximum(recorder: &mut Recorder, x: Tensor, y: Tensor, pooling: &Pooling) {
    let chosen = recorder.local("chosen", Element::Uint, y.value.len);
    let consts = sizes(pooling);
    recorder.dispatch(&table::MAX_POOL, consts.clone(), vec![x.value, y.value, chosen], "maximum");

    if !x.needs_gradient {
        return;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let dx = recorder.gradient(x);
        let consts = backward(consts, Activation::Identity, dx.add);
        let args = vec![chosen, y.value, dy, dx.view];
        recorder.dispatch(&table::MAX_POOL_BACKWARD, consts, args, "gradient to the maximum");
    });
}

/// y = mean of each window   dx = dy / area of every window over x
fn record_mean(recorder: &mut Recorder, x: Tensor, y: Tensor, pooling: &Pooling) {
    let consts = sizes(pooling);
    recorder.dispatch(&table::AVERAGE_POOL, consts.clone(), vec![x.value, y.value], "mean");

    if !x.needs_gradient {
        return;
    }
    recorder.on_backward(move |recorder| {
        let dy = recorder.written_gradient(y);
        let dx = recorder.gradient(x);
        let consts = backward(consts, Activation::Identity, dx.add);
        let args = vec![x.value, dy, dx.view];
        recorder.dispatch(&table::AVERAGE_POOL_BACKWARD, consts, args, "gradient through the mean");
    });
}

/// The constants that all kernels of a pooling begin with.
pub fn sizes(pooling: &Pooling) -> Consts {
    let Pooling { planes, rows, columns } = pooling;
    consts! {
        PLANES: *planes, HEIGHT: rows.size, WIDTH: columns.size, OUT_HEIGHT: rows.out, OUT_WIDTH: columns.out,
        KERNEL_HEIGHT: rows.kernel, KERNEL_WIDTH: columns.kernel,
        STRIDE_Y: rows.stride, STRIDE_X: columns.stride, PAD_Y: rows.pad, PAD_X: columns.pad,
    }
}

/// The constants of the way back, through the activation that made x as well.
pub fn backward(sizes: Consts, activation: Activation, add: bool) -> Consts {
    let (kind, leak) = activation.consts();
    sizes.with("ACTIVATION", kind).with("LEAK", leak).with("ADD", Const::from(add))
}
