//! Files of a run that are removed or replaced while it works: what was trained is saved all the same.
#![cfg(unix)]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use wgrad::internals::train::run::checkpoint;

use crate::kills::{RUN, content};
use crate::place::{Place, Ran};

const LINES: &str = "runs/digits-001/metrics.jsonl";
const TABLE: &str = "runs/digits-001/metrics.csv";
const EVENTS: &str = "runs/digits-001/events.out.tfevents.wgrad";
const MODEL: &str = "runs/digits-001/model.safetensors";
const RECORD: &str = "runs/digits-001/run.json";

/// A run of hours after its first epochs, with no checkpoint but its first.
fn started(place: &Place) -> Child {
    let train = "train --epochs 99999 --checkpoint-every 9h --device cpu --tensorboard --quiet";
    let mut command = place.command(&train.split(' ').collect::<Vec<_>>());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !fs::read_to_string(place.path(LINES)).is_ok_and(|text| text.contains("\"epoch\"")) {
        sleep(Duration::from_millis(5));
    }
    child
}

fn ended(child: Child, signal: &str) -> Ran {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// As an editor does that saves by renaming.
fn replace(place: &Place, name: &str) {
    place.write("edited", "edited");
    fs::rename(place.path("edited"), place.path(name)).unwrap();
}

#[track_caller]
fn assert_all_is_saved(place: &Place, ran: &Ran, code: i32) {
    ran.failed(code, &["interrupted after step", "wgrad train --resume runs/digits-001"]);
    let (checkpoint, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
    let steps = content(place, RUN).0.len();
    assert!(steps > 0 && problems.is_empty());
    assert_eq!(checkpoint.snapshot.position.steps, steps, "saved after the last step");
}

#[test]
fn replaced_metrics_are_set_aside_and_what_was_trained_is_saved() {
    let place = Place::new();
    let child = started(&place);
    let all = [LINES, TABLE, EVENTS];
    all.iter().for_each(|name| replace(&place, name));
    let ran = ended(child, "-INT");
    assert_all_is_saved(&place, &ran, 130);
    for name in all {
        assert!(ran.err.contains(&format!("{name} was replaced while this run worked in it")), "{}", ran.err);
        assert_eq!(place.read(&format!("{name}.set-aside")), b"edited");
    }
    let ran = place.run(&["resume-check", RUN, "--steps", "2"]).ok();
    assert!(!ran.err.contains("damaged"), "{}", ran.err);
}

#[test]
fn what_is_no_file_in_the_place_of_metrics_is_set_aside_and_removed_ones_are_written_again() {
    let place = Place::new();
    let child = started(&place);
    for name in [LINES, TABLE, EVENTS] {
        fs::remove_file(place.path(name)).unwrap();
    }
    fs::create_dir(place.path(LINES)).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.path(TABLE)).unwrap();
    let ran = ended(child, "-TERM");
    assert_all_is_saved(&place, &ran, 143);
    assert!(place.path(&format!("{LINES}.set-aside")).is_dir());
    assert!(ran.err.contains(&format!("{EVENTS} was removed while this run worked in it")), "{}", ran.err);
    assert!(!place.path("runs/digits-001/elsewhere").exists());
}

#[test]
fn what_can_not_be_written_at_the_end_is_named_and_the_signal_tells_the_exit_code() {
    let place = Place::new();
    let child = started(&place);
    fs::remove_file(place.path(RECORD)).unwrap();
    for name in [RECORD, MODEL] {
        fs::create_dir(place.path(name)).unwrap();
    }
    let ran = ended(child, "-TERM");
    assert_all_is_saved(&place, &ran, 143);
    for name in [RECORD, MODEL] {
        let words = format!("{name} can't be written (it is not a regular file), so move away what is there");
        assert!(ran.err.contains(&words), "{}", ran.err);
    }
}
