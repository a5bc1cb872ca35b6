//! Training steps of dense and convolutional networks on noise of MNIST's size, on the CPU engine
//! and on every adapter: steps per second, the time of each dispatch of a step, and the time outside
//! the device's compute passes.
//!
//!     cargo bench --bench step [-- WORD… --quick]
//!
//! Words choose among networks and devices: `-- 784-128-10 llvmpipe`. `--quick`
//! takes a tenth of the images.

mod common;

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::Options;
use wgrad::Result;
use wgrad::internals::bench::machine::{devices, title};
use wgrad::internals::bench::training::{NETWORKS as REFERENCE, lowered, noise};
use wgrad::internals::data::{Normaliser, Samples};
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::engine::stopwatch::{Seconds, time};
use wgrad::internals::engine::{Data, Engine, Ticket};
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::network::lower::{Lowered, TRAIN};
use wgrad::internals::program::View;
use wgrad::internals::train::trainer::{Settings, Trainer};

/// Name, network, batch.
const NETWORKS: [(&str, &str, usize); 3] = [
    ("784-128-10, batch 64", REFERENCE[0].layers, 64),
    ("conv 16, conv 32, 128-10, batch 128", REFERENCE[1].layers, 128),
    ("784-512-256-10, batch 128", "dense 512, relu, dense 256, relu, dense 10", 128),
];

/// Plain SGD.
const SETTINGS: Settings = Settings::new(0.01, 0);

/// Epochs that are measured, after one that finds the pace.
const EPOCHS: usize = 3;

fn main() {
    let options = Options::from_args();
    let samples = noise(if options.quick { 6_000 } else { 60_000 });
    for (name, network, batch) in NETWORKS {
        for (at, device) in devices().iter().enumerate() {
            if options.wants(&format!("{name} {}", device.name())) {
                println!("\n{name} on {}", title(device));
                let mut bench = Bench::start(at, network, batch, &samples);
                bench.train(&samples);
                bench.break_down(&options);
            }
        }
    }
}

/// An engine that the trainer and the bench both hold, and never at once.
struct Shared(Arc<Mutex<dyn Engine>>);

impl Engine for Shared {
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
        self.0.lock().unwrap().write(to, data)
    }
    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
        self.0.lock().unwrap().submit(steps, scalars, result)
    }
    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
        self.0.lock().unwrap().wait(ticket)
    }
    fn read(&mut self, from: View) -> Result<Data> {
        self.0.lock().unwrap().read(from)
    }
}

struct Bench {
    engine: Arc<Mutex<dyn Engine>>,
    /// The same engine, if it is a GPU engine.
    gpu: Option<Arc<Mutex<GpuEngine>>>,
    lowered: Lowered,
    trainer: Trainer,
    epochs: usize,
}

impl Bench {
    /// Opens the device of this number and trains one epoch.
    fn start(number: usize, network: &str, batch: usize, samples: &Samples) -> Bench {
        let begun = Instant::now();
        let device = devices().swap_remove(number);
        let lowered = lowered(&device, device.choice(), network, batch, samples).unwrap();
        let (engine, gpu) = open(&device, &lowered);
        let shared = Box::new(Shared(Arc::clone(&engine)));
        let parameters = lowered.arena.initial_values(0);
        let normaliser = Normaliser::of(samples);
        let mut trainer = Trainer::new(shared, lowered.clone(), SETTINGS, &parameters, &normaliser).unwrap();
        trainer.load(TRAIN, samples).unwrap();
        let mut first = None;
        trainer.epoch(1, &mut |_| _ = first.get_or_insert(begun.elapsed())).unwrap();
        println!(
            "  {:.3} s from listing adapters to the first finished step, with {} images in memory at the start",
            first.expect("an epoch has steps").as_secs_f64(),
            samples.len()
        );
        Bench { engine, gpu, lowered, trainer, epochs: 1 }
    }

    fn clock(&self) -> Option<f64> {
        self.gpu.as_ref().and_then(|gpu| gpu.lock().unwrap().device_seconds())
    }

    /// Whole epochs: shuffling, submissions in flight, and metrics read back.
    fn train(&mut self, samples: &Samples) {
        let (mut walls, mut outside) = (Vec::new(), Vec::new());
        for _ in 0..EPOCHS {
            self.epochs += 1;
            let (start, clock) = (Instant::now(), self.clock());
            self.trainer.epoch(self.epochs, &mut |_| {}).unwrap();
            let wall = start.elapsed().as_secs_f64();
            walls.push(wall);
            outside.extend(clock.zip(self.clock()).map(|(before, after)| 1.0 - (after - before) / wall));
        }
        let wall = Seconds::of(walls);
        let per_second = |count: usize, seconds| count as f64 / seconds;
        let steps = self.trainer.steps_per_epoch();
        println!(
            "  {:.0} steps/s, {:.0} samples/s (median of {EPOCHS} epochs; best {:.0} steps/s)",
            per_second(steps, wall.median),
            per_second(samples.len(), wall.median),
            per_second(steps, wall.least),
        );
        if !outside.is_empty() {
            let fraction = Seconds::of(outside).median;
            println!("  {:.1} % of the time outside kernels and barriers", fraction * 100.0);
        }
    }

    /// Every dispatch of a step on its own, repeated.
    fn break_down(&mut self, options: &Options) {
        let Lowered { program, batch, .. } = &self.lowered;
        let samples = self.lowered.part(TRAIN).expect("lowered for training").samples;
        // Other samples each time, as in training; the parameters don't change.
        let step = |at: usize| Step {
            first: (at * batch % (samples - batch)) as u32,
            samples: *batch as u32,
            ..Step::default()
        };
        let measure = |range| {
            let mut engine = self.engine.lock().unwrap();
            time(&mut *engine, range, self.lowered.metrics(1), &step, options.effort()).unwrap().median
        };
        let section = program.section(TRAIN);
        let each: Vec<f64> = section.clone().map(|at| measure(at..at + 1)).collect();
        let (sum, whole) = (each.iter().sum::<f64>(), measure(section.clone()));
        println!("  {:>9} {:>6} {:>8}  dispatch", "µs", "% time", "GFLOP/s");
        for (dispatch, seconds) in program.steps[section].iter().zip(each) {
            let flops = (dispatch.kernel.flops)(&dispatch.consts) as f64;
            println!(
                "  {:>9.1} {:>5.1}% {:>8.2}  {}: {}",
                seconds * 1e6,
                seconds / sum * 100.0,
                flops / seconds * 1e-9,
                dispatch.kernel.name,
                dispatch.label()
            );
        }
        println!("  {:>9.1}  total; {:.1} as a whole step", sum * 1e6, whole * 1e6);
    }
}

type Opened = (Arc<Mutex<dyn Engine>>, Option<Arc<Mutex<GpuEngine>>>);

fn open(device: &Device, lowered: &Lowered) -> Opened {
    let program = lowered.program.clone();
    match device {
        Device::Cpu { .. } => (Arc::new(Mutex::new(CpuEngine::fast(program).unwrap())), None),
        Device::Gpu(adapter) => {
            let gpu = GpuEngine::with_timing(adapter, program, Checks::Off).unwrap();
            let gpu = Arc::new(Mutex::new(gpu));
            (gpu.clone(), Some(gpu))
        }
    }
}
