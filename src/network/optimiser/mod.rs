//! Optimisers: how a step goes from gradients to new weights.
//!
//! An optimiser declares its state, buffers laid out like the arena, and
//! records its update: one dispatch over the whole arena, but for Muon, which
//! treats every matrix on its own.

mod muon;
mod text;

pub use text::NAMES;

use crate::error::Result;
use crate::kernel::consts;
use crate::kernel::{Consts, Element, Kernel};
use crate::program::record::Recorder;
use crate::program::{Role, View};
use crate::table;

/// The rule by which weights follow gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// Gradient descent, plain or with a velocity.
    Sgd {
        /// Share of the last velocity that is kept; 0 for none, and then there is no velocity.
        momentum: f32,
        /// Share of the gradient that a velocity leaves out.
        dampening: f32,
        /// Whether the step looks ahead along the velocity.
        nesterov: bool,
    },
    /// Steps that shrink with all gradients so far.
    AdaGrad { epsilon: f32 },
    /// Steps by the size of recent gradients.
    RmsProp {
        smoothing: f32,
        epsilon: f32,
        /// Share of the last velocity that is kept; 0 for none.
        momentum: f32,
        /// Whether the size is taken around the mean of the gradients.
        centred: bool,
    },
    /// Steps by the mean and the size of recent gradients; AdamW when decay is decoupled.
    Adam { beta1: f32, beta2: f32, epsilon: f32 },
    /// Steps of one size, by the sign of recent gradients.
    Lion { beta1: f32, beta2: f32 },
    /// Matrices but the last go along their momentum made orthogonal; the rest as AdamW.
    Muon { momentum: f32 },
}

/// A rule, and how weights decay. Biases and norms, that is parameters with a
/// single dimension, do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimiser {
    pub rule: Rule,
    /// How much of each weight is taken off, times the learning rate.
    pub weight_decay: f32,
    /// Whether decay goes past the rule (AdamW's way) instead of into its gradients (L2).
    pub decoupled: bool,
}

/// State of an optimiser: a buffer laid out like the arena, zero before the first step.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The buffer's name, such as `velocities`.
    pub name: &'static str,
    pub view: View,
}

impl Default for Optimiser {
    /// Plain gradient descent.
    fn default() -> Optimiser {
        Optimiser::sgd(0.0)
    }
}

impl Optimiser {
    /// BETA1, BETA2 and EPSILON with which Muon updates as AdamW what it does not make orthogonal.
    pub const MUON_REST: (f32, f32, f32) = (muon::BETA1, muon::BETA2, muon::EPSILON);

    /// Gradient descent with momentum, or without for 0.
    pub fn sgd(momentum: f32) -> Optimiser {
        let rule = Rule::Sgd { momentum, dampening: 0.0, nesterov: false };
        Optimiser { rule, weight_decay: 0.0, decoupled: false }
    }

    /// Checks what the text form checks as it is read.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) naming the setting and what it takes.
    pub fn check(&self) -> Result<()> {
        self.to_string().parse::<Optimiser>().map(|_| ())
    }

    /// The learning rate when nothing else is said: one that does for small networks.
    pub fn default_learning_rate(&self) -> f32 {
        match self.rule {
            Rule::Sgd { .. } => 0.02,
            Rule::AdaGrad { .. } => 0.01,
            Rule::RmsProp { .. } | Rule::Adam { .. } => 0.001,
            // A third of Adam's or less, as Lion's authors advise: its steps are never small.
            Rule::Lion { .. } => 0.0003,
            Rule::Muon { .. } => 0.005,
        }
    }

    /// The momentum that kernels read from the step's scalars.
    pub fn momentum(&self) -> f32 {
        match self.rule {
            Rule::Sgd { momentum, .. } | Rule::RmsProp { momentum, .. } | Rule::Muon { momentum } => momentum,
            _ => 0.0,
        }
    }

