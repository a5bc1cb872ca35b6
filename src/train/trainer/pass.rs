//! Submissions: many steps of a section each, two of them under way.

use std::collections::VecDeque;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

use super::Trainer;
use super::report::{Each, StepReport};
use crate::cpu::guard;
use crate::engine::{IN_FLIGHT, Ticket};
use crate::error::Result;
use crate::kernel::Step;
use crate::kernel::rng::kernel_seed;
use crate::network::lower::Training;

/// A submission under way.
struct Flight {
    ticket: Ticket,
    scalars: Vec<Step>,
    /// How long the call took that made it.
    submitting: Duration,
}

impl Trainer {
    /// Runs a section over a range of steps. Each submission's reports are handed over in order. Submissions
    /// under way when `each` stops are waited for and handed over as well, unless `each` failed.
    pub(super) fn pass(
        &mut self,
        section: &str,
        samples: usize,
        range: Range<usize>,
        each: &mut Each,
    ) -> Result<()> {
        let dispatches = self.lowered.program.section(section);
        let mut pace = self.paces.remove(section).unwrap_or_default();
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut next = range.start;
        let mut outcome = Ok(ControlFlow::Continue(()));
        loop {
            let more = next < range.end && matches!(outcome, Ok(ControlFlow::Continue(())));
            if more && flights.len() < IN_FLIGHT {
                let count = pace.steps(self.lowered.slots).min(range.end - next);
                let scalars: Vec<Step> =
                    (0..count).map(|slot| self.scalars(section, slot, next + slot, samples)).collect();
                let start = Instant::now();
                let ticket = self.engine.submit(dispatches.clone(), &scalars, self.lowered.report(count))?;
                let submitting = start.elapsed();
                pace.submitted(submitting);
                flights.push_back(Flight { ticket, scalars, submitting });
                next += count;
                continue;
            }
            let Some(flight) = flights.pop_front() else { break };
            let words = self.engine.wait(flight.ticket)?;
            pace.finished(flight.scalars.len(), flight.submitting, Instant::now());
            let reports = self.reports(section, &flight.scalars, &words);
            // After a failure, submissions under way are waited for and ignored.
            outcome = outcome.and_then(|flow| {
                let answer = each(&reports)?;
                Ok(if flow.is_break() { flow } else { answer })
            });
        }
        pace.rest();
        self.paces.insert(section.to_owned(), pace);
        outcome.map(|_| ())
    }

    /// The reports of steps. Only a training step has a history.
    pub(super) fn reports<'a>(
        &self,
        section: &str,
        scalars: &[Step],
        words: &'a [f32],
    ) -> Vec<StepReport<'a>> {
        let (history, rows) = words.split_at(self.lowered.rows());
        let of = |((step, rows), history): ((&Step, &'a [f32]), &[f32])| {
            let [norm, non_finite] =
                if self.lowered.mode.trains(section) { [history[0], history[1]] } else { [0.0; 2] };
            StepReport { step: *step, rows: &rows[..step.samples as usize * 2], norm, non_finite }
        };
        let rows = rows.chunks_exact(self.lowered.pitch() * 2);
        scalars.iter().zip(rows).zip(history.chunks_exact(guard::HISTORY)).map(of).collect()
    }

    /// The scalars of step `at` of the epoch under way.
    pub(super) fn scalars(&self, section: &str, slot: usize, at: usize, samples: usize) -> Step {
        let batch = self.lowered.step_samples(section);
        let first = at * batch;
        let index = self.position.steps - self.position.step + at;
        Step {
            slot: slot as u32,
            first: first as u32,
            samples: batch.min(samples - first) as u32,
            epoch: self.position.epoch as u32,
            ..step_scalars(&self.lowered.training, self.settings.seed, index, self.learning_rate(index))
        }
    }
}

/// The scalars of a step that follow from its number. Steps are counted from 0. The rest is zero.
pub fn step_scalars(training: &Training, seed: u64, index: usize, learning_rate: f32) -> Step {
    let [mean_correction, square_correction] = training.optimiser.corrections(index + 1);
    Step {
        index: index as u32,
        learning_rate,
        momentum: training.optimiser.momentum(),
        seed: kernel_seed(seed),
        mean_correction,
        square_correction,
        ema_decay: training.ema_decay(index),
        ..Step::default()
    }
}
