//! The numbers, the network that learns from them, and how it is trained.

use crate::error::Result;
use crate::kernel::rng::shuffled;
use crate::network::Network;
use crate::network::loss::Loss;
use crate::network::lower::{HELD_OUT, TRAIN};
use crate::program::rewrite::Rewrites;
use crate::teach::lessons::course::{Course, Outline, PartMeasure, rows};
use crate::teach::lessons::machine::Machine;

/// Numbers 0 to 255, as eight binary digits, the largest first.
pub const NUMBERS: usize = 256;
pub const DIGITS: usize = 8;
/// The number of them that the network learns from.
///
/// The others are held out.
pub const LEARNED: usize = 160;
/// Hidden neurons.
pub const HIDDEN: usize = 16;

/// The settings of the lesson.
#[derive(Clone, Copy, Debug)]
pub struct OddEvenSettings {
    pub alpha: f32,
    /// The number of times that every number is seen.
    pub iterations: usize,
    pub seed: u64,
}

impl Default for OddEvenSettings {
    fn default() -> OddEvenSettings {
        OddEvenSettings { alpha: 1.0, iterations: 10, seed: 0 }
    }
}

/// The digits of a number.
pub fn binary(number: usize) -> Vec<f32> {
    (0..DIGITS).rev().map(|digit| (number >> digit & 1) as f32).collect()
}

/// 0 if odd, 1 if even.
pub fn target(number: usize) -> u32 {
    1 - (number % 2) as u32
}

/// The numbers in two parts.
pub struct NumberSplit {
    /// The numbers to learn from.
    pub learned: Vec<usize>,
    pub held_out: Vec<usize>,
}

/// The parts of a seed.
pub fn split(seed: u64) -> NumberSplit {
    let order: Vec<usize> = shuffled(NUMBERS, seed, 0).into_iter().map(|number| number as usize).collect();
    let (learned, held_out) = order.split_at(LEARNED);
    NumberSplit { learned: learned.to_vec(), held_out: held_out.to_vec() }
}

/// The network, with its numbers on the device.
pub fn course(machine: &Machine, seed: u64) -> Result<Course> {
    lowered(machine, seed, Rewrites::ALL)
}

pub(super) fn lowered(machine: &Machine, seed: u64, rewrites: Rewrites) -> Result<Course> {
    let network: Network = format!("dense {HIDDEN}, sigmoid, dense 1, sigmoid").parse()?;
    let NumberSplit { learned, held_out } = split(seed);
    let samples = |numbers: &[usize]| {
        let inputs: Vec<Vec<f32>> = numbers.iter().map(|number| binary(*number)).collect();
        let targets: Vec<u32> = numbers.iter().map(|number| target(*number)).collect();
        rows(&inputs, &targets, 1.0)
    };
    Course::new(
        machine,
        &Outline {
            network: &network,
            loss: Loss::SquaredError,
            train: &samples(&learned),
            held_out: &samples(&held_out),
            scale: 1.0,
            rewrites,
        },
    )
}

/// Loss and accuracy of both parts after an iteration.
#[derive(Clone, Copy, Debug)]
pub struct IterationErrors {
    pub learned: PartMeasure,
    pub held_out: PartMeasure,
}

/// Trains from the seed's weights and measures after every iteration.
pub fn learn(course: &mut Course, settings: &OddEvenSettings) -> Result<Vec<IterationErrors>> {
    course.begin(&course.lowered.arena.initial_values(settings.seed))?;
    let mut iterations = Vec::new();
    for iteration in 1..=settings.iterations {
        pass(course, settings, iteration)?;
        iterations
            .push(IterationErrors { learned: course.measure(TRAIN)?, held_out: course.measure(HELD_OUT)? });
    }
    Ok(iterations)
}

/// Trains from the seed's weights without measuring.
pub fn train(course: &mut Course, settings: &OddEvenSettings) -> Result<()> {
    course.begin(&course.lowered.arena.initial_values(settings.seed))?;
    (1..=settings.iterations).try_for_each(|iteration| pass(course, settings, iteration))
}

pub(super) fn pass(course: &mut Course, settings: &OddEvenSettings, iteration: usize) -> Result<()> {
    let order = shuffled(LEARNED, settings.seed, iteration as u64);
    let order: Vec<usize> = order.into_iter().map(|at| at as usize).collect();
    course.train(&order, settings.alpha)?;
    Ok(())
}
