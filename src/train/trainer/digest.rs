//! What training makes of the reports of its steps.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::measure::Sum;
use super::position::Position;
use super::progress::Progress;
use super::report::StepReport;
use crate::error::{Error, Result};
use crate::kernel::Step;

/// How many norms are remembered, to be told when a number goes wrong.
const REMEMBERED: usize = 5;

/// A step with a loss or a gradient of no use.
pub(super) struct Flawed {
    pub step: Step,
    /// Loss and hit of every sample.
    pub rows: Vec<f32>,
    /// How many of its gradients and losses are of no use.
    pub non_finite: f32,
}

/// Where a run gets to, report by report.
pub(super) struct Digest {
    pub position: Position,
    /// The norms of the last gradients, the oldest first.
    pub norms: VecDeque<f32>,
    /// Steps of an epoch.
    steps: usize,
    pub flawed: Option<Flawed>,
}

impl Digest {
    /// From where a run is, and with the norms of its last gradients; an epoch has `steps` steps.
    pub fn new(position: Position, norms: VecDeque<f32>, steps: usize) -> Digest {
        Digest { position, norms, steps, flawed: None }
    }

    /// Takes the reports of a submission, up to the first flaw, and hands over what they come to.
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
                self.flawed = Some(Flawed { step: *step, rows: rows.to_vec(), non_finite: *non_finite });
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
        match &self.flawed {
            // Stops the pass; the replay finds out what there is to say.
            Some(flawed) => Err(Error::Diverged(format!("step {} is flawed", flawed.step.index))),
            None => Ok(flow),
        }
    }
}
