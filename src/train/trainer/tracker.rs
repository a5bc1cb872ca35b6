//! The position of a run, advanced by the reports of steps.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::measure::Sum;
use super::position::Position;
use super::progress::Progress;
use super::report::StepReport;
use crate::error::{Error, Result};
use crate::kernel::Step;

/// Norms that the message about a non-finite value shows.
const REMEMBERED: usize = 5;

/// A step with a non-finite loss or gradient.
pub(super) struct BadStep {
    pub step: Step,
    /// The loss of every sample, and 1 if its class is correct.
    pub rows: Vec<f32>,
    /// The non-finite count of its gradients and losses.
    pub non_finite: f32,
}

/// The position of a run, advanced report by report.
pub(super) struct PositionTracker {
    pub position: Position,
    /// The norms of the last gradients, the oldest first.
    pub norms: VecDeque<f32>,
    /// Steps of an epoch.
    steps: usize,
    pub bad_step: Option<BadStep>,
}

impl PositionTracker {
    /// Begins at a position. `norms` are those of the last gradients, and an epoch has `steps` steps.
    pub fn new(position: Position, norms: VecDeque<f32>, steps: usize) -> PositionTracker {
        PositionTracker { position, norms, steps, bad_step: None }
    }

    /// Adds a submission's reports up to the first non-finite value. `observe` gets the sums.
    pub fn take(
        &mut self,
        reports: &[StepReport],
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>> {
        let (mut losses, mut norms, mut rates) = (Vec::with_capacity(reports.len()), Vec::new(), Vec::new());
        let mut latest = Sum::default();
        for report in reports {
            let sum = Sum::of(report.rows);
            if report.non_finite != 0.0 || !sum.loss.is_finite() {
                let StepReport { step, rows, non_finite, .. } = report;
                self.bad_step = Some(BadStep { step: *step, rows: rows.to_vec(), non_finite: *non_finite });
                break;
            }
            self.position.take(sum);
            latest.add(sum);
            losses.push(sum.mean().loss);
            norms.push(report.norm);
            rates.push(report.step.learning_rate);
        }
        self.norms.extend(&norms);
        self.norms.drain(..self.norms.len().saturating_sub(REMEMBERED));
        let mut flow = ControlFlow::Continue(());
        if !losses.is_empty() {
            flow = observe(Progress {
                epoch: self.position.epoch,
                step: self.position.step,
                steps: self.steps,
                latest: latest.mean(),
                so_far: self.position.so_far.mean(),
                losses: &losses,
                norms: &norms,
                rates: &rates,
            });
        }
        match &self.bad_step {
            // Stops the pass; the replay finds the cause.
            Some(bad) => Err(Error::Diverged(format!("step {} is not finite", bad.step.index))),
            None => Ok(flow),
        }
    }
}
