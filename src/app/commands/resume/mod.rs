//! `wgrad train --resume`.

pub mod check;
mod recipe;

use std::path::{Path, PathBuf};

use wgrad::internals::data;
use wgrad::internals::engine::adapter::{self, Device};
use wgrad::internals::text::{shorten, shown};
use wgrad::internals::train::recipe::{Overrides, Recipe};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint, RunState};
use wgrad::internals::train::run::model::{self, Model};
use wgrad::internals::train::run::{RunDir, RunRecord, Status};
use wgrad::internals::train::running::RunOptions;
use wgrad::internals::train::session::Session;
use wgrad::internals::tune::Tuning;
use wgrad::internals::verify::custom::CustomKernelFile;
use wgrad::{Error, Result};

use super::changeable::Changeable;
use super::console::{counted, note, quoted};
use super::custom::Origin;
use super::prepared::{How, Place, Prepared, profiled};
use super::signals::Signals;
use super::weights::{or_from_its_weights, with_its_weights};
use crate::app::cli;

/// Resumes a run. Its settings come from the run; a flag that differs is refused, except for the device.
pub fn run(run: &Path, given: &Overrides, options: RunOptions, arguments: &cli::TrainArgs) -> Result<()> {
    let run_dir = &directory_of(run)?;
    let mut directory = RunDir::open(run_dir)?;
    let checkpoint = newest(run)?;
    // Before the recipe, from which a checkpoint of another run would differ too.
    let mut record = record(run_dir, &checkpoint)?;
    let recipe::OfRun { recipe, is_readable } = recipe::of_run(run_dir, &checkpoint, given)?;
    let position = checkpoint.snapshot.position;
    if let Some(why) = finished(run_dir, &recipe, &checkpoint).filter(|_| has_ended(run_dir, &record)) {
        return Err(Error::Usage(format!("{} {why}", shown(run_dir))));
    }
    let before_now = Changeable::of_checkpoint(&checkpoint)?;
    let before = Before::of(&checkpoint, &record, arguments.verbose);
    let adapter = before.adapter.to_owned();
    let (timeout, verified) = (arguments.kernel_timeout, options.verify.is_some());
    let how = How { timeout, verified, announced: false };
    let device = device(&recipe, given, before.adapter)?;
    let prepared = prepare(run_dir, (recipe, device), &checkpoint, before, how)?;
    let profiling = prepared.profiling(arguments);
    let mut trainer = prepared.open(profiling.as_ref())?;
    trainer.restore(&checkpoint.snapshot)?;
    record.set_device(&prepared.session.device);
    if record.adapter != adapter {
        note(format_args!(
            "        the run began on {}: here its kernels are chosen again, and its results are the same to \
             rounding only",
            shorten(&adapter)
        ));
    }
    let after = match (position.epoch, position.step) {
        (1, 0) => "at its start".to_owned(),
        (epoch, 0) => format!("after epoch {}", epoch - 1),
        (epoch, step) => format!("after step {step} of epoch {epoch}"),
    };
    note(format_args!("resume  {} {after} ({} of the run)", shown(run_dir), counted(position.steps, "step")));
    if !is_readable {
        directory.restore_recipe(&checkpoint.recipe)?;
    }
    if !record.has_model(run_dir)
        && let Some(aside) = directory.set_model_aside()?
    {
        note(format_args!("        what was {} is now {}", model::FILE, shorten(&aside)));
    }
    before_now.change(&prepared.session.recipe, &trainer, &directory)?;
    let place = Place { directory: Some(directory), signals: Signals::catch()? };
    let outcome = prepared.train(trainer, place, record, options, arguments.json, Some(checkpoint));
    profiled(profiling, Some(run_dir), outcome)
}

