//! Tests: a device that is lost in the middle of a run.

use std::collections::VecDeque;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wgrad::internals::data;
use wgrad::internals::engine::{Data, Engine, Ticket};
use wgrad::internals::error::DeviceFault;
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::program::View;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::run::{RunDir, RunRecord, Status, read_metrics};
use wgrad::internals::train::session::Session;
use wgrad::{Error, Result};

use super::{Every, Run, RunOptions};
use crate::app::cli::OnNan;
use crate::app::cli::custom::TIMEOUT;
use crate::app::commands::prepared::Prepared;

/// An engine that is lost after so many submissions.
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

/// A run of four epochs whose devices are lost after so many submissions each.
fn run(out: &Path, lifetimes: &[usize], quiet: bool) -> (PathBuf, Result<()>) {
    let recipe =
        Recipe { epochs: 4, device: "cpu".to_owned(), ..Recipe::defaults_for("digits", 64, 10, 1437) };
    let device = wgrad::internals::engine::adapter::choose("cpu").unwrap();
    let session = Session::new(recipe, data::load("digits").unwrap(), device).unwrap();
    let Prepared { session, lowered, .. } = Prepared::new(session, TIMEOUT).unwrap();
    let record = RunRecord::begin(&session.recipe, &session.dataset.digest, lowered.arena.count());
    let directory = RunDir::create(out, "digits").unwrap();
    let path = directory.path().to_owned();
    let lifetimes = std::cell::RefCell::new(lifetimes.iter().copied().collect::<VecDeque<_>>());
    let again = session.clone();
    let open = move || {
        let engine = again.device.open(lowered.program.clone())?;
        let left = lifetimes.borrow_mut().pop_front().unwrap_or(usize::MAX);
        again.open_on(Box::new(Lossy { engine, left }), lowered.clone())
    };
    let options = RunOptions {
        every: Every::Steps(7),
        keep: 2,
        on_nan: OnNan::Stop,
        verify: None,
        quiet,
        tensorboard: false,
        json: true,
    };
    let run = Run::new(open().unwrap(), Box::new(open), directory, record, &session, options).unwrap();
    (path, run.begin())
}

#[test]
fn a_lost_device_is_opened_again_and_the_run_goes_on_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (straight, ended) = run(folder.path(), &[], true);
    ended.unwrap();
    // In the middle of an epoch, at once after it was opened, and while the held-out part is measured.
    let (lossy, ended) = run(folder.path(), &[9, 0, 20, 3, 31], true);
    ended.unwrap();
    let model = |run: &Path| Model::load(run).unwrap().parameters;
    assert!(model(&straight) == model(&lossy));
    let losses = |run: &Path| {
        let events = read_metrics(run).unwrap();
        let losses = events.into_iter().filter_map(|event| match event {
            wgrad::internals::train::run::Event::Steps(steps) => Some(steps.losses),
            wgrad::internals::train::run::Event::Epoch(_) => None,
        });
        losses.flatten().collect::<Vec<f64>>()
    };
    assert_eq!(losses(&straight), losses(&lossy));
    assert_eq!(losses(&lossy).len(), 180);
    let record = RunRecord::load(&lossy).unwrap();
    assert_eq!((record.status, record.epochs, record.steps), (Status::Done, 4, 180));
}

#[test]
fn a_device_may_be_lost_while_the_coach_looks() {
    let folder = tempfile::tempdir().unwrap();
    let model = |lifetimes: &[usize]| {
        let (path, ended) = run(folder.path(), lifetimes, false);
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
fn a_device_that_is_lost_again_and_again_ends_the_run_with_the_way_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ended) = run(folder.path(), &[30, 1, 1, 1, 1, 1], true);
    let error = ended.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    let message = error.to_string();
    for word in
        ["the device was lost", "opened again 3 times", "wgrad train --resume", &path.display().to_string()]
    {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    let (checkpoint, _) = wgrad::internals::train::run::checkpoint::newest(&path).unwrap();
    assert!(checkpoint.snapshot.position.steps > 0);
    assert_eq!(RunRecord::load(&path).unwrap().status, Status::Failed);
}

#[test]
fn checkpoints_are_due_by_time_too() {
    assert!(Every::Time(Duration::ZERO).is_over(std::time::Instant::now()));
    assert!(!Every::Time(Duration::from_secs(3600)).is_over(std::time::Instant::now()));
    assert!(!Every::Steps(1).is_over(std::time::Instant::now()));
}
