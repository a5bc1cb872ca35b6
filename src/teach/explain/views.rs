//! The views that each layer reads and writes, and which dispatch wrote them.

use crate::error::{Error, Result};
use crate::network::layers::Layer;
use crate::network::lower::Lowered;
use crate::program::params::ArenaBuilder;
use crate::program::shape::Shape;
use crate::program::{Buf, View};
use crate::train::run::model::Model;
use crate::verify::diff::Written;

/// The dispatch and binding that wrote a word of a buffer last.
#[derive(Clone, Copy)]
pub struct Writer {
    pub dispatch: usize,
    pub binding: usize,
    /// The offset of the word within the binding.
    pub offset: usize,
}

/// An activation: the values between two layers, and their gradient.
#[derive(Clone, Copy, Debug)]
pub struct ActivationViews {
    pub values: View,
    /// None where no layer in front has weights.
    pub gradient: Option<View>,
}

/// The last dispatch that wrote a word of a buffer.
pub fn writer(written: &[Vec<Written>], buf: Buf, at: usize) -> Option<Writer> {
    let holds = |w: &Written| w.view.buf == buf && (w.view.start..w.view.start + w.view.len).contains(&at);
    written.iter().enumerate().rev().find_map(|(dispatch, written)| {
        let binding = written.iter().position(holds)?;
        Some(Writer { dispatch, binding, offset: at - written[binding].view.start })
    })
}

/// Whether each layer has parameters.
pub fn weighted(model: &Model, shapes: &[Shape]) -> Vec<bool> {
    let has = |((at, layer), input): ((usize, &Layer), &Shape)| {
        let mut arena = ArenaBuilder::default();
        layer.declare(&at.to_string(), input, &mut arena);
        !arena.is_empty()
    };
    model.network.layers.iter().enumerate().zip(shapes).map(has).collect()
}

/// The activations in front of every layer and behind the last, as the lowering noted them.
///
/// The step must have written every number that an explanation may ask for.
///
/// # Errors
/// [`Error::Failure`] naming the layer whose values or gradients are missing.
pub fn activations(
    model: &Model,
    lowered: &Lowered,
    written: &[Vec<Written>],
    weighted: &[bool],
) -> Result<Vec<ActivationViews>> {
    let layers = &model.network.layers;
    let name = |at: usize| match at.checked_sub(1) {
        Some(layer) => format!("the output of layer {layer} ({})", layers[layer]),
        None => "the network's input".to_owned(),
    };
    let missing = |what: &str, at| {
        Error::Failure(format!(
            "this step cannot be explained: {what}{} is in no buffer that the step writes, which is a mistake in how \
             the layer is recorded",
            name(at)
        ))
    };
    let is_written = |view: &View| writer(written, view.buf, view.start).is_some();
    let activation = |at: usize| {
        let noted = lowered.program.observed.activations.get(at);
        let values = noted.and_then(|noted| noted.value).filter(is_written).ok_or_else(|| missing("", at))?;
        match noted.and_then(|noted| noted.gradient) {
            Some(gradient) if is_written(&gradient) => {
                Ok(ActivationViews { values, gradient: Some(gradient) })
            }
            None if !weighted[..at].contains(&true) => Ok(ActivationViews { values, gradient: None }),
            _ => Err(missing("the gradient of ", at)),
        }
    };
    (0..=layers.len()).map(activation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Normaliser;
    use crate::kernel::Access;
    use crate::network::loss::Loss;
    use crate::network::lower::{Lowering, Mode, Part, TRAIN, lower};
    use crate::program::Dispatch;
    use crate::program::rewrite::Rewrites;
    use crate::program::shape::Shape;

    const SHAPE: Shape = Shape::image(1, 2, 2);

    fn model() -> Model {
        Model {
            network: "flatten, dense 3, tanh, dense 2".parse().unwrap(),
            loss: Loss::CrossEntropy,
            shape: SHAPE,
            classes: vec!["a".to_owned(), "b".to_owned()],
            normaliser: Normaliser { mean: vec![0.5], std: vec![0.25] },
            rendering: Default::default(),
            tones: None,
            parameters: Vec::new(),
            data: "made up".to_owned(),
        }
    }

    fn lowered(model: &Model, rewrites: Rewrites) -> Lowered {
        lower(&Lowering {
            loss: model.loss,
            parts: vec![Part { name: TRAIN, samples: 1 }],
            rewrites,
            mode: Mode::Explain,
            ..Lowering::new(&model.network, &model.shape, 2, 1)
        })
        .unwrap()
    }

    /// The views that a step writes, without numbers.
    fn written(lowered: &Lowered) -> Vec<Vec<Written>> {
        let dispatches = &lowered.program.steps[lowered.program.section(TRAIN)];
        let all = |view: &View| Written {
            binding: "",
            view: *view,
            results: Vec::new(),
            truths: Vec::new(),
            bounds: Vec::new(),
            untouched: Vec::new(),
        };
        dispatches
            .iter()
            .map(|dispatch| {
                let (kernel, args) = (dispatch.kernel, &dispatch.args);
                let written = kernel.binds.iter().zip(args).filter(|(bind, _)| bind.access == Access::Write);
                written.map(|(_, view)| all(view)).collect()
            })
            .collect()
    }

    fn found(model: &Model, lowered: &Lowered) -> Result<Vec<ActivationViews>> {
        let weighted = weighted(model, &model.network.shapes(&SHAPE).unwrap());
        assert_eq!(weighted, [false, true, false, true]);
        activations(model, lowered, &written(lowered), &weighted)
    }

    #[test]
    fn values_and_gradients_are_found_whatever_their_buffers_are_called() {
        let model = model();
        let mut lowered = lowered(&model, Rewrites::NONE);
        for (at, buf) in lowered.program.bufs.iter_mut().enumerate() {
            buf.name = format!("buffer {at}");
        }
        let found = found(&model, &lowered).unwrap();
        // Flatten has the same view on both sides, and in front of the first weights there is no gradient.
        assert_eq!(found[0].values, found[1].values);
        let gradients: Vec<bool> = found.iter().map(|activation| activation.gradient.is_some()).collect();
        assert_eq!(gradients, [false, false, true, true, true]);
        // The dense layer's own dispatch reads and writes these.
        let section = lowered.program.section(TRAIN);
        let label = |dispatch: &&Dispatch| {
            (dispatch.layer.as_str(), dispatch.what.as_str()) == ("1 dense", "weighted sums")
        };
        let sums = lowered.program.steps[section].iter().find(label).unwrap();
        assert_eq!((sums.args[0], sums.args[3]), (found[1].values, found[2].values));
    }

    #[test]
    fn a_missing_view_is_an_error_that_names_the_layer() {
        let model = model();
        let error = found(&model, &lowered(&model, Rewrites::ALL)).unwrap_err().to_string();
        assert!(error.contains("the output of layer 1 (dense 3) is in no buffer"), "{error}");
        let mut lowered = lowered(&model, Rewrites::NONE);
        lowered.program.observed.activations[3].gradient = None;
        let error = found(&model, &lowered).unwrap_err().to_string();
        assert!(error.contains("the gradient of the output of layer 2 (tanh) is in no buffer"), "{error}");
        lowered.program.observed.activations.truncate(1);
        let error = found(&model, &lowered).unwrap_err().to_string();
        assert!(error.contains("the output of layer 0 (flatten) is in no"), "{error}");
    }
}
