//! `wgrad train --resume` and `wgrad resume-check`.

use std::ops::ControlFlow;
use std::path::Path;

use wgrad::internals::data;
use wgrad::internals::train::recipe::{self, Overrides, Recipe};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint, RunState};
use wgrad::internals::train::run::model;
use wgrad::internals::train::run::{RECIPE, RunDir, RunRecord, Status};
use wgrad::internals::train::running::RunOptions;
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::{Snapshot, Trainer};
use wgrad::internals::tune::Tuning;
use wgrad::{Error, Result};

use super::changeable::{Changeable, complete};
use super::console::{answer, note, quoted};
use super::prepared::{Place, Prepared, profiled};
use super::signals::Signals;
use crate::app::cli;
use crate::app::cli::custom::TIMEOUT;

/// Resumes a run. Its settings come from the run; a flag that differs is refused, except for the device.
pub fn run(run: &Path, given: &Overrides, options: RunOptions, arguments: &cli::TrainArgs) -> Result<()> {
    let run_dir = directory_of(run)?;
    let directory = RunDir::open(run_dir)?;
    let checkpoint = newest(run)?;
    let recipe = recipe(run_dir, &checkpoint, given)?;
    let position = checkpoint.snapshot.position;
    let mut record = RunRecord::load(run_dir)?;
    // A run that was killed after its last step has yet to write its model.
    if let Some(why) = finished(&recipe, &checkpoint).filter(|_| record.status == Status::Done) {
        return Err(Error::Usage(format!("{} {why}", run_dir.display())));
    }
    let before_now = Changeable::of_checkpoint(&checkpoint)?;
    let before = Before { adapter: &record.adapter, verbose: arguments.verbose };
    let prepared = prepare(run_dir, recipe, &checkpoint, before, arguments.kernel_timeout)?;
    let profiling = prepared.profiling(arguments);
    let mut trainer = prepared.open(profiling.as_ref())?;
    trainer.restore(&checkpoint.snapshot)?;
    let before = record.adapter.clone();
    record.set_device(&prepared.session.device);
    if record.adapter != before {
        note(format_args!(
            "        the run began on {before}: here its kernels are chosen again, and its results are the same to \
             rounding only"
        ));
    }
    note(format_args!(
        "resume  {} after step {} of epoch {} ({} steps of the run)",
        run_dir.display(),
        position.step,
        position.epoch,
        position.steps
    ));
    before_now.change(&prepared.session.recipe, &trainer, &directory)?;
    let place = Place { directory: Some(directory), signals: Signals::catch()? };
    let outcome = prepared.train(trainer, place, record, options, arguments.json, Some(checkpoint));
    profiled(profiling, Some(run_dir), outcome)
}

/// The reason why a run has nothing left to do, with the remedy, if so.
fn finished(recipe: &Recipe, checkpoint: &Checkpoint) -> Option<String> {
    let RunState { seconds, stopping, .. } = checkpoint.state;
    if checkpoint.snapshot.position.epoch > recipe.epochs {
        return Some(format!("has run all its {} epochs: extend it with more --epochs", recipe.epochs));
    }
    if let Some(rule) = recipe.stop_early.filter(|rule| stopping.waited >= rule.patience) {
        let best = stopping.best_epoch;
        return Some(format!(
            "has stopped by {}, whose best epoch was {best}: begin a new run from its weights with --init-from",
            rule.metric
        ));
    }
    let time = recipe.max_time.0.filter(|limit| seconds >= limit.as_secs_f64());
    time.map(|_| format!("has used up its time of {}: extend it with a longer --max-time", recipe.max_time))
}

/// The run directory of a checkpoint, or the path itself.
fn directory_of(run: &Path) -> Result<&Path> {
    if run.is_file() {
        run.parent()
            .and_then(Path::parent)
            .ok_or_else(|| Error::Data(format!("{} is in no run directory, so name one", run.display())))
    } else {
        Ok(run)
    }
}

/// The newest readable checkpoint. The problems of newer ones are noted.
fn newest(run: &Path) -> Result<Checkpoint> {
    let (checkpoint, problems) = checkpoint::newest(run)?;
    for problem in problems {
        note(format_args!("skipped: {problem}"));
    }
    Ok(checkpoint)
}

