//! The cause of a non-finite loss or gradient.
//!
//! The step is taken again on the CPU engine, dispatch by dispatch.
//!
//! The guard (`shaders/guard.wgsl`) keeps such a step, and all after it, from changing a weight. So the device still
//! holds the values from before the step, and the replay computes the same numbers.

use super::Trainer;

use super::measure::Sum;
use super::tracker::BadStep;
use crate::cpu::guard::is_non_finite;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::error::{Error, Result};
use crate::kernel::{Access, Slice, Step};
use crate::memory;
use crate::network::lower::TRAIN;
use crate::program::{Buf, Dispatch, Role, View};

/// The first non-finite value of a replay.
struct NonFinite {
    /// The label of the dispatch, such as `2 dense: weighted sums (matmul)`.
    dispatch: String,
    /// The element, such as `2 dense.y[17]`.
    tensor: String,
    value: f64,
    /// The row of the batch, if the tensor has one per sample.
    row: Option<usize>,
}

impl Trainer {
    /// A CPU engine with all that lasts on the device; none where there is no memory for it.
    fn replica(&mut self) -> Result<Option<CpuEngine<f32>>> {
        let program = &self.lowered.program;
        let largest = program.bufs.iter().map(|buf| buf.len as u64 * 4).max().unwrap_or_default();
        if memory::check(program.total_bytes() + largest).is_err() {
            return Ok(None);
        }
        let mut replica = CpuEngine::fast(program.clone())?;
        for view in self.lasting() {
            let data = self.engine.read(view)?;
            replica.write(view, data.as_slice())?;
        }
        Ok(Some(replica))
    }

    /// The error for a bad step that can't be taken again.
    fn unexplained(&self, bad: &BadStep) -> Error {
        let position = self.position;
        Error::Diverged(format!(
            "{} losses and gradients are not finite or too large at step {} of epoch {} (step {} of the run), which changed \
             no weight; there is no memory to find the first of them",
            bad.non_finite,
            position.step + 1,
            position.epoch,
            position.steps + 1
        ))
    }

    /// The error for a bad step. The device is restored to the state before it.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails, and an error of the CPU engine.
    pub(super) fn fault(&mut self, bad: &BadStep) -> Result<Error> {
        let BadStep { step, rows, non_finite } = bad;
        let replica = self.replica()?;
        self.open_gates()?;
        let Some(mut replica) = replica else { return Ok(self.unexplained(bad)) };
        let weight = self.non_finite_weight(&replica);
        let first = if weight.is_none() { self.replay(&mut replica, step) } else { None };
        let loss = Sum::of(rows).mean().loss;
        let what = if loss.is_finite() {
            // The guard also refuses gradients whose squares would overflow.
            let large = first.as_ref().is_some_and(|first| first.value.is_finite());
            if large { "a gradient is too large (2⁴⁸ or more)" } else { "a gradient is not finite" }
                .to_owned()
        } else {
            format!("the loss became {loss}")
        };
        let position = self.position;
        let mut message = format!(
            "{what} at step {} of epoch {} (step {} of the run), which changed no weight; ",
            position.step + 1,
            position.epoch,
            position.steps + 1
        );
        message += &match (weight, &first) {
            (Some(weight), _) => format!("the first non-finite value was {weight}, in the update before"),
            (None, Some(NonFinite { dispatch, tensor, value, .. })) => {
                let kind = if value.is_finite() { "value that large" } else { "non-finite value" };
                format!("the first {kind} was {tensor} = {value:e}, by {dispatch}")
            }
            (None, None) => {
                "the CPU engine gets finite values in the same step, so check the adapter's kernels against the twins"
                    .to_owned()
            }
        };
        let row = first.and_then(|first| first.row).unwrap_or_else(|| worst_row(rows));
        let sample = self.sample(&replica, step.first as usize + row);
        message += &format!("; the sample is number {sample} of the train part; ");
        message += &format!("{non_finite} of its gradients and losses are not finite or too large; ");
        let norms: Vec<String> = self.norms.iter().map(|norm| format!("{norm:.3e}")).collect();
        message += &if norms.is_empty() {
            "it was the first step".to_owned()
        } else {
            format!("the norm of the gradients was {} before it", norms.join(", "))
        };
        Ok(Error::Diverged(message))
    }

