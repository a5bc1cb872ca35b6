//! `wgrad train`: from data and a recipe to a run directory.

use std::path::Path;

use wgrad::internals::data;
use wgrad::internals::train::recipe::{self, NetworkChoice, Overrides, Recipe};
use wgrad::internals::train::run::{Loaded, RunDir, Weights};
use wgrad::internals::train::running::RunOptions;
use wgrad::internals::train::schedule::Schedule;
use wgrad::internals::train::session::Session;
use wgrad::{Error, Result};

use super::adopted;
use super::console::{note, thousands};
use super::custom::Origin;
use super::prepared::{How, Place, Prepared, profiled};
use super::resume;
use super::signals::Signals;
use crate::app::cli;

pub fn run(arguments: &cli::TrainArgs) -> Result<()> {
    let options = RunOptions {
        every: arguments.checkpoint_every,
        keep: arguments.keep,
        verify: arguments.verify,
        coach: !arguments.quiet,
        tensorboard: arguments.tensorboard,
    };
    let given = with_source(arguments.settings()?, arguments.source.as_ref())?;
    match &arguments.resume {
        Some(run) => resume::run(run, &given, options, arguments),
        None if arguments.fast_dev_run => fast_dev_run(arguments, given, options),
        None => begin(arguments, &given, options),
    }
}

/// Trains one step and measures, and saves nothing.
fn fast_dev_run(arguments: &cli::TrainArgs, given: Overrides, options: RunOptions) -> Result<()> {
    // A schedule may be made for longer runs.
    let schedule = Some(Schedule::CONSTANT);
    let given = Overrides { epochs: Some(1), overfit_batches: Some(1), schedule, ..given };
    let outcome = begin(arguments, &given, options);
    note(format_args!("this was a test of one step: nothing was saved"));
    outcome
}

/// Begins a run: in a directory of its own, or in memory if nothing is to be saved.
fn begin(arguments: &cli::TrainArgs, given: &Overrides, options: RunOptions) -> Result<()> {
    given.check()?;
    let (timeout, verified) = (arguments.kernel_timeout, options.verify.is_some());
    let (mut device, mut how) = (None, How { timeout, verified, announced: false });
    if let Some(size) = data::size(given.data(), &given.reading())? {
        let recipe = Recipe::resolve_for(given, &size)?;
        let found = super::device_of(&recipe)?;
        how.announced = super::memory::forecast(&recipe, &size, &found, verified)?;
        device = Some(found);
    }
    let mut dataset = data::load_with(given.data(), &given.reading())?;
    super::data::inspect_to_train(&mut dataset)?;
    let size = dataset.size();
    let recipe = Recipe::resolve_for(given, &size)?;
    dataset.about.notes.extend(recipe.chosen(given, &size));
    if arguments.fast_dev_run {
        let few: Vec<usize> = (0..recipe.batch_size.min(dataset.held_out.len())).collect();
        dataset.held_out = dataset.held_out.subset(&few);
    }
    let weights = arguments.init_from.as_deref().map(initial_weights).transpose()?;
    let device = device.map_or_else(|| super::device_of(&recipe), Ok)?;
    let mut session = Session::new(recipe, dataset, device)?;
    super::data::inspect_validation(&mut session);
    super::tuning::choose(&mut session.recipe, &session.device, arguments.verbose)?;
    let prepared = Prepared::new(session, Origin::Files, how)?;
    if let Some(line) = defaults_of_cnn(given, &prepared.session.recipe) {
        note(format_args!("{line}"));
    }
    let profiling = prepared.profiling(arguments);
    let mut trainer = prepared.open(profiling.as_ref())?;
    if let Some(weights) = weights {
        trainer.set_parameters(&adopt(weights, &prepared)?)?;
    }
    // Nothing is written before all input has been checked.
    let record = prepared.record();
    let signals = Signals::catch()?;
    let in_directory = !arguments.fast_dev_run;
    let directory =
        in_directory.then(|| RunDir::create(&arguments.out, &prepared.session.recipe.data)).transpose()?;
    let run = directory.as_ref().map(|directory| directory.path().to_owned());
    let place = Place { directory, signals };
    let outcome = prepared.train(trainer, place, record, options, arguments.json, None);
    profiled(profiling, run.as_deref(), outcome)
}

/// What the name `cnn` has decided besides the layers. What is given is not its decision.
fn defaults_of_cnn(given: &Overrides, recipe: &Recipe) -> Option<String> {
    let Recipe { optimiser, learning_rate, schedule, epochs, augment, .. } = recipe;
    let decided = [
        given.optimiser.is_none().then(|| format!("⟨optimiser {optimiser}⟩")),
        given.learning_rate.is_none().then(|| format!("⟨learning_rate {learning_rate}⟩")),
        given.schedule.is_none().then(|| format!("⟨schedule {schedule}⟩")),
        given.epochs.is_none().then(|| format!("⟨epochs {epochs}⟩")),
        (given.augment.is_none() && !augment.is_none()).then(|| format!("⟨augment {augment}⟩")),
    ];
    let decided: Vec<String> = decided.into_iter().flatten().collect();
    let is_cnn = given.network == Some(NetworkChoice::Cnn);
    (is_cnn && !decided.is_empty()).then(|| {
        format!("        ⟨network cnn⟩ has defaults of its own: this run has {}", decided.join(", "))
    })
}

/// The weights of a file or a run. What is left out is noted.
fn initial_weights(path: &Path) -> Result<Weights> {
    let Loaded { weights, checkpoint, skipped } = Weights::load(path)?;
    for problem in skipped {
        note(format_args!("skipped: {problem}"));
    }
    match checkpoint {
        Some(steps) if path.is_dir() => {
            note(format_args!("weights of the checkpoint after {} steps", thousands(steps)))
        }
        Some(_) => {}
        None => super::note_foreign(path),
    }
    Ok(weights)
}

/// The initial weights, from a file where names and shapes agree. It prints which.
fn adopt(weights: Weights, prepared: &Prepared) -> Result<Vec<f32>> {
    let arena = &prepared.lowered.arena;
    let mut values = arena.initial_values(prepared.session.recipe.seed);
    let adopted = weights.adopt(arena, &mut values)?;
    if adopted.taken.is_empty() {
        return Err(Error::Usage(
            "--init-from: none of the file's parameters has the name and shape of one of this network; compare \
             them with wgrad summary"
                .to_owned(),
        ));
    }
    adopted::announce(&adopted);
    Ok(values)
}

/// Adds the data set or the recipe file. Flags win over the file.
pub fn with_source(flags: Overrides, source: Option<&String>) -> Result<Overrides> {
    match source {
        Some(file) if Path::new(file).extension().is_some_and(|end| end.eq_ignore_ascii_case("toml")) => {
            Ok(flags.or(recipe::read(Path::new(file))?))
        }
        source => Ok(Overrides { data: source.cloned(), ..flags }),
    }
}