    /// What Adam's mean and square are multiplied by after `steps` steps, to make up for
    /// their start at zero: 1 / (1 - BETAⁿ).
    pub fn corrections(&self, steps: usize) -> [f32; 2] {
        let [beta1, beta2] = match self.rule {
            Rule::Adam { beta1, beta2, .. } => [beta1, beta2],
            Rule::Muon { .. } => [muon::BETA1, muon::BETA2],
            _ => return [1.0; 2],
        };
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        [beta1, beta2].map(|beta| (1.0 / (1.0 - f64::from(beta).powi(steps))) as f32)
    }

    /// The names of the buffers that [`Optimiser::declare`] declares.
    pub fn states(&self) -> &'static [&'static str] {
        match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => &[],
            Rule::Sgd { .. } => &["velocities"],
            Rule::RmsProp { centred: true, .. } => &["variances", "means", "velocities"],
            Rule::RmsProp { momentum, .. } if momentum > 0.0 => &["squares", "velocities"],
            Rule::AdaGrad { .. } | Rule::RmsProp { .. } => &["squares"],
            Rule::Adam { .. } | Rule::Muon { .. } => &["means", "squares"],
            Rule::Lion { .. } => &["means"],
        }
    }

    /// Declares the state.
    pub fn declare(&self, recorder: &mut Recorder) -> Vec<State> {
        let len = recorder.parameters().len;
        let names = self.states().iter();
        names
            .map(|name| State { name, view: recorder.buffer(name, Element::Real, len, Role::Optimiser) })
            .collect()
    }

    /// Records the update of all parameters; `states` are those declared.
    pub fn record(&self, recorder: &mut Recorder, states: &[State]) {
        let decayed = recorder.arena.matrices();
        let args: Vec<View> = [recorder.gradients(), recorder.parameters()]
            .into_iter()
            .chain(states.iter().map(|state| state.view))
            .collect();
        match self.rule {
            Rule::Muon { .. } => {
                let rest = |length, decayed| self.update(length, decayed);
                muon::record(recorder, &args, self.weight_decay, rest);
            }
            _ => {
                let (kernel, consts) = self.update(args[0].len, decayed);
                recorder.dispatch(kernel, consts, args, "update");
            }
        }
    }

    /// The kernel that updates so many words of the arena, of which the first ones decay.
    fn update(&self, length: usize, decayed: usize) -> (&'static Kernel, Consts) {
        let decay = [
            ("LENGTH", length.into()),
            ("DECAYED", decayed.into()),
            ("DECAY", self.weight_decay.into()),
            ("DECOUPLED", self.decoupled.into()),
        ];
        let (kernel, own) = match self.rule {
            Rule::Sgd { momentum: 0.0, .. } => (&table::SGD, consts! {}),
            Rule::Sgd { dampening, nesterov, .. } => {
                (&table::SGD_MOMENTUM, consts! { DAMPENING: dampening, NESTEROV: nesterov })
            }
            Rule::AdaGrad { epsilon } => (&table::ADA_GRAD, consts! { EPSILON: epsilon }),
            Rule::RmsProp { smoothing, epsilon, momentum, centred } => {
                let kernel = match (centred, momentum > 0.0) {
                    (true, _) => &table::RMS_PROP_CENTRED,
                    (false, true) => &table::RMS_PROP_MOMENTUM,
                    (false, false) => &table::RMS_PROP,
                };
                (kernel, consts! { SMOOTHING: smoothing, EPSILON: epsilon })
            }
            Rule::Adam { beta1, beta2, epsilon } => {
                (&table::ADAM, consts! { BETA1: beta1, BETA2: beta2, EPSILON: epsilon })
            }
            Rule::Lion { beta1, beta2 } => (&table::LION, consts! { BETA1: beta1, BETA2: beta2 }),
            Rule::Muon { .. } => {
                (&table::ADAM, consts! { BETA1: muon::BETA1, BETA2: muon::BETA2, EPSILON: muon::EPSILON })
            }
        };
        // Plain descent has one kind of decay: both come to the same.
        let decay = decay.into_iter().filter(|(name, _)| kernel.consts.contains(name));
        (kernel, Consts::new(decay.chain(own.iter()).collect()))
    }
}
