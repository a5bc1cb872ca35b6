//! The sections of layers without weights of their own.

use super::loss;
use super::page::{LaterLayers, Section};
use super::trace::Trace;

/// Why there is no gradient.
const NOTHING_LEARNS: &str =
    "no layer in front of this one has weights, so no gradient is needed and none is computed";

/// A section that a layer has begun, and a section for its gradients, still empty.
pub struct Frame {
    pub forward: Section,
    pub backward: Section,
}

impl Frame {
    /// Forward, the loss where no weights follow, and backward.
    ///
    /// `gradients` writes the layer's part of the backward section; it is left out where no gradient comes back.
    pub fn sections(
        self,
        trace: &mut Trace,
        layer: usize,
        unit: usize,
        later: LaterLayers,
        gradients: impl FnOnce(&mut Trace, &mut Section),
    ) -> Vec<Section> {
        let Frame { mut forward, mut backward } = self;
        forward.lines.extend(later.forward);
        let mut sections = vec![forward];
        if trace.last_with_weights().is_none_or(|weights| weights <= layer) {
            sections.push(loss::section_of(trace, layer, unit));
        }
        if trace.gradient(trace.output(layer)).is_some() {
            backward.lines.extend(later.backward);
            gradients(trace, &mut backward);
        }
        if trace.gradient(trace.input(layer)).is_none() {
            backward.note(NOTHING_LEARNS);
        }
        sections.push(backward);
        sections
    }
}
