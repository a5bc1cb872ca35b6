//! A small network over made-up images, lowered, for tests on the CPU engine.
//!
//! Pixels, labels and order follow from formulas that another language can
//! repeat, and all numbers are exact in f32, so that a run in f64 starts from
//! the same ones. (`tests/golden/golden.py` repeats them.)

use wgrad::Result;
use wgrad::internals::engine::Engine;
use wgrad::internals::kernel::{Augmentation, Slice};
use wgrad::internals::network::Network;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{
    Lowered, Lowering, Part, TRAIN, Training, lower, lower_unshared, words,
};
use wgrad::internals::program::Limits;
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::table::choice::Choice;

#[derive(Clone)]
pub struct Small {
    pub network: Network,
    pub loss: Loss,
    pub shape: Shape,
    pub classes: usize,
    pub batch: usize,
    pub parts: Vec<Part>,
    pub choice: Choice,
    pub rewrites: Rewrites,
    /// Whether buffers share memory.
    pub shared: bool,
    pub limits: Limits,
    pub augment: Augmentation,
    pub training: Training,
}

impl Small {
    /// Three classes, 2×2×3 images, seven of them to train on, six in a batch.
    pub fn new(network: &str, loss: Loss) -> Small {
        Small {
            network: network.parse().unwrap(),
            loss,
            shape: Shape::image(2, 2, 3),
            classes: 3,
            batch: 6,
            parts: vec![Part { name: TRAIN, samples: 7 }],
            choice: Choice::NAIVE,
            rewrites: Rewrites::ALL,
            shared: true,
            limits: Limits::WEBGPU,
            augment: Augmentation::default(),
            training: Training::default(),
        }
    }

    pub fn lower(&self) -> Result<Lowered> {
        let lower = if self.shared { lower } else { lower_unshared };
        lower(&Lowering {
            loss: self.loss,
            parts: self.parts.clone(),
            choice: self.choice,
            rewrites: self.rewrites,
            limits: self.limits,
            augment: self.augment,
            training: self.training.clone(),
            ..Lowering::new(&self.network, &self.shape, self.classes, self.batch)
        })
    }

    /// Puts data and parameters into an engine that runs `lowered`.
    pub fn fill(&self, lowered: &Lowered, parameters: &[f32], engine: &mut dyn Engine) {
        for part in &lowered.parts {
            let images: Vec<u32> = (0..part.samples).flat_map(|sample| self.image(sample)).collect();
            let labels: Vec<u32> = (0..part.samples).map(|sample| self.label(sample)).collect();
            let order: Vec<u32> = (0..part.samples).map(|at| (part.samples - 1 - at) as u32).collect();
            engine.write(part.images, Slice::Uint(&images)).unwrap();
            engine.write(part.labels, Slice::Uint(&labels)).unwrap();
            engine.write(part.order, Slice::Uint(&order)).unwrap();
        }
        let channels = self.shape.channels;
        let scales = std::iter::repeat_n(1.0 / 64.0, channels);
        // An odd multiple of 1/128: no input is nearer to the kink of relu than that.
        let shifts = (0..channels).map(|channel| 0.25 * channel as f32 - 255.0 / 128.0);
        let normaliser: Vec<f32> = scales.chain(shifts).collect();
        engine.write(lowered.normaliser, Slice::Real(&normaliser)).unwrap();
        engine.write(lowered.parameters, Slice::Real(parameters)).unwrap();
    }

    fn label(&self, sample: usize) -> u32 {
        (sample * 5 % 7 % self.classes) as u32
    }

    /// One image as packed words; images a multiple of 256 apart differ as well.
    fn image(&self, sample: usize) -> Vec<u32> {
        let byte = |value: usize| {
            if value < self.shape.len() {
                (sample * 37 + sample / 100 * 3 + value * 59 + 11) % 256
            } else {
                0
            }
        };
        (0..words(&self.shape))
            .map(|word| u32::from_le_bytes(std::array::from_fn(|i| byte(word * 4 + i) as u8)))
            .collect()
    }
}
