//! Where the numbers of a step lie: which view each layer reads and writes, and which dispatch wrote it.

use crate::error::{Error, Result};
use crate::network::layers::Layer;
use crate::network::lower::Lowered;
use crate::program::params::ArenaBuilder;
use crate::program::shape::Shape;
use crate::program::{Buf, View};
use crate::train::run::model::Model;
use crate::verify::diff::Written;

/// The last dispatch that wrote a word of a buffer, its binding and the place within that.
pub fn writer(written: &[Vec<Written>], buf: Buf, at: usize) -> Option<(usize, usize, usize)> {
    let holds = |w: &Written| w.view.buf == buf && (w.view.start..w.view.start + w.view.len).contains(&at);
    written.iter().enumerate().rev().find_map(|(dispatch, written)| {
        let binding = written.iter().position(holds)?;
        Some((dispatch, binding, at - written[binding].view.start))
    })
}

/// Which layers have parameters.
pub fn weighted(model: &Model, shapes: &[Shape]) -> Vec<bool> {
    let has = |((at, layer), input): ((usize, &Layer), &Shape)| {
        let mut arena = ArenaBuilder::default();
        layer.declare(&at.to_string(), input, &mut arena);
        !arena.is_empty()
    };
    model.network.layers.iter().enumerate().zip(shapes).map(has).collect()
}

/// The views in front of every layer and behind the last, as the lowering has
/// noted them. Every number that an explanation may ask for must have been
/// written by the step.
///
/// # Errors
/// [`Error::Failure`] naming the layer whose values or gradients are missing.
pub fn between(
    model: &Model,
    lowered: &Lowered,
    written: &[Vec<Written>],
    weighted: &[bool],
) -> Result<Vec<(View, Option<View>)>> {
    let layers = &model.network.layers;
    let place = |boundary: usize| match boundary.checked_sub(1) {
        Some(layer) => format!("what layer {layer} ({}) gives", layers[layer]),
        None => "the network's input".to_owned(),
    };
    let missing = |boundary, what: &str| {
        Error::Failure(format!(
            "this step cannot be explained: {}{what} is in no buffer that the step writes, which is a \
             mistake in how the layer is recorded",
            place(boundary)
        ))
    };
    let is_written = |view: &View| writer(written, view.buf, view.start).is_some();
    let boundary = |at: usize| {
        let noted = lowered.program.observed.activations.get(at);
        let value = noted.and_then(|noted| noted.value).filter(is_written).ok_or_else(|| missing(at, ""))?;
        match noted.and_then(|noted| noted.gradient) {
            Some(gradient) if is_written(&gradient) => Ok((value, Some(gradient))),
            // Nothing learns through it.
            None if !weighted[..at].contains(&true) => Ok((value, None)),
            _ => Err(missing(at, " has a gradient, and that")),
        }
    };
    (0..=layers.len()).map(boundary).collect()
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

    /// What a step writes, as far as `between` looks.
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

    fn found(model: &Model, lowered: &Lowered) -> Result<Vec<(View, Option<View>)>> {
        let weighted = weighted(model, &model.network.shapes(&SHAPE).unwrap());
        assert_eq!(weighted, [false, true, false, true]);
        between(model, lowered, &written(lowered), &weighted)
    }

    #[test]
    fn values_and_gradients_are_found_whatever_their_buffers_are_called() {
        let model = model();
        let mut lowered = lowered(&model, Rewrites::NONE);
        for (at, buf) in lowered.program.bufs.iter_mut().enumerate() {
            buf.name = format!("buffer {at}");
        }
        let found = found(&model, &lowered).unwrap();
        // Flatten gives on what it gets, and nothing learns in front of the first weights.
        assert_eq!(found[0].0, found[1].0);
        let gradients: Vec<bool> = found.iter().map(|(_, gradient)| gradient.is_some()).collect();
        assert_eq!(gradients, [false, false, true, true, true]);
        // The dense layer's own dispatch reads and writes these.
        let section = lowered.program.section(TRAIN);
        let label = |dispatch: &&Dispatch| {
            (dispatch.layer.as_str(), dispatch.what.as_str()) == ("1 dense", "weighted sums")
        };
        let sums = lowered.program.steps[section].iter().find(label).unwrap();
        assert_eq!((sums.args[0], sums.args[3]), (found[1].0, found[2].0));
    }

    #[test]
    fn what_is_missing_is_an_error_that_names_the_layer() {
        let model = model();
        let error = found(&model, &lowered(&model, Rewrites::ALL)).unwrap_err().to_string();
        assert!(error.contains("what layer 1 (dense 3) gives is in no buffer"), "{error}");
        let mut lowered = lowered(&model, Rewrites::NONE);
        lowered.program.observed.activations[3].gradient = None;
        let error = found(&model, &lowered).unwrap_err().to_string();
        assert!(error.contains("layer 2 (tanh) gives has a gradient, and that is in no buffer"), "{error}");
        lowered.program.observed.activations.truncate(1);
        let error = found(&model, &lowered).unwrap_err().to_string();
        assert!(error.contains("what layer 0 (flatten) gives is in no"), "{error}");
    }
}
