//! The trainer gives the same bits however steps are grouped or resumed.

use std::ops::{ControlFlow, Range};

use wgrad::Result;
use wgrad::internals::data::{self, Dataset};
use wgrad::internals::engine::adapter::choose;
use wgrad::internals::engine::{Data, Engine, Ticket};
use wgrad::internals::kernel::{Access, Slice, Step};
use wgrad::internals::program::View;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::checkpoint::{Checkpoint, RunState};
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::{Measure, Progress, Snapshot, Trainer};

use crate::dispatches::{first_with, in_arena};

/// A session of seven steps per epoch; the last batch is short.
fn session(device: &str, learning_rate: f32) -> Session {
    session_of("dense 16, relu, dense 10", device, learning_rate)
}

fn session_of(network: &str, device: &str, learning_rate: f32) -> Session {
    let digits = data::load("digits").unwrap();
    let indices: Vec<usize> = (0..200).collect();
    let dataset = Dataset { train: digits.train.subset(&indices), ..digits };
    let recipe = Recipe {
        network: network.parse().unwrap(),
        learning_rate,
        // Drawn for every epoch and sample, and the same in a resumed run.
        augment: "shift 1, rotate 10".parse().unwrap(),
        ..Recipe::defaults_for("digits", 64, 10, 200)
    };
    Session::new(recipe, dataset, choose(device).unwrap()).unwrap()
}

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Trains up to a step, and returns the measures of its epochs.
fn train_to(trainer: &mut Trainer, end: usize) -> Vec<Measure> {
    let mut epochs = Vec::new();
    while trainer.steps() < end {
        epochs.extend(trainer.advance(end - trainer.steps(), &mut go_on).unwrap());
    }
    epochs
}

const END: usize = 18;

fn assert_resumable(network: &str, device: &str) {
    let session = session_of(network, device, 0.05);
    let mut straight = session.start().unwrap();
    let epochs = train_to(&mut straight, END);
    let last = straight.snapshot().unwrap();
    assert_eq!((last.position.epoch, last.position.step, epochs.len()), (3, 4, 2));

    // One step at a time, with a checkpoint after each.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let mut slow = session.start().unwrap();
    let mut resumed = session.start().unwrap();
    for step in 0..END {
        let snapshot = slow.snapshot().unwrap();
        let saved = Checkpoint::new(snapshot, RunState::default(), &session.recipe, &session.dataset.digest);
        saved.save(&path).unwrap();
        let loaded = Checkpoint::load(&path).unwrap();
        assert_eq!(loaded, saved);
        resumed.restore(&loaded.snapshot).unwrap();
        let ended = train_to(&mut resumed, END);
        let what = resumed.snapshot().unwrap().difference(&last);
        assert_eq!(what, None, "from step {step}");
        // An interrupted epoch has the same measure.
        assert_eq!(ended, epochs[epochs.len() - ended.len()..], "from step {step}");
        train_to(&mut slow, step + 1);
    }
    assert_eq!(slow.snapshot().unwrap().difference(&last), None);

    // The comparison can fail: after another step the bits differ.
    train_to(&mut slow, END + 1);
    assert!(slow.snapshot().unwrap().difference(&last).is_some());
}

#[test]
fn the_cpu_engine_resumes_from_any_step_with_the_same_bits() {
    assert_resumable("dense 16, relu, dense 10", "cpu");
}

#[test]
fn the_adapter_resumes_from_any_step_with_the_same_bits() {
    assert_resumable("dense 16, relu, dense 10", "gpu");
}

#[test]
fn running_statistics_and_dropout_resume_as_well() {
    for device in ["cpu", "gpu"] {
        assert_resumable("dense 16, batchnorm, relu, dropout 0.25, dense 10", device);
    }
}

#[test]
fn stopping_between_submissions_loses_no_step() {
    let session = session("cpu", 0.05);
    let mut straight = session.start().unwrap();
    train_to(&mut straight, END);
    let mut paused = session.start().unwrap();
    let mut seen = Vec::new();
    while paused.steps() < END {
        let most = END - paused.steps();
        let mut observe = |progress: Progress| {
            seen.extend(progress.losses.to_vec());
            assert_eq!(progress.losses.len(), progress.norms.len());
            ControlFlow::Break(())
        };
        paused.advance(most, &mut observe).unwrap();
    }
    assert_eq!(seen.len(), END, "every step was reported once");
    assert_eq!(paused.snapshot().unwrap().difference(&straight.snapshot().unwrap()), None);
}

/// A learning rate with which the second step overflows.
const WILD: f32 = 1e30;

