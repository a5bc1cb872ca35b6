//! A value of a flatten layer, or of dropout outside of training: it stays as it is.

use super::frame::Frame;
use super::names::meaning;
use super::page::{LaterLayers, Section};
use super::trace::Trace;
use crate::network::layers::Layer;

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let view = trace.output(layer);
    let mut forward = Section::new("forward", "Forward: the value stays as it is");
    forward.note(match trace.model.network.layers[layer] {
        Layer::Dropout(_) => {
            "a step of training would set the value to 0 with the layer's probability; this step \
                              shows prediction, so nothing is left out and no kernel runs"
                .to_owned()
        }
        _ => format!(
            "flatten only reads {} values as a row of {}: unit {unit} is value {unit}{}, and no kernel runs",
            trace.shapes[layer],
            trace.shapes[layer + 1],
            meaning(trace, layer, unit)
        ),
    });
    forward.value(trace.value("y", "y = x", view, unit));
    let backward = Section::new("backward", "Backward: the gradient stays as it is");
    Frame { forward, backward }.sections(trace, layer, unit, later, |trace, backward| {
        if let Some(gradient) = trace.gradient(view) {
            let value = trace.gradient_value("dx", "gradient at x = gradient at y", gradient, view, unit);
            backward.value(value);
        }
    })
}
