//! `wgrad train`: from data and a recipe to a run directory with a trained network.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use wgrad::data::{self, Dataset, Normaliser, Samples, split_validation};
use wgrad::engine::adapter::Device;
use wgrad::error::{Error, Result};
use wgrad::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, VALIDATION, lower};
use wgrad::model::Model;
use wgrad::own::replace;
use wgrad::program::mebibytes;
use wgrad::recipe::{self, Overrides, Recipe};
use wgrad::run::{Epoch, Event, RunDir, RunRecord, Status, Steps, Validation};
use wgrad::train::{Measure, Settings, Trainer};

use super::console::{answer, note, thousands};
use super::progress::Display;
use crate::cli;

pub fn run(arguments: &cli::Train) -> Result<()> {
    let given = overrides(arguments)?;
    given.check()?;
    let mut dataset = data::load(given.data())?;
    let recipe = Recipe::resolve(&given, dataset.classes.len(), dataset.train.len())?;
    let validation = validation_part(&mut dataset, &recipe)?;
    check_batch(&recipe, &dataset)?;
    let device = super::device(&recipe.device)?;
    let parts = Parts { train: &dataset.train, validation: validation.as_ref(), held_out: &dataset.held_out };
    let kernels = super::own::kernels(&recipe, &device)?;
    let mut lowered = lower(&Lowering {
        network: &recipe.network,
        loss: recipe.loss,
        shape: &dataset.train.shape,
        classes: dataset.classes.len(),
        batch: recipe.batch_size,
        parts: parts.declare(),
        versions: device.versions(),
        fuse: true,
        limits: device.limits(),
    })?;
    for (_, own) in &kernels {
        replace(&mut lowered.program, own)?;
    }
    announce(&recipe, &dataset, &lowered);
    // Only now is anything written: everything that the user could have got wrong has been checked.
    let normaliser = Normaliser::of(&dataset.train);
    let parameters = lowered.arena.count();
    let trainer = start(&device, &recipe, lowered, &normaliser, &parts)?;
    let model = Model {
        network: recipe.network.clone(),
        loss: recipe.loss,
        shape: dataset.train.shape,
        classes: dataset.classes.clone(),
        normaliser,
        parameters: Vec::new(),
        data: dataset.name.clone(),
    };
    let mut record = RunRecord::begin(&recipe, &dataset.digest, parameters);
    describe(&mut record, &device);
    record.kernels = kernels.into_iter().map(|(named, _)| named).collect();
    let directory = RunDir::create(&arguments.out, &recipe.data)?;
    let mut run =
        Run { trainer, directory, model, record, recipe, started: Instant::now(), stepping: Duration::ZERO };
    if let Err(error) = run.open() {
        run.directory.abandon();
        return Err(error);
    }
    let outcome = run.train();
    run.close(outcome, arguments.json)
}

/// Where a run takes place.
fn describe(record: &mut RunRecord, device: &Device) {
    record.adapter = device.name();
    match device {
        Device::Cpu { .. } => record.backend = "cpu".to_owned(),
        Device::Gpu(adapter) => {
            let info = adapter.get_info();
            record.backend = info.backend.to_string();
            record.driver = format!("{} {}", info.driver, info.driver_info).trim().to_owned();
        }
    }
}

/// What the flags and, below them, the recipe file say.
fn overrides(arguments: &cli::Train) -> Result<Overrides> {
    let flags = Overrides {
        data: None,
        network: arguments.network.as_deref().map(str::parse).transpose()?,
        epochs: arguments.epochs,
        batch_size: arguments.batch_size,
        learning_rate: arguments.learning_rate,
        momentum: arguments.momentum,
        loss: arguments.loss.as_deref().map(str::parse).transpose()?,
        seed: arguments.seed,
        validation: arguments.validation,
        device: arguments.device.clone(),
        kernel: Some(arguments.kernel.clone()).filter(|kernels| !kernels.is_empty()),
    };
    match &arguments.source {
        Some(file) if Path::new(file).extension().is_some_and(|end| end == "toml") => {
            Ok(flags.or(recipe::read(Path::new(file))?))
        }
        source => Ok(Overrides { data: source.clone(), ..flags }),
    }
}

