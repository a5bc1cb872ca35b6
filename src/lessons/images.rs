//! Lesson 12: learning from images, by heart or by sense.

use super::Lesson;
use super::machine::Machine;
use super::options::{Flag, Options, at_most, count};
use super::page::number::digits;
use super::page::{Note, Page, Plot, Style, Table};
use crate::data::{self, Dataset, Normaliser, Samples};
use crate::error::{Error, Result};
use crate::kernel::Kernel;
use crate::kernels;
use crate::loss::Loss;
use crate::lower::{HELD_OUT, Lowering, Part, TRAIN, Training, VALIDATION, lower};
use crate::network::Network;
use crate::program::Limits;
use crate::record::Versions;
use crate::rng::{Purpose, generator, shuffled};
use crate::train::{Measure, Settings, Trainer};

use rand::seq::SliceRandom;

pub const LESSON: Lesson = Lesson {
    id: "12",
    name: "images",
    summary: "learning from images: remembering, generalising, and when to stop",
    takes: &[Flag::Alpha, Flag::Iterations, Flag::Seed, Flag::Data],
    teach,
    limit: |options, _| limit(options),
};

/// Images of the small lesson, of the large one, to choose by and to judge by.
const FEW: usize = 60;
const MANY: usize = 1150;
const CHOOSE: usize = 287;
const JUDGE: usize = 360;
const BATCH: usize = 10;
const HIDDEN: usize = 32;
/// Rounds over the many images: each is as much work as nineteen over the few.
const ROUNDS_OF_MANY: usize = 10;
/// Rounds over the few.
const ROUNDS: usize = 40;
const MOST_ROUNDS: usize = 200;
const ALPHA: f32 = 0.3;

const KERNELS: [(&str, &Kernel); 5] = [
    ("pick the samples", &kernels::GATHER_BATCH),
    ("sums and their gradients", &kernels::MATMUL_NAIVE),
    ("loss and its derivative", &kernels::SOFTMAX_LOSS),
    ("bias gradient", &kernels::COLUMN_SUMS),
    ("update", &kernels::SGD),
];

/// The images of this lesson.
struct Images {
    few: Samples,
    /// The few with their labels dealt out anew.
    mixed: Samples,
    many: Samples,
    /// To choose by: when to stop.
    validation: Samples,
    held_out: Samples,
    classes: usize,
}

/// After one round over the images to learn from.
#[derive(Clone, Copy)]
struct Round {
    learned: Measure,
    validation: Measure,
    held_out: Measure,
}

fn teach(options: &Options, machine: &Machine) -> Result<Page> {
    let settings = settings(options);
    let rounds = at_most(options.iterations.unwrap_or(ROUNDS), MOST_ROUNDS)?;
    let dataset = data::load(options.data.as_deref().unwrap_or("digits"))?;
    let images = Images::of(&dataset, settings.seed)?;
    let [few, mixed, many] = images.learn_all(machine, settings, rounds)?;
    let stop = lowest(&few);

    let mut page = Page::new("12 · Learning from images");
    page.text(format!(
        "An image is a row of {} brightnesses, so the network of lesson 11 takes it. What is new: does it \
         understand, or only remember? It has {HIDDEN} hidden neurons and an output per class.",
        images.few.shape.values()
    ));
    page.plot(curve(&few, stop));
    page.text(format!(
        "It learns from {} images here. Their error goes on falling, round after round. That of {} other \
         images stops falling after round {}: from there on the network learns these {} images by heart and \
         gets more and more certain of its mistakes elsewhere. Keeping the weights of that round is called \
         early stopping.",
        few[0].learned.samples,
        few[0].validation.samples,
        stop + 1,
        few[0].learned.samples
    ));
    page.table(results(&[("few", &few), ("few, mixed labels", &mixed), ("many", &many)]));
    page.text(format!(
        "The second network got the same images with their labels dealt out at random, so there is nothing \
         to understand: it remembers {} of them and knows nothing about others, where guessing gives {}. \
         The third got {} images: too many to know by heart so soon, and the gap all but closes. Whether a \
         network understands, only images tell that it has never seen.",
        percent(last(&mixed).learned.accuracy),
        percent(1.0 / images.classes as f64),
        many[0].learned.samples
    ));
    page.plot(accuracies(&few, &mixed));
    page.note(Note::new(machine, &KERNELS));
    let other = if dataset.name == "mnist" { "digits" } else { "mnist" };
    page.try_this(
        format!("wgrad lesson images --data {other}"),
        "the same with other images; --seed draws other few: how far do they carry?",
    );
    Ok(page)
}

fn settings(options: &Options) -> Settings {
    Settings::new(options.alpha.unwrap_or(ALPHA), options.seed.unwrap_or(0))
}

/// The largest alpha that still ends in numbers. There is no formula for it:
/// it lies between the lesson's own and the given one, and is looked for, on
/// the twins.
fn limit(options: &Options) -> Result<String> {
    let settings = settings(options);
    let (mut works, mut fails) = (ALPHA, settings.learning_rate);
    if fails <= works {
        let why = if fails < 0.0 { "a negative alpha climbs" } else { "the images are too large for it" };
        return Ok(format!("{why}; the lesson's own alpha is {}", digits(ALPHA)));
    }
    let dataset = data::load(options.data.as_deref().unwrap_or("digits"))?;
    let images = Images::of(&dataset, settings.seed)?;
    let rounds = options.iterations.unwrap_or(ROUNDS);
    while fails / works > 2.0 {
        let alpha = works.sqrt() * fails.sqrt();
        let settings = Settings { learning_rate: alpha, ..settings };
        match images.learn_all(&Machine::plain(), settings, rounds) {
            Ok(_) => works = alpha,
            Err(Error::Diverged(_)) => fails = alpha,
            Err(other) => return Err(other),
        }
    }
    Ok(format!(
        "alpha is {}; of smaller ones that were tried, {} still ends in numbers and {} does not",
        digits(settings.learning_rate),
        digits(works),
        digits(fails)
    ))
}

