//! `wgrad train`: from data and a recipe to a run directory with a trained network.

use std::path::Path;
use std::rc::Rc;

use wgrad::cpu::activation::Activation;
use wgrad::data::{self, Resize};
use wgrad::engine::adapter::{Device, choose, driver};
use wgrad::error::{Error, Result};
use wgrad::kernel::precision::Precision;
use wgrad::network::layers::Layer;
use wgrad::network::loss::Loss;
use wgrad::network::lower::{Lowered, TRAIN};
use wgrad::program::{Program, mebibytes};
use wgrad::train::recipe::{self, Overrides, Recipe};
use wgrad::train::run::model::Model;
use wgrad::train::run::{RunDir, RunRecord};
use wgrad::train::schedule::Schedule;
use wgrad::train::session::Session;
use wgrad::train::stopping::Stopping;
use wgrad::train::trainer::Trainer;
use wgrad::verify::custom::{CustomKernel, OwnKernel, beside, replace};
use wgrad::verify::experimental::Experimental;

use super::console::{note, thousands};
use super::profile::RunProfile;
use super::resume;
use super::running::{Run, RunOptions};
use crate::app::cli;

pub fn run(arguments: &cli::TrainArgs) -> Result<()> {
    let options = RunOptions {
        every: arguments.checkpoint_every,
        keep: arguments.keep,
        on_nan: arguments.on_nan,
        verify: arguments.verify,
        quiet: arguments.quiet,
        tensorboard: arguments.tensorboard,
        json: arguments.json,
    };
    let given = overrides(arguments)?;
    match &arguments.resume {
        Some(run) => resume::run(run, &given, options, arguments),
        None if arguments.fast_dev_run => fast_dev_run(arguments, given, options),
        None => begin(arguments, &arguments.out, &given, options),
    }
}

/// One step of everything, of which nothing is kept.
fn fast_dev_run(arguments: &cli::TrainArgs, given: Overrides, options: RunOptions) -> Result<()> {
    let out = std::env::temp_dir().join(format!("wgrad-fast-dev-run-{}", std::process::id()));
    // Whatever the recipe says of its length: schedules fit themselves to one step.
    let schedule = Some(Schedule::CONSTANT);
    let given = Overrides { epochs: Some(1), overfit_batches: Some(1), schedule, ..given };
    let outcome = begin(arguments, &out, &given, options);
    let kept = if out.exists() { std::fs::remove_dir_all(&out).err() } else { None };
    let kept = kept.map_or("nothing is kept".to_owned(), |error| {
        format!("{} can't be removed ({error})", out.display())
    });
    note(format_args!("this was one step of everything: {kept}"));
    outcome
}

/// A run from its first step on, its directory under `out`.
fn begin(arguments: &cli::TrainArgs, out: &Path, given: &Overrides, options: RunOptions) -> Result<()> {
    given.check()?;
    let mut dataset = data::load_with(given.data(), &given.reading())?;
    let (values, samples) = (dataset.train.shape.len(), dataset.train.len());
    let recipe = Recipe::resolve(given, values, dataset.classes.len(), samples)?;
    if arguments.fast_dev_run {
        let few: Vec<usize> = (0..recipe.batch_size.min(dataset.held_out.len())).collect();
        dataset.held_out = dataset.held_out.subset(&few);
    }
    let weights = arguments.init_from.as_deref().map(Model::load).transpose()?;
    let device = super::device(&recipe.device)?;
    let mut session = Session::new(recipe, dataset, device)?;
    super::tuning::choose(&mut session.recipe, &session.device, arguments.verbose)?;
    let prepared = Prepared::new(session, arguments.kernel_timeout)?;
    let profiling = prepared.profiling(arguments);
    let mut trainer = prepared.open(profiling.as_ref())?;
    if let Some(model) = weights {
        trainer.set_parameters(&adopt(&model, &prepared)?)?;
    }
    // Only now is anything written: everything that the user could have got wrong has been checked.
    let record = prepared.record();
    let directory = RunDir::create(out, &prepared.session.recipe.data)?;
    let kept = (!arguments.fast_dev_run).then(|| directory.path().to_owned());
    let outcome = prepared.run(trainer, directory, record, options)?.begin();
    profiled(profiling, kept.as_deref(), outcome)
}

/// Reports the profile of a run, also of one that failed.
pub fn profiled(profiling: Option<RunProfile>, run: Option<&Path>, outcome: Result<()>) -> Result<()> {
    let reported = profiling.map_or(Ok(()), |profiling| profiling.report(run));
    outcome.and(reported)
}

/// Says which products are not made by a reader's kernel for products.
fn say_what_is_left(program: &Program, own: &CustomKernel) {
    let ours = beside(program, own.ours);
    if !ours.is_empty() {
        note(format_args!(
            "        not every product is made by {}: some that read halves are made by our {}",
            own.ours.name,
            ours.join(" and our ")
        ));
    }
}

