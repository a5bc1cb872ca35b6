//! y = (x - mean) / √(variance + ε) · w + b
//!
//! Batch normalisation takes mean and variance of each channel over the batch, and keeps running ones for prediction;
//! layer normalisation takes them of each sample. As `nn.BatchNorm1d`, `nn.BatchNorm2d` and `nn.LayerNorm`.

use std::fmt;

use super::words::{Words, number};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Consts, Element, aligned};
use crate::program::View;
use crate::program::init::Initialiser;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Gradient, Recorder, Tensor};
use crate::program::shape::Shape;
use crate::table;
use crate::text::shorten;

/// The values that have a common mean and variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over {
    /// The values of a channel in all samples of the batch.
    Batch {
        /// The fraction of a batch's moments in the new running moments.
        momentum: f32,
    },
    /// The values of a sample.
    Sample,
}

/// A normalisation as the user writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// The values that have a common mean and variance.
    pub over: Over,
    /// ε, added to the variance.
    pub epsilon: f32,
}

/// PyTorch's default.
const MOMENTUM: f32 = 0.1;
/// PyTorch's default.
const EPSILON: f32 = 1e-5;

/// Values of a group per slice of its sums.
const SLICE: usize = 1_024;

impl Norm {
    /// Batch normalisation with PyTorch's defaults.
    pub const BATCH: Norm = Norm { over: Over::Batch { momentum: MOMENTUM }, epsilon: EPSILON };
    /// Layer normalisation with PyTorch's default.
    pub const SAMPLE: Norm = Norm { over: Over::Sample, epsilon: EPSILON };
}

/// Reads the words behind `batchnorm` or `layernorm`; `norm` has the defaults.
///
/// # Errors
/// The problem, as part of a sentence.
pub fn parse(mut norm: Norm, words: &mut Words) -> Result<Norm, String> {
    while let Some(word) = words.next() {
        match (word, &mut norm.over) {
            ("momentum", Over::Batch { momentum }) => {
                *momentum = number(words, "momentum from 0 to 1", |value| (0.0..=1.0).contains(&value))?;
            }
            ("eps", _) => {
                // The error bounds of the kernels assume this range.
                norm.epsilon = number(words, "eps from 1e-12 to 1", |value| (1e-12..=1.0).contains(&value))?;
            }
            (_, over) => {
                let takes = if *over == Over::Sample { "eps" } else { "momentum and eps" };
                return Err(format!(
                    "{} takes no “{word}”; it takes {takes}",
                    name(*over),
                    word = shorten(word)
                ));
            }
        }
    }
    Ok(norm)
}

fn name(over: Over) -> &'static str {
    if over == Over::Sample { "layernorm" } else { "batchnorm" }
}

impl fmt::Display for Norm {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(name(self.over))?;
        match self.over {
            Over::Batch { momentum } if momentum != MOMENTUM => write!(f, " momentum {momentum}")?,
            _ => {}
        }
        if self.epsilon != EPSILON { write!(f, " eps {}", self.epsilon) } else { Ok(()) }
    }
}

/// A recorded normalisation.
#[derive(Clone, Copy)]
struct Recorded {
    norm: Norm,
    /// Outer, groups and inner.
    sizes: [usize; 3],
    mean: View,
    variance: View,
    weight: View,
    /// Whether mean and variance are functions of x; otherwise they are constants.
    centred: bool,
}

impl Norm {
    /// Checks that the smallest batch has more than one value per mean.
    ///
    /// # Errors
    /// The problem, as part of a sentence.
    pub fn check_batch(&self, input: &Shape, samples: usize) -> Result<(), String> {
        if self.over == Over::Sample || samples * input.height * input.width > 1 {
            return Ok(());
        }
        Err("the smallest batch has one sample, so each mean would have one value: \
             use another ⟨batch_size⟩, which leaves more than one sample for the last batch"
            .to_owned())
    }

    /// Declares weights and biases, and running moments.
    ///
    /// Weights and running variances begin as 1, biases and running means as 0.
    pub fn declare(&self, path: &str, input: &Shape, arena: &mut ArenaBuilder) {
        let shape = match self.over {
            Over::Batch { .. } => vec![input.channels],
            Over::Sample => input.sizes(),
        };
        arena.add(format!("{path}.weight"), shape.clone(), Initialiser::Constant(1.0));
        arena.add(format!("{path}.bias"), shape.clone(), Initialiser::Constant(0.0));
        if self.over != Over::Sample {
            arena.keep(format!("{path}.running_mean"), shape.clone(), Initialiser::Constant(0.0));
            arena.keep(format!("{path}.running_var"), shape, Initialiser::Constant(1.0));
        }
    }

