//! Memory is constant over a run on the CPU engine: a step allocates nothing but what the crates for
//! products and threads do, and epochs leave nothing behind. One test runs at a time, because the whole process counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use wgrad::bench::training::{NETWORKS, lowered, noise};
use wgrad::data::Normaliser;
use wgrad::engine::Engine;
use wgrad::engine::adapter::Device;
use wgrad::engine::cpu::CpuEngine;
use wgrad::kernel::Step;
use wgrad::lower::{Lowered, TRAIN};
use wgrad::record::Versions;
use wgrad::train::{Settings, Trainer};

/// The system's allocator, with a count of what it is asked for.
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

/// How often something allocates.
fn allocations(action: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    action();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

const SAMPLES: usize = 128;
const BATCH: usize = 32;

/// Twice what gemm and rayon take for a step of the convolutional network, on two cores.
const MOST_IN_A_STEP: u64 = 52;

/// Allocations of so many steps more in a submission.
fn of_steps_more(engine: &mut dyn Engine, lowered: &Lowered, more: usize) -> u64 {
    let scalars: Vec<Step> =
        (0..=more).map(|slot| Step { slot: slot as u32, samples: BATCH as u32, ..Step::default() }).collect();
    let mut submit = |steps: usize| {
        allocations(|| {
            let section = lowered.program.section(TRAIN);
            let ticket = engine.submit(section, &scalars[..steps], lowered.report(1)).unwrap();
            engine.wait(ticket).unwrap();
        })
    };
    // Threads and their memory are made in the first steps.
    submit(more);
    let (all, one) = (submit(more + 1), submit(1).min(submit(1)));
    println!("{more} steps more: {all} allocations against {one}");
    all.saturating_sub(one)
}

/// Three times the steps allocate three times as often at the most, so that none does more than those before.
/// What remains is what crates do within a product; threads add blocks to their queues now and then.
#[track_caller]
fn assert_flat(engine: &mut dyn Engine, lowered: &Lowered, steps: usize, network: &str) {
    let (few, many) = (of_steps_more(engine, lowered, steps), of_steps_more(engine, lowered, 3 * steps));
    assert!(few <= MOST_IN_A_STEP * steps as u64, "{network}: {few} allocations of {steps} steps");
    assert!(many <= 3 * few + 4, "{network}: {few} allocations of {steps} steps, {many} of three times that");
}

#[test]
fn the_engine_itself_allocates_nothing_in_a_step() {
    let _alone = ALONE.lock().unwrap();
    let samples = noise(SAMPLES);
    let lowered =
        lowered(&Device::Cpu { reason: None }, Versions::NAIVE, NETWORKS[0].layers, BATCH, &samples).unwrap();
    // The twins of a dense network need no memory of their own.
    let mut plain = CpuEngine::plain(lowered.program.clone()).unwrap();
    assert_eq!(of_steps_more(&mut plain, &lowered, 5), 0);
}

#[test]
fn no_step_allocates_more_than_another_and_epochs_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap();
    for network in &NETWORKS {
        let samples = noise(SAMPLES);
        let lowered =
            lowered(&Device::Cpu { reason: None }, Versions::NAIVE, network.layers, BATCH, &samples).unwrap();
        let mut fast = CpuEngine::fast(lowered.program.clone()).unwrap();
        assert_flat(&mut fast, &lowered, 5, network.name);

        let mut trainer = trainer(fast, lowered, &samples);
        let mut live = |epochs: usize| {
            let end = trainer.steps() + epochs * SAMPLES / BATCH;
            while trainer.steps() < end {
                trainer.advance(usize::MAX, &mut |_| ControlFlow::Continue(())).unwrap();
            }
            LIVE_BYTES.load(Ordering::Relaxed)
        };
        let (two, ten) = (live(2), live(8));
        // A word for each of these steps would be 256 bytes; queues of other threads may grow by less.
        let name = network.name;
        assert!(two.abs_diff(ten) < 256, "{two} bytes in use after two epochs of {name}, {ten} after ten");
    }
}

fn trainer(engine: CpuEngine<f32>, lowered: Lowered, samples: &wgrad::data::Samples) -> Trainer {
    let parameters = lowered.arena.initial_values(0);
    let normaliser = Normaliser::of(samples);
    let settings = Settings::new(1e-4, 0);
    let mut trainer = Trainer::new(Box::new(engine), lowered, settings, &parameters, &normaliser).unwrap();
    trainer.load(TRAIN, samples).unwrap();
    trainer
}