/// The recipe of a run, with the device asked for now.
///
/// # Errors
/// [`Error::Usage`] when the run's recipe file or a flag differs from the checkpoint.
fn recipe(run: &Path, checkpoint: &Checkpoint, given: &Overrides) -> Result<Recipe> {
    let parsed =
        recipe::parse_toml(&checkpoint.recipe, &run.join("recipe of the checkpoint")).map_err(|error| {
            Error::Data(format!("a checkpoint of {} is damaged: {}", run.display(), error.marked()))
        })?;
    // Earlier versions had no such key, and used the default.
    let tuning = parsed.tuning.unwrap_or(Tuning::Default);
    let parsed = Overrides { tuning: Some(tuning.clone()), ..parsed };
    let of_run = recipe::read(&run.join(RECIPE))?;
    if of_run.tuning.is_some_and(|of_run| of_run != tuning) {
        note(format_args!(
            "        {RECIPE} has another tuning than the checkpoint: the checkpoint's is used"
        ));
    }
    let agreed = complete(&parsed)?;
    if [
        of_run.epochs.is_some_and(|epochs| epochs != agreed.epochs),
        of_run.max_time.is_some_and(|time| time != agreed.max_time),
    ]
    .contains(&true)
    {
        note(format_args!(
            "        {RECIPE} has another length than the checkpoint, which counts; --epochs and --max-time change it"
        ));
    }
    // After a change of device, the checkpoint's tuning wins.
    let of_run = Overrides { tuning: None, epochs: None, max_time: None, on_nan: None, ..of_run };
    let device = given.device.clone().or(of_run.device.clone()).unwrap_or_else(|| agreed.device.clone());
    // A run may get longer or shorter, or go back from now on: its steps up to here are the same.
    let agreed = Recipe {
        device: device.clone(),
        epochs: given.epochs.unwrap_or(agreed.epochs),
        max_time: given.max_time.unwrap_or(agreed.max_time),
        on_nan: given.on_nan.unwrap_or(agreed.on_nan),
        ..agreed
    };
    let parsed = Overrides {
        epochs: Some(agreed.epochs),
        max_time: Some(agreed.max_time),
        on_nan: Some(agreed.on_nan),
        ..parsed
    };
    // A flag without tile sizes means those of the run.
    let experimental = given.experimental.filter(|asked| !asked.allows(agreed.experimental));
    let given = Overrides { experimental, ..given.clone() };
    let sources = [
        (of_run, format!("{}/{RECIPE} has changed since", run.display())),
        (given, "a run is resumed as it was".to_owned()),
    ];
    for (given, why) in sources {
        let changed = Recipe { device: device.clone(), ..complete(&given.or(parsed.clone()))? };
        if let Some((key, was, is)) = difference(&agreed, &changed) {
            return Err(Error::Usage(format!(
                "{why}: {key} was {was} and now is {is}, so leave it as it was, or begin a new run from \
                 its weights with --init-from {}",
                quoted(run)
            )));
        }
    }
    Ok(agreed)
}

/// The first key by which two recipes differ, with both values. They are as in TOML.
fn difference(one: &Recipe, two: &Recipe) -> Option<(String, String, String)> {
    let (one, two) = (one.to_toml(), two.to_toml());
    let (one, two) = one.lines().zip(two.lines()).find(|(one, two)| one != two)?;
    let value = |line: &str| line.split_once(" = ").map_or(line, |(_, value)| value).to_owned();
    let key = one.split(' ').next().unwrap_or_default().to_owned();
    Some((key, value(one), value(two)))
}

/// The adapter of the run so far, and whether to print tuning.
struct Before<'a> {
    adapter: &'a str,
    verbose: bool,
}

/// Loads the data, checks their digest, and lowers the network.
fn prepare(
    run: &Path,
    mut recipe: Recipe,
    checkpoint: &Checkpoint,
    before: Before,
    timeout: u64,
) -> Result<Prepared> {
    let dataset = data::load_with(&recipe.data, &Overrides::from(recipe.clone()).reading())?;
    if dataset.digest != checkpoint.digest {
        return Err(Error::Data(format!(
            "the data of {} are no longer those that {} began with ({} and {}): restore those, or train a new run",
            recipe.data,
            run.display(),
            dataset.digest,
            checkpoint.digest
        )));
    }
    if (recipe.network.to_string(), recipe.seed) != (checkpoint.network.clone(), checkpoint.seed) {
        return Err(Error::Data(format!(
            "a checkpoint of {} is damaged: its network or seed is not that of its recipe",
            run.display()
        )));
    }
    let device = super::device(&recipe.device)?;
    // A new run would leave the setting out; a resumed one must have it.
    recipe.experimental.available(&device).map_err(|why| {
        Error::Usage(format!(
            "{} has been trained with experimental {}: {why}; name an adapter that can with --device (see wgrad \
             devices){}",
            run.display(),
            recipe.experimental,
            or_from_its_weights(run, &recipe.device)
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
    Prepared::new(session, timeout)
}

/// `wgrad resume-check`: steps from a checkpoint, uninterrupted and with a stop.
///
/// For the stop, a checkpoint in the middle is written, read, and restored on a device opened again.
pub fn check(arguments: &cli::ResumeCheckArgs) -> Result<()> {
    let run = directory_of(&arguments.run)?;
    let checkpoint = newest(&arguments.run)?;
    let given = Overrides { device: arguments.device.clone(), ..Overrides::default() };
    let record = RunRecord::load(run)?;
    let before = Before { adapter: &record.adapter, verbose: false };
    let prepared = prepare(run, recipe(run, &checkpoint, &given)?, &checkpoint, before, TIMEOUT)?;
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

/// Advice for a run that can't be resumed: start from its model. It is empty when the run has no model.
fn or_from_its_weights(run: &Path, device: &str) -> String {
    if !run.join(model::FILE).is_file() {
        return String::new();
    }
    format!(
        ", or begin a new run from its weights with wgrad train {} --experimental none --device {} --tuning auto \
         --init-from {}",
        quoted(&run.join(RECIPE)),
        quoted(Path::new(device)),
        quoted(run)
    )
}