    /// Records the forward pass, and leaves the backward pass on the tape.
    pub fn record(&self, recorder: &mut Recorder, x: Tensor, path: &str) -> Tensor {
        let (plane, sample) = (x.shape.height * x.shape.width, x.columns());
        let sizes = match self.over {
            Over::Batch { .. } => [x.rows, x.shape.channels, plane],
            Over::Sample => [1, x.rows, sample],
        };
        let (weight, dweight) = recorder.parameter(&format!("{path}.weight"));
        let (bias, dbias) = recorder.parameter(&format!("{path}.bias"));
        let centred = self.over == Over::Sample || recorder.training;
        let [mean, variance] = if centred {
            ["mean", "variance"].map(|name| recorder.local(name, Element::Real, sizes[1]))
        } else {
            ["running_mean", "running_var"].map(|name| recorder.kept(&format!("{path}.{name}")))
        };
        let recorded = Recorded { norm: *self, sizes, mean, variance, weight, centred };
        if centred {
            recorded.record_moments(recorder, x, path);
        }
        let y = recorder.tensor("y", x.shape);
        let (kind, leak) = Activation::Identity.consts();
        let consts = recorded.with_epsilon(recorded.consts()).with("ACTIVATION", kind).with("LEAK", leak);
        let args = vec![x.value, mean, variance, weight, bias, y.value];
        recorder.dispatch(&table::NORMALISE, consts, args, "normalised");
        // Weight and bias are adjacent in the arena, and so are their gradients.
        let (first, last) = (dweight.view, dbias.view);
        let view = View { len: last.start - first.start + last.len, ..first };
        let gradients = Gradient { view, add: dweight.add };
        recorder.on_backward(move |recorder| {
            let dy = recorder.written_gradient(y);
            recorded.record_backward(recorder, x, dy, gradients);
        });
        y
    }
}

impl Recorded {
    fn consts(&self) -> Consts {
        let [outer, groups, inner] = self.sizes;
        consts! { OUTER: outer, GROUPS: groups, INNER: inner }
    }

    fn by_sample(&self) -> Const {
        Const::Flag(self.norm.over == Over::Sample)
    }

    fn with_epsilon(&self, consts: Consts) -> Consts {
        consts.with("EPSILON", Const::from(self.norm.epsilon)).with("BY_SAMPLE", self.by_sample())
    }

    /// Values per slice, and the number of slices.
    fn slices(&self) -> (usize, usize) {
        let [outer, _, inner] = self.sizes;
        let slice = SLICE.min(outer * inner);
        (slice, (outer * inner).div_ceil(slice))
    }

    /// Records mean and variance of every group, and the update of the running ones.
    fn record_moments(&self, recorder: &mut Recorder, x: Tensor, path: &str) {
        let (slice, count) = self.slices();
        let slices = recorder.local("moments in slices", Element::Real, count * self.sizes[1] * 2);
        let consts = self.consts().with("SLICE", Const::from(slice)).with("BY_SAMPLE", self.by_sample());
        recorder.dispatch(&table::MOMENTS_SLICES, consts.clone(), vec![x.value, slices], "moments");
        recorder.dispatch(&table::MOMENTS, consts, vec![slices, self.mean, self.variance], "moments");
        let Over::Batch { momentum } = self.norm.over else { return };
        let first = recorder.kept(&format!("{path}.running_mean"));
        let second = recorder.kept(&format!("{path}.running_var"));
        let pitch = second.start - first.start;
        let both = View { len: pitch + second.len, ..first };
        let consts = self.consts().with("PITCH", Const::from(pitch)).with("MOMENTUM", Const::from(momentum));
        let args = vec![self.mean, self.variance, both];
        recorder.dispatch(&table::RUNNING_MOMENTS, consts, args, "running moments");
    }

    /// Records the gradients of weight and bias, then of x.
    fn record_backward(&self, recorder: &mut Recorder, x: Tensor, dy: View, gradients: Gradient) {
        let groups = self.sizes[1];
        let sums = match self.norm.over {
            // The gradient of x needs the sums of this batch alone, so they are not added to others first.
            Over::Batch { .. } if gradients.add => recorder.local("sums", Element::Real, gradients.view.len),
            Over::Batch { .. } => gradients.view,
            Over::Sample => {
                let consts = consts! { GROUPS: groups, INNER: self.sizes[2], PITCH: aligned(self.sizes[2]) };
                let consts = consts.with("EPSILON", Const::from(self.norm.epsilon));
                recorder.in_slices(1, gradients, "weight and bias gradient", |recorder, to| {
                    let args = vec![x.value, dy, self.mean, self.variance, to];
                    recorder.dispatch(&table::NORMALISE_WEIGHTS, consts, args, "weight and bias gradient");
                });
                if !x.needs_gradient {
                    return;
                }
                recorder.local("sums", Element::Real, 2 * groups)
            }
        };
        let pitch = Const::from(sums.len - groups);
        let (slice, count) = self.slices();
        let to = Gradient { view: sums, add: false };
        recorder.in_slices(count, to, "sums for the gradient", |recorder, slices| {
            let consts = self.consts().with("SLICE", Const::from(slice)).with("PITCH", pitch);
            let args = vec![x.value, dy, self.mean, self.variance, self.weight, slices];
            let consts = self.with_epsilon(consts);
            recorder.dispatch(&table::NORMALISE_SLICES, consts, args, "sums for the gradient");
        });
        if gradients.add && sums != gradients.view && self.norm.over != Over::Sample {
            let consts = consts! { ROWS: 1usize, COLUMNS: sums.len, ADD: true };
            let args = vec![sums, gradients.view];
            recorder.dispatch(&table::COLUMN_SUMS, consts, args, "weight and bias gradient");
        }
        if !x.needs_gradient {
            return;
        }
        let dx = recorder.gradient(x);
        let consts = self.with_epsilon(self.consts().with("PITCH", pitch));
        let consts = consts.with("CENTRED", Const::from(self.centred)).with("ADD", Const::from(dx.add));
        let args = vec![x.value, dy, self.mean, self.variance, self.weight, sums, dx.view];
        recorder.dispatch(&table::NORMALISE_BACKWARD, consts, args, "gradient through the norm");
    }
}
