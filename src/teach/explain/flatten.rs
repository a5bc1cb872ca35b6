//! A value of a flatten layer, or of dropout outside of training: nothing happens to it.

use super::activation::NOTHING_LEARNS;
use super::loss;
use super::names::meaning;
use super::page::{LaterLayers, Section};
use super::trace::Trace;
use crate::network::layers::Layer;

pub fn explain(trace: &mut Trace, layer: usize, unit: usize, later: LaterLayers) -> Vec<Section> {
    let view = trace.output(layer);
    let mut forward = Section::new("forward", "Forward: nothing happens to the value");
    let shapes = (&trace.shapes[layer], &trace.shapes[layer + 1]);
    let dropout = matches!(trace.model.network.layers[layer], Layer::Dropout(_));
    forward.note(if dropout {
        "a step of training would leave the value out by chance; this step shows what the network \
                 predicts with, so nothing is left out and no kernel runs"
            .to_owned()
    } else {
        format!(
            "flatten only reads {} values as a row of {}: unit {unit} is value {unit}{}, and no kernel runs",
            shapes.0,
            shapes.1,
            meaning(trace, layer, unit)
        )
    });
    forward.value(trace.value("y", "y = x", view, unit));
    forward.lines.extend(later.forward);
    let mut sections = vec![forward];
    if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
        sections.push(loss::section(trace, unit));
    }
    let mut backward = Section::new("backward", "Backward: nothing happens to the gradient");
    match trace.gradient(view) {
        Some(gradient) => {
            backward.lines.extend(later.backward);
            let value = trace.gradient_value("dx", "gradient at x = gradient at y", gradient, view, unit);
            backward.value(value);
        }
        None => backward.note(NOTHING_LEARNS),
    }
    sections.push(backward);
    sections
}
