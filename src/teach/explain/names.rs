//! What layers and the values between them are called in sentences.

use super::trace::Trace;
use crate::program::shape::Shape;

/// A layer by its number and kind: `layer 2 (dense)`
pub fn layer_name(trace: &Trace, layer: usize) -> String {
    format!("layer {layer} ({})", trace.model.network.layers[layer])
}

/// What stands for a value in front of layer `boundary`, in brackets: the pixel
/// that it is or the class that it speaks for.
pub fn meaning(trace: &Trace, boundary: usize, index: usize) -> String {
    let Shape { channels, height, width, flat } = trace.shapes[boundary];
    if !flat {
        let (row, column) = (index / width % height, index % width);
        let channel =
            if channels > 1 { format!("channel {}, ", index / width / height) } else { String::new() };
        return format!(" ({channel}row {row}, column {column})");
    }
    let classes = &trace.model.classes;
    if boundary == trace.model.network.layers.len() && trace.shapes[boundary].len() == classes.len() {
        return format!(" (class “{}”)", classes[index]);
    }
    String::new()
}
