//! The values within a forward pass, looked at dispatch by dispatch.

use std::collections::BTreeMap;

use super::Trainer;
use crate::error::Result;
use crate::kernel::{Element, Slice, Step};
use crate::network::lower::PREDICT;
use crate::program::{Role, View};

/// The dispatch that computed the first value of a sample that is not finite, by the number of the sample.
pub type NonFinites = BTreeMap<usize, String>;

impl Trainer {
    /// The samples of a part with a value that is not finite.
    ///
    /// The network must be lowered without rewrites: an activation that is part of another dispatch hides its input.
    ///
    /// # Errors
    /// As [`Trainer::evaluate`].
    pub fn non_finite_of_part(&mut self, part: &str) -> Result<NonFinites> {
        let samples = self.views(part)?.samples;
        let mut found = NonFinites::new();
        for at in 0..samples.div_ceil(self.batch()) {
            let step = self.scalars(part, 0, at, samples);
            let first = step.first as usize;
            let rows = self.non_finite_rows(part, &step, step.samples as usize)?;
            found.extend(rows.into_iter().map(|(row, label)| (first + row, label)));
        }
        Ok(found)
    }

    /// As [`Trainer::non_finite_of_part`], for at most a batch of normalised inputs.
    ///
    /// # Errors
    /// [`Error::Device`](crate::error::Error::Device) when the engine fails.
    pub fn non_finite_of_inputs(&mut self, inputs: &[f32]) -> Result<NonFinites> {
        let rows = inputs.len() / self.lowered.shape.len();
        self.write_inputs(inputs)?;
        self.non_finite_rows(PREDICT, &Step::default(), rows)
    }

    /// Puts at most a batch of normalised inputs on the device.
    pub(super) fn write_inputs(&mut self, inputs: &[f32]) -> Result<()> {
        let input = self.lowered.input;
        let mut padded = inputs.to_vec();
        padded.resize(input.len, 0.0);
        self.engine.write(input, Slice::Real(&padded))
    }

    fn non_finite_rows(&mut self, section: &str, step: &Step, rows: usize) -> Result<NonFinites> {
        let mut found = NonFinites::new();
        for at in self.lowered.program.section(section) {
            let dispatch = &self.lowered.program.steps[at];
            let (label, written) = (dispatch.label(), dispatch.writes().collect::<Vec<_>>());
            let ticket = self.engine.submit(at..at + 1, &[*step], View { len: 1, ..self.lowered.output })?;
            self.engine.wait(ticket)?;
            for view in written {
                let decl = &self.lowered.program.bufs[view.buf.0];
                if decl.role != Role::Activations || decl.element != Element::Real {
                    continue;
                }
                let values = self.engine.read(view)?.real();
                // A view that is not by sample belongs to all of them.
                let by_sample = values.len().is_multiple_of(self.lowered.batch);
                let length = if by_sample { values.len() / self.lowered.batch } else { values.len() };
                for (row, values) in values.chunks_exact(length.max(1)).take(rows).enumerate() {
                    if values.iter().any(|value| !value.is_finite()) {
                        found.entry(row).or_insert_with(|| label.clone());
                    }
                }
            }
        }
        Ok(found)
    }
}
