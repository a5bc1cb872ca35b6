//! SIGKILL at random moments. `benches/kills.rs` does it a hundred times.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use wgrad::internals::train::run::checkpoint::{self, Checkpoint};

use crate::place::Place;

pub const RUN: &str = "runs/digits-001";

/// The metrics of a run that don't depend on the clock. They are the losses of steps, and epochs.
pub fn content(place: &Place, run: &str) -> (Vec<u64>, Vec<serde_json::Value>) {
    let text = String::from_utf8(place.read(&format!("{run}/metrics.jsonl"))).unwrap();
    let (mut losses, mut epochs) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["kind"] == "steps" {
            losses.extend(
                line["losses"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap().to_bits()),
            );
            assert_eq!(line["step"], losses.len(), "a gap or a duplicate");
        } else {
            line.as_object_mut().unwrap().remove("samples_per_second");
            epochs.push(line);
        }
    }
    // The table has the same lines below its heading.
    let table = String::from_utf8(place.read(&format!("{run}/metrics.csv"))).unwrap();
    assert_eq!(table.lines().count(), text.lines().count() + 1);
    assert!(table.lines().all(|line| line.split(',').count() == 10), "{table}");
    (losses, epochs)
}

#[test]
fn a_run_that_is_killed_several_times_ends_with_the_same_bits() {
    let place = Place::new();
    let train =
        ["train", "--epochs", "120", "--device", "cpu", "--checkpoint-every", "7", "--validation", "0.1"];
    place.run(&[&train[..], &["--out", "uninterrupted"]].concat()).ok();
    let mut kills = 0;
    let mut arguments = train.to_vec();
    for pause in [150, 40, 90, 60, 200, 30, 120] {
        let mut command = place.command(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // The first pause is long enough for a run directory; the others are arbitrary.
        let checkpoints = place.path(RUN).join("checkpoints");
        let begun = || std::fs::read_dir(&checkpoints).is_ok_and(|files| files.count() > 0);
        while kills == 0 && !begun() && child.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        if status.success() {
            break;
        }
        kills += 1;
        arguments = vec!["train", "--resume", RUN, "--checkpoint-every", "7"];
    }
    assert!(kills >= 3, "the run was over after {kills} kills");
    let ended = place.run(&["train", "--resume", RUN]);
    assert!(ended.code == Some(0) || ended.err.contains("has run all its"), "{}", ended.err);
    for file in ["model.safetensors", "recipe.toml"] {
        let same =
            place.read(&format!("{RUN}/{file}")) == place.read(&format!("uninterrupted/digits-001/{file}"));
        assert!(same, "{file} differs");
    }
    // A checkpoint also has the duration of the run.
    let [one, two] = [RUN, "uninterrupted/digits-001"].map(|run| {
        Checkpoint::load(&place.path(run).join(checkpoint::FOLDER).join(checkpoint::BEST)).unwrap().snapshot
    });
    assert_eq!(one.difference(&two), None);
    assert_eq!(one.position, two.position);
    assert_eq!(content(&place, RUN), content(&place, "uninterrupted/digits-001"));
    let left: Vec<String> = place.files().into_keys().filter(|name| name.ends_with(".tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    let diff = place.run(&["runs", "diff", RUN, "uninterrupted/digits-001"]).ok();
    assert!(diff.out.contains("the losses of all 4920 steps"), "{}", diff.out);
    assert!(diff.out.contains("checkpoints after step 4920 are equal"), "{}", diff.out);
}

#[test]
fn truncated_checkpoints_are_skipped_on_resume() {
    let place = Place::new();
    let train = ["train", "--epochs", "4", "--device", "cpu", "--checkpoint-every", "40", "--keep", "9"];
    place.run(&train).ok();
    let weights = place.read(&format!("{RUN}/model.safetensors"));
    for newest in ["step-000000180", "step-000000160"] {
        let name = format!("{RUN}/checkpoints/{newest}.safetensors");
        let half = place.read(&name);
        place.write(&name, &half[..half.len() / 2]);
    }
    let ran = place.run(&["train", "--resume", RUN, "--checkpoint-every", "7", "--keep", "1"]).ok();
    assert!(ran.err.contains("skipped: ") && ran.err.contains("step-000000160"), "{}", ran.err);
    assert!(ran.err.contains("120 steps of the run"), "{}", ran.err);
    assert!(place.read(&format!("{RUN}/model.safetensors")) == weights);
    assert_eq!(content(&place, RUN).0.len(), 180);
    // The damaged checkpoints did not count towards --keep.
    let kept = wgrad::internals::train::run::checkpoint::list(&place.path(RUN)).unwrap();
    assert_eq!(kept.iter().map(|(steps, _)| *steps).collect::<Vec<_>>(), [180]);
}
