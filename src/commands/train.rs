//! `wgrad train`: from data and a recipe to a run directory with a trained network.

use std::path::{Path, PathBuf};

use wgrad::cpu::activation::Activation;
use wgrad::data::{self, Resize};
use wgrad::engine::adapter::{Device, driver};
use wgrad::error::Result;
use wgrad::layers::Layer;
use wgrad::loss::Loss;
use wgrad::lower::{Lowered, TRAIN};
use wgrad::own::replace;
use wgrad::program::mebibytes;
use wgrad::recipe::{self, Overrides, Recipe};
use wgrad::run::{RunDir, RunRecord};
use wgrad::schedule::Schedule;
use wgrad::session::Session;
use wgrad::stopping::Stopping;

use super::console::{note, thousands};
use super::running::Run;
use crate::cli;

pub fn run(arguments: &cli::Train) -> Result<()> {
    let mut given = overrides(arguments)?;
    if arguments.fast_dev_run {
        // Whatever the recipe says of its length: schedules fit themselves to one step.
        let schedule = Some(Schedule::CONSTANT);
        given = Overrides { epochs: Some(1), overfit_batches: Some(1), schedule, ..given };
    }
    given.check()?;
    let mut dataset = data::load_with(given.data(), &given.reading())?;
    let (values, samples) = (dataset.train.shape.values(), dataset.train.len());
    let recipe = Recipe::resolve(&given, values, dataset.classes.len(), samples)?;
    if arguments.fast_dev_run {
        let few: Vec<usize> = (0..recipe.batch_size.min(dataset.held_out.len())).collect();
        dataset.held_out = dataset.held_out.subset(&few);
    }
    let device = super::device(&recipe.device)?;
    let session = Session::new(recipe, dataset, device)?;
    let kernels = super::own::kernels(&session.recipe, &session.device)?;
    let mut lowered = session.lower()?;
    for (_, own) in &kernels {
        replace(&mut lowered.program, own)?;
    }
    announce(&session, &lowered);
    let parameters = lowered.arena.count();
    let trainer = session.open(lowered)?;
    // Only now is anything written: everything that the user could have got wrong has been checked.
    let mut record = RunRecord::begin(&session.recipe, &session.dataset.digest, parameters);
    describe(&mut record, &session.device);
    record.kernels = kernels.into_iter().map(|(named, _)| named).collect();
    let out = if arguments.fast_dev_run { scratch() } else { arguments.out.clone() };
    let directory = RunDir::create(&out, &session.recipe.data)?;
    let outcome = Run::new(trainer, directory, record, session).go(arguments.json);
    if arguments.fast_dev_run {
        let kept = std::fs::remove_dir_all(&out).err();
        let kept = kept.map_or("nothing is kept".to_owned(), |error| {
            format!("{} can't be removed ({error})", out.display())
        });
        note(format_args!("this was one step of everything: {kept}"));
    }
    outcome
}

/// A directory for a run that is not kept.
fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("wgrad-fast-dev-run-{}", std::process::id()))
}

/// Where a run takes place.
fn describe(record: &mut RunRecord, device: &Device) {
    record.adapter = device.name();
    match device {
        Device::Cpu { .. } => record.backend = "cpu".to_owned(),
        Device::Gpu(adapter) => {
            let info = adapter.get_info();
            record.backend = info.backend.to_string();
            record.driver = driver(&info);
        }
    }
}

/// What the flags and, below them, the recipe file say.
fn overrides(arguments: &cli::Train) -> Result<Overrides> {
    let flags = Overrides {
        data: None,
        resize: arguments.resize.as_deref().map(Resize::parse).transpose()?,
        skip_bad: arguments.skip_bad.then_some(true),
        augment: arguments.augment.as_deref().map(str::parse).transpose()?,
        network: arguments.network.as_deref().map(str::parse).transpose()?,
        epochs: arguments.epochs,
        batch_size: arguments.batch_size,
        learning_rate: arguments.learning_rate,
        optimiser: arguments.optimiser.as_deref().map(str::parse).transpose()?,
        momentum: arguments.momentum,
        schedule: arguments.schedule.as_deref().map(str::parse).transpose()?,
        clip_norm: arguments.clip_norm,
        clip_value: arguments.clip_value,
        accumulate: arguments.accumulate,
        average: arguments.average,
        label_smoothing: arguments.label_smoothing,
        class_weights: arguments.class_weights.as_deref().map(str::parse).transpose()?,
        stop_early: arguments.stop_early.as_deref().map(Stopping::parse).transpose()?,
        max_time: arguments.max_time.as_deref().map(str::parse).transpose()?,
        overfit_batches: arguments.overfit_batches,
        normalise: arguments.normalise.as_deref().map(str::parse).transpose()?,
        loss: arguments.loss.as_deref().map(str::parse).transpose()?,
        seed: arguments.seed,
        validation: arguments.validation,
        device: arguments.device.clone(),
        kernel: Some(arguments.kernel.clone()).filter(|kernels| !kernels.is_empty()),
    };
    with_source(flags, arguments.source.as_ref())
}

/// Flags, and below them what the data set's name or recipe file says.
pub fn with_source(flags: Overrides, source: Option<&String>) -> Result<Overrides> {
    match source {
        Some(file) if Path::new(file).extension().is_some_and(|end| end.eq_ignore_ascii_case("toml")) => {
            Ok(flags.or(recipe::read(Path::new(file))?))
        }
        source => Ok(Overrides { data: source.cloned(), ..flags }),
    }
}

fn announce(session: &Session, lowered: &Lowered) {
    let Session { recipe, dataset, .. } = session;
    note(format_args!(
        "data    {}: {} images of {} to train on, {} held out, {} classes",
        recipe.data,
        thousands(dataset.train.len()),
        dataset.train.shape,
        thousands(dataset.held_out.len()),
        dataset.classes.len()
    ));
    super::data::left_out(dataset);
    if !recipe.augment.is_none() {
        note(format_args!("        training samples are changed by chance: {}", recipe.augment));
    }
    note(format_args!(
        "network {}: {} parameters, {} dispatches a step",
        recipe.network,
        thousands(lowered.arena.count()),
        lowered.program.section(TRAIN).len()
    ));
    warn_of_repetition(recipe);
    note(format_args!(
        "memory  {} on the device for the whole run",
        mebibytes(lowered.program.total_bytes())
    ));
}

/// Says so when the network does what the loss does as well, which slows learning down to nothing.
fn warn_of_repetition(recipe: &Recipe) {
    let name = match (recipe.network.layers.last(), recipe.loss) {
        (Some(Layer::Softmax), Loss::CrossEntropy) => "softmax",
        (Some(Layer::Activation(Activation::Sigmoid)), Loss::Bce) => "sigmoid",
        _ => return,
    };
    note(format_args!("        the loss {} applies {name} itself: leave out the last layer", recipe.loss));
}
