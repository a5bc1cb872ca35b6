//! A run that is ready to start: its network lowered, its settings printed.

use std::path::Path;

use wgrad::Result;
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::{Program, mebibytes};
use wgrad::internals::train::recipe::WantedRewrites;
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::{RunDir, RunRecord};
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::Trainer;
use wgrad::internals::verify::custom::{CustomKernel, CustomKernelFile, built_in_f16_products, replace};
use wgrad::internals::verify::experimental::Experimental;

use super::console::{note, thousands};
use super::profile::RunProfile;
use super::progress::Display;
use super::running::{RunOptions, Shown};
use crate::app::cli;

/// A run without its directory.
pub struct Prepared {
    pub session: Session,
    pub lowered: Lowered,
    kernels: Vec<CustomKernelFile>,
}

impl Prepared {
    /// Lowers the network, puts custom kernels into it, and prints what will happen.
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
        RunRecord { kernels: self.kernels.clone(), ..self.session.record(&self.lowered) }
    }

    /// Trains in a run directory, from a checkpoint if there is one, and prints how it went.
    pub fn train(
        &self,
        trainer: Trainer,
        directory: RunDir,
        record: RunRecord,
        options: &RunOptions,
        from: Option<Checkpoint>,
    ) -> Result<()> {
        let shown = Shown::of(directory.path(), &record, options);
        let display = Display::new(self.session.recipe.epochs, trainer.steps_per_epoch());
        let run = self.session.run(trainer, &self.lowered, record, options.into())?.keep_in(directory);
        shown.train(run, display, from)
    }
}

/// Reports the profile of a run, also of one that failed.
pub fn profiled(profiling: Option<RunProfile>, run: Option<&Path>, outcome: Result<()>) -> Result<()> {
    let reported = profiling.map_or(Ok(()), |profiling| profiling.report(run));
    outcome.and(reported)
}

/// Names the products that a custom kernel for products does not compute.
fn say_what_is_left(program: &Program, own: &CustomKernel) {
    let ours = built_in_f16_products(program, own.ours);
    if !ours.is_empty() {
        note(format_args!(
            "        {} does not compute every product: some, of f16, are computed by the built-in {}",
            own.ours.name,
            ours.join(" and ")
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
        note(format_args!("        training samples are augmented: {}", recipe.augment));
    }
    note(format_args!(
        "network {}: {} parameters, {} dispatches a step",
        recipe.network,
        thousands(lowered.arena.count()),
        lowered.program.section(TRAIN).len()
    ));
    if recipe.precision == Precision::F16 {
        note(format_args!("precision f16: {}", in_f16(lowered)));
        note(format_args!("        {MEASURED_IN_F16}"));
    }
    if recipe.experimental != Experimental::None {
        note(format_args!("experimental {}: {}", recipe.experimental, in_tiles(lowered)));
    }
    note(format_args!(
        "memory  {} on the device for the whole run",
        mebibytes(lowered.program.total_bytes())
    ));
}

/// Which results are computed with f16, and which are not.
pub const MEASURED_IN_F16: &str =
    "training measures in the same precision; wgrad eval and predict compute in f32";

/// The products that read f16.
fn in_f16(lowered: &Lowered) -> String {
    match lowered.in_f32().as_slice() {
        [] => "every product reads an f16 copy".to_owned(),
        others => format!(
            "for all products but convolutions and those of sizes that are no multiples of 4, which stay f32: {}",
            others.join("; ")
        ),
    }
}

/// The products that use cooperative matrices, and why the others don't.
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
