//! A custom kernel is read once: what was checked is what trains.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use wgrad::internals::table::COLUMN_SUMS;

use super::{CustomKernel, cache};

const GOOD: &[(&str, &str)] = &[("@workgroup_size(64)", "@workgroup_size(32)")];

/// Trains with a kernel whose file is changed as soon as its check begins, and returns the run.
fn train(out: &Path, kernel: &CustomKernel, changed: Option<&str>) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
    cache::keep_apart(&mut command).args(["train", "digits", "--network", "dense 16, relu, dense 10"]);
    command.args(["--device", "gpu", "--epochs", "1", "--out", out.to_str().unwrap()]);
    command.arg(format!("--kernel=column_sums={}", kernel.path().display()));
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("checking it against its twin") {
            match changed {
                Some(text) => fs::write(kernel.path(), text).unwrap(),
                None => fs::remove_file(kernel.path()).unwrap(),
            }
        }
        said += &format!("{line}\n");
    }
    assert!(child.wait().unwrap().success(), "{said}");
    let run = out.join("digits-001");
    assert_eq!(fs::read_to_string(run.join("kernels/column_sums.wgsl")).unwrap(), text());
    fs::read(run.join("model.safetensors")).unwrap()
}

fn text() -> String {
    COLUMN_SUMS.wgsl.replace(GOOD[0].0, GOOD[0].1)
}

#[test]
fn a_file_that_changes_during_its_check_changes_nothing() {
    let model = |changed: Option<&str>| {
        let (out, kernel) = (tempfile::tempdir().unwrap(), CustomKernel::changed(&COLUMN_SUMS, GOOD));
        train(out.path(), &kernel, changed)
    };
    let unchanged = model(Some(&text()));
    let refused = COLUMN_SUMS.wgsl.replace("row < ROWS", "row + 1u < ROWS");
    for changed in [None, Some("no shader"), Some(&refused)] {
        assert!(model(changed) == unchanged, "{changed:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_shader_is_refused() {
    let kernel = CustomKernel::new(&COLUMN_SUMS, "");
    fs::remove_file(kernel.path()).unwrap();
    assert!(Command::new("mkfifo").arg(kernel.path()).status().unwrap().success());
    kernel.check(&[]).refused(2, &["it is not a regular file"]);
}
