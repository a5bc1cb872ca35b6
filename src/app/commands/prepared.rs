//! A run that is ready to start.

use std::path::Path;

use wgrad::Result;
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::Program;
use wgrad::internals::text::shown;
use wgrad::internals::train::recipe::WantedRewrites;
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::{RunDir, RunRecord};
use wgrad::internals::train::running::RunOptions;
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::Trainer;
use wgrad::internals::verify::custom::{CustomKernel, built_in_f16_products, replace};
use wgrad::internals::verify::experimental::Experimental;

use super::console::{note, thousands};
use super::custom::{Origin, RunKernel};
use super::profile::RunProfile;
use super::progress::Display;
use super::running::RunOutput;
use super::signals::Signals;
use crate::app::cli;

/// Where a run is saved, and the signals that end it, which were caught before anything was made.
pub struct Place {
    /// None for a run in memory.
    pub directory: Option<RunDir>,
    pub signals: Signals,
}

/// A run without its directory.
pub struct Prepared {
    pub session: Session,
    pub lowered: Lowered,
    kernels: Vec<RunKernel>,
}

/// How a run is prepared.
#[derive(Clone, Copy)]
pub struct How {
    /// The time limit of each part of the check of a custom kernel, in seconds.
    pub timeout: u64,
    /// Whether steps are checked against the twins.
    pub verified: bool,
    /// Whether the memory of the run has been announced.
    pub announced: bool,
}

impl Prepared {
    /// Lowers the network, puts custom kernels into it, and prints a summary.
    ///
    /// `origin` has their texts.
    pub fn new(session: Session, origin: Origin, how: How) -> Result<Prepared> {
        let kernels = super::custom::kernels(&session.recipe, &session.device, origin, how.timeout)?;
        let mut lowered = session.lower()?;
        let rewritten = session.recipe.rewrites != WantedRewrites::Default;
        for RunKernel { kernel: custom, .. } in &kernels {
            replace(&mut lowered.program, custom, rewritten)?;
        }
        for RunKernel { kernel: custom, .. } in &kernels {
            note_built_in_products(&lowered.program, custom);
            let training = &lowered.program.steps[lowered.program.section(TRAIN)];
            if !training.iter().any(|dispatch| dispatch.kernel.is(custom.kernel)) {
                note(format_args!(
                    "kernel  {}: only measuring uses it; without --rewrites training steps use it too",
                    custom.ours.name
                ));
            }
        }
        announce(&session, &lowered);
        if !how.announced {
            let plan = session.memory(&lowered, how.verified);
            super::memory::announce(&plan);
            plan.check()?;
        }
        Ok(Prepared { session, lowered, kernels })
    }

    /// Opens the device, with network and data on it.
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

    /// The profile to take, if one is wanted.
    pub fn profiling(&self, arguments: &cli::TrainArgs) -> Option<RunProfile> {
        let device = self.session.device.name();
        arguments.profile.map(|steps| RunProfile::new(&self.lowered, device, steps, arguments.json))
    }

    /// The record of a run that starts now, with its custom kernels.
    pub fn record(&self) -> RunRecord {
        let kernels = self.kernels.iter().map(|kernel| kernel.file.clone()).collect();
        RunRecord { kernels, ..self.session.record(&self.lowered) }
    }

    /// Trains in a run directory, which keeps the custom kernels, or in memory, and prints the result. It goes on from
    /// the checkpoint, if given.
    pub fn train(
        &self,
        trainer: Trainer,
        place: Place,
        record: RunRecord,
        options: RunOptions,
        json: bool,
        from: Option<Checkpoint>,
    ) -> Result<()> {
        let Place { directory, signals } = place;
        let kept = directory.as_ref().map_or(Ok(()), |directory| {
            self.kernels.iter().try_for_each(|kernel| directory.write_kernel(&kernel.file.name, &kernel.text))
        });
        if let Err(error) = kept {
            directory.into_iter().for_each(RunDir::abandon);
            return Err(error);
        }
        let output = RunOutput::of(directory.as_ref(), &record, json);
        let display = Display::new(self.session.recipe.epochs, trainer.steps_per_epoch(), trainer.position());
        let run = self.session.run(trainer, &self.lowered, record, options)?;
        let run = match directory {
            Some(directory) => run.in_directory(directory),
            None => run,
        };
        output.train(run, display, signals, from)
    }
}

/// Reports the profile of a run, also of one that failed.
pub fn profiled(profiling: Option<RunProfile>, run: Option<&Path>, outcome: Result<()>) -> Result<()> {
    let reported = profiling.map_or(Ok(()), |profiling| profiling.report(run));
    outcome.and(reported)
}

/// Notes the products that a custom kernel for products does not compute.
fn note_built_in_products(program: &Program, custom: &CustomKernel) {
    let built_in = built_in_f16_products(program, custom.ours);
    if !built_in.is_empty() {
        note(format_args!(
            "        {} does not compute every product: those of f16 are computed by the built-in {}",
            custom.ours.name,
            built_in.join(" and ")
        ));
    }
}

fn announce(session: &Session, lowered: &Lowered) {
    let Session { recipe, dataset, .. } = session;
    note(format_args!(
        "data    {}: {} images of {} to train on, {} held out, {} classes",
        shown(&recipe.data),
        thousands(dataset.train.len()),
        dataset.train.shape,
        thousands(dataset.held_out.len()),
        dataset.classes.len()
    ));
    super::data::note_skipped(dataset);
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
}

/// A note on the precision of measurements.
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
        others => format!("{made}; others have sizes that are no multiples of that: {}", others.join("; ")),
    }
}
