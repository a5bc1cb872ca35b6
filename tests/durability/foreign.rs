//! Files that aren't the run's own: another run's, removed by hand, or something else in their place.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wgrad::internals::train::run::checkpoint;

use crate::kills::{RUN, content};
use crate::place::{Place, Ran};

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
    // It may be the only copy, and is not this run's to delete.
    assert!(ran.err.contains(".set-aside"), "{}", ran.err);
    assert!(place.read(&format!("{mine}.set-aside")) == place.read(&theirs));
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
    let theirs = place.read(&model);
    let ran = place.run(&["train", "--resume", RUN]).ok();
    assert!(ran.err.contains("it is written again"), "{}", ran.err);
    assert!(ran.err.contains("what was model.safetensors is now model.safetensors.set-aside"), "{}", ran.err);
    assert!(place.read(&model) == own && place.read(&format!("{model}.set-aside")) == theirs);
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
    // It would take hours, so it is killed long before its end or its next checkpoint.
    let more = ["train", "--resume", RUN, "--epochs", "99999", "--checkpoint-every", "9h"];
    let mut child = place.command(&more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let newest = || checkpoint::newest(&place.path(RUN)).unwrap().0;
    let is_kept = || newest().recipe.contains("epochs = 99999");
    let since = Instant::now();
    while !is_kept() && since.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_kept());
    assert_eq!(place.json(&format!("{RUN}/run.json"))["status"], "running");
    assert_eq!(newest().snapshot.position.steps, 45, "the position from which it was resumed");
    // Without a word about epochs it goes on.
    let time = format!("{}s", newest().state.seconds as u64 + 2);
    let ran = place.run(&["train", "--resume", RUN, "--max-time", &time]).ok();
    assert!(ran.err.contains("of 99999"), "{}", ran.err);
}

#[test]
fn a_link_in_the_place_of_a_checkpoint_is_refused_by_its_name_and_skipped_in_its_folder() {
    let place = two_runs();
    let name = format!("{RUN}/checkpoints/{}", newest(&place, RUN));
    let elsewhere = place.path("elsewhere");
    fs::rename(place.path(&name), &elsewhere).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&elsewhere, place.path(&name)).unwrap();
    #[cfg(not(unix))]
    return;
    let more = ["--epochs", "4"];
    let words = [&*name, "is a link, not a checkpoint of this run"];
    place.refuses(3, &[&["train", "--resume", &name], &more[..]].concat(), &words);
    let ran = place.run(&[&["train", "--resume", RUN], &more[..]].concat()).ok();
    assert!(words.iter().all(|word| ran.err.contains(word)), "{}", ran.err);
    assert!(elsewhere.is_file());
    assert!(fs::symlink_metadata(place.path(&format!("{name}.set-aside"))).unwrap().is_symlink());
}

/// A checkpoint with another header, and without a checksum.
fn with_header(bytes: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let (length, rest) = bytes.split_at(8);
    let (header, tensors) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: Value = serde_json::from_slice(header).unwrap();
    header["__metadata__"].as_object_mut().unwrap().remove("checksum").unwrap();
    change(&mut header);
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), tensors].concat()
}

#[test]
fn a_checkpoint_of_a_newer_format_is_kept_and_damaged_ones_of_the_run_are_removed() {
    let place = two_runs();
    fs::remove_file(place.path(&format!("{RUN}/model.safetensors"))).unwrap();
    let name = format!("{RUN}/checkpoints/{}", newest(&place, RUN));
    let newer =
        with_header(&place.read(&name), |header| header["__metadata__"]["format_version"] = "2".into());
    place.write(&name, &newer);
    let damaged = format!("{RUN}/checkpoints/step-000000120.safetensors");
    let mut bytes = place.read(&damaged);
    *bytes.last_mut().unwrap() ^= 1;
    place.write(&damaged, bytes);
    let ran = place.run(&["train", "--resume", RUN, "--keep", "1"]).ok();
    assert!(
        ran.err.contains("a newer wgrad") && ran.err.contains("its checksum doesn't match"),
        "{}",
        ran.err
    );
    assert!(place.read(&format!("{name}.set-aside")) == newer);
    let own = format!("{RUN}/checkpoints/step-000000120");
    assert!(!place.files().keys().any(|file| file.starts_with(&own)), "{:?}", place.files().keys());
}

#[cfg(target_os = "linux")]
#[test]
fn a_newest_checkpoint_that_can_not_be_read_stops_the_resume() {
    let place = two_runs();
    let name = format!("{RUN}/checkpoints/{}", newest(&place, RUN));
    let before = place.read(&name);
    // More tensors than the process may have memory.
    const HUGE: u64 = 8 << 30;
    let large = with_header(&before, |header| {
        let tensors = header.as_object().unwrap().values();
        let end = tensors.filter_map(|tensor| tensor["data_offsets"][1].as_u64()).max().unwrap();
        header["huge"] = json!({ "dtype": "F32", "shape": [HUGE / 4], "data_offsets": [end, end + HUGE] });
    });
    place.write(&name, &large);
    let file = fs::OpenOptions::new().write(true).open(place.path(&name)).unwrap();
    file.set_len(large.len() as u64 + HUGE).unwrap();
    let (program, mut shell) = (env!("CARGO_BIN_EXE_wgrad"), Command::new("sh"));
    let script = format!("ulimit -v 6000000; exec '{program}' train --resume {RUN} --epochs 4");
    shell.args(["-c", &script]).current_dir(place.path("")).stdin(Stdio::null());
    Ran::of(&mut shell).failed(1, &[&name, "of memory", "name an earlier checkpoint"]);
    assert_eq!(fs::metadata(place.path(&name)).unwrap().len(), large.len() as u64 + HUGE);
    assert_eq!(place.json(&format!("{RUN}/run.json"))["status"], "done");
}

#[test]
fn what_is_no_file_is_refused_before_training_and_the_advice_fits() {
    let place = two_runs();
    let later = "checkpoints/step-000000999.safetensors";
    for name in [later, "checkpoints/best.safetensors", "run.json", "model.safetensors", "metrics.csv"] {
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