    /// Every buffer whose content outlives a step.
    fn lasting(&self) -> Vec<View> {
        let bufs = self.lowered.program.bufs.iter().enumerate();
        let lasting = bufs.filter(|(_, decl)| decl.role.lasts() && decl.role != Role::Guard);
        lasting.map(|(at, decl)| View { buf: Buf(at), start: 0, len: decl.len }).collect()
    }

    /// A non-finite weight, as `0.weight[3] = inf`. An update may overflow though its gradient was finite.
    fn non_finite_weight(&self, replica: &CpuEngine<f32>) -> Option<String> {
        // Running statistics are no weights, and the forward pass of the bad step may have spoilt them.
        let values = &replica.look(self.lowered.parameters).real()[..self.lowered.arena.learned_len()];
        let at = values.iter().position(|value| !value.is_finite())?;
        Some(format!("{} = {}", self.parameter_at(at), values[at]))
    }

    /// Runs the step's dispatches one by one to the first non-finite value.
    fn replay(&self, replica: &mut CpuEngine<f32>, step: &Step) -> Option<NonFinite> {
        for at in self.lowered.program.section(TRAIN) {
            replica.run(at..at + 1, step);
            let dispatch = &self.lowered.program.steps[at];
            let bound = dispatch.args.iter().zip(dispatch.kernel.binds);
            for (view, _) in bound.filter(|(_, bind)| bind.access != Access::Read) {
                if let Some(found) = self.non_finite(replica, dispatch, *view, step) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn non_finite(
        &self,
        replica: &CpuEngine<f32>,
        dispatch: &Dispatch,
        view: View,
        step: &Step,
    ) -> Option<NonFinite> {
        let decl = &self.lowered.program.bufs[view.buf.0];
        let Slice::Real(values) = replica.look(view) else { return None };
        // This step has written only its own rows of the metrics.
        let start = if view.buf == self.lowered.metrics(1).buf {
            step.slot as usize * view.len / self.lowered.slots
        } else {
            0
        };
        let wrong = |value: f32| match decl.role {
            Role::Gradients => is_non_finite(value.into()),
            _ => !value.is_finite(),
        };
        let index = (start..values.len()).find(|at| wrong(values[*at]))?;
        let batch = self.lowered.batch;
        let by_sample = decl.role == Role::Activations && view.len.is_multiple_of(batch);
        let tensor = match decl.role {
            Role::Gradients => format!("the gradient of {}", self.parameter_at(view.start + index)),
            _ => format!("{}[{index}]", decl.name),
        };
        Some(NonFinite {
            dispatch: format!("{} ({})", dispatch.label(), dispatch.kernel.name),
            tensor,
            value: values[index].into(),
            row: by_sample.then(|| index / (view.len / batch)),
        })
    }

    /// A word of the arena as an element of a parameter.
    fn parameter_at(&self, word: usize) -> String {
        let holds = |start: usize, len: usize| (start..start + len).contains(&word);
        let found = self.lowered.arena.params.iter().find(|param| holds(param.start, param.len()));
        found.map_or("the padding".to_owned(), |param| format!("{}[{}]", param.name, word - param.start))
    }

    /// The sample at a position of the epoch's order.
    fn sample(&self, replica: &CpuEngine<f32>, position: usize) -> usize {
        let order = self.lowered.part(TRAIN).map(|part| replica.look(part.order).uint());
        order.and_then(|order| order.get(position)).map_or(position, |sample| *sample as usize)
    }
}

/// The first row with a non-finite loss, else the largest loss's.
fn worst_row(rows: &[f32]) -> usize {
    let losses = || rows.iter().step_by(2).enumerate();
    let broken = losses().find(|(_, loss)| !loss.is_finite());
    broken.or_else(|| losses().max_by(|one, two| one.1.total_cmp(two.1))).map_or(0, |(row, _)| row)
}
