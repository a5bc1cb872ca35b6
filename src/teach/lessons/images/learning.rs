//! The images of lesson 12, and the networks that learn from them.

use crate::report::page::number::count;
use crate::text::shown;
use rand::seq::SliceRandom;

use crate::data::{Dataset, Normaliser, Samples};
use crate::error::{Error, Result};
use crate::kernel::rng::{Purpose, generator, shuffled};
use crate::network::Network;
use crate::network::lower::{HELD_OUT, Lowered, Lowering, Part, TRAIN, VALIDATION, lower_unshared};
use crate::program::shape::Shape;
use crate::report::page::Note;
use crate::teach::lessons::machine::Machine;
use crate::train::trainer::{Measure, Settings, Trainer};

/// The number of images in each part.
const FEW: usize = 60;
const MANY: usize = 1150;
const VALIDATION_IMAGES: usize = 287;
const HELD_OUT_IMAGES: usize = 360;
const BATCH: usize = 10;
/// Rounds over the many images.
///
/// Each is as much work as nineteen over the few.
const ROUNDS_OF_MANY: usize = 10;

/// The networks that learn from images, in the order of the lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    Dense,
    Convolutional,
}

impl NetworkKind {
    /// The networks that fit images of this shape.
    ///
    /// The second halves height and width.
    pub fn all(shape: &Shape) -> Vec<NetworkKind> {
        let fits = shape.height >= 2 && shape.width >= 2;
        [NetworkKind::Dense].into_iter().chain(fits.then_some(NetworkKind::Convolutional)).collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            NetworkKind::Dense => "dense",
            NetworkKind::Convolutional => "conv",
        }
    }

    /// The network's text.
    pub fn layers(self, classes: usize) -> String {
        match self {
            NetworkKind::Dense => format!("dense 32, relu, dense {classes}"),
            NetworkKind::Convolutional => {
                format!("conv 8 3x3 pad 1, relu, maxpool 2, flatten, dense {classes}")
            }
        }
    }
}

/// The measurements after one round over the images to learn from.
#[derive(Clone, Copy)]
pub struct Round {
    pub learned: Measure,
    pub validation: Measure,
    pub held_out: Measure,
}

/// The rounds of one training; there is at least one.
pub struct LearningCurve {
    pub kind: NetworkKind,
    /// The name of its images, such as `few`.
    pub name: &'static str,
    pub rounds: Vec<Round>,
}

impl LearningCurve {
    pub fn end(&self) -> Round {
        self.rounds[self.rounds.len() - 1]
    }

    /// The round with the lowest validation error, from 0.
    pub fn stop(&self) -> usize {
        let errors = self.rounds.iter().map(|round| round.validation.loss).enumerate();
        errors.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at)
    }

    pub fn at_stop(&self) -> Round {
        self.rounds[self.stop()]
    }
}

/// The images of this lesson.
pub struct Images {
    few: Samples,
    /// The few with their labels shuffled.
    shuffled: Samples,
    many: Samples,
    validation: Samples,
    held_out: Samples,
    pub classes: usize,
}

impl Images {
    pub fn of(dataset: &Dataset, seed: u64) -> Result<Images> {
        let train = &dataset.train;
        let order: Vec<usize> =
            shuffled(train.len(), seed, 0).into_iter().map(|sample| sample as usize).collect();
        let validation = VALIDATION_IMAGES.min(train.len() / 5);
        if validation == 0 {
            return Err(Error::Data(format!(
                "{} has {} to learn from, and this lesson needs at least 5",
                shown(&dataset.name),
                count(train.len(), "image")
            )));
        }
        let (validation, rest) = order.split_at(validation);
        let few = train.subset(&rest[..FEW.min(rest.len())]);
        let mut shuffled_labels = few.clone();
        shuffled_labels.labels.shuffle(&mut generator(seed, Purpose::Order, u64::MAX));
        let evaluated: Vec<usize> = (0..HELD_OUT_IMAGES.min(dataset.held_out.len())).collect();
        Ok(Images {
            shuffled: shuffled_labels,
            few,
            many: train.subset(&rest[..MANY.min(rest.len())]),
            validation: train.subset(validation),
            held_out: dataset.held_out.subset(&evaluated),
            classes: dataset.classes.len(),
        })
    }

    pub fn shape(&self) -> Shape {
        self.few.shape
    }

    /// Trains each kind of network on the few, on the few with shuffled labels, and on the many.
    pub fn learn_all(
        &self,
        machine: &Machine,
        settings: Settings,
        rounds: usize,
    ) -> Result<Vec<LearningCurve>> {
        let mut all = Vec::new();
        for kind in NetworkKind::all(&self.few.shape) {
            for (name, samples, rounds) in [
                ("few", &self.few, rounds),
                ("few, shuffled labels", &self.shuffled, rounds),
                ("many", &self.many, rounds.min(ROUNDS_OF_MANY)),
            ] {
                let rounds = self.learn(machine, kind, samples, settings, rounds)?;
                all.push(LearningCurve { kind, name, rounds });
            }
        }
        Ok(all)
    }

    /// The shaders and twins that are used.
    pub fn note(&self, machine: &Machine) -> Result<Note> {
        let kinds = NetworkKind::all(&self.few.shape);
        let lowered = kinds.iter().map(|kind| self.lower(*kind, &self.few)).collect::<Result<Vec<_>>>()?;
        Ok(machine.note(lowered.iter().flat_map(|lowered| &lowered.program.steps)))
    }

    fn parts<'a>(&'a self, samples: &'a Samples) -> [(&'static str, &'a Samples); 3] {
        [(TRAIN, samples), (VALIDATION, &self.validation), (HELD_OUT, &self.held_out)]
    }

    fn lower(&self, kind: NetworkKind, samples: &Samples) -> Result<Lowered> {
        let network: Network = kind.layers(self.classes).parse()?;
        lower_unshared(&Lowering {
            parts: self.parts(samples).map(|(name, samples)| Part { name, samples: samples.len() }).to_vec(),
            // The kernels are the simplest: for products as small as these they are as fast.
            ..Lowering::new(&network, &samples.shape, self.classes, BATCH)
        })
    }

    /// Trains a fresh network and measures it after every round.
    fn learn(
        &self,
        machine: &Machine,
        kind: NetworkKind,
        samples: &Samples,
        settings: Settings,
        rounds: usize,
    ) -> Result<Vec<Round>> {
        let lowered = self.lower(kind, samples)?;
        let engine = machine.open(lowered.program.clone())?;
        let parameters = lowered.arena.initial_values(settings.seed);
        // Measured on the images to learn from alone, as the others must not influence training.
        let normaliser = Normaliser::of(samples);
        let mut trainer = Trainer::new(engine, lowered, settings, &parameters, &normaliser)?;
        for (name, samples) in self.parts(samples) {
            trainer.load(name, samples)?;
        }
        let mut all = Vec::new();
        for round in 1..=rounds {
            trainer.epoch(round, &mut |_| {})?;
            all.push(Round {
                learned: trainer.measure(TRAIN)?,
                validation: trainer.measure(VALIDATION)?,
                held_out: trainer.measure(HELD_OUT)?,
            });
        }
        Ok(all)
    }
}
