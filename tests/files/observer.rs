//! A run in memory, as a program embeds it.

use wgrad::internals::train::recipe::OnNan;
use wgrad::internals::train::running::{Ended, RunOptions, Silent, Trained};
use wgrad::{Dataset, Device, EpochReport, Error, Observer, Progress, Recipe, Result, Session};

fn session(change: impl FnOnce(Recipe) -> Recipe) -> Session {
    let digits = Dataset::load("digits").unwrap();
    let recipe = change(Recipe { epochs: 4, ..Recipe::for_data(&digits) });
    Session::new(recipe, digits, Device::choose("cpu").unwrap()).unwrap()
}

fn run(session: &Session, options: RunOptions, observer: &mut dyn Observer) -> Result<Trained> {
    let lowered = session.lower()?;
    let trainer = session.open(lowered.clone())?;
    session.run(trainer, &lowered, session.record(&lowered), options)?.begin(observer)
}

/// Counts steps and epochs, and ends the run after `most` epochs.
#[derive(Default)]
struct Watch {
    steps: usize,
    epochs: Vec<usize>,
    notes: Vec<String>,
    most: Option<usize>,
}

impl Observer for Watch {
    fn progress(&mut self, progress: &Progress) {
        self.steps += progress.losses.len();
    }

    fn epoch(&mut self, report: &EpochReport) {
        assert!(report.held_out.loss.is_finite() && report.validation.is_none());
        self.epochs.push(report.epoch);
    }

    fn note(&mut self, sentence: &str) {
        self.notes.push(sentence.to_owned());
    }

    fn stop(&mut self) -> bool {
        self.most.is_some_and(|most| self.epochs.len() >= most)
    }
}

#[test]
fn an_observer_gets_every_step_and_epoch() {
    let mut watch = Watch::default();
    let trained = session(|recipe| recipe).train(&mut watch).unwrap();
    assert_eq!((trained.ended, trained.epochs, watch.epochs), (Ended::AllEpochs, 4, vec![1, 2, 3, 4]));
    assert_eq!((watch.steps, trained.trainer.steps()), (180, 180));
    assert_eq!(trained.epoch.unwrap().epoch, 4);
}

#[test]
fn an_observer_can_end_a_run() {
    let mut watch = Watch { most: Some(2), ..Watch::default() };
    let mut trained = session(|recipe| recipe).train(&mut watch).unwrap();
    assert_eq!((trained.ended, trained.epochs, trained.trainer.steps()), (Ended::ByObserver, 2, 90));
    assert!(trained.model == trained.trainer.to_model().unwrap());
}

#[test]
fn early_stopping_gives_the_model_of_the_best_epoch() {
    let session = session(|recipe| Recipe {
        epochs: 40,
        stop_early: Some("train-loss patience 1 min-delta 0.2".parse().unwrap()),
        ..recipe
    });
    let mut watch = Watch::default();
    let mut trained = session.train(&mut watch).unwrap();
    assert!(trained.ended == Ended::EarlyStopping && trained.epochs < 40);
    assert_eq!(trained.epoch.unwrap().epoch, trained.epochs - 1);
    assert!(trained.model != trained.trainer.to_model().unwrap());
    assert!(watch.notes.iter().any(|note| note.contains("its weights are saved")), "{:?}", watch.notes);
}

#[test]
fn a_non_finite_value_ends_a_run_or_rolls_it_back() {
    let diverged = |on_nan, observer: &mut dyn Observer| match run(
        &session(|recipe| Recipe { learning_rate: 1e30, on_nan, ..recipe }),
        RunOptions::default(),
        observer,
    ) {
        Err(Error::Diverged(problem)) => problem,
        other => panic!("{:?}", other.map(|_| ())),
    };
    let problem = diverged(OnNan::Stop, &mut Silent);
    assert!(problem.ends_with("try a lower learning rate than 1e30, or ⟨on_nan rollback⟩"), "{problem}");
    let mut watch = Watch::default();
    let problem = diverged(OnNan::Rollback, &mut watch);
    assert!(problem.contains("went back 3 times") && !problem.contains("on_nan"), "{problem}");
    assert_eq!(watch.notes.iter().filter(|note| note.contains("back to step 0")).count(), 3);
}

#[test]
fn a_session_refuses_custom_kernels() {
    let session = session(|recipe| Recipe { kernel: vec!["sgd=a.wgsl".to_owned()], ..recipe });
    assert!(matches!(session.train(&mut Silent), Err(Error::Setting { key: "kernel", .. })));
}