/// The record of a run. A damaged one is replaced by that of the checkpoint.
fn record(run: &Path, checkpoint: &Checkpoint) -> Result<RunRecord> {
    match (RunRecord::read(run), &checkpoint.record) {
        // A checkpoint that was named itself.
        (Ok(record), its) => match its.as_ref().and_then(|its| its.of_another_run(&record)) {
            Some(why) => Err(Error::Data(format!("the checkpoint is one {why}"))),
            None => Ok(record),
        },
        (Err(problem), Some(record)) => {
            note(format_args!("        {problem}: the one in the checkpoint takes its place"));
            Ok(record.clone())
        }
        (Err(problem), None) => Err(Error::Data(format!("{problem}{}", what_is_left(run)))),
    }
}

/// Whether a run has ended with a whole model. One that was killed after its last step has yet to write it.
fn has_ended(run: &Path, record: &RunRecord) -> bool {
    let model = run.join(model::FILE);
    match Model::load(&model) {
        Ok(_) if record.status == Status::Done && !record.has_model(run) => {
            note(format_args!(
                "        {} is not the model that this run wrote: it is written again",
                shown(&model)
            ));
            false
        }
        Ok(_) => record.status == Status::Done,
        Err(problem) => {
            if record.status == Status::Done {
                note(format_args!("        {}: it is written again", problem.marked()));
            }
            false
        }
    }
}

/// The reason why a run has nothing left to do, with the remedy, if so.
fn finished(run: &Path, recipe: &Recipe, checkpoint: &Checkpoint) -> Option<String> {
    let RunState { seconds, stopping, .. } = checkpoint.state;
    let trained = checkpoint.snapshot.position.epoch - 1;
    if trained > recipe.epochs {
        return Some(format!(
            "has run {trained} epochs, more than {}: extend it with more --epochs",
            recipe.epochs
        ));
    }
    if trained == recipe.epochs {
        return Some(format!("has run all its {} epochs: extend it with more --epochs", recipe.epochs));
    }
    if let Some(rule) = recipe.stop_early.filter(|rule| stopping.waited >= rule.patience) {
        let best = stopping.best_epoch;
        return Some(format!(
            "has stopped by {}, whose best epoch was {best}: train a new run{}",
            rule.metric,
            with_its_weights(run)
        ));
    }
    let time = recipe.max_time.0.filter(|limit| seconds >= limit.as_secs_f64());
    time.map(|_| format!("has used up its time of {}: extend it with a longer --max-time", recipe.max_time))
}

/// The run directory of a checkpoint, or the path itself.
fn directory_of(run: &Path) -> Result<PathBuf> {
    if !run.is_file() {
        return Ok(run.to_owned());
    }
    let ancestor = |path: &Path| {
        let directory = path.parent().and_then(Path::parent).filter(|found| !found.as_os_str().is_empty());
        directory.map(Path::to_owned)
    };
    // A path from within the run directory doesn't name it.
    let found = ancestor(run).or_else(|| std::path::absolute(run).ok().as_deref().and_then(ancestor));
    found.ok_or_else(|| Error::Data(format!("{} is in no run directory, so name one", shown(run))))
}

/// The newest whole checkpoint. The problems of newer ones are noted.
///
/// # Errors
/// As [`checkpoint::newest`], with what else can be used.
fn newest(run: &Path) -> Result<Checkpoint> {
    let (checkpoint, problems) = checkpoint::newest(run).map_err(|error| match error {
        Error::Data(problem) => Error::Data(format!("{problem}{}", what_is_left(run))),
        Error::NotFound(problem) if Model::load(run.join(model::FILE)).is_ok() => {
            Error::NotFound(format!("{problem}{}", what_is_left(run)))
        }
        error => error,
    })?;
    for problem in problems {
        note(format_args!("skipped: {problem}"));
    }
    Ok(checkpoint)
}

/// The adapter and the custom kernels of the run so far, and whether to print tuning.
struct Before<'a> {
    adapter: &'a str,
    kernels: &'a [CustomKernelFile],
    verbose: bool,
}

