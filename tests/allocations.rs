//! Memory is constant over a run on the CPU engine: a step allocates nothing, and epochs leave nothing behind.
//!
//! One test runs at a time, because allocations are counted over the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use wgrad::internals::bench::training::{NETWORKS, lowered, noise};
use wgrad::internals::data::Normaliser;
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::Step;
use wgrad::internals::network::lower::{Lowered, Lowering, Part, TRAIN, Training, lower};
use wgrad::internals::table::choice::Choice;
use wgrad::internals::train::trainer::{Settings, Trainer};

/// The system's allocator with a count of its calls.
struct Counting;

/// Held by the test that counts.
static ALONE: Mutex<()> = Mutex::new(());

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: all calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        LIVE_BYTES.fetch_add(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size() as i64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The number of allocations of an action.
fn allocations(action: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    action();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

const SAMPLES: usize = 128;
const BATCH: usize = 32;

/// Submissions that are compared, as a thread of the pool allocates at its first task, which may be late, and its queue
/// grows now and then.
const TRIES: usize = 10;

/// The fewest allocations of several submissions of `steps` steps.
fn of_steps(engine: &mut dyn Engine, lowered: &Lowered, steps: usize) -> u64 {
    let scalars: Vec<Step> =
        (0..steps).map(|slot| Step { slot: slot as u32, samples: BATCH as u32, ..Step::default() }).collect();
    let submit = |_| {
        allocations(|| {
            let section = lowered.program.section(TRAIN);
            let ticket = engine.submit(section, &scalars, lowered.report(1)).unwrap();
            engine.wait(ticket).unwrap();
        })
    };
    (0..TRIES).map(submit).min().unwrap()
}

/// The most allocations of a step.
///
/// Products reuse memory where the processor has the vector instructions for it; elsewhere the `gemm` crate allocates
/// for each.
fn most_of_a_step() -> u64 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        return 0;
    }
    64
}

/// Checks that a submission of many steps allocates as often as one of a single step, which allocates its result.
#[track_caller]
fn assert_steps_allocate_nothing(engine: &mut dyn Engine, lowered: &Lowered, network: &str) {
    let [one, many] = [1, 8].map(|steps| of_steps(engine, lowered, steps));
    assert!((1..=1 + most_of_a_step()).contains(&one), "{network}: {one} in a submission of one step");
    assert!(
        many <= one + 7 * most_of_a_step(),
        "{network}: {many} in a submission of 8 steps, {one} in one of 1"
    );
}

#[test]
fn the_plain_twins_of_a_dense_network_allocate_nothing_in_a_step() {
    let _alone = ALONE.lock().unwrap();
    let samples = noise(SAMPLES);
    let lowered =
        lowered(&Device::Cpu { reason: None }, Choice::NAIVE, NETWORKS[0].layers, BATCH, &samples).unwrap();
    // The twins of a plain dense network need no memory of their own.
    let mut plain = CpuEngine::plain(lowered.program.clone()).unwrap();
    assert_steps_allocate_nothing(&mut plain, &lowered, NETWORKS[0].name);
}

/// Networks and optimisers that use every fast function.
const KINDS: [(&str, &str); 7] = [
    ("dense 512, relu, dense 256, relu, dense 10", "adam"),
    ("conv 8 3x3 pad 1, batchnorm, relu, maxpool 2, conv 8 3x3 stride 2, silu, avgpool 2, dense 10", "lion"),
    ("dense 64, layernorm, gelu, dropout 0.5, dense 10", "rmsprop momentum 0.9 centred"),
    ("dense 64, leaky-relu, dense 32, tanh, dense 10", "muon"),
    (
        "conv 8 3x3 pad 1, residual { conv 8 3x3 pad 1, relu, conv 8 3x3 pad 1 }, globalavgpool, dense 10",
        "sgd momentum 0.9",
    ),
    ("dense 32, sigmoid, dense 10", "adagrad"),
    // A last layer of 30 inputs and its loss are two dispatches.
    ("dense 30, relu, dense 10", "sgd"),
];

#[test]
fn steps_of_every_kind_of_network_allocate_nothing() {
    let _alone = ALONE.lock().unwrap();
    let device = Device::Cpu { reason: None };
    let samples = noise(SAMPLES);
    for (layers, optimiser) in KINDS {
        let training = Training {
            clip_norm: Some(1.0),
            ema: Some(0.99),
            accumulate: 2,
            ..Training::with(optimiser.parse().unwrap())
        };
        let lowered = lower(&Lowering {
            parts: vec![Part { name: TRAIN, samples: samples.len() }],
            choice: device.choice(),
            limits: device.limits(),
            augment: "shift 2, rotate 10".parse().unwrap(),
            training,
            ..Lowering::new(&layers.parse().unwrap(), &samples.shape, 10, BATCH / 2)
        });
        let lowered = lowered.unwrap();
        let mut fast = CpuEngine::fast(lowered.program.clone()).unwrap();
        assert_steps_allocate_nothing(&mut fast, &lowered, layers);
    }
}

#[test]
fn no_step_allocates_and_epochs_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap();
    let device = Device::Cpu { reason: None };
    for network in &NETWORKS {
        let samples = noise(SAMPLES);
        let lowered = lowered(&device, device.choice(), network.layers, BATCH, &samples).unwrap();
        let mut fast = CpuEngine::fast(lowered.program.clone()).unwrap();
        assert_steps_allocate_nothing(&mut fast, &lowered, network.name);

        let mut trainer = trainer(fast, lowered, &samples);
        // The smaller of the last two epochs, as the queue of another thread may have grown by a block.
        let mut live = |epochs: usize| {
            let mut after_each = (0..epochs).map(|_| {
                let end = trainer.steps() + SAMPLES / BATCH;
                while trainer.steps() < end {
                    trainer.advance(usize::MAX, &mut |_| ControlFlow::Continue(())).unwrap();
                }
                LIVE_BYTES.load(Ordering::Relaxed)
            });
            let skipped = epochs - 2;
            after_each.by_ref().take(skipped).for_each(drop);
            after_each.min().unwrap_or_default()
        };
        // Submissions grow while they are fast, and with them their buffers: not for ever, as what is left behind would. A
        // word for each of the steps of eight epochs would be 256 bytes.
        let mut before = live(2);
        let settled = (0..8).any(|_| {
            let after = live(10);
            let grown = std::mem::replace(&mut before, after).abs_diff(after);
            grown < 256
        });
        assert!(
            settled,
            "{before} bytes in use after 82 epochs of {}, and more after each ten",
            network.name
        );
    }
}

fn trainer(engine: CpuEngine<f32>, lowered: Lowered, samples: &wgrad::internals::data::Samples) -> Trainer {
    let parameters = lowered.arena.initial_values(0);
    let normaliser = Normaliser::of(samples);
    let settings = Settings::new(1e-4, 0);
    let mut trainer = Trainer::new(Box::new(engine), lowered, settings, &parameters, &normaliser).unwrap();
    trainer.load(TRAIN, samples).unwrap();
    trainer
}
