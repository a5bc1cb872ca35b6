//! The command itself: defaults, output and errors.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use crate::consistent::check;

fn wgrad(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wgrad")).args(arguments).output().unwrap()
}

/// A run of one epoch on the built-in digits, made once.
fn trained() -> &'static Path {
    static RUN: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, run) = RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().to_str().unwrap();
        let network = ["--network", "dense 20, relu, dense 10", "--validation", "0.1"];
        let rest = ["--epochs", "1", "--device", "cpu", "--out", out];
        let output = wgrad(&[&["train", "digits"], &network[..], &rest[..]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let run = folder.path().join("digits-001");
        (folder, run)
    });
    run
}

/// A copy of the run's files, to be damaged.
fn copy() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    for entry in fs::read_dir(trained()).unwrap() {
        let path = entry.unwrap().path();
        // Not the checkpoints, which explain does not read.
        if path.is_file() {
            fs::copy(&path, run.join(path.file_name().unwrap())).unwrap();
        }
    }
    (folder, run)
}

fn explain(run: &Path, arguments: &[&str]) -> Output {
    wgrad(&[&["explain", run.to_str().unwrap(), "--device", "cpu"], arguments].concat())
}

fn data(run: &Path, arguments: &[&str]) -> Value {
    let output = explain(run, &[&["--json"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn refused(output: &Output, code: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(output.stdout.is_empty());
    parts.iter().for_each(|part| assert!(stderr.contains(part), "no “{part}” in: {stderr}"));
}

#[test]
fn by_default_the_unit_of_the_samples_class_is_explained() {
    let object = data(trained(), &[]);
    check(&object).unwrap();
    assert_eq!(
        (&object["part"], &object["sample"], &object["layer"]),
        (&"held-out".into(), &0.into(), &2.into())
    );
    assert_eq!(object["unit"], object["label"]);
    assert_eq!(object["data_changed"], false);
    let other = data(trained(), &["--part", "train", "--sample", "7", "--layer", "0", "--unit", "19"]);
    check(&other).unwrap();
    assert_eq!((&other["part"], &other["sample"], &other["unit"]), (&"train".into(), &7.into(), &19.into()));
}

#[test]
fn the_text_names_its_subject() {
    let output = explain(trained(), &[]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "layer 2 (dense 10)",
        "sample 0 of the held-out part of digits",
        "learning rate 0.02",
        "weighted sum",
        "delta",
        "weight_delta",
        "probability",
        "Everything agrees",
    ] {
        assert!(text.contains(part), "no “{part}” in:\n{text}");
    }
    assert!(!text.contains("fn matmul"));
}

#[test]
fn the_source_is_printed_on_request() {
    let output = explain(trained(), &["--source", "--layer", "1"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "shaders/activation.wgsl, line",
        "fn activation(",
        "src/cpu/activation.rs, line",
        "pub fn activation<T: Real>(",
        "fn activation_backward(",
    ] {
        assert!(text.contains(part), "no “{part}” in:\n{text}");
    }
    let object = data(trained(), &["--source"]);
    let twin = object["source"]["sgd_momentum"]["rust"][0]["text"].as_str().unwrap();
    assert!(twin.contains("pub fn sgd_momentum<"), "{twin}");
}

#[test]
fn an_index_out_of_range_is_refused_with_the_range() {
    let run = trained();
    refused(&explain(run, &["--sample", "360"]), 2, &["--sample 360", "held-out", "0 to 359"]);
    // A tenth of the 1,437 training samples is set aside for validation.
    refused(&explain(run, &["--part", "train", "--sample", "1437"]), 2, &["train part", "0 to 1292"]);
    refused(&explain(run, &["--layer", "3"]), 2, &["layer 3", "2 dense 10"]);
    refused(&explain(run, &["--unit", "10"]), 2, &["unit 10", "0 to 9"]);
    refused(&explain(run, &["--sample", "-1"]), 2, &["-1"]);
    refused(&explain(run, &["--part", "all"]), 2, &["train", "held-out"]);
    refused(&explain(run, &["--step", "last"]), 2, &["next"]);
}

#[test]
fn an_incomplete_run_is_refused() {
    let (_folder, run) = copy();
    fs::remove_file(run.join("recipe.toml")).unwrap();
    refused(&explain(&run, &[]), 3, &["recipe.toml", "learning rate"]);
    fs::remove_file(run.join("model.safetensors")).unwrap();
    refused(&explain(&run, &[]), 3, &["model.safetensors"]);
    refused(&explain(&run.join("nowhere"), &[]), 3, &["doesn't exist"]);
}

#[test]
fn changed_data_are_reported_and_missing_data_refused() {
    let (_folder, run) = copy();
    let path = run.join("run.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["digest"] = "sha256:0".into();
    record.as_object_mut().unwrap().remove("checksum").expect("it has a checksum");
    fs::write(&path, record.to_string()).unwrap();
    let output = explain(&run, &["--json"]);
    assert!(output.status.success());
    assert!(
        String::from_utf8_lossy(&output.stderr)
            .contains("warning: digits has changed since the run was trained")
    );
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["data_changed"], true);

    let mut model = wgrad::internals::train::run::model::Model::load(&run).unwrap();
    model.data = "gone/away".to_owned();
    model.save(run.join("model.safetensors")).unwrap();
    refused(&explain(&run, &[]), 2, &["gone/away"]);
}

#[test]
fn settings_that_the_step_leaves_out_are_named() {
    let said = |run: &Path| String::from_utf8(explain(run, &[]).stderr).unwrap();
    assert!(!said(trained()).contains("one plain step"), "{}", said(trained()));
    let (_folder, run) = copy();
    let recipe = fs::read_to_string(run.join("recipe.toml")).unwrap();
    let lines = recipe.lines().map(|line| match line.split(' ').next() {
        Some("clip_norm") => "clip_norm = 1.0",
        Some("schedule") => "schedule = \"cosine\"",
        _ => line,
    });
    fs::write(run.join("recipe.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    assert!(said(&run).contains("the run also has schedule cosine, clip-norm 1\n"), "{}", said(&run));
}

#[test]
fn an_incomplete_or_contradictory_recipe_is_refused() {
    let (_folder, run) = copy();
    let recipe = fs::read_to_string(run.join("recipe.toml")).unwrap();
    let with = |key: &str, line: Option<&str>| {
        let lines = recipe
            .lines()
            .filter_map(|old| if old.starts_with(&format!("{key} = ")) { line } else { Some(old) });
        fs::write(run.join("recipe.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    };
    for key in ["network", "learning_rate", "loss", "seed"] {
        with(key, None);
        refused(&explain(&run, &[]), 3, &["recipe.toml", &format!("has no {key}"), "restore the recipe"]);
    }
    with("network", Some("network = \"dense 10\""));
    refused(&explain(&run, &[]), 3, &["has the network “dense 10”, but the model has"]);
    with("loss", Some("loss = \"mse\""));
    refused(&explain(&run, &[]), 3, &["has the loss mse, but the model was trained with"]);
    with("seed", Some("sede = 1"));
    refused(&explain(&run, &[]), 2, &["there is no key “sede”, did you mean “seed”"]);
    with("learning_rate", Some("learning_rate = \"fast\""));
    refused(&explain(&run, &[]), 2, &["learning_rate is the string “fast”"]);
    with("seed", Some("seed = ["));
    refused(&explain(&run, &[]), 2, &["this isn't TOML"]);
}
