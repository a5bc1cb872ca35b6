//! A session: a recipe, its data and a device.

use crate::data::{
    Background, DataSize, Dataset, Levels, Normaliser, Samples, Tones, missing_classes, split_validation,
};
use crate::engine::Engine;
use crate::engine::adapter::{Device, choose};
use crate::error::{Error, Result};
use crate::kernel::precision::Precision;
use crate::kernel::threads;
use crate::network::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, Training, VALIDATION, lower};
use crate::table;
use crate::train::plan::{self, MemoryPlan};
use crate::train::recipe::Recipe;
use crate::train::run::RunRecord;
use crate::train::running::{Observer, Run, RunOptions, Trained};
use crate::train::schedule::Length;
use crate::train::stopping::Stopping;
use crate::train::trainer::{Settings, Trainer};

/// A recipe, its data and a device.
#[derive(Clone, Debug)]
pub struct Session {
    /// The settings of the run.
    pub recipe: Recipe,
    /// The data, without the validation part.
    pub dataset: Dataset,
    /// The part for choosing settings, if the data have one or the recipe asks for it.
    pub validation: Option<Samples>,
    /// The device to train on.
    pub device: Device,
    /// The normalisation of pixels, measured on the train part alone.
    pub normaliser: Normaliser,
}

impl Session {
    /// Takes out the validation part, and checks settings.
    ///
    /// A batch must be filled, and the device must have the experimental kernels that are asked for.
    ///
    /// # Errors
    /// [`Error::Setting`] when the batch is larger than the train part or settings don't go together, as
    /// [`Recipe::check`] and [`Dataset::check`], [`Error::Data`] when the train part is too small to be divided,
    /// [`Error::Failure`] when no thread can be made, and as
    /// [`Experimental::resolve`](crate::verify::experimental::Experimental::resolve).
    pub fn new(mut recipe: Recipe, mut dataset: Dataset, device: Device) -> Result<Session> {
        recipe.check()?;
        dataset.check()?;
        let validation = validation_part(&mut dataset, &mut recipe)?;
        if recipe.overfit_batches > 0 {
            let few = recipe.overfit_batches.saturating_mul(recipe.step_samples()).min(dataset.train.len());
            let few: Vec<usize> = (0..few).collect();
            dataset.train = dataset.train.subset(&few);
        }
        let (batch, samples) = (recipe.batch_size, dataset.train.len());
        if batch > samples {
            return Err(setting(
                "batch_size",
                format!(
                    "a batch of {batch} is larger than the train part of {samples} samples: \
                     use ⟨batch_size {samples}⟩ or smaller"
                ),
            ));
        }
        recipe.experimental.check(recipe.precision)?;
        // The tile sizes go into the recipe of the run, so that a resumed run has the same.
        recipe.experimental = recipe.experimental.resolve(&device)?;
        threads::start()?;
        adopt_choices(&mut recipe, &dataset);
        if let Some(part) = &validation {
            dataset.about.notes.extend(missing_classes(VALIDATION, part, &dataset.classes));
        }
        let normaliser = recipe.normalise.measure(&dataset.train);
        check_length(&recipe, dataset.train.len(), validation.is_some())?;
        Ok(Session { recipe, dataset, validation, device, normaliser })
    }

    /// The training step, with class weights.
    ///
    /// # Errors
    /// As [`ClassWeights::resolve`](crate::network::loss::ClassWeights::resolve).
    fn training(&self) -> Result<Training> {
        let (labels, classes) = (&self.dataset.train.labels, self.dataset.classes.len());
        let class_weights = self.recipe.class_weights.resolve(labels, classes)?;
        Ok(Training { class_weights, ..self.recipe.training() })
    }