/// First weights as far as a model has them; what it doesn't is said.
fn adopt(model: &Model, prepared: &Prepared) -> Result<Vec<f32>> {
    let arena = &prepared.lowered.arena;
    let mut values = arena.initial_values(prepared.session.recipe.seed);
    let adopted = model.adopt(arena, &mut values);
    if adopted.taken.is_empty() {
        return Err(Error::Usage(
            "--init-from: none of the model's parameters has the name and shape of one of this network, \
             as wgrad summary shows of both"
                .to_owned(),
        ));
    }
    note(format_args!("weights {} taken over: {}", adopted.taken.len(), adopted.taken.join(", ")));
    for (what, names) in [
        ("not in the model, so drawn at random", &adopted.missing),
        ("of another shape, so drawn at random", &adopted.reshaped),
        ("in the model alone, so left out", &adopted.unused),
    ] {
        if !names.is_empty() {
            note(format_args!("        {what}: {}", names.join(", ")));
        }
    }
    Ok(values)
}

/// All that a run needs but its directory.
pub struct Prepared {
    pub session: Session,
    pub lowered: Lowered,
    kernels: Vec<OwnKernel>,
}

impl Prepared {
    /// Lowers the network, with the reader's own kernels in it, and says what will happen.
    /// `timeout` is how many seconds a part of their check may take.
    pub fn new(session: Session, timeout: u64) -> Result<Prepared> {
        let own = super::own::kernels(&session.recipe, &session.device, timeout)?;
        let mut lowered = session.lower()?;
        for (_, own) in &own {
            replace(&mut lowered.program, own)?;
        }
        for (_, own) in &own {
            say_what_is_left(&lowered.program, own);
        }
        announce(&session, &lowered);
        Ok(Prepared { session, lowered, kernels: own.into_iter().map(|(named, _)| named).collect() })
    }

    /// The device, with network and data on it.
    pub fn open(&self, profiling: Option<&RunProfile>) -> Result<Trainer> {
        let lowered = self.lowered.clone();
        match profiling {
            None => self.session.open(lowered),
            Some(profiling) => {
                let engine =
                    self.session.device.open_profiled(lowered.program.clone(), &profiling.profiler)?;
                self.session.open_on(engine, lowered)
            }
        }
    }

    /// The profile that is to be taken, if one is wanted.
    pub fn profiling(&self, arguments: &cli::TrainArgs) -> Option<RunProfile> {
        let device = self.session.device.name();
        arguments.profile.map(|steps| RunProfile::new(&self.lowered, device, steps, arguments.json))
    }

    /// The record of a run that starts now.
    fn record(&self) -> RunRecord {
        let Session { recipe, dataset, device, .. } = &self.session;
        let mut record = RunRecord::begin(recipe, &dataset.digest, self.lowered.arena.count());
        describe(&mut record, device);
        record.kernels = self.kernels.clone();
        record
    }

    /// A run in a directory.
    pub fn run(
        self,
        trainer: Trainer,
        directory: RunDir,
        record: RunRecord,
        options: RunOptions,
    ) -> Result<Run> {
        let Prepared { session, lowered, .. } = self;
        // Shared, because data are large: a copy is made only when the device was lost.
        let session = Rc::new(session);
        let again = Rc::clone(&session);
        let reopen = move || {
            // The adapter is asked for anew: the one there was may be gone for good.
            let device = choose(&again.recipe.device)?;
            again.recipe.experimental.prove(&lowered, &device)?;
            Session { device, ..Session::clone(&again) }.open(lowered.clone())
        };
        Run::new(trainer, Box::new(reopen), directory, record, &session, options)
    }
}

/// Where a run takes place.
pub fn describe(record: &mut RunRecord, device: &Device) {
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
fn overrides(arguments: &cli::TrainArgs) -> Result<Overrides> {
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
        tuning: arguments.tuning.as_deref().map(str::parse).transpose()?,
        precision: arguments.precision.as_deref().map(str::parse).transpose()?,
        experimental: arguments.experimental.as_deref().map(str::parse).transpose()?,
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
    if recipe.precision == Precision::Half {
        note(format_args!("precision half: {}", in_half(lowered)));
        note(format_args!("        {MEASURED_SO}"));
    }
    if recipe.experimental != Experimental::None {
        note(format_args!("experimental {}: {}", recipe.experimental, in_tiles(lowered)));
    }
    warn_of_repetition(recipe);
    note(format_args!(
        "memory  {} on the device for the whole run",
        mebibytes(lowered.program.total_bytes())
    ));
}

/// Whose numbers are in half precision, and whose are not: those of one network may differ by it.
pub const MEASURED_SO: &str =
    "what training measures is computed so as well, and wgrad eval and predict compute in single precision";

/// What half precision comes to.
fn in_half(lowered: &Lowered) -> String {
    match lowered.in_single().as_slice() {
        [] => "every product reads a copy in half precision".to_owned(),
        single => format!(
            "for all products but convolutions and those of sizes that are no multiples of 4, which stay in single \
             precision: {}",
            single.join("; ")
        ),
    }
}

/// What cooperative matrices come to.
fn in_tiles(lowered: &Lowered) -> String {
    let (count, others) = lowered.by_cooperative_matrices();
    let edges: Vec<String> =
        lowered.cooperative_edges().iter().map(|edge| format!("{edge}×{edge}")).collect();
    let made =
        format!("{count} products in tiles of {}, proved on this adapter just now", edges.join(" and "));
    match others.as_slice() {
        [] => made,
        others => format!("{made}; not those whose sizes are no multiples of that: {}", others.join("; ")),
    }
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
