//! Sequences of layers: a whole network, or the body of a residual block.

use super::Layer;
use super::norm::Over;
use crate::program::params::ArenaBuilder;
use crate::program::record::{Recorder, Tensor};
use crate::program::shape::Shape;
use crate::text::shorten;

/// The most layers of a network: its text must fit a model file, and its step a submission.
const MOST_LAYERS: usize = 10_000;

/// The deepest nesting of blocks.
const MOST_DEPTH: usize = 16;

/// Splits a text at the commas outside of braces.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut first, mut depth) = (Vec::new(), 0, 0usize);
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1).ok_or("there is a “}” without its “{”")?,
            ',' if depth == 0 => {
                parts.push(&text[first..at]);
                first = at + 1;
            }
            _ => {}
        }
        if depth > MOST_DEPTH {
            return Err(format!("blocks are at most {MOST_DEPTH} deep within one another: use fewer"));
        }
    }
    parts.push(&text[first..]);
    if depth == 0 { Ok(parts) } else { Err("there is a “{” without its “}”".to_owned()) }
}

/// Reads layers with commas between them.
///
/// # Errors
/// The problem, as part of a sentence, as with all functions here.
pub fn parse(text: &str) -> Result<Vec<Layer>, String> {
    if text.trim().is_empty() {
        return Err("there are no layers; write them as in “dense 128, relu, dense 10”".to_owned());
    }
    let count = text.split(',').count();
    if count > MOST_LAYERS {
        return Err(format!("there are {count} layers, but at most {MOST_LAYERS} are possible: use fewer"));
    }
    let layers = split(text)?.into_iter().enumerate().map(|(at, text)| {
        let text = text.trim();
        Layer::parse(text)
            .map_err(|problem| format!("layer {} “{text}”: {problem}", at + 1, text = shorten(text)))
    });
    layers.collect()
}

/// The text form that [`parse`] reads.
pub fn text(layers: &[Layer]) -> String {
    let layers: Vec<String> = layers.iter().map(Layer::to_string).collect();
    layers.join(", ")
}

/// The input shape of every layer, and the output shape of the last.
pub fn shapes(layers: &[Layer], input: &Shape) -> Result<Vec<Shape>, String> {
    let mut shapes = vec![*input];
    for (at, layer) in layers.iter().enumerate() {
        let input = &shapes[at];
        let output = layer
            .output(input)
            .map_err(|problem| format!("layer {} “{layer}” gets {input}: {problem}", at + 1))?;
        shapes.push(output);
    }
    Ok(shapes)
}

/// Adds the parameters of all layers, whose names begin with `prefix`.
pub fn declare(layers: &[Layer], prefix: &str, input: &Shape, arena: &mut ArenaBuilder) {
    let Ok(shapes) = shapes(layers, input) else { return };
    for ((at, layer), input) in layers.iter().enumerate().zip(shapes) {
        layer.declare(&format!("{prefix}{at}"), &input, arena);
    }
}

/// The number of layers, with those of blocks.
pub fn count(layers: &[Layer]) -> usize {
    let inner = |layer: &Layer| if let Layer::Residual(residual) = layer { count(&residual.body) } else { 0 };
    layers.iter().map(|layer| 1 + inner(layer)).sum()
}

/// Whether the output for a sample depends on the other samples of its batch.
pub fn mixes_samples(layers: &[Layer]) -> bool {
    layers.iter().any(|layer| match layer {
        Layer::Norm(norm) => norm.over != Over::Sample,
        Layer::Residual(residual) => mixes_samples(&residual.body),
        _ => false,
    })
}

/// Checks that all layers can be trained on batches of `samples` samples.
pub fn check_batch(layers: &[Layer], input: &Shape, samples: usize) -> Result<(), String> {
    for ((at, layer), input) in layers.iter().enumerate().zip(shapes(layers, input)?) {
        let checked = match layer {
            Layer::Norm(norm) => norm.check_batch(&input, samples),
            Layer::Residual(residual) => check_batch(&residual.body, &input, samples)
                .map_err(|problem| format!("in its body, {problem}")),
            _ => Ok(()),
        };
        checked.map_err(|problem| format!("layer {} “{layer}” gets {input}: {problem}", at + 1))?;
    }
    Ok(())
}

/// Records the forward pass of all layers.
///
/// The backward pass is left on the tape. The names of parameters begin with `prefix`. `behind` gets the output of
/// each layer.
pub fn record(
    layers: &[Layer],
    recorder: &mut Recorder,
    mut x: Tensor,
    input: &Shape,
    prefix: &str,
    behind: impl Fn(&mut Recorder, Tensor),
) -> Tensor {
    let shapes = shapes(layers, input).expect("shapes were checked");
    for (at, (layer, input)) in layers.iter().zip(&shapes).enumerate() {
        let kind = layer.to_string();
        recorder.enter(format!("{prefix}{at} {}", kind.split(' ').next().unwrap_or_default()));
        x = layer.record(recorder, x, input, &format!("{prefix}{at}"));
        behind(recorder, x);
    }
    x
}
