//! The lines about the layers behind a unit's own: its value going forward, its gradient coming back.
//!
//! The two matches here lead from one layer to the next, so that no kind's file has to.

use super::page::{LaterLayers, Section};
use super::trace::Trace;
use super::{activation, conv, dense, loss, norm, pool, residual, softmax};
use crate::network::layers::Layer;

/// The lines about the layers after `layer` that concern one of its units.
pub fn later_layers(trace: &mut Trace, layer: usize, unit: usize) -> LaterLayers {
    let mut forward = Section::new("forward", "");
    onward(trace, layer + 1, unit, &mut forward);
    let mut backward = Section::new("backward", "");
    // Without a gradient, the layer's own section says why there is none.
    if trace.gradient(trace.output(layer)).is_some() {
        origin(trace, layer + 1, unit, &mut backward);
    }
    LaterLayers { forward: forward.lines, backward: backward.lines }
}

/// The value in the layers from `layer` on, up to weights or to the end of the network.
fn onward(trace: &Trace, layer: usize, unit: usize, section: &mut Section) {
    let Some(kind) = trace.model.network.layers.get(layer) else { return };
    match kind {
        Layer::Dense { .. } | Layer::Conv(_) | Layer::Pool(_) | Layer::Residual(_) => return,
        Layer::Norm(norm) => norm::onward(trace, *norm, layer, unit, section),
        Layer::Activation(kind) => activation::onward(trace, *kind, layer, unit, section),
        Layer::Softmax => softmax::onward(trace, layer, unit, section),
        Layer::Flatten | Layer::Dropout(_) => {}
    }
    onward(trace, layer + 1, unit, section);
}

/// The gradient of an input of `layer`, from the loss backwards, later layers first.
fn origin(trace: &mut Trace, layer: usize, unit: usize, section: &mut Section) {
    let Some(kind) = trace.model.network.layers.get(layer).cloned() else {
        return loss::origin(trace, unit, section);
    };
    match kind {
        Layer::Dense { .. } => dense::origin(trace, layer, unit, section),
        Layer::Conv(conv) => conv::origin(trace, conv, layer, unit, section),
        Layer::Pool(pool) => pool::origin(trace, pool, layer, unit, section),
        Layer::Residual(_) => residual::origin(trace, layer, section),
        Layer::Activation(kind) => {
            origin(trace, layer + 1, unit, section);
            activation::origin(trace, kind, layer, unit, section);
        }
        Layer::Softmax => {
            origin(trace, layer + 1, unit, section);
            softmax::origin(trace, layer, unit, section);
        }
        Layer::Norm(norm) => {
            origin(trace, layer + 1, unit, section);
            norm::origin(trace, norm, layer, unit, section);
        }
        Layer::Flatten | Layer::Dropout(_) => origin(trace, layer + 1, unit, section),
    }
}
