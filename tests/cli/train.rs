//! `wgrad train`: the output and the files of a run.

use std::collections::BTreeSet;

use serde_json::Value;
use wgrad::internals::train::run::model::Model;

use crate::place::{Place, halves};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_fraction(value: &Value, least: f64) {
    let fraction = value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert!((least..=1.0).contains(&fraction), "{fraction}");
}

#[test]
fn one_epoch_is_no_epochs() {
    let ran = Place::new().run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    assert!(ran.out.contains("(1 epoch, 45 steps, "), "{}", ran.out);
}

#[test]
fn without_arguments_it_learns_the_digits() {
    let place = Place::new();
    let ran = place.run(&["train", "--epochs", "2", "--device", "cpu"]).ok();
    for word in ["held-out accuracy", "loss", "time", "2 epochs, 90 steps", "runs/digits-001"] {
        assert!(ran.out.contains(word), "“{word}” is not in {}", ran.out);
    }
    for word in
        ["CPU engine", "1,437 images of 1×8×8", "360 held out", "4,810 parameters", "next: wgrad predict"]
    {
        assert!(ran.err.contains(word), "“{word}” is not in {}", ran.err);
    }
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("epoch")).count(), 2, "{}", ran.err);
    let files = place.files();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let run = "runs/digits-001/";
    let inside = [
        "checkpoints/",
        "checkpoints/step-000000000.safetensors",
        "checkpoints/step-000000090.safetensors",
        "metrics.csv",
        "metrics.jsonl",
        "model.safetensors",
        "recipe.toml",
        "run.json",
    ];
    let expected: Vec<String> = ["runs/".to_owned(), run.to_owned()]
        .into_iter()
        .chain(inside.map(|name| format!("{run}{name}")))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn json_is_one_object_and_all_of_stdout() {
    let place = Place::new();
    let ran = place.run(&["train", "digits", "--epochs", "2", "--device", "cpu", "--json"]).ok();
    let json = ran.json();
    let expected = [
        "run",
        "status",
        "device",
        "adapter",
        "epochs",
        "steps",
        "seconds",
        "steps_per_second",
        "train_loss",
        "train_accuracy",
        "held_out_loss",
        "held_out_accuracy",
    ];
    assert_eq!(keys(&json), BTreeSet::from(expected));
    assert_eq!((&json["run"], &json["device"]), (&"runs/digits-001".into(), &"cpu".into()));
    assert_eq!((&json["epochs"], &json["steps"]), (&2.into(), &90.into()));
    assert!(json["seconds"].as_f64().unwrap() > 0.0 && json["steps_per_second"].as_f64().unwrap() > 0.0);
    assert!(json["train_loss"].as_f64().unwrap() > 0.0 && json["held_out_loss"].as_f64().unwrap() > 0.0);
    // Two epochs reach 91 % and 93 %.
    assert_fraction(&json["train_accuracy"], 0.8);
    assert_fraction(&json["held_out_accuracy"], 0.8);
    let last = &place.json("runs/digits-001/run.json")["last"];
    for key in ["train_loss", "train_accuracy", "held_out_loss", "held_out_accuracy"] {
        assert_eq!(json[key], last[key], "{key}");
    }
}

#[test]
fn the_record_of_a_run_is_complete() {
    let place = Place::trained();
    let record = place.json("runs/digits-001/run.json");
    assert_eq!((&record["status"], &record["reason"]), (&"done".into(), &Value::Null));
    assert_eq!((&record["device"], &record["adapter"]), (&"cpu".into(), &"CPU engine".into()));
    assert_eq!((&record["seed"], &record["data"]), (&0.into(), &"digits".into()));
    assert_eq!((&record["epochs"], &record["steps"]), (&2.into(), &90.into()));
    assert_eq!((&record["parameters"], &record["wgrad"]), (&4810.into(), &env!("CARGO_PKG_VERSION").into()));
    assert_eq!(record["wgpu"], wgrad::internals::train::run::WGPU_VERSION);
    assert_eq!(record["digest"], wgrad::internals::data::load("digits").unwrap().digest);
    assert!(
        keys(&record).is_superset(&BTreeSet::from(["driver", "backend", "started", "finished", "seconds"]))
    );
    assert!(record["started"].as_str() <= record["finished"].as_str());
}