fn assert_guarded(device: &str) {
    let session = session(device, WILD);
    let mut one = session.start().unwrap();
    train_to(&mut one, 1);
    let good = one.snapshot().unwrap();
    assert_eq!(good.non_finite(), None);
    let mut wild = session.start().unwrap();
    let error = wild.advance(usize::MAX, &mut go_on).unwrap_err();
    assert_eq!(error.exit_code(), 5);
    let message = error.to_string();
    for word in [
        "the loss became",
        "step 2 of epoch 1",
        "changed no weight",
        "the first non-finite value was 2 dense.y[",
        "2 dense: weighted sums",
        "the sample is number",
        "the norm of the gradients was",
    ] {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    // Neither the non-finite step nor those submitted after it changed a bit.
    assert_eq!(wild.snapshot().unwrap().difference(&good), None);
    // The guard is open again: it stops at the same step, and not before.
    wild.restore(&good).unwrap();
    assert_eq!(
        wild.advance(1, &mut go_on).unwrap_err().to_string().split(" at ").next(),
        message.split(" at ").next()
    );
}

#[test]
fn a_non_finite_update_is_never_applied_on_the_cpu_engine() {
    assert_guarded("cpu");
}

#[test]
fn a_non_finite_update_is_never_applied_on_the_adapter() {
    assert_guarded("gpu");
}

#[test]
fn an_overflow_is_traced_to_its_sample_or_weight() {
    // With this weight the sum overflows for a single bright pixel.
    let session = session("cpu", 0.01);
    let mut trainer = session.start().unwrap();
    let mut snapshot: Snapshot = trainer.snapshot().unwrap();
    let Data::Real(weights) = &mut snapshot.tensors[0].data else { panic!("weights are numbers") };
    weights.iter_mut().for_each(|weight| *weight *= 1e38);
    trainer.restore(&snapshot).unwrap();
    let message = trainer.advance(1, &mut go_on).unwrap_err().to_string();
    for word in ["dense", "it was the first step", "step 1 of epoch 1"] {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    let mut weight = snapshot.clone();
    let Data::Real(weights) = &mut weight.tensors[0].data else { panic!("weights are numbers") };
    weights[5] = f32::INFINITY;
    trainer.restore(&weight).unwrap();
    let message = trainer.advance(1, &mut go_on).unwrap_err().to_string();
    assert!(message.contains("0.weight[5] = inf, in the update before"), "{message}");
}

fn assert_verified(device: &str) {
    let session = session(device, 0.05);
    let mut plain = session.start().unwrap();
    train_to(&mut plain, 9);
    let mut verified = session.start().unwrap();
    let mut losses = 0;
    while verified.steps() < 9 {
        verified
            .verify(&mut |progress| {
                losses += progress.losses.len();
                ControlFlow::Continue(())
            })
            .unwrap();
    }
    assert_eq!(losses, 9);
    assert_eq!(verified.snapshot().unwrap().difference(&plain.snapshot().unwrap()), None);
}

#[test]
fn a_verified_step_has_the_same_bits_on_the_cpu_engine() {
    assert_verified("cpu");
}

#[test]
fn a_verified_step_has_the_same_bits_on_the_adapter() {
    assert_verified("gpu");
}

/// An engine whose weight gradient is wrong when it runs alone.
struct Broken {
    engine: Box<dyn Engine>,
    dispatch: usize,
    output: View,
}

impl Engine for Broken {
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
        self.engine.write(to, data)
    }

    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
        let broken = steps == (self.dispatch..self.dispatch + 1);
        let ticket = self.engine.submit(steps, scalars, result)?;
        if broken {
            let Data::Real(mut values) = self.engine.read(self.output)? else {
                panic!("gradients are numbers")
            };
            values[3] += 0.01;
            self.engine.write(self.output, Slice::Real(&values))?;
        }
        Ok(ticket)
    }

    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
        self.engine.wait(ticket)
    }

    fn read(&mut self, from: View) -> Result<Data> {
        self.engine.read(from)
    }
}

#[test]
fn verify_names_a_wrong_kernel() {
    let session = session("cpu", 0.05);
    let lowered = session.lower().unwrap();
    let output = in_arena(lowered.gradients, &lowered, "2.weight");
    let dispatch = first_with(&lowered, Access::Write, output);
    let engine = session.device.open(lowered.program.clone()).unwrap();
    let mut trainer = session.open_on(Box::new(Broken { engine, dispatch, output }), lowered).unwrap();
    train_to(&mut trainer, 2);
    let error = trainer.verify(&mut go_on).unwrap_err();
    assert_eq!(error.exit_code(), 6);
    for word in ["step 3 of the run", "weight_gradient", "2 dense: weight and bias gradient", "dweight[3] is"]
    {
        assert!(error.to_string().contains(word), "“{word}” is not in “{error}”");
    }
}

#[test]
fn a_snapshot_of_another_network_is_refused() {
    let small = session("cpu", 0.05);
    let recipe = Recipe { network: "dense 8, relu, dense 10".parse().unwrap(), ..small.recipe.clone() };
    let other = Session { recipe, ..small.clone() };
    let snapshot = other.start().unwrap().snapshot().unwrap();
    let mut trainer = small.start().unwrap();
    let before = trainer.snapshot().unwrap();
    let error = trainer.restore(&snapshot).unwrap_err();
    assert!(error.to_string().contains("another network or optimiser"), "{error}");
    let mut beyond = before.clone();
    beyond.position.step = 7;
    let error = trainer.restore(&beyond).unwrap_err();
    assert!(error.to_string().contains("an epoch has 7"), "{error}");
    assert_eq!(trainer.snapshot().unwrap(), before);
}
