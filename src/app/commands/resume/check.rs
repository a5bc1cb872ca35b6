//! `wgrad resume-check`.

use std::ops::ControlFlow;

use wgrad::internals::train::recipe::Overrides;
use wgrad::internals::train::run::checkpoint::{Checkpoint, RunState};
use wgrad::internals::train::trainer::{Snapshot, Trainer};
use wgrad::{Error, Result};

use super::{Before, How, device, directory_of, newest, prepare, recipe, record};
use crate::app::cli;
use crate::app::cli::custom::TIMEOUT;
use crate::app::commands::console::answer;

/// `wgrad resume-check`: steps from a checkpoint, uninterrupted and with a stop.
///
/// For the stop, a checkpoint in the middle is written, read, and restored on a device opened again.
pub fn run(arguments: &cli::ResumeCheckArgs) -> Result<()> {
    let run = &directory_of(&arguments.run)?;
    let checkpoint = newest(&arguments.run)?;
    let given = Overrides { device: arguments.device.clone(), ..Overrides::default() };
    let record = record(run, &checkpoint)?;
    let before = Before::of(&checkpoint, &record, false);
    let recipe = recipe::of_run(run, &checkpoint, &given)?.recipe;
    let how = How { timeout: TIMEOUT, verified: false, announced: false };
    let device = device(&recipe, &given, before.adapter)?;
    let prepared = prepare(run, (recipe, device), &checkpoint, before, how)?;
    let steps = arguments.steps;
    let uninterrupted = {
        let mut trainer = prepared.open(None)?;
        trainer.restore(&checkpoint.snapshot)?;
        advance(&mut trainer, steps)?
    };
    let stopped = {
        let mut trainer = prepared.open(None)?;
        trainer.restore(&checkpoint.snapshot)?;
        let middle = advance(&mut trainer, steps / 2)?;
        drop(trainer);
        let recipe = &prepared.session.recipe;
        let middle =
            through_a_file(Checkpoint::new(middle, RunState::default(), recipe, &checkpoint.digest))?;
        let mut trainer = prepared.open(None)?;
        trainer.restore(&middle)?;
        advance(&mut trainer, steps - steps / 2)?
    };
    let tensors = uninterrupted.tensors.len();
    match uninterrupted.difference(&stopped) {
        None => answer(format_args!(
            "{steps} steps from step {}, uninterrupted and with a stop after {}: all {tensors} tensors are equal, bit by bit",
            checkpoint.snapshot.position.steps,
            steps / 2
        )),
        Some(what) => Err(Error::Check(format!(
            "{steps} steps from step {} differ with a stop after {}: {what}, so the results of this device \
             are not repeatable",
            checkpoint.snapshot.position.steps,
            steps / 2
        ))),
    }
}

/// Takes `steps` steps, across the ends of epochs.
fn advance(trainer: &mut Trainer, steps: usize) -> Result<Snapshot> {
    let end = trainer.steps().saturating_add(steps);
    while trainer.steps() < end {
        trainer.advance(end - trainer.steps(), &mut |_| ControlFlow::Continue(()))?;
    }
    trainer.snapshot()
}

/// The snapshot of a checkpoint, written to a file and read back.
fn through_a_file(checkpoint: Checkpoint) -> Result<Snapshot> {
    let path = std::env::temp_dir().join(format!("wgrad-{}.safetensors", std::process::id()));
    let result = checkpoint.save(&path).and_then(|()| Checkpoint::load(&path));
    let _ = std::fs::remove_file(&path);
    Ok(result?.snapshot)
}
