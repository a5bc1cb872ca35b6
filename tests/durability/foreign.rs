//! Files that aren't the run's own: another run's, removed by hand, or something else in their place.

use std::fs;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use wgrad::internals::train::run::checkpoint;

use crate::kills::{RUN, content};
use crate::place::Place;

const TRAIN: &[&str] = &[
    "train",
    "--device",
    "cpu",
    "--network",
    "dense 10",
    "--checkpoint-every",
    "15",
    "--keep",
    "9",
    "--quiet",
];

/// Two runs of one recipe but for the seed: `runs/digits-001`, and `others/digits-001`.
fn two_runs() -> Place {
    let place = Place::new();
    place.run(&[TRAIN, &["--epochs", "3"]].concat()).ok();
    place.run(&[TRAIN, &["--epochs", "3", "--seed", "1", "--out", "others"]].concat()).ok();
    place
}

/// The command line of a new run from weights.
fn begin(weights: &str) -> Vec<&str> {
    [TRAIN, &["--epochs", "1", "--out", "new", "--init-from", weights]].concat()
}

fn newest(place: &Place, run: &str) -> String {
    let (_, path) = checkpoint::list(&place.path(run)).unwrap().remove(0);
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_checkpoint_of_another_run_is_named_and_the_runs_own_leads_to_the_same_bits() {
    let place = two_runs();
    let name = format!("checkpoints/{}", newest(&place, RUN));
    let (mine, theirs) = (format!("{RUN}/{name}"), format!("others/digits-001/{name}"));
    let model = place.read(&format!("{RUN}/model.safetensors"));
    place.write(&mine, place.read(&theirs));
    fs::remove_file(place.path(&format!("{RUN}/model.safetensors"))).unwrap();
    let ran = place.run(&["train", "--resume", RUN]).ok();
    assert!(
        ran.err.contains(&name) && ran.err.contains("is a checkpoint of a run that began at"),
        "{}",
        ran.err
    );
    assert!(place.read(&format!("{RUN}/model.safetensors")) == model);
    // Named itself, it is refused.
    place.write(&mine, place.read(&theirs));
    place.refuses(3, &["train", "--resume", &mine], &["run.json is the record of one that began at"]);
}

#[test]
fn a_record_or_model_of_another_run_is_noticed() {
    let place = two_runs();
    let own = place.read(&format!("{RUN}/run.json"));
    place.write(&format!("{RUN}/run.json"), place.read("others/digits-001/run.json"));
    place.refuses(
        3,
        &["train", "--resume", RUN, "--epochs", "4"],
        &["run.json is the record of one that began at", "put the run's own file back"],
    );
    assert!(place.run(&["runs"]).ok().err.contains("are not of one run"));
    place.write(&format!("{RUN}/run.json"), own);
    assert!(!place.run(&["runs"]).ok().err.contains("are not of one run"));

    let model = format!("{RUN}/model.safetensors");
    let own = place.read(&model);
    place.write(&model, place.read("others/digits-001/model.safetensors"));
    for command in ["eval", "summary"] {
        let ran = place.run(&[command, RUN]).ok();
        assert!(ran.err.contains("is not the model that this run wrote"), "{command}: {}", ran.err);
        let ran = place.run(&[command, "others/digits-001"]).ok();
        assert!(!ran.err.contains("is not the model"), "{command}: {}", ran.err);
    }
    // Wherever it is read, and named by its own path.
    for command in [
        begin(RUN),
        begin(&model),
        ["eval", &model].into(),
        ["runs", "diff", RUN, "others/digits-001"].into(),
    ] {
        let ran = place.run(&command);
        assert!(ran.err.contains("is not the model that this run wrote"), "{command:?}: {}", ran.err);
    }
    let ran = place.run(&begin("others/digits-001/model.safetensors")).ok();
    assert!(!ran.err.contains("is not the model"), "{}", ran.err);
    // A model without a checksum isn't the run's either: the run wrote one.
    let mut bare = place.read(&model);
    let at = bare.windows(11).position(|bytes| bytes == b"\"checksum\":").unwrap();
    bare[at + 1..at + 9].copy_from_slice(b"Checksum");
    place.write(&model, bare);
    let ran = place.run(&["eval", RUN]).ok();
    assert!(ran.err.contains("is not the model that this run wrote"), "{}", ran.err);
    let ran = place.run(&["train", "--resume", RUN]).ok();
    assert!(ran.err.contains("it is written again"), "{}", ran.err);
    assert!(place.read(&model) == own);
    assert!(!place.run(&["eval", RUN]).ok().err.contains("is not the model"));
}

#[test]
fn weights_are_a_checkpoints_where_the_model_is_damaged_and_both_are_named() {
    let place = two_runs();
    let model = place.path(&format!("{RUN}/model.safetensors"));
    fs::write(&model, "no tensors").unwrap();
    let ran = place.run(&begin(RUN)).ok();
    for line in ["skipped: ", "model.safetensors is", "weights of the checkpoint after 135 steps"] {
        assert!(ran.err.contains(line), "“{line}” is not in {}", ran.err);
    }
    // The model itself has no other weights, and neither has a run without whole checkpoints.
    place.refuses(3, &begin(&format!("{RUN}/model.safetensors")), &["model.safetensors"]);
    for (_, path) in checkpoint::list(&place.path(RUN)).unwrap() {
        fs::write(path, "nothing").unwrap();
    }
    place.refuses(3, &begin(RUN), &["model.safetensors"]);
}

#[test]
fn metrics_that_are_removed_while_a_run_works_are_put_back() {
    let place = Place::new();
    let train = [TRAIN, &["--epochs", "400", "--tensorboard"]].concat();
    let mut command = place.command(&train);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let files = ["metrics.jsonl", "metrics.csv", "events.out.tfevents.wgrad"];
    let files = files.map(|name| place.path(&format!("{RUN}/{name}")));
    while !fs::read_to_string(&files[0]).is_ok_and(|text| text.contains("\"epoch\"")) {
        sleep(Duration::from_millis(2));
    }
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(content(&place, RUN).0.len(), 400 * 45);
    let table = String::from_utf8(fs::read(&files[1]).unwrap()).unwrap();
    assert_eq!(table.lines().filter(|line| line.starts_with("epoch,")).count(), 400);
    assert!(fs::metadata(&files[2]).unwrap().len() > 0);
}

#[test]
fn more_epochs_that_were_asked_for_are_kept_by_a_kill_before_the_first_new_checkpoint() {
    let place = Place::new();
    let network = "dense 512, relu, dense 512, relu, dense 10";
    place.run(&["train", "--device", "cpu", "--network", network, "--epochs", "1"]).ok();
    let mut command = place.command(&["train", "--resume", RUN, "--epochs", "5", "--checkpoint-every", "1h"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let kept = || {
        let (checkpoint, _) = checkpoint::newest(&place.path(RUN)).unwrap();
        checkpoint.recipe.contains("epochs = 5")
    };
    while !kept() {
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let ran = place.run(&["train", "--resume", RUN]);
    // It may have ended before it was killed.
    assert!(ran.code == Some(0) || ran.err.contains("has run all its 5 epochs"), "{}", ran.err);
    assert_eq!(place.json(&format!("{RUN}/run.json"))["epochs"], 5);
}

#[test]
fn what_is_no_file_is_refused_before_training_and_the_advice_fits() {
    let place = two_runs();
    for name in ["checkpoints/best.safetensors", "run.json", "model.safetensors", "metrics.csv"] {
        let path = place.path(&format!("{RUN}/{name}"));
        let before = fs::read(&path);
        let _ = fs::remove_file(&path);
        fs::create_dir(&path).unwrap();
        place.refuses(
            1,
            &["train", "--resume", RUN, "--epochs", "5"],
            &[name, "it is not a regular file", "so move away what is there"],
        );
        fs::remove_dir(&path).unwrap();
        if let Ok(bytes) = before {
            fs::write(&path, bytes).unwrap();
        }
    }
    place.run(&["train", "--resume", RUN, "--epochs", "5"]).ok();
}
