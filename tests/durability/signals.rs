//! Signals other than Ctrl-C and SIGTERM: each saves the run first.
#![cfg(unix)]

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use wgrad::internals::train::run::checkpoint;

use crate::kills::RUN;
use crate::place::{Place, Ran};

const TRAIN: &str = "train --epochs 3000 --device cpu --network 'dense 10'";

/// The program in a shell that runs `before` first. The signal comes after the first epochs, if there is one.
fn ended(place: &Place, before: &str, more: &str, signal: Option<&str>) -> Ran {
    let program = env!("CARGO_BIN_EXE_wgrad");
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{before}; exec '{program}' {TRAIN} {more}")]).stdin(Stdio::null());
    shell.current_dir(place.path("")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = shell.spawn().unwrap();
    if let Some(signal) = signal {
        let metrics = place.path(RUN).join("metrics.jsonl");
        while !fs::read_to_string(&metrics).is_ok_and(|text| text.contains("\"epoch\"")) {
            sleep(Duration::from_millis(5));
        }
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn signals_that_would_end_the_program_save_the_run_first() {
    for (name, code) in [("-HUP", 129), ("-USR1", 138), ("-USR2", 140), ("-XCPU", 152)] {
        let place = Place::new();
        // USR1 and USR2 have these numbers on Linux.
        if !cfg!(target_os = "linux") && name.starts_with("-USR") {
            continue;
        }
        let ran = ended(&place, "true", "", Some(name));
        ran.failed(code, &["interrupted after step", "wgrad train --resume runs/digits-001"]);
        assert_eq!(place.json("runs/digits-001/run.json")["status"], "interrupted");
        let (checkpoint, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
        assert!(problems.is_empty() && checkpoint.snapshot.position.steps > 0);
    }
}

#[test]
fn a_program_that_was_started_to_ignore_the_end_of_the_terminal_ignores_it() {
    let place = Place::new();
    let ran = ended(&place, "trap '' HUP", "--max-time 2s", Some("-HUP"));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(place.json("runs/digits-001/run.json")["status"], "done");
}

#[test]
fn a_file_that_reaches_its_size_limit_ends_the_run_and_its_checkpoints_stay() {
    let place = Place::new();
    let ran = ended(&place, "ulimit -f 64", "--checkpoint-every 5", None);
    ran.failed(153, &["metrics.", "can't be written"]);
    assert!(ran.err.contains("go on with wgrad train --resume runs/digits-001"), "{}", ran.err);
    let (checkpoint, problems) = checkpoint::newest(&place.path(RUN)).unwrap();
    assert!(problems.is_empty() && checkpoint.snapshot.position.steps > 0);
    place.run(&["resume-check", RUN, "--steps", "4"]).ok();
    // Not even the first checkpoint fits: nothing is left.
    let place = Place::new();
    ended(&place, "ulimit -f 1", "", None).failed(153, &["can't be written"]);
    assert!(!place.path(RUN).exists());
}
