//! The loss of the sample, and the gradient that it hands to the network's outputs.

use super::page::{Section, Value};
use super::trace::Trace;
use crate::network::loss::Loss;

/// The loss, for a unit of a layer behind which there are no weights: how it judges
/// the output that the unit becomes or, where several become one, the right one.
pub fn section_of(trace: &Trace, layer: usize, unit: usize) -> Section {
    let outputs = trace.numbers(trace.outputs()).len();
    let own = trace.shapes[layer + 1].len() == outputs;
    section(trace, if own { unit } else { trace.label.min(outputs - 1) })
}

/// The loss, and how it judges one output.
pub fn section(trace: &Trace, unit: usize) -> Section {
    let mut section = head(trace);
    prediction(trace, unit, &mut section);
    right_class(trace, &mut section);
    section
}

/// The loss, without any single output.
pub fn of_sample(trace: &Trace) -> Section {
    let mut section = head(trace);
    right_class(trace, &mut section);
    section
}

fn head(trace: &Trace) -> Section {
    let mut section = Section::new("loss", format!("Loss: how wrong the outputs are ({})", trace.model.loss));
    section.note(match trace.model.loss {
        Loss::CrossEntropy => "probability = e^output, divided by the sum of e^output over all outputs",
        Loss::Bce => "probability = 1 / (1 + e^−output)",
        Loss::Mse | Loss::SquaredError => "the outputs themselves are the predictions",
    });
    section
}

/// What the network says of the right class, and the loss that follows.
fn right_class(trace: &Trace, section: &mut Section) {
    let outputs: Vec<f32> = trace.numbers(trace.outputs()).iter().map(|output| *output as f32).collect();
    let classes = trace.model.loss.probabilities(&outputs, trace.model.classes.len());
    let words = format!("for the right class, “{}”", trace.model.classes[trace.label]);
    section.value(Value::worked_out("right_class", words, classes[trace.label]));
    section.note(match trace.model.loss {
        Loss::CrossEntropy => "loss = −ln(probability of the right class)",
        Loss::Bce => "loss = mean over the outputs of −ln(p) where the target is 1, −ln(1 − p) where it is 0",
        Loss::Mse => "loss = mean over the outputs of (prediction − target)²",
        Loss::SquaredError => "loss = sum over the outputs of (prediction − target)²",
    });
    section.value(trace.value("loss", "loss", trace.loss(), 0));
}

/// What the network says of one output, and what would have been right.
fn prediction(trace: &Trace, unit: usize, section: &mut Section) {
    let outputs = trace.numbers(trace.outputs());
    let (key, word) = match trace.model.loss {
        Loss::CrossEntropy | Loss::Bce => ("probability", "probability"),
        Loss::Mse | Loss::SquaredError => ("prediction", "prediction"),
    };
    let numbers: Vec<f32> = outputs.iter().map(|output| *output as f32).collect();
    let all = trace.model.loss.probabilities(&numbers, trace.model.classes.len());
    // One output for two classes speaks for the second of them.
    let single = numbers.len() == 1 && all.len() == 2;
    let class = if single { 1 } else { unit };
    let target = if class == trace.label { 1.0 } else { 0.0 };
    section.value(Value::worked_out(key, format!("{word} of unit {unit}"), all[class]));
    section.value(Value::worked_out("target", format!("target of unit {unit}"), target));
}

/// The gradient at an output of the network.
pub fn origin(trace: &mut Trace, unit: usize, section: &mut Section) {
    section.note(match trace.model.loss {
        Loss::CrossEntropy => "from the loss: gradient at the output = probability − target",
        Loss::Bce => "from the loss: gradient at the output = (probability − target) / number of outputs",
        Loss::Mse => "from the loss: gradient at the output = 2 × (prediction − target) / number of outputs",
        Loss::SquaredError => {
            "from the loss: gradient at the output = prediction − target; this loss leaves out the \
             factor 2, so the finite differences below are halved"
        }
    });
    prediction(trace, unit, section);
    let outputs = trace.outputs();
    if let Some(gradient) = trace.gradient(outputs) {
        let words = "gradient at the output";
        let value = trace.gradient_value("loss_gradient", words, gradient, outputs, unit);
        section.value(value);
    }
}
