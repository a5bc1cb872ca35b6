//! One training step of one sample, number by number, for one unit of one layer.
//!
//! A [`Trace`] takes the step on the device, by the plain Program and dispatch by dispatch;
//! [`explain`] selects from it the numbers of one unit: forwards, backwards, update.
//! Beside every number that a kernel stored is its twin's and, for gradients, the finite difference of the loss.
//! Each kind of layer is explained in a file of its own, which knows nothing of the layers behind it. A new kind
//! joins the match here and the two of `walk.rs`.

mod activation;
mod conv;
mod dense;
mod difference;
mod flatten;
mod frame;
mod json;
mod loss;
mod names;
mod norm;
mod page;
mod pool;
mod residual;
mod softmax;
mod source;
mod text;
mod trace;
mod update;
mod views;
mod walk;

pub use json::json;
pub use page::{Compared, Difference, Line, Section, Term, Terms, Value, digits};
pub use source::sources;
pub use text::{Subject, text};
pub use trace::Trace;

use crate::error::{Error, Result};
use crate::network::layers::Layer;

/// Explains a unit of a layer, both counted from 0.
///
/// # Errors
/// [`Error::Usage`] with the valid range, for a layer or a unit that there isn't.
pub fn explain(trace: &mut Trace, layer: usize, unit: usize) -> Result<Vec<Section>> {
    check(trace, signed(layer), signed(unit))?;
    let later = walk::later_layers(trace, layer, unit);
    let mut sections = match trace.model.network.layers[layer].clone() {
        Layer::Dense { .. } => dense::explain(trace, layer, unit, later),
        Layer::Conv(conv) => conv::explain(trace, conv, layer, unit, later),
        Layer::Pool(pool) => pool::explain(trace, pool, layer, unit, later),
        Layer::Norm(norm) => norm::explain(trace, norm, layer, unit, later),
        Layer::Residual(_) => residual::explain(trace, layer, unit, later),
        Layer::Activation(kind) => activation::explain(trace, kind, layer, unit, later),
        Layer::Softmax => softmax::explain(trace, layer, unit, later),
        Layer::Flatten | Layer::Dropout(_) => flatten::explain(trace, layer, unit, later),
    };
    if sections.iter().all(|section| section.key != "loss") {
        // A unit inside the network has no class of its own, but its gradient is the loss's.
        let reaches = sections.iter().flat_map(Section::values).any(|value| value.key == "loss_gradient");
        let own = if reaches { loss::section_of(trace, layer, unit) } else { loss::of_sample(trace) };
        sections.insert(sections.len().min(1), own);
    }
    Ok(sections)
}

/// The layer and unit to explain, by default the last layer with weights and the unit of the sample's class.
///
/// # Errors
/// [`Error::Usage`] with the valid range, for a layer or a unit that there isn't.
pub fn defaults(trace: &Trace, layer: Option<i64>, unit: Option<i64>) -> Result<(usize, usize)> {
    let last = trace.model.network.layers.len() - 1;
    let layer = layer.unwrap_or_else(|| signed(trace.last_with_weights().unwrap_or(last)));
    let (layer, _) = check(trace, layer, 0)?;
    let unit_per_class = trace.shapes[layer + 1].len() == trace.model.classes.len()
        && trace.last_with_weights().is_none_or(|weights| layer >= weights);
    let own = if unit_per_class { trace.label } else { 0 };
    check(trace, signed(layer), unit.unwrap_or(signed(own)))
}

fn signed(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// Both as indices, if there are such a layer and such a unit.
fn check(trace: &Trace, layer: i64, unit: i64) -> Result<(usize, usize)> {
    let layers = &trace.model.network.layers;
    let known = |index: i64, count: usize| usize::try_from(index).ok().filter(|index| *index < count);
    let Some(at) = known(layer, layers.len()) else {
        let all: Vec<String> = layers.iter().enumerate().map(|(at, kind)| format!("{at} {kind}")).collect();
        return Err(Error::Usage(format!(
            "layer {layer} is outside the network: its layers are 0 to {}: {}",
            layers.len() - 1,
            all.join(", ")
        )));
    };
    let units = trace.shapes[at + 1].len();
    match known(unit, units) {
        Some(unit) => Ok((at, unit)),
        None => Err(Error::Usage(format!(
            "unit {unit} is outside layer {layer} ({}): its units are 0 to {}",
            layers[at],
            units - 1
        ))),
    }
}
