//! A custom kernel that passes the check and loops for ever later, in training.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use wgrad::internals::table::COLUMN_SUMS;
use wgrad::internals::train::run::checkpoint;

use super::{CustomKernel, Ran, cache};

/// The sum of a column, which never ends in the 26th step.
fn later() -> CustomKernel {
    let step = "row < ROWS; row += select(1u, 0u, step.index == 25u)";
    CustomKernel::changed(&COLUMN_SUMS, &[("row < ROWS; row++", step)])
}

fn started(out: &Path, kernel: &CustomKernel, more: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
    cache::keep_apart(&mut command).args(["train", "digits", "--network", "dense 16, relu, dense 10"]);
    command.args(["--device", "gpu", "--checkpoint-every", "10", "--json", "--out", out.to_str().unwrap()]);
    command.arg(format!("--kernel=column_sums={}", kernel.path().display())).args(more);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The end of a program. One that hangs is killed after two minutes.
fn ended(mut child: Child) -> Ran {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
        }
        sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The run after its last checkpoint before the endless step.
fn hanging(out: &Path) -> PathBuf {
    let run = out.join("digits-001");
    while checkpoint::newest(&run).map_or(0, |(newest, _)| newest.snapshot.position.steps) < 20 {
        sleep(Duration::from_millis(20));
    }
    sleep(Duration::from_millis(1_500));
    run
}

fn record(run: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(run.join("run.json")).unwrap()).unwrap()
}

#[test]
fn one_signal_ends_a_run_whose_kernel_never_does() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let (out, kernel) = (tempfile::tempdir().unwrap(), later());
        let child = started(out.path(), &kernel, &[]);
        let run = hanging(out.path());
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
        let ran = ended(child);
        ran.refused(
            code,
            &[
                "interrupted after step 20 of epoch 1, and saved",
                "the custom kernel column_sums loops for ever",
                "go on with wgrad train --resume",
            ],
        );
        let said: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(said["status"], "interrupted");
        assert_eq!(record(&run)["status"], "interrupted");
        assert!(run.join("model.safetensors").is_file() && !run.join(".lock").exists());
        let (newest, problems) = checkpoint::newest(&run).unwrap();
        assert_eq!((newest.snapshot.position.steps, problems.len()), (20, 0));
    }
}

#[test]
fn the_time_limit_ends_a_run_whose_kernel_never_does() {
    let (out, kernel) = (tempfile::tempdir().unwrap(), later());
    let ran = ended(started(out.path(), &kernel, &["--max-time", "2s"]));
    ran.refused(
        4,
        &[
            "the time of 2s is over",
            "saved as it was after step 20 of epoch 1",
            "most likely the custom kernel column_sums loops for ever",
            "--init-from",
        ],
    );
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["status"], "failed");
    assert_eq!(record(&out.path().join("digits-001"))["status"], "failed");
}
