//! What is looked at from outside while a Program trains: by who explains a step, and by the coach.

use super::buffer::View;
use super::shape::Shape;
use crate::kernel::Activation;

/// What is looked at in the section that trains. Rewrites keep it true: a view that is no longer made is
/// no longer in it.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// In front of each layer of the network, and behind the last, in the last batch of a step.
    pub boundaries: Vec<Boundary>,
    /// What activations make, in the first batch of a step.
    pub activated: Vec<Activated>,
}

impl Observed {
    /// Every view in it.
    pub(super) fn views(&mut self) -> impl Iterator<Item = &mut View> {
        let boundaries = self.boundaries.iter_mut().flat_map(|boundary| {
            let Boundary { value, gradient } = boundary;
            value.iter_mut().chain(gradient.iter_mut())
        });
        boundaries.chain(self.activated.iter_mut().map(|made| &mut made.value))
    }

    /// Notes that a view is made no longer.
    pub(super) fn lose(&mut self, view: View) {
        for boundary in self.boundaries.iter_mut().filter(|boundary| boundary.value == Some(view)) {
            *boundary = Boundary { value: None, gradient: None };
        }
        self.activated.retain(|made| made.value != view);
    }

    /// Notes that another layer's dispatch makes an activation, and whose gradient is there then.
    pub(super) fn made_by(&mut self, view: View, layer: &str, gradient: Option<View>) {
        for boundary in self.boundaries.iter_mut().filter(|boundary| boundary.value == Some(view)) {
            boundary.gradient = gradient.or(boundary.gradient);
        }
        for made in self.activated.iter_mut().filter(|made| made.value == view) {
            made.layer = layer.to_owned();
        }
    }
}

/// What lies between two layers of a network, in front of the first layer or behind the last.
#[derive(Clone, Copy, Debug)]
pub struct Boundary {
    /// None where a rewrite has taken the layers on both sides into one dispatch: then what is between them is
    /// in no buffer.
    pub value: Option<View>,
    /// The gradient of the value, or, where an activation that made it is in the epilogue of the layer in front,
    /// that of the weighted sum; none where nobody needs it.
    pub gradient: Option<View>,
}

/// What an activation of a network has made.
#[derive(Clone, Debug)]
pub struct Activated {
    /// The layer whose dispatch made it, such as `3 relu`, or `0 dense` where it is in its epilogue.
    pub layer: String,
    pub activation: Activation,
    /// A row per sample.
    pub value: View,
    /// The sizes of one sample.
    pub shape: Shape,
}
