use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wgrad::Error;
use wgrad::internals::train::recipe::{Recipe, read};
use wgrad::internals::train::run::checkpoint::FOLDER;
use wgrad::internals::train::run::{
    Epoch, Event, METRICS, RECIPE, RECORD, RunDir, RunRecord, Status, Steps, TABLE, Validation,
};

use crate::assert_refused;

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn epoch() -> Epoch {
    Epoch {
        step: 20,
        epoch: 2,
        train_loss: 0.5,
        train_accuracy: 0.75,
        samples_per_second: 1e5,
        validation: None,
        held_out_loss: f64::NAN,
        held_out_accuracy: 0.5,
    }
}

#[test]
fn runs_are_numbered_and_none_is_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a").join("runs");
    let made = |name: &str| {
        let run = RunDir::create(&out, name).unwrap();
        run.path().file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(made("digits"), "digits-001");
    assert_eq!(made("digits"), "digits-002");
    assert_eq!(made("mnist"), "mnist-001");
    fs::create_dir(out.join("digits-999")).unwrap();
    fs::write(out.join("digits-abc"), "").unwrap();
    assert_eq!(made("digits"), "digits-1000");
    assert_eq!(made("/data/My  Cats & Dogs/"), "my-cats-dogs-001");
    assert_eq!(made("../.."), "run-001");
    assert_eq!(made("日本"), "run-002");
    assert_eq!(made(&"ab".repeat(100)), format!("{}-001", "ab".repeat(20)));
}

#[test]
fn a_record_counts_resumptions_up_to_the_most() {
    let mut record = RunRecord::begin(&Recipe::defaults_for("digits", 64, 10, 1437), "sha256:0", 1);
    record.resumes = u32::MAX;
    record.resume();
    assert_eq!(record.resumes, u32::MAX);
}

#[test]
fn runs_that_start_at_the_same_time_get_their_own_directories() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs");
    std::thread::scope(|scope| {
        for abandons in [false, true].into_iter().cycle().take(16) {
            let out = &out;
            scope.spawn(move || {
                let run = RunDir::create(out, "digits").unwrap();
                if abandons {
                    run.abandon();
                }
            });
        }
    });
    assert_eq!(names(&out).len(), 8);
}

#[test]
fn a_folder_that_can_not_be_written_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for place in ["file", "file/runs"] {
        let result = RunDir::create(&folder.path().join(place), "digits");
        assert_refused(result, Error::Failure, &[place, "no run directory", "out"]);
    }
    // The outer directory can be made and the inner one, of a name too long, can't.
    let result = RunDir::create(&folder.path().join("new").join("x".repeat(300)), "digits");
    assert_refused(result, Error::Failure, &["no run directory"]);
    assert_eq!(names(folder.path()), ["file"]);
}

#[test]
fn a_run_that_did_not_begin_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe::defaults_for("digits", 64, 10, 1437);
    let begin = |out: &Path| {
        let mut run = RunDir::create(out, "digits").unwrap();
        run.write_recipe(&recipe).unwrap();
        run.write_record(&RunRecord::begin(&recipe, "sha256:0", 1)).unwrap();
        run
    };
    begin(&folder.path().join("a").join("runs")).abandon();
    assert!(names(folder.path()).is_empty());

    // A directory that was there stays, and so do the runs of others in one that was made.
    let runs = folder.path().join("runs");
    let first = begin(&runs);
    let second = RunDir::create(&runs, "mnist").unwrap();
    first.abandon();
    assert_eq!(names(&runs), ["mnist-001"]);
    second.abandon();
    assert!(names(&runs).is_empty());

    let mut run = begin(&runs);
    let path = run.path().to_owned();
    run.append(&Event::Epoch(epoch())).unwrap();
    run.abandon();
    assert_eq!(names(&path), [FOLDER, TABLE, METRICS, RECIPE, RECORD]);
}

#[test]
fn recipes_and_records_read_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe::defaults_for("digits", 64, 10, 1437);
    let mut run = RunDir::create(folder.path(), &recipe.data).unwrap();
    run.write_recipe(&recipe).unwrap();
    assert_eq!(Recipe::resolve(&read(&run.path().join(RECIPE)).unwrap(), 64, 10, 1437).unwrap(), recipe);

    let mut record = RunRecord::begin(&recipe, "sha256:0", 4810);
    run.write_record(&record).unwrap();
    assert_eq!(RunRecord::load(run.path()).unwrap(), record);
    assert_eq!((record.status, &record.finished), (Status::Running, &None));
    let epoch = Epoch { held_out_loss: 0.25, ..epoch() };
    record.advance(&epoch);
    record.finish(Status::Diverged, Some("the loss became NaN".to_owned()), 1.5);
    run.write_record(&record).unwrap();
    let read = RunRecord::load(run.path()).unwrap();
    assert_eq!(read, record);
    assert_eq!((read.epochs, read.steps, read.last), (2, 20, Some(epoch)));
    let json: Value = serde_json::from_slice(&fs::read(run.path().join(RECORD)).unwrap()).unwrap();
    assert_eq!(json["status"], "diverged");
    assert_eq!(json["wgpu"], wgrad::internals::train::run::WGPU_VERSION);
    assert!(json["started"].as_str().unwrap().ends_with('Z'));

    fs::write(run.path().join(RECORD), "{}").unwrap();
    assert_refused(RunRecord::load(run.path()), Error::Data, &["run.json can't be read", "status"]);
}

#[test]
fn each_event_is_a_line_of_json_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = RunDir::create(folder.path(), "digits").unwrap();
    let steps = Steps {
        step: 10,
        epoch: 1,
        train_loss: f64::INFINITY,
        train_accuracy: 0.125,
        samples_per_second: 2000.0,
        losses: vec![0.5, f64::INFINITY],
        gradient_norms: vec![1.5, 2.0],
        learning_rates: vec![0.1, 0.05],
    };
    let validation = Some(Validation { validation_loss: 0.5, validation_accuracy: f64::NAN });
    let expected = [
        json!({ "kind": "steps", "step": 10, "epoch": 1, "train_loss": null, "train_accuracy": 0.125,
                "samples_per_second": 2000.0, "losses": [0.5, null], "gradient_norms": [1.5, 2.0],
                "learning_rates": [0.1, 0.05] }),
        json!({ "kind": "epoch", "step": 20, "epoch": 2, "train_loss": 0.5, "train_accuracy": 0.75,
                "samples_per_second": 1e5, "held_out_loss": null, "held_out_accuracy": 0.5 }),
        json!({ "kind": "epoch", "step": 20, "epoch": 2, "train_loss": 0.5, "train_accuracy": 0.75,
                "samples_per_second": 1e5, "validation_loss": 0.5, "validation_accuracy": null,
                "held_out_loss": null, "held_out_accuracy": 0.5 }),
    ];
    let events = [Event::Steps(steps), Event::Epoch(epoch()), Event::Epoch(Epoch { validation, ..epoch() })];
    for (at, event) in events.iter().enumerate() {
        run.append(event).unwrap();
        let text = fs::read_to_string(run.path().join(METRICS)).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, expected[..=at]);
        // Numbers that are not finite come back as NaN.
        let read: Event = serde_json::from_value(lines[at].clone()).unwrap();
        assert_eq!(read.to_line(), event.to_line());
    }
}
