//! Values of a training step that are read from outside: by `explain`, and by the coach.

use super::buffer::View;
use super::shape::Shape;
use crate::kernel::Activation;

/// The observed values of the training section.
///
/// Rewrites keep it up to date: they remove a view that no dispatch writes any more.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The input of each layer and the output of the last, in a step's last batch.
    pub activations: Vec<ObservedActivation>,
    /// The outputs of activation functions, in the first batch of a step.
    pub activated: Vec<Activated>,
}

impl Observed {
    /// All its views.
    pub(super) fn views(&mut self) -> impl Iterator<Item = &mut View> {
        let activations = self.activations.iter_mut().flat_map(|activation| {
            let ObservedActivation { value, gradient } = activation;
            value.iter_mut().chain(gradient.iter_mut())
        });
        activations.chain(self.activated.iter_mut().map(|made| &mut made.value))
    }

    /// Removes a view that is no longer written.
    pub(super) fn lose(&mut self, view: View) {
        for activation in self.activations.iter_mut().filter(|activation| activation.value == Some(view)) {
            *activation = ObservedActivation { value: None, gradient: None };
        }
        self.activated.retain(|made| made.value != view);
    }

    /// Notes that another layer's dispatch writes an activation, and the gradient that there is then.
    pub(super) fn made_by(&mut self, view: View, layer: &str, gradient: Option<View>) {
        for activation in self.activations.iter_mut().filter(|activation| activation.value == Some(view)) {
            activation.gradient = gradient.or(activation.gradient);
        }
        for made in self.activated.iter_mut().filter(|made| made.value == view) {
            made.layer = layer.to_owned();
        }
    }
}

/// The activation between two layers, in front of the first layer or behind the last.
#[derive(Clone, Copy, Debug)]
pub struct ObservedActivation {
    /// The value.
    ///
    /// None if no buffer holds it, because a rewrite has joined the layers on both sides.
    pub value: Option<View>,
    /// The gradient of the value, if there is one.
    ///
    /// With the activation function in the epilogue of the layer in front, it is the gradient of the weighted sums.
    pub gradient: Option<View>,
}

/// The output of an activation function.
#[derive(Clone, Debug)]
pub struct Activated {
    /// The layer whose dispatch computes it, such as `3 relu`, or `0 dense` where it is in its epilogue.
    pub layer: String,
    /// The function.
    pub activation: Activation,
    /// A row per sample.
    pub value: View,
    /// The sizes of one sample.
    pub shape: Shape,
}