    /// The parts of the data, by their names.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &Samples)> {
        let validation = self.validation.as_ref().map(|samples| (VALIDATION, samples));
        [(TRAIN, &self.dataset.train), (HELD_OUT, &self.dataset.held_out)].into_iter().chain(validation)
    }

    /// The size of the data.
    fn size(&self) -> DataSize {
        let validation = self.validation.as_ref().map_or(0, Samples::len);
        let (split_off, validation) =
            if self.recipe.validation > 0.0 { (validation, 0) } else { (0, validation) };
        let size = self.dataset.size();
        DataSize { train: size.train + split_off, validation, ..size }
    }

    /// The memory that the run takes at its peak. If it is `verified`, steps are checked against the twins.
    pub fn memory(&self, lowered: &Lowered, verified: bool) -> MemoryPlan {
        MemoryPlan::of(&self.recipe, &self.size(), lowered, &self.device, verified)
    }

    /// Lowers the network for the device, by the recipe's tuning and augmentation. Experimental kernels are
    /// proved there first.
    ///
    /// # Errors
    /// [`Error::Setting`] for a precision that the device can't compute in, [`Error::Device`] for too little memory, and as
    /// [`lower`], [`Tuning::choice`](crate::tune::Tuning::choice) and [`Experimental::prove`](crate::verify::experimental::Experimental::prove).
    pub fn lower(&self) -> Result<Lowered> {
        let Session { recipe, dataset, device, .. } = self;
        // Fields of a session can be changed after it was made.
        recipe.check()?;
        if recipe.precision == Precision::F16 && !device.runs(&table::MATMUL_F16) {
            return Err(setting(
                "precision",
                format!(
                    "⟨precision f16⟩: {} can't unpack f16; leave it out, or take ⟨device cpu⟩",
                    device.name()
                ),
            ));
        }
        let experimental = recipe.experimental;
        let choice = recipe.tuning.choice(device)?.in_precision(recipe.precision);
        let lowered = lower(&Lowering {
            loss: recipe.loss,
            parts: self.parts().map(|(name, samples)| Part { name, samples: samples.len() }).collect(),
            choice: choice.with_cooperative(&experimental.tile_sizes(device)?),
            rewrites: recipe.rewrites(),
            limits: plan::limits(recipe, &self.size(), device),
            augment: recipe.augment,
            training: self.training()?,
            ..Lowering::new(&recipe.network, &dataset.train.shape, dataset.classes.len(), recipe.batch_size)
        })?;
        self.memory(&lowered, false).check()?;
        experimental.prove(&lowered, device)?;
        Ok(lowered)
    }

    /// Opens the device, draws the initial weights and sends the data.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open(&self, lowered: Lowered) -> Result<Trainer> {
        self.open_on(self.device.open(lowered.program.clone())?, lowered)
    }

    /// [`Session::open`] on an engine that was opened for the Program.
    ///
    /// # Errors
    /// [`Error::Device`] when the engine fails.
    pub fn open_on(&self, engine: Box<dyn Engine>, lowered: Lowered) -> Result<Trainer> {
        let Recipe { learning_rate, seed, schedule, epochs, .. } = self.recipe;
        let weights = lowered.arena.initial_values(seed);
        let settings = Settings { learning_rate, seed, schedule, epochs };
        let mut trainer = Trainer::new(engine, lowered, settings, &weights, &self.normaliser)?;
        trainer.set_names(&self.dataset.classes, &self.dataset.name);
        trainer.set_rendering(self.dataset.about.rendering);
        trainer.set_tones(Tones::of(&self.dataset.train));
        for (name, samples) in self.parts() {
            trainer.load(name, samples)?;
        }
        Ok(trainer)
    }

    /// [`Session::lower`], then [`Session::open`].
    ///
    /// # Errors
    /// As both.
    pub fn start(&self) -> Result<Trainer> {
        self.open(self.lower()?)
    }

    /// Trains to the end of the recipe, in memory.
    ///
    /// # Errors
    /// As [`Session::start`] and [`Run::begin`], and [`Error::Setting`] for a recipe with custom kernels. Check them and put
    /// them into a lowered Program yourself (see [`replace`](crate::verify::custom::replace)).
    pub fn train(&self, observer: &mut dyn Observer) -> Result<Trained> {
        if !self.recipe.kernel.is_empty() {
            let problem = "Session::train takes no ⟨kernel⟩: replace it in the lowered Program, and run that";
            return Err(setting("kernel", problem.to_owned()));
        }
        let lowered = self.lower()?;
        let record = self.record(&lowered);
        self.run(self.open(lowered.clone())?, &lowered, record, RunOptions::default())?.begin(observer)
    }

    /// A run of a trainer for `lowered`, described by `record`. When the device is lost, it is opened again.
    ///
    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub fn run<'a>(
        &'a self,
        trainer: Trainer,
        lowered: &'a Lowered,
        record: RunRecord,
        options: RunOptions,
    ) -> Result<Run<'a>> {
        let reopen = || {
            let device = self.device_again()?;
            self.recipe.experimental.prove(lowered, &device)?;
            self.open_on(device.open(lowered.program.clone())?, lowered.clone())
        };
        Run::new(trainer, Box::new(reopen), &self.recipe, record, options)
    }

    /// The record of a run that starts now.
    pub fn record(&self, lowered: &Lowered) -> RunRecord {
        let mut record = RunRecord::begin(&self.recipe, &self.dataset.digest, lowered.arena.count());
        record.set_device(&self.device);
        record
    }

    /// The device after it was lost. An adapter of its name is looked for anew, as its handle is of no use any more.
    fn device_again(&self) -> Result<Device> {
        match &self.device {
            Device::Cpu { .. } => Ok(self.device.clone()),
            Device::Gpu(_) => choose(&self.device.name()),
        }
    }
}

