//! Answers on stdout and progress on stderr, in pipes and files.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use crate::place::{Place, Ran};

#[test]
fn output_to_pipes_has_no_control_codes() {
    let place = Place::trained();
    for arguments in [
        &["train", "--epochs", "1", "--device", "cpu"][..],
        &["train", "--epochs", "1", "--device", "cpu", "--learning-rate", "1e30"],
        &["eval", "runs/digits-001", "--device", "cpu"],
        &["summary", "dense 10"],
        &["train", "--help"],
        &["train", "--epochs", "x"],
    ] {
        let ran = place.run(arguments);
        for text in [&ran.out, &ran.err] {
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{arguments:?}: {text:?}");
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let place = Place::trained();
    let mut child = place
        .command(&["summary", "runs/digits-001"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0]).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_stdout_is_an_error_but_the_run_is_saved() {
    let place = Place::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut train = place.command(&["train", "--epochs", "1", "--device", "cpu"]);
    let output = train.stdout(full()).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let ran = Ran {
        code: output.status.code(),
        out: String::new(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    ran.failed(1, &["cannot write to stdout", "no room is left"]);
    assert_eq!(place.json("runs/digits-001/run.json")["status"], "done");
    assert!(place.path("runs/digits-001/model.safetensors").is_file());
    // A full stderr is no error.
    let mut train = place.command(&["train", "--epochs", "1", "--device", "cpu", "--json"]);
    let output = train.stderr(full()).stdout(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["run"], "runs/digits-002");
}

#[test]
fn runs_that_start_at_the_same_time_do_not_disturb_each_other() {
    let place = Place::new();
    let children: Vec<_> = (0..4)
        .map(|seed| {
            let seed = seed.to_string();
            let mut command = place.command(&["train", "--epochs", "1", "--device", "cpu", "--seed", &seed]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let seeds = (1..=4).map(|run| {
        let record = place.json(&format!("runs/digits-00{run}/run.json"));
        assert_eq!(record["status"], "done");
        record["seed"].as_u64().unwrap()
    });
    let mut seeds: Vec<u64> = seeds.collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [0, 1, 2, 3]);
}