/// Takes the validation part out of the train part, when the recipe wants one.
fn validation_part(dataset: &mut Dataset, recipe: &Recipe) -> Result<Option<Samples>> {
    if recipe.validation == 0.0 {
        return Ok(None);
    }
    let empty = Samples { shape: dataset.train.shape, pixels: Vec::new(), labels: Vec::new() };
    let all = std::mem::replace(&mut dataset.train, empty);
    let (train, validation) = split_validation(all, recipe.validation, dataset.classes.len(), recipe.seed)?;
    dataset.train = train;
    Ok(Some(validation))
}

fn check_batch(recipe: &Recipe, dataset: &Dataset) -> Result<()> {
    let (batch, samples) = (recipe.batch_size, dataset.train.len());
    if batch <= samples {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "a batch of {batch} is larger than the train part of {samples} samples: use --batch-size {samples} or smaller"
    )))
}

/// The parts of the data that a run reads.
struct Parts<'a> {
    train: &'a Samples,
    validation: Option<&'a Samples>,
    held_out: &'a Samples,
}

impl Parts<'_> {
    fn all(&self) -> impl Iterator<Item = (&'static str, &Samples)> {
        let validation = self.validation.map(|samples| (VALIDATION, samples));
        [(TRAIN, self.train), (HELD_OUT, self.held_out)].into_iter().chain(validation)
    }

    fn declare(&self) -> Vec<Part> {
        self.all().map(|(name, samples)| Part { name, samples: samples.len() }).collect()
    }
}

fn announce(recipe: &Recipe, dataset: &Dataset, lowered: &Lowered) {
    note(format_args!(
        "data    {}: {} images of {} to train on, {} held out, {} classes",
        recipe.data,
        thousands(dataset.train.len()),
        dataset.train.shape,
        thousands(dataset.held_out.len()),
        dataset.classes.len()
    ));
    note(format_args!(
        "network {}: {} parameters, {} dispatches a step",
        recipe.network,
        thousands(lowered.arena.count()),
        lowered.program.section(TRAIN).len()
    ));
    note(format_args!(
        "memory  {} on the device, none allocated later",
        mebibytes(lowered.program.total_bytes())
    ));
}

fn start(
    device: &Device,
    recipe: &Recipe,
    lowered: Lowered,
    normaliser: &Normaliser,
    parts: &Parts,
) -> Result<Trainer> {
    let engine = device.open(lowered.program.clone())?;
    let settings =
        Settings { learning_rate: recipe.learning_rate, momentum: recipe.momentum, seed: recipe.seed };
    let weights = lowered.arena.initial_values(recipe.seed);
    let mut trainer = Trainer::new(engine, lowered, settings, &weights, normaliser)?;
    for (name, samples) in parts.all() {
        trainer.load(name, samples)?;
    }
    Ok(trainer)
}

/// A run under way.
struct Run {
    trainer: Trainer,
    directory: RunDir,
    /// The weights of the last epoch whose losses were all finite; at first the initial ones.
    model: Model,
    record: RunRecord,
    recipe: Recipe,
    started: Instant,
    /// Time spent in training steps alone.
    stepping: Duration,
}

impl Run {
    /// Writes what is known before the first step.
    fn open(&mut self) -> Result<()> {
        self.model.parameters = self.trainer.parameters()?;
        self.directory.write_recipe(&self.recipe)?;
        self.directory.write_record(&self.record)
    }

    /// Trains all epochs.
    fn train(&mut self) -> Result<()> {
        let mut display = Display::new(self.recipe.epochs, self.trainer.steps_per_epoch());
        self.started = Instant::now();
        let result = (1..=self.recipe.epochs).try_for_each(|epoch| self.epoch(epoch, &mut display));
        display.finish();
        result
    }