/// Puts what was done while reading into the recipe, so that a run from the recipe reads the same.
fn adopt_choices(recipe: &mut Recipe, dataset: &Dataset) {
    if recipe.background == Background::Auto {
        recipe.background = dataset.about.background;
    }
    if recipe.levels == Levels::Auto {
        recipe.levels = dataset.about.levels;
    }
    recipe.grey = dataset.about.rendering.grey;
    recipe.transpose = dataset.about.transposed;
}

fn setting(key: &'static str, problem: String) -> Error {
    Error::Setting { key, problem }
}

/// Checks the schedule, the samples of a step and the watched metric.
fn check_length(recipe: &Recipe, samples: usize, has_validation: bool) -> Result<()> {
    let (batch, accumulate) = (recipe.batch_size, recipe.accumulate);
    if accumulate > samples.div_ceil(batch) {
        return Err(setting(
            "accumulate",
            format!(
                "a step of {accumulate} batches of {batch} is more than the train part of {samples} samples: \
                 use ⟨accumulate {}⟩ or smaller",
                samples.div_ceil(batch)
            ),
        ));
    }
    let unseen = |stopping: &Stopping| stopping.metric.needs_validation() && !has_validation;
    if let Some(stopping) = recipe.stop_early.filter(unseen) {
        return Err(setting(
            "stop_early",
            format!(
                "early stopping by {} needs a validation part: add ⟨validation 0.1⟩, or watch another metric",
                stopping.metric
            ),
        ));
    }
    let per_epoch = samples.div_ceil(recipe.step_samples());
    recipe.schedule.fits(Length { steps: recipe.epochs.saturating_mul(per_epoch), per_epoch })
}

/// Takes the data's own validation part, else one out of the train part if asked for.
fn validation_part(dataset: &mut Dataset, recipe: &mut Recipe) -> Result<Option<Samples>> {
    if let Some(own) = dataset.validation.take() {
        if recipe.validation > 0.0 {
            dataset.about.notes.push(format!(
                "⟨validation {}⟩ takes nothing out of the train part: the data have a validation part",
                recipe.validation
            ));
            recipe.validation = 0.0;
        }
        return Ok(Some(own));
    }
    if recipe.validation == 0.0 {
        return Ok(None);
    }
    let empty = Samples { shape: dataset.train.shape, pixels: Vec::new(), labels: Vec::new() };
    let all = std::mem::replace(&mut dataset.train, empty);
    let (train, validation) = split_validation(all, recipe.validation, dataset.classes.len(), recipe.seed)?;
    dataset.train = train;
    Ok(Some(validation))
}
