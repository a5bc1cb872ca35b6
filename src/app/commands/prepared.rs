//! A run that is ready to start: its network lowered and said, its device named.

use std::path::Path;
use std::rc::Rc;

use wgrad::Result;
use wgrad::internals::engine::adapter::{Device, choose, driver};
use wgrad::internals::kernel::Activation;
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::layers::Layer;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::{Program, mebibytes};
use wgrad::internals::train::recipe::{Recipe, WantedRewrites};
use wgrad::internals::train::run::{RunDir, RunRecord};
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::Trainer;
use wgrad::internals::verify::custom::{CustomKernel, CustomKernelFile, built_in_f16_products, replace};
use wgrad::internals::verify::experimental::Experimental;

use super::console::{note, thousands};
use super::profile::RunProfile;
use super::running::{Run, RunOptions};
use crate::app::cli;

/// All that a run needs but its directory.
pub struct Prepared {
    pub session: Session,
    pub lowered: Lowered,
    kernels: Vec<CustomKernelFile>,
}

impl Prepared {
    /// Lowers the network, with the reader's own kernels in it, and says what will happen.
    /// `timeout` is how many seconds a part of their check may take.
    pub fn new(session: Session, timeout: u64) -> Result<Prepared> {
        let own = super::custom::kernels(&session.recipe, &session.device, timeout)?;
        let mut lowered = session.lower()?;
        let taken_in = session.recipe.rewrites != WantedRewrites::Default;
        for (_, own) in &own {
            replace(&mut lowered.program, own, taken_in)?;
        }
        for (_, own) in &own {
            say_what_is_left(&lowered.program, own);
            let training = &lowered.program.steps[lowered.program.section(TRAIN)];
            if !training.iter().any(|dispatch| dispatch.kernel.is(own.kernel)) {
                note(format_args!(
                    "kernel  {}: no training step uses it, only measuring does; without --rewrites all do",
                    own.ours.name
                ));
            }
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
    pub fn record(&self) -> RunRecord {
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

/// Enters the device into the record of a run.
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

/// Reports the profile of a run, also of one that failed.
pub fn profiled(profiling: Option<RunProfile>, run: Option<&Path>, outcome: Result<()>) -> Result<()> {
    let reported = profiling.map_or(Ok(()), |profiling| profiling.report(run));
    outcome.and(reported)
}

/// Says which products are not made by a reader's kernel for products.
fn say_what_is_left(program: &Program, own: &CustomKernel) {
    let ours = built_in_f16_products(program, own.ours);
    if !ours.is_empty() {
        note(format_args!(
            "        not every product is made by {}: some, of f16, are made by our {}",
            own.ours.name,
            ours.join(" and our ")
        ));
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
    if recipe.precision == Precision::F16 {
        note(format_args!("precision f16: {}", in_f16(lowered)));
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

/// Which results are computed with f16, and which are not.
pub const MEASURED_SO: &str =
    "what training measures is computed so as well, and wgrad eval and predict compute in f32";

/// Says which products read f16.
fn in_f16(lowered: &Lowered) -> String {
    match lowered.in_f32().as_slice() {
        [] => "every product reads an f16 copy".to_owned(),
        others => format!(
            "for all products but convolutions and those of sizes that are no multiples of 4, which stay in single \
             precision: {}",
            others.join("; ")
        ),
    }
}

/// Says which products use cooperative matrices, and why the others don't.
fn in_tiles(lowered: &Lowered) -> String {
    let (count, others) = lowered.by_cooperative_matrices();
    let tiles: Vec<String> =
        lowered.cooperative_tile_sizes().iter().map(|tile| format!("{tile}×{tile}")).collect();
    let made =
        format!("{count} products in tiles of {}, proved on this adapter just now", tiles.join(" and "));
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