    fn epoch(&mut self, epoch: usize, display: &mut Display) -> Result<()> {
        let started = Instant::now();
        let before = self.trainer.steps();
        let mut written = Ok(());
        let directory = &mut self.directory;
        let train = self.trainer.epoch(epoch, &mut |progress| {
            display.progress(&progress);
            let event = Event::Steps(Steps {
                step: (before + progress.step) as u64,
                epoch,
                train_loss: progress.latest.loss,
                train_accuracy: progress.latest.accuracy,
                samples_per_second: progress.so_far.samples as f64 / started.elapsed().as_secs_f64(),
            });
            if written.is_ok() {
                written = directory.append(&event);
            }
        })?;
        written?;
        let took = started.elapsed();
        self.stepping += took;
        let held_out = self.trainer.measure(HELD_OUT)?;
        let validation =
            self.trainer.has(VALIDATION).then(|| self.trainer.measure(VALIDATION)).transpose()?;
        check_finite(epoch, &held_out)?;
        self.model.parameters = self.trainer.parameters()?;
        let line = Epoch {
            step: self.trainer.steps() as u64,
            epoch,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            samples_per_second: train.samples as f64 / took.as_secs_f64(),
            validation: validation
                .map(|v| Validation { validation_loss: v.loss, validation_accuracy: v.accuracy }),
            held_out_loss: held_out.loss,
            held_out_accuracy: held_out.accuracy,
        };
        self.record.advance(&line);
        self.directory.append(&Event::Epoch(line))?;
        let others: Vec<(&str, Measure)> = validation
            .map(|measure| ("validation", measure))
            .into_iter()
            .chain([("held-out", held_out)])
            .collect();
        display.epoch(epoch, &train, &others, started.elapsed());
        Ok(())
    }

    /// Saves the model and the record, and says how the run went.
    fn close(mut self, outcome: Result<()>, as_json: bool) -> Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let status = match &outcome {
            Ok(()) => Status::Done,
            Err(Error::Diverged(_)) => Status::Diverged,
            Err(_) => Status::Failed,
        };
        self.record.finish(status, outcome.as_ref().err().map(Error::to_string), seconds);
        self.directory.save_model(&self.model)?;
        self.directory.write_record(&self.record)?;
        match outcome {
            Ok(()) if as_json => self.print_json(seconds),
            Ok(()) => self.print(seconds),
            Err(Error::Diverged(problem)) => Err(Error::Diverged(format!(
                "{problem}: the weights {} are kept in {}; try a lower learning rate than {}",
                self.last_good(),
                self.directory.path().display(),
                self.recipe.learning_rate
            ))),
            Err(error) => {
                note(format_args!(
                    "the weights {} are kept in {}",
                    self.last_good(),
                    self.directory.path().display()
                ));
                Err(error)
            }
        }
    }

    fn last_good(&self) -> String {
        match self.record.epochs {
            0 => "from before the first step".to_owned(),
            epoch => format!("from the end of epoch {epoch}"),
        }
    }

    fn steps_per_second(&self) -> f64 {
        self.trainer.steps() as f64 / self.stepping.as_secs_f64()
    }

    fn print(&self, seconds: f64) -> Result<()> {
        let Some(last) = &self.record.last else { return Ok(()) };
        let run = self.directory.path().display();
        let (epochs, steps) = (self.record.epochs, thousands(self.trainer.steps()));
        answer(format_args!(
            "held-out accuracy  {:.2} %   loss {:.4}",
            last.held_out_accuracy * 100.0,
            last.held_out_loss
        ))?;
        answer(format_args!(
            "time               {seconds:.1} s   ({epochs} epochs, {steps} steps, {:.0} steps/s)",
            self.steps_per_second()
        ))?;
        answer(format_args!("run                {run}"))?;
        note(format_args!(
            "next: wgrad predict {run} PICTURE.png, wgrad summary {run}, or another --network, --epochs or --learning-rate"
        ));
        Ok(())
    }

    fn print_json(&self, seconds: f64) -> Result<()> {
        let Some(last) = &self.record.last else { return Ok(()) };
        answer(format_args!(
            "{}",
            json!({
                "run": self.directory.path().display().to_string(),
                "device": self.record.device,
                "adapter": self.record.adapter,
                "epochs": self.record.epochs,
                "steps": self.trainer.steps(),
                "seconds": seconds,
                "steps_per_second": self.steps_per_second(),
                "train_loss": last.train_loss,
                "train_accuracy": last.train_accuracy,
                "held_out_loss": last.held_out_loss,
                "held_out_accuracy": last.held_out_accuracy,
            })
        ))
    }
}

/// Weights that give no finite loss are not worth keeping.
fn check_finite(epoch: usize, held_out: &Measure) -> Result<()> {
    if held_out.loss.is_finite() {
        return Ok(());
    }
    Err(Error::Diverged(format!("the held-out loss became {} after epoch {epoch}", held_out.loss)))
}
