//! Training steps of the reference networks, on noise of MNIST's size.

use std::ops::ControlFlow;
use std::time::Instant;

use super::needs::Needs;
use super::timing::Repeatable;
use crate::data::{Normaliser, Samples};
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::profile::{Profile, Profiler};
use crate::error::Result;
use crate::network::lower::{Lowered, Lowering, Part, TRAIN, lower};
use crate::program::shape::Shape;
use crate::table::choice::Choice;
use crate::train::trainer::{Settings, Trainer};

/// A reference network.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceNetwork {
    pub name: &'static str,
    /// The network's text.
    pub layers: &'static str,
    /// The plural of its kind in the verdict.
    pub plural: &'static str,
}

/// A dense and a convolutional network.
pub const NETWORKS: [ReferenceNetwork; 2] = [
    ReferenceNetwork { name: "784-128-10", layers: "dense 128, relu, dense 10", plural: "MLPs" },
    ReferenceNetwork {
        name: "cnn",
        layers: "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, dense 128, relu, dense 10",
        plural: "CNNs",
    },
];

/// Plain SGD with a learning rate that is too small to diverge.
const SETTINGS: Settings = Settings::new(1e-4, 0);

/// The number of images to train on; more than the largest batch.
pub(super) fn images(quick: bool) -> usize {
    if quick { 4_096 } else { 16_384 }
}

/// Random images of MNIST's size, of ten classes.
pub fn noise(count: usize) -> Samples {
    let shape = Shape::image(1, 28, 28);
    let pixels = (0..count * shape.len()).map(|at| ((at * 2_654_435_761) >> 13) as u8).collect();
    Samples { shape, pixels, labels: (0..count as u32).map(|at| at % 10).collect() }
}

/// A network lowered for a device, to train on samples of ten classes.
///
/// # Errors
/// As [`lower`].
pub fn lowered(
    device: &Device,
    choice: Choice,
    layers: &str,
    batch: usize,
    samples: &Samples,
) -> Result<Lowered> {
    lower(&Lowering {
        parts: vec![Part { name: TRAIN, samples: samples.len() }],
        choice,
        limits: device.limits(),
        ..Lowering::new(&layers.parse()?, &samples.shape, 10, batch)
    })
}

/// Training steps by the trainer, as in a run.
pub(super) struct TrainingRun {
    trainer: Trainer,
    lowered: Lowered,
    profiler: Profiler,
    needs: Vec<Needs>,
}

impl TrainingRun {
    pub fn new(
        engine: Box<dyn Engine>,
        lowered: Lowered,
        samples: &Samples,
        profiler: Profiler,
        needs: Vec<Needs>,
    ) -> Result<TrainingRun> {
        let parameters = lowered.arena.initial_values(0);
        let normaliser = Normaliser::of(samples);
        let mut trainer = Trainer::new(engine, lowered.clone(), SETTINGS, &parameters, &normaliser)?;
        trainer.load(TRAIN, samples)?;
        Ok(TrainingRun { trainer, lowered, profiler, needs })
    }

    fn advance(&mut self, steps: usize) -> Result<()> {
        let end = self.trainer.steps() + steps;
        while self.trainer.steps() < end {
            let left = end - self.trainer.steps();
            self.trainer.advance(left, &mut |_| ControlFlow::Continue(()))?;
        }
        Ok(())
    }
}

impl Repeatable for TrainingRun {
    fn run(&mut self, times: usize) -> Result<f64> {
        let begun = Instant::now();
        self.advance(times)?;
        Ok(begun.elapsed().as_secs_f64() / times as f64)
    }

    fn profile(&mut self, steps: usize) -> Result<Option<Profile>> {
        if steps == 0 {
            return Ok(None);
        }
        self.profiler.watch(self.lowered.program.section(TRAIN), steps);
        self.advance(steps)?;
        Ok(Some(self.profiler.profile(&self.lowered.program)))
    }

    fn needs(&self) -> &[Needs] {
        &self.needs
    }
}