#[test]
fn metrics_have_a_line_per_submission_and_per_epoch() {
    let place = Place::trained();
    let text = String::from_utf8(place.read("runs/digits-001/metrics.jsonl")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut steps = lines.iter().map(|line| line["step"].as_u64().unwrap());
    assert!(steps.clone().is_sorted() && steps.next_back() == Some(90));
    let epochs: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "epoch").collect();
    assert_eq!(epochs.iter().map(|line| &line["step"]).collect::<Vec<_>>(), [45, 90]);
    for line in &epochs {
        assert!(line["held_out_loss"].is_f64() && line["train_loss"].is_f64());
        assert_fraction(&line["held_out_accuracy"], 0.7);
        assert!(line.get("validation_loss").is_none());
    }
    assert!(lines.len() > epochs.len() && lines[0]["kind"] == "steps");
}

#[test]
fn runs_are_numbered_and_never_overwritten() {
    let place = Place::trained();
    let first = place.files();
    let again = place.run(&["train", "--epochs", "1", "--device", "cpu", "--json", "--seed", "1"]).ok();
    assert_eq!(again.json()["run"], "runs/digits-002");
    for (name, bytes) in &first {
        assert!(place.files()[name] == *bytes, "{name} has changed");
    }
    let elsewhere =
        place.run(&["train", "--epochs", "1", "--device", "cpu", "--out", "mein Ordner/läufe"]).ok();
    assert!(elsewhere.out.contains("mein Ordner/läufe/digits-001"), "{}", elsewhere.out);
    assert!(place.path("mein Ordner/läufe/digits-001/model.safetensors").is_file());
}

#[test]
fn the_seed_decides_the_weights() {
    let weights = |seed: &str| {
        let place = Place::new();
        place.run(&["train", "--epochs", "1", "--device", "cpu", "--seed", seed]).ok();
        place.read("runs/digits-001/model.safetensors")
    };
    let zero = weights("0");
    assert!(zero == weights("0"));
    assert!(zero != weights("1"));
}

#[test]
fn the_held_out_part_is_never_trained_on() {
    // The same train part; only what is held out differs, in size and in labels.
    let trained = |held_out: &[u8]| {
        let place = Place::new();
        halves(&place, "set", 40, held_out);
        let arguments = ["train", "set", "--epochs", "20", "--batch-size", "8", "--device", "cpu", "--json"];
        let json = place.run(&arguments).ok().json();
        assert_eq!((&json["run"], &json["steps"]), (&"runs/set-001".into(), &100.into()));
        (json, place.read("runs/set-001/model.safetensors"))
    };
    let (right, weights) = trained(&[0, 1, 0, 1, 0, 1]);
    let (wrong, same_weights) = trained(&[1, 0]);
    assert!(weights == same_weights, "the weights depend on the held-out part");
    assert_eq!((&right["train_accuracy"], &right["held_out_accuracy"]), (&1.0.into(), &1.0.into()));
    assert_eq!((&wrong["train_accuracy"], &wrong["held_out_accuracy"]), (&1.0.into(), &0.0.into()));
}

#[test]
fn a_validation_part_is_taken_from_the_train_part() {
    let place = Place::new();
    let arguments = ["train", "--epochs", "1", "--device", "cpu", "--validation", "0.1"];
    let ran = place.run(&arguments).ok();
    assert!(ran.err.contains("1,293 images of 1×8×8 to train on, 360 held out"), "{}", ran.err);
    assert!(ran.err.contains("  validation "), "{}", ran.err);
    let record = place.json("runs/digits-001/run.json");
    assert_eq!(record["steps"], 1293_u32.div_ceil(32));
    assert!(record["last"]["validation_loss"].is_f64());
    assert_fraction(&record["last"]["validation_accuracy"], 0.5);
}

#[test]
fn a_run_that_diverges_saves_the_last_finite_weights() {
    let place = Place::new();
    // The initial weights, after steps too small to change any of them.
    place.run(&["train", "--epochs", "1", "--device", "cpu", "--learning-rate", "1e-38"]).ok();
    let ran = place.run(&["train", "--epochs", "3", "--device", "cpu", "--learning-rate", "1e30"]);
    ran.failed(5, &["the loss became", "of epoch 1", "runs/digits-002", "lower learning rate than 1e30"]);
    assert_eq!(ran.out, "");
    let record = place.json("runs/digits-002/run.json");
    assert_eq!((&record["status"], &record["epochs"]), (&"diverged".into(), &0.into()));
    assert!(record["reason"].as_str().unwrap().contains("the loss became"));
    let model = |run: &str| Model::load(place.path(run)).unwrap();
    assert!(model("runs/digits-002").parameters == model("runs/digits-001").parameters);
    place.run(&["eval", "runs/digits-002", "--device", "cpu"]).ok();
}
