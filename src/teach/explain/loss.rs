//! The loss of the sample, and its gradient at the network's outputs.

use super::page::{Section, Value};
use super::trace::Trace;
use crate::network::loss::Loss;
use crate::text::shorten;

/// The loss, with the output that a unit behind the last weights becomes.
///
/// With fewer outputs than units, it is the output of the right class.
pub fn section_of(trace: &Trace, layer: usize, unit: usize) -> Section {
    let outputs = trace.numbers(trace.outputs()).len();
    let own = trace.shapes[layer + 1].len() == outputs;
    section(trace, if own { unit } else { trace.label.min(outputs - 1) })
}

/// The loss, with one output beside its target.
pub fn section(trace: &Trace, unit: usize) -> Section {
    let mut section = head(trace);
    prediction(trace, unit, &mut section);
    right_class(trace, &mut section);
    section
}

/// The loss alone.
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

/// The network's probability or prediction for the right class, and the loss.
fn right_class(trace: &Trace, section: &mut Section) {
    let outputs: Vec<f32> = trace.numbers(trace.outputs()).iter().map(|output| *output as f32).collect();
    let classes = trace.model.loss.probabilities(&outputs, trace.model.classes.len());
    let words = format!("for the right class, “{}”", shorten(&trace.model.classes[trace.label]));
    section.value(Value::worked_out("right_class", words, classes[trace.label]));
    section.note(match trace.model.loss {
        Loss::CrossEntropy => "loss = −ln(probability of the right class)",
        Loss::Bce => "loss = mean over the outputs of −ln(p) where the target is 1, −ln(1 − p) where it is 0",
        Loss::Mse => "loss = mean over the outputs of (prediction − target)²",
        Loss::SquaredError => "loss = sum over the outputs of (prediction − target)²",
    });
    section.value(trace.value("loss", "loss", trace.loss(), 0));
}

/// The probability or prediction of one output, and its target.
fn prediction(trace: &Trace, unit: usize, section: &mut Section) {
    let outputs = trace.numbers(trace.outputs());
    let (key, word) = match trace.model.loss {
        Loss::CrossEntropy | Loss::Bce => ("probability", "probability"),
        Loss::Mse | Loss::SquaredError => ("prediction", "prediction"),
    };
    let numbers: Vec<f32> = outputs.iter().map(|output| *output as f32).collect();
    let all = trace.model.loss.probabilities(&numbers, trace.model.classes.len());
    // One output for two classes is the probability of the second.
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