impl<'a> Before<'a> {
    /// From the record in the checkpoint, which has a checksum; earlier versions have it in `run.json` alone.
    fn of(checkpoint: &'a Checkpoint, record: &'a RunRecord, verbose: bool) -> Before<'a> {
        let RunRecord { adapter, kernels, .. } = checkpoint.record.as_ref().unwrap_or(record);
        Before { adapter, kernels, verbose }
    }
}

/// The device that a run goes on with: the one named now, else the one that it began on, while there is one.
///
/// A recipe may say `auto` or `gpu`, which may be another device by now, with other roundings.
fn device(recipe: &Recipe, given: &Overrides, began_on: &str) -> Result<Device> {
    let by_kind = ["auto", "gpu"].iter().any(|kind| recipe.device.eq_ignore_ascii_case(kind));
    let named_now = given.device.is_some() || adapter::is_named_by_environment();
    if !by_kind || named_now {
        return super::device_of(recipe);
    }
    match adapter::choose(if began_on == adapter::CPU { "cpu" } else { began_on }) {
        Ok(device) if device.name() == began_on => Ok(super::announced(device)),
        _ => super::device_of(recipe),
    }
}

/// Loads the data, checks their digest, and lowers the network.
fn prepare(
    run: &Path,
    (mut recipe, device): (Recipe, Device),
    checkpoint: &Checkpoint,
    before: Before,
    how: How,
) -> Result<Prepared> {
    let reading = Overrides::from(recipe.clone()).reading();
    let announced = match data::size(&recipe.data, &reading)? {
        Some(size) => super::memory::forecast(&recipe, &size, &device, how.verified)?,
        None => false,
    };
    let dataset = data::load_again(&recipe.data, &reading, &checkpoint.digest)?;
    if dataset.digest != checkpoint.digest {
        return Err(Error::Data(format!(
            "the data of {} are no longer those that {} began with ({} and {}): restore those, or train a new run",
            shown(&recipe.data),
            shown(run),
            dataset.digest,
            shorten(&checkpoint.digest)
        )));
    }
    if (recipe.network.to_string(), recipe.seed) != (checkpoint.network.clone(), checkpoint.seed) {
        return Err(Error::Data(format!(
            "a checkpoint of {} is damaged: its network or seed is not that of its recipe",
            shown(run)
        )));
    }
    // A new run would leave the setting out; a resumed one must have it.
    recipe.experimental.available(&device).map_err(|why| {
        Error::Usage(format!(
            "{} has been trained with experimental {}: {why}; name an adapter that can with --device (see wgrad \
             devices){}",
            shown(run),
            recipe.experimental,
            or_from_its_weights(
                run,
                &format!("--experimental none --device {} --tuning auto ", quoted(Path::new(&recipe.device)))
            )
        ))
    })?;
    let same = device.name() == before.adapter;
    if same && !recipe.tuning.runs_on(&device) {
        note(format_args!(
            "        its kernels no longer run there, so others are chosen: its results are the same to rounding only"
        ));
    }
    if !same || !recipe.tuning.runs_on(&device) {
        recipe.tuning = Tuning::Auto;
    }
    let mut session = Session::new(recipe, dataset, device)?;
    super::tuning::choose(&mut session.recipe, &session.device, before.verbose)?;
    let origin = Origin::Run { run, recorded: before.kernels };
    Prepared::new(session, origin, How { announced, ..how })
}

/// What can be used of a run without its checkpoints, or without the one that was named.
fn what_is_left(run: &Path) -> String {
    let is_file = run.is_file();
    let directory = directory_of(run).unwrap_or_else(|_| run.to_owned());
    let others = checkpoint::newest(&directory).is_ok();
    if is_file && others {
        return format!("; go on from the newest whole one with wgrad train --resume {}", quoted(&directory));
    }
    let model = directory.join(model::FILE);
    match Model::load(&model) {
        Ok(_) => format!(
            "; {} is whole, so begin a new run from its weights with --init-from {}",
            model::FILE,
            quoted(&model)
        ),
        Err(_) => "; nothing of this run can be used, so train again".to_owned(),
    }
}
