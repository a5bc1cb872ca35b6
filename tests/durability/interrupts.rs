//! Ctrl-C, SIGTERM, and a second process in a run's directory.
#![cfg(unix)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use wgrad::internals::train::run::checkpoint;

use crate::kills::{RUN, content};
use crate::place::{Place, Ran};

/// A run of some minutes, after its first epochs.
fn started(place: &Place, more: &[&str]) -> Child {
    let train = ["train", "--epochs", "3000", "--device", "cpu"];
    let mut command = place.command(&[&train[..], more].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let metrics = place.path(RUN).join("metrics.jsonl");
    while !fs::read_to_string(&metrics).is_ok_and(|text| text.contains("\"epoch\"")) {
        sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_signal_saves_the_run_and_names_the_command_that_resumes_it() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let child = started(&place, &[]);
        signal(&child, name);
        let ran = ended(child);
        ran.failed(code, &["interrupted after step", "wgrad train --resume runs/digits-001"]);
        assert_eq!(ran.out, "");
        let record = place.json("runs/digits-001/run.json");
        assert_eq!(record["status"], "interrupted");
        let steps = content(&place, RUN).0.len();
        let (checkpoint, _) = checkpoint::newest(&place.path(RUN)).unwrap();
        assert_eq!(checkpoint.snapshot.position.steps, steps, "saved after the last step");
        // It resumes, to be interrupted again.
        let mut command = place.command(&["train", "--resume", RUN]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while content_len(&place) <= steps {
            sleep(Duration::from_millis(5));
        }
        signal(&child, name);
        ended(child).failed(code, &["interrupted"]);
        assert_eq!(place.json("runs/digits-001/run.json")["resumes"], 1);
        assert!(content(&place, RUN).0.len() > steps);
        let listed = place.run(&["runs"]).ok().out;
        assert!(listed.contains("digits-001") && listed.contains("interrupted"), "{listed}");
    }
}

/// Steps in the metrics, while they are being written.
fn content_len(place: &Place) -> usize {
    let text = String::from_utf8(place.read(&format!("{RUN}/metrics.jsonl"))).unwrap();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter_map(|line| line["step"].as_u64()).max().unwrap_or(0) as usize
}

#[test]
fn two_signals_at_once_count_as_one() {
    let place = Place::new();
    let child = started(&place, &["--checkpoint-every", "1"]);
    signal(&child, "-INT");
    signal(&child, "-INT");
    ended(child).failed(130, &["interrupted after step"]);
    let (_, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_second_signal_ends_the_run_at_once_and_damages_no_checkpoint() {
    let place = Place::new();
    // A verified step of this size takes seconds, and a signal waits for its end.
    let train =
        ["train", "--device", "cpu", "--verify", "1", "--network", "dense 4000, relu, dense 4000, dense 10"];
    let mut command = place.command(&train);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while checkpoint::newest(&place.path(RUN)).is_err() {
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(300));
    signal(&child, "-INT");
    // Longer than an echo takes.
    sleep(Duration::from_millis(900));
    signal(&child, "-INT");
    let ran = ended(child);
    assert_eq!(ran.code, Some(130), "{}", ran.err);
    assert!(!ran.err.contains("interrupted"), "it had time for an orderly end: {}", ran.err);
    let (checkpoint, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
    assert_eq!((checkpoint.snapshot.position.steps, problems.len()), (0, 0));
}

#[test]
fn a_second_process_in_a_run_directory_is_refused_while_the_first_lives() {
    let place = Place::new();
    let mut child = started(&place, &["--checkpoint-every", "10"]);
    let ran = place.run(&["train", "--resume", RUN]);
    ran.failed(1, &["runs/digits-001 is in use by process", &child.id().to_string()]);
    assert!(place.run(&["runs"]).ok().out.contains("running"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(place.path(RUN).join(".lock").is_file(), "the dead process left its lock");
    assert!(place.run(&["runs"]).ok().out.contains("killed"));
    place.run(&["resume-check", RUN]).ok();
    let mut command = place.command(&["train", "--resume", RUN]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let before = content_len(&place);
    while content_len(&place) <= before {
        sleep(Duration::from_millis(5));
    }
    signal(&child, "-TERM");
    ended(child).failed(143, &["interrupted"]);
}

#[test]
fn a_deleted_run_directory_ends_the_run_with_a_sentence() {
    let place = Place::new();
    let child = started(&place, &["--checkpoint-every", "20"]);
    // Files written meanwhile may keep the folder from being removed.
    while fs::remove_dir_all(place.path(RUN)).is_err() {}
    // It may have noticed while the directory was there without its files.
    ended(child).failed(1, &["runs/digits-001"]);
    assert!(!place.path(RUN).exists());
}

#[test]
fn a_run_never_writes_into_the_directory_of_another_that_has_taken_its_name() {
    let place = Place::new();
    let child = started(&place, &["--checkpoint-every", "20"]);
    fs::rename(place.path(RUN), place.path("moved")).unwrap();
    place.run(&["train", "--network", "dense 7, dense 10", "--epochs", "1", "--device", "cpu"]).ok();
    let before = place.files();
    ended(child).failed(1, &["runs/digits-001 is no longer the directory of this run"]);
    let of_the_other = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
        files.clone().into_iter().filter(|(name, _)| name.starts_with(RUN)).collect::<Vec<_>>()
    };
    assert!(of_the_other(&before) == of_the_other(&place.files()));
    // What was trained is where the directory is now.
    place.run(&["resume-check", "moved", "--steps", "2"]).ok();
    assert_eq!(place.json("moved/run.json")["status"], "failed");
}

#[test]
fn without_its_lock_file_a_run_still_keeps_others_out() {
    let place = Place::new();
    let mut child = started(&place, &["--checkpoint-every", "20"]);
    for _ in 0..5 {
        let _ = fs::remove_file(place.path(&format!("{RUN}/.lock")));
        place.run(&["train", "--resume", RUN]).failed(1, &["runs/digits-001 is in use by"]);
        assert!(place.run(&["runs"]).ok().out.contains("running"));
    }
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    place.run(&["resume-check", RUN, "--steps", "2"]).ok();
}

#[test]
fn a_full_disk_ends_the_run_but_its_checkpoints_stay() {
    let place = Place::new();
    // No file may grow beyond 64 blocks; a write then fails as on a full disk. The metrics reach that size, the
    // checkpoints of a small network don't.
    let program = env!("CARGO_BIN_EXE_wgrad");
    let train = "train --epochs 3000 --device cpu --checkpoint-every 5 --network 'dense 10'";
    let mut command = place.command(&[]);
    let script = format!("trap '' XFSZ; ulimit -f 64; exec '{program}' {train}");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    command.env_clear();
    let ran = Ran::of(&mut shell);
    ran.failed(1, &["metrics.", "can't be written"]);
    let (checkpoint, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
    assert!(problems.is_empty() && checkpoint.snapshot.position.steps > 0);
    // The half line was cut off, so the run can be resumed.
    let steps = checkpoint.snapshot.position.steps;
    assert!(content_len(&place) >= steps);
    place.run(&["resume-check", RUN, "--steps", "4"]).ok();
}
