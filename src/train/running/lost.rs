//! Tests: a device that is lost in the middle of a run.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Ended, Every, Run, RunOptions, Silent, Trained};
use crate::data;
use crate::engine::adapter::choose;
use crate::engine::{Data, Engine, Ticket};
use crate::error::{DeviceFault, Error, Result};
use crate::kernel::{Slice, Step};
use crate::program::View;
use crate::train::recipe::Recipe;
use crate::train::run::model::Model;
use crate::train::run::{Event, RunDir, RunRecord, Status, checkpoint, read_metrics};
use crate::train::session::Session;

/// An engine that is lost after `left` submissions.
struct Lossy {
    engine: Box<dyn Engine>,
    left: usize,
}

impl Engine for Lossy {
    fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
        self.engine.write(to, data)
    }

    fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
        self.left = self
            .left
            .checked_sub(1)
            .ok_or(Error::Device(DeviceFault::Lost, "the device was lost".to_owned()))?;
        self.engine.submit(steps, scalars, result)
    }

    fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
        self.engine.wait(ticket)
    }

    fn read(&mut self, from: View) -> Result<Data> {
        self.engine.read(from)
    }
}

/// A run of four epochs whose devices are lost after these submissions.
fn run(out: Option<&Path>, lifetimes: &[usize], coach: bool) -> (PathBuf, Result<Trained>) {
    let recipe =
        Recipe { epochs: 4, device: "cpu".to_owned(), ..Recipe::defaults_for("digits", 64, 10, 1437) };
    let session = Session::new(recipe, data::load("digits").unwrap(), choose("cpu").unwrap()).unwrap();
    let lowered = session.lower().unwrap();
    let record = session.record(&lowered);
    let lifetimes = RefCell::new(lifetimes.iter().copied().collect::<VecDeque<_>>());
    let open = || {
        let engine = session.device.open(lowered.program.clone())?;
        let left = lifetimes.borrow_mut().pop_front().unwrap_or(usize::MAX);
        session.open_on(Box::new(Lossy { engine, left }), lowered.clone())
    };
    let options = RunOptions { every: Every::Steps(7), coach, ..RunOptions::default() };
    let run = Run::new(open().unwrap(), Box::new(open), &session.recipe, record, options).unwrap();
    match out {
        None => (PathBuf::new(), run.begin(&mut Silent)),
        Some(out) => {
            let directory = RunDir::create(out, "digits").unwrap();
            (directory.path().to_owned(), run.in_directory(directory).begin(&mut Silent))
        }
    }
}

#[test]
fn a_run_on_a_lost_device_reopens_it_and_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (straight, ended) = run(Some(folder.path()), &[], false);
    ended.unwrap();
    // In the middle of an epoch, at once after it was opened, and while the held-out part is measured.
    let (lossy, ended) = run(Some(folder.path()), &[9, 0, 20, 3, 31], false);
    ended.unwrap();
    let model = |run: &Path| Model::load(run).unwrap();
    assert!(model(&straight) == model(&lossy));
    // A run in memory has the same bits.
    for lifetimes in [&[][..], &[9, 0, 20, 3, 31]] {
        let trained = run(None, lifetimes, false).1.unwrap();
        assert!(trained.model == model(&straight));
        assert_eq!((trained.epochs, trained.trainer.steps(), trained.ended), (4, 180, Ended::AllEpochs));
    }
    let losses = |run: &Path| {
        let events = read_metrics(run).unwrap().events;
        let losses = events.into_iter().filter_map(|event| match event {
            Event::Steps(steps) => Some(steps.losses),
            Event::Epoch(_) => None,
        });
        losses.flatten().collect::<Vec<f64>>()
    };
    assert_eq!(losses(&straight), losses(&lossy));
    assert_eq!(losses(&lossy).len(), 180);
    let record = RunRecord::load(&lossy).unwrap();
    assert_eq!((record.status, record.epochs, record.steps), (Status::Done, 4, 180));
}

#[test]
fn a_device_may_be_lost_while_the_coach_observes() {
    let folder = tempfile::tempdir().unwrap();
    let model = |lifetimes: &[usize]| {
        let (path, ended) = run(Some(folder.path()), lifetimes, true);
        ended.unwrap();
        Model::load(&path).unwrap().parameters
    };
    let straight = model(&[]);
    // An epoch takes some forty submissions: about half of them for measuring and the coach.
    for lifetime in (1..60).step_by(3) {
        assert!(model(&[lifetime]) == straight, "lost after {lifetime} submissions");
    }
}

#[test]
fn a_device_lost_four_times_without_a_checkpoint_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ended) = run(Some(folder.path()), &[30, 1, 1, 1, 1, 1], false);
    let Err(Error::Device(DeviceFault::Lost, message)) = ended.map(|_| ()) else { panic!("it was lost") };
    assert!(message.contains("the device was lost") && message.contains("opened again 3 times"), "{message}");
    let (checkpoint, _) = checkpoint::newest(&path).unwrap();
    assert!(checkpoint.snapshot.position.steps > 0);
    assert_eq!(RunRecord::load(&path).unwrap().status, Status::Failed);
}

#[test]
fn checkpoints_are_due_by_time_too() {
    assert!(Every::Time(Duration::ZERO).is_over(std::time::Instant::now()));
    assert!(!Every::Time(Duration::from_secs(3600)).is_over(std::time::Instant::now()));
    assert!(!Every::Steps(1).is_over(std::time::Instant::now()));
}