impl Images {
    /// The few, the same with mixed labels, and the many.
    fn learn_all(&self, machine: &Machine, settings: Settings, rounds: usize) -> Result<[Vec<Round>; 3]> {
        Ok([
            self.learn(machine, &self.few, settings, rounds)?,
            self.learn(machine, &self.mixed, settings, rounds)?,
            self.learn(machine, &self.many, settings, rounds.min(ROUNDS_OF_MANY))?,
        ])
    }

    fn of(dataset: &Dataset, seed: u64) -> Result<Images> {
        let train = &dataset.train;
        let order: Vec<usize> =
            shuffled(train.len(), seed, 0).into_iter().map(|sample| sample as usize).collect();
        let choose = CHOOSE.min(train.len() / 5);
        if choose == 0 {
            return Err(Error::Data(format!(
                "{} has {} to learn from, and this lesson needs at least 5",
                dataset.name,
                count(train.len(), "image")
            )));
        }
        let (validation, rest) = order.split_at(choose);
        let few = train.subset(&rest[..FEW.min(rest.len())]);
        let mut mixed = few.clone();
        mixed.labels.shuffle(&mut generator(seed, Purpose::Order, u64::MAX));
        let judge: Vec<usize> = (0..JUDGE.min(dataset.held_out.len())).collect();
        Ok(Images {
            mixed,
            few,
            many: train.subset(&rest[..MANY.min(rest.len())]),
            validation: train.subset(validation),
            held_out: dataset.held_out.subset(&judge),
            classes: dataset.classes.len(),
        })
    }

    /// Trains a fresh network and measures it after every round.
    fn learn(
        &self,
        machine: &Machine,
        samples: &Samples,
        settings: Settings,
        rounds: usize,
    ) -> Result<Vec<Round>> {
        let network: Network = format!("dense {HIDDEN}, relu, dense {}", self.classes).parse()?;
        let parts = [(TRAIN, samples), (VALIDATION, &self.validation), (HELD_OUT, &self.held_out)];
        let lowered = lower(&Lowering {
            network: &network,
            loss: Loss::CrossEntropy,
            shape: &samples.shape,
            classes: self.classes,
            batch: BATCH,
            parts: parts.map(|(name, samples)| Part { name, samples: samples.len() }).to_vec(),
            // The shader to read first; these products are too small to tell the difference.
            versions: Versions::NAIVE,
            fuse: true,
            as_in_prediction: false,
            keep: true,
            limits: Limits::WEBGPU,
            training: Training::default(),
        })?;
        let engine = machine.open(lowered.program.clone())?;
        let parameters = lowered.arena.initial_values(settings.seed);
        // Of the images to learn from alone: the others must not have a say.
        let normaliser = Normaliser::of(samples);
        let mut trainer = Trainer::new(engine, lowered, settings, &parameters, &normaliser)?;
        for (name, samples) in parts {
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

/// The round with the lowest error on the images to choose by.
fn lowest(rounds: &[Round]) -> usize {
    let errors = rounds.iter().map(|round| round.validation.loss).enumerate();
    errors.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(at, _)| at)
}

/// There is at least one round, see [`Options::check`].
fn last(rounds: &[Round]) -> Round {
    rounds[rounds.len() - 1]
}

fn percent(share: f64) -> String {
    format!("{} %", digits((share * 1000.0).round() as f32 / 10.0))
}

fn series(rounds: &[Round], value: impl Fn(&Round) -> f64) -> Vec<(f64, f64)> {
    rounds.iter().enumerate().map(|(at, round)| ((at + 1) as f64, value(round))).collect()
}

fn curve(few: &[Round], stop: usize) -> Plot {
    let best = few[stop].validation.loss;
    Plot::new(format!("learning from {} images", few[0].learned.samples), "round", "error")
        .series("learned from", Style::Line, series(few, |round| round.learned.loss))
        .series("others", Style::Line, series(few, |round| round.validation.loss))
        .series("early stopping", Style::Points, [((stop + 1) as f64, best)])
}

fn accuracies(few: &[Round], mixed: &[Round]) -> Plot {
    Plot::new("accuracy on the images learned from, and held out", "round", "accuracy")
        .series("learned", Style::Line, series(few, |round| round.learned.accuracy))
        .series("held out", Style::Line, series(few, |round| round.held_out.accuracy))
        .series("mixed: learned", Style::Line, series(mixed, |round| round.learned.accuracy))
        .series("mixed: held out", Style::Line, series(mixed, |round| round.held_out.accuracy))
}

fn results(networks: &[(&str, &[Round])]) -> Table {
    let columns = ["learned from", "images", "rounds", "right of them", "right held out", "at the stop"];
    let mut table = Table::new("three networks, at the end", &columns);
    for (name, rounds) in networks {
        let (end, stop) = (last(rounds), rounds[lowest(rounds)]);
        table.row(vec![
            (*name).into(),
            end.learned.samples.into(),
            rounds.len().into(),
            percent(end.learned.accuracy).into(),
            percent(end.held_out.accuracy).into(),
            percent(stop.held_out.accuracy).into(),
        ]);
    }
    table
}
