//! Checkpoints of a run under way: when they are due, and going back to the last one.

use std::ops::ControlFlow;
use std::str::FromStr;
use std::time::{Duration, Instant};

use wgrad::error::{Error, Result};
use wgrad::train::run::checkpoint::Checkpoint;

use super::{Run, Throughput, note};

/// How often a checkpoint is saved, as `--checkpoint-every` takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    Steps(usize),
    Time(Duration),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Every, String> {
        let wrong =
            || format!("“{text}” is neither a number of steps, as in 500, nor a time, as in 30s, 2m or 1h");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
        let seconds = match &text[digits.len()..] {
            "" => return usize::try_from(number).map(Every::Steps).map_err(|_| wrong()),
            "s" => Some(number),
            "m" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(|seconds| Every::Time(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

impl Every {
    /// How many steps may be taken from this one on before a checkpoint is due.
    pub fn steps_from(self, steps: usize) -> usize {
        match self {
            Every::Steps(every) => every - steps % every,
            Every::Time(_) => usize::MAX,
        }
    }

    /// Whether a checkpoint is due by the time since the last one.
    pub fn is_over(self, saved: Instant) -> bool {
        matches!(self, Every::Time(time) if saved.elapsed() >= time)
    }
}

/// How often a device may be lost, one loss after the other, without a checkpoint between them.
const MOST_LOSSES: usize = 3;

/// How often a run may go back because a number went wrong.
const MOST_ROLLBACKS: u32 = 3;

impl Run {
    /// Whether a checkpoint is due after so many steps.
    pub(super) fn due(&self, steps: usize) -> bool {
        let at_step = matches!(self.options.every, Every::Steps(every) if steps.is_multiple_of(every));
        at_step || self.options.every.is_over(self.saved)
    }

    /// Saves a checkpoint, after the best one if that is newer than its file.
    pub(super) fn save(&mut self) -> Result<()> {
        let snapshot = self.trainer.snapshot()?;
        if let Some(flaw) = snapshot.flaw() {
            return Err(Error::Diverged(format!("{flaw} after step {} of the run", snapshot.position.steps)));
        }
        self.standing.seconds += self.started.elapsed().as_secs_f64();
        self.started = Instant::now();
        let checkpoint =
            |snapshot| Checkpoint::new(snapshot, self.standing.clone(), &self.recipe, &self.record.digest);
        if let Some(best) = self.best.take() {
            self.directory.save_best(&checkpoint(best))?;
        }
        let checkpoint = checkpoint(snapshot);
        self.directory.save_checkpoint(&checkpoint, self.options.keep)?;
        self.kept = checkpoint.snapshot;
        (self.saved, self.losses) = (Instant::now(), 0);
        Ok(())
    }

    /// Remembers the run as it is now if its validation loss is the smallest so far.
    pub(super) fn note_best(&mut self, loss: f64) -> Result<()> {
        if self.standing.best.is_none_or(|best| loss < best) {
            self.standing.best = Some(loss);
            self.best = Some(self.trainer.snapshot()?);
        }
        Ok(())
    }

    /// Makes the trainer, the metrics and the record what they were at the last checkpoint.
    fn go_back(&mut self) -> Result<()> {
        self.trainer.restore(&self.kept)?;
        self.best = None;
        self.epoch = Throughput::default();
        self.forget();
        self.rewind()
    }

    /// Cuts the metrics and the record back to where the trainer is.
    pub(super) fn rewind(&mut self) -> Result<()> {
        let last = self.directory.rewind(&self.trainer.position())?;
        self.record.rewind(last);
        Ok(())
    }

    /// After the device was lost, or had no more memory: opens it again and goes on from the last
    /// checkpoint.
    pub(super) fn recover(&mut self, problem: String) -> Result<ControlFlow<()>> {
        if self.losses >= MOST_LOSSES {
            return Err(Error::Device(format!("{problem}; it was opened again {MOST_LOSSES} times")));
        }
        self.losses += 1;
        note(format_args!(
            "{problem}; the device is opened again, to go on from step {}",
            self.kept.position.steps
        ));
        self.trainer = (self.reopen)()
            .map_err(|error| Error::Device(format!("{problem}; and then, opened again: {error}")))?;
        self.go_back()?;
        Ok(ControlFlow::Continue(()))
    }

    /// After a number went wrong: goes back to the last checkpoint, with half the learning rate.
    pub(super) fn roll_back(&mut self, problem: String) -> Result<ControlFlow<()>> {
        if self.standing.rollbacks >= MOST_ROLLBACKS {
            return Err(Error::Diverged(format!(
                "{problem}; the run went back {MOST_ROLLBACKS} times before"
            )));
        }
        self.standing.rollbacks += 1;
        self.record.rollbacks = self.standing.rollbacks;
        self.kept.position.factor *= 0.5;
        self.go_back()?;
        note(format_args!(
            "{problem}; back to step {}, with a learning rate of {:?}",
            self.kept.position.steps,
            self.recipe.learning_rate * self.kept.position.factor
        ));
        self.save()?;
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_times_are_read_and_nothing_else() {
        let seconds = |seconds| Ok(Every::Time(Duration::from_secs(seconds)));
        assert_eq!("500".parse(), Ok(Every::Steps(500)));
        assert_eq!("30s".parse(), seconds(30));
        assert_eq!("2m".parse(), seconds(120));
        assert_eq!("1h".parse(), seconds(3600));
        for wrong in
            ["", "0", "0s", "m", "-1", "1.5m", "2d", "2 m", "99999999999999999999", "9999999999999999999h"]
        {
            assert!(wrong.parse::<Every>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_stretch_ends_where_a_checkpoint_is_due() {
        assert_eq!(
            [0, 1, 499, 500, 501].map(|steps| Every::Steps(500).steps_from(steps)),
            [500, 499, 1, 500, 499]
        );
    }
}
