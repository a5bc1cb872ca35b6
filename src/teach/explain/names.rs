//! The names of layers and activations in sentences.

use super::trace::Trace;
use crate::program::shape::Shape;
use crate::text::shorten;

/// A layer by its number and kind: `layer 2 (dense)`
pub fn layer_name(trace: &Trace, layer: usize) -> String {
    format!("layer {layer} ({})", trace.model.network.layers[layer])
}

/// The pixel or the class of an input of layer `layer`, in brackets.
pub fn meaning(trace: &Trace, layer: usize, index: usize) -> String {
    let Shape { channels, height, width, flat } = trace.shapes[layer];
    if !flat {
        let (row, column) = (index / width % height, index % width);
        let channel =
            if channels > 1 { format!("channel {}, ", index / width / height) } else { String::new() };
        return format!(" ({channel}row {row}, column {column})");
    }
    let classes = &trace.model.classes;
    if layer == trace.model.network.layers.len() && trace.shapes[layer].len() == classes.len() {
        return format!(" (class “{}”)", shorten(&classes[index]));
    }
    String::new()
}
