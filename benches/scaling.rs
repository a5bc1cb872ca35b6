//! The growth of time with the work, against linear growth: 1 to 16 times the samples, layers and
//! epochs, on the CPU engine and on every adapter.
//!
//!     cargo bench --bench scaling [-- WORD… --quick]
//!
//! Words choose devices and dimensions: `-- layers llvmpipe`. `--quick` takes fewer rounds, and up
//! to 4 times the work.
//!
//! Sizes take turns, so that other load on the machine meets all of them. For layers the work is that of a step in the
//! kernel table, because the first and the last layer take other times.

mod common;

use std::time::Instant;

use common::Options;
use wgrad::internals::bench::machine::{devices, title};
use wgrad::internals::bench::training::{lowered, noise};
use wgrad::internals::data::{Normaliser, Samples};
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::stopwatch::Seconds;
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::train::trainer::{Settings, Trainer};

const FACTORS: [usize; 5] = [1, 2, 4, 8, 16];
/// The samples of a run of factor 1.
const SAMPLES: usize = 2_048;
const BATCH: usize = 64;
const NETWORK: &str = "dense 128, relu, dense 10";

/// The dimension that grows.
#[derive(Clone, Copy, Debug)]
enum Growing {
    Samples,
    Layers,
    Epochs,
}

fn main() {
    let options = Options::from_args();
    let factors = &FACTORS[..if options.quick { 3 } else { FACTORS.len() }];
    for device in devices() {
        for growing in [Growing::Samples, Growing::Layers, Growing::Epochs] {
            if options.wants(&format!("{growing:?} {}", device.name())) {
                measure(&device, growing, factors, options.effort().1);
            }
        }
    }
}

/// A network that is trained for a number of epochs at a time.
struct Runner {
    trainer: Trainer,
    /// Operations and epochs of one measurement.
    work: f64,
    epochs: usize,
    done: usize,
}

impl Runner {
    fn new(device: &Device, growing: Growing, factor: usize) -> Runner {
        let (mut samples, mut network, mut epochs) = (SAMPLES, NETWORK.to_owned(), 1);
        match growing {
            Growing::Samples => samples *= factor,
            Growing::Layers => network = format!("{}dense 10", "dense 256, relu, ".repeat(factor)),
            Growing::Epochs => epochs *= factor,
        }
        let samples = noise(samples);
        let lowered = lowered(device, device.choice(), &network, BATCH, &samples).unwrap();
        let steps = (samples.len() / BATCH * epochs) as f64;
        Runner { work: flops(&lowered) * steps, trainer: start(device, lowered, &samples), epochs, done: 0 }
    }

    /// Seconds of its epochs.
    fn run(&mut self) -> f64 {
        let begun = Instant::now();
        for _ in 0..self.epochs {
            self.done += 1;
            self.trainer.epoch(self.done, &mut |_| {}).unwrap();
        }
        begun.elapsed().as_secs_f64()
    }
}

fn flops(lowered: &Lowered) -> f64 {
    let steps = &lowered.program.steps[lowered.program.section(TRAIN)];
    steps.iter().map(|dispatch| (dispatch.kernel.flops)(&dispatch.consts) as f64).sum()
}

fn start(device: &Device, lowered: Lowered, samples: &Samples) -> Trainer {
    let engine = device.open(lowered.program.clone()).unwrap();
    let parameters = lowered.arena.initial_values(0);
    let normaliser = Normaliser::of(samples);
    let mut trainer =
        Trainer::new(engine, lowered, Settings::new(1e-4, 0), &parameters, &normaliser).unwrap();
    trainer.load(TRAIN, samples).unwrap();
    trainer
}

fn measure(device: &Device, growing: Growing, factors: &[usize], rounds: usize) {
    println!("\n{growing:?} on {}", title(device));
    println!("  {:>6} {:>12} {:>12} {:>8} {:>10}", "times", "ms median", "ms least", "work", "to linear");
    let mut runners: Vec<Runner> =
        factors.iter().map(|factor| Runner::new(device, growing, *factor)).collect();
    // The first run finds the pace, and some drivers compile in it.
    runners.iter_mut().for_each(|runner| _ = runner.run());
    let mut times = vec![Vec::new(); runners.len()];
    for _ in 0..rounds {
        for (runner, times) in runners.iter_mut().zip(&mut times) {
            times.push(runner.run());
        }
    }
    let times: Vec<Seconds> = times.into_iter().map(Seconds::of).collect();
    for ((factor, runner), seconds) in factors.iter().zip(&runners).zip(&times) {
        let work = runner.work / runners[0].work;
        println!(
            "  {factor:>6} {:>12.2} {:>12.2} {work:>8.2} {:>10.2}",
            seconds.median * 1e3,
            seconds.least * 1e3,
            seconds.median / times[0].median / work
        );
    }
}
