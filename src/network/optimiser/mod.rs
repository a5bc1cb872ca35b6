//! Optimisers: from gradients to new weights.
//!
//! An optimiser declares its state, buffers laid out like the arena, and records its update: one dispatch over the whole
//! arena. Muon has dispatches for every matrix.

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
    /// Stochastic gradient descent, plain or with momentum.
    Sgd {
        /// The factor of the previous velocity, from 0 to below 1.
        ///
        /// 0 for no velocity.
        momentum: f32,
        /// The fraction of the gradient left out, from 0 to below 1.
        dampening: f32,
        /// Whether it is Nesterov's momentum.
        nesterov: bool,
    },
    /// AdaGrad: the gradient over the root of the sum of all squared gradients.
    AdaGrad {
        /// The number added to the divisor.
        epsilon: f32,
    },
    /// RMSProp: the gradient over the root of a moving average of its squares.
    RmsProp {
        /// The decay of the moving average, from 0 to below 1.
        smoothing: f32,
        /// The number added to the divisor.
        epsilon: f32,
        /// The factor of the previous velocity, from 0 to below 1.
        ///
        /// 0 for no velocity.
        momentum: f32,
        /// Whether the divisor is the root of the variance, instead of the mean square.
        centred: bool,
    },
    /// Adam, or AdamW when weight decay is decoupled.
    Adam {
        /// The decay of the moving average of gradients, from 0 to below 1.
        beta1: f32,
        /// The decay of the moving average of squared gradients, from 0 to below 1.
        beta2: f32,
        /// The number added to the divisor.
        epsilon: f32,
    },
    /// Lion: steps of one size, by the sign of a moving average of gradients.
    Lion {
        /// The moving average's factor in a step, from 0 to below 1.
        beta1: f32,
        /// The decay of the moving average, from 0 to below 1.
        beta2: f32,
    },
    /// Muon for all matrices but the last: their momentum, made orthogonal.
    ///
    /// AdamW for the rest.
    Muon {
        /// The factor of the previous momentum, from 0 to below 1.
        momentum: f32,
    },
}

/// A rule and its weight decay.
///
/// Parameters with a single dimension, biases and those of norms, don't decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Optimiser {
    /// The rule of the update.
    pub rule: Rule,
    /// The factor of decay.
    ///
    /// A step takes off the product of this, the learning rate and the weight.
    pub weight_decay: f32,
    /// Whether decay is applied to weights directly, as in AdamW.
    ///
    /// Otherwise it goes through gradients (L2).
    pub decoupled: bool,
}

/// A buffer of optimiser state.
///
/// It is laid out like the arena, and zero before the first step.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// The buffer's name, such as `velocities`.
    pub name: &'static str,
    /// The whole buffer.
    pub view: View,
}

impl Default for Optimiser {
    /// Gradient descent without momentum.
    fn default() -> Optimiser {
        Optimiser::sgd(0.0)
    }
}

impl Optimiser {
    /// The AdamW by which [`Rule::Muon`] updates vectors and the last matrix.
    pub const MUON_REST: Rule = Rule::Adam { beta1: muon::BETA1, beta2: muon::BETA2, epsilon: muon::EPSILON };

    /// Gradient descent with momentum, or without for 0.
    pub fn sgd(momentum: f32) -> Optimiser {
        let rule = Rule::Sgd { momentum, dampening: 0.0, nesterov: false };
        Optimiser { rule, weight_decay: 0.0, decoupled: false }
    }

    /// Checks all settings, as reading the text form does.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) naming the setting and what it takes.
    pub fn check(&self) -> Result<()> {
        self.to_string().parse::<Optimiser>().map(|_| ())
    }

    /// The default learning rate, which suits small networks.
    pub fn default_learning_rate(&self) -> f32 {
        match self.rule {
            Rule::Sgd { .. } => 0.02,
            Rule::AdaGrad { .. } => 0.01,
            Rule::RmsProp { .. } | Rule::Adam { .. } => 0.001,
            // A third of Adam's or less, as Lion's authors advise, because its steps are never small.
            Rule::Lion { .. } => 0.0003,
            Rule::Muon { .. } => 0.005,
        }
    }

    /// The momentum in the scalars of a step.
    pub fn momentum(&self) -> f32 {
        match self.rule {
            Rule::Sgd { momentum, .. } | Rule::RmsProp { momentum, .. } | Rule::Muon { momentum } => momentum,
            _ => 0.0,
        }
    }

    /// Adam's bias corrections after `steps` steps: 1 / (1 - βⁿ) for β₁ and β₂.
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

    /// The kernel that updates `length` words of the arena, of which the first `decayed` decay.
    fn update(&self, length: usize, decayed: usize) -> (&'static Kernel, Consts) {
        let decay = [
            ("LENGTH", length.into()),
            ("DECAYED", decayed.into()),
            ("DECAY", self.weight_decay.into()),
            ("DECOUPLED", self.decoupled.into()),
        ];
        let (kernel, settings) = match self.rule {
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
        // Without momentum both kinds of decay are the same, and the kernel has one.
        let decay = decay.into_iter().filter(|(name, _)| kernel.consts.contains(name));
        (kernel, Consts::new(decay.chain(settings.iter()).collect()))
    }
}
