//! A run keeps its custom kernels: it is resumed with those that it began with. These tests need an adapter.

use std::fs;
use std::process::Command;

use sha2::{Digest, Sha256};
use wgrad::internals::table::MATMUL_NAIVE;

use crate::kills::RUN;
use crate::place::Place;

const TRAIN: &[&str] = &[
    "train",
    "--device",
    "gpu",
    "--network",
    "dense 16, relu, dense 10",
    "--kernel",
    "matmul=custom.wgsl",
    "--epochs",
];
const RESUME: &[&str] = &["train", "--resume", RUN, "--epochs", "3"];
const MODEL: &str = "runs/digits-001/model.safetensors";
const KEPT: &str = "runs/digits-001/kernels/matmul.wgsl";

/// A run of one epoch, as it was stopped or killed.
fn stopped() -> Place {
    let place = Place::new();
    place.write("custom.wgsl", MATMUL_NAIVE.wgsl);
    place.run(&[TRAIN, &["1"]].concat()).ok();
    place
}

/// A copy of a place, as it is now.
fn again(place: &Place) -> Place {
    let copy = Place::new();
    let from = place.path(".");
    assert!(Command::new("cp").arg("-r").arg(from).arg(copy.path(".")).status().unwrap().success());
    copy
}

/// A kernel that passes the check, and adds up in another order.
fn backwards() -> String {
    let text = MATMUL_NAIVE.wgsl.replace("var k = 0u; k < K; k++", "var j = 0u; j < K; j++");
    text.replace("let left", "let k = K - 1u - j;\n        let left")
}

#[test]
fn a_kernel_that_changes_between_stop_and_resume_is_not_used_and_that_is_said() {
    let place = stopped();
    assert_eq!(place.read(KEPT), MATMUL_NAIVE.wgsl.as_bytes());
    let recorded = |place: &Place| place.json("runs/digits-001/run.json")["kernels"].clone();
    let hash: String = Sha256::digest(MATMUL_NAIVE.wgsl).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(recorded(&place)[0]["sha256"], hash);
    let straight = Place::new();
    straight.write("custom.wgsl", MATMUL_NAIVE.wgsl);
    straight.run(&[TRAIN, &["3"]].concat()).ok();
    // The other order would show.
    let other = Place::new();
    other.write("custom.wgsl", backwards());
    other.run(&[TRAIN, &["3"]].concat()).ok();
    assert!(straight.read(MODEL) != other.read(MODEL));

    for (changed, said) in [
        (None, false),
        (Some(backwards()), true),
        (Some("no shader".to_owned()), true),
        (Some("x".repeat(2 << 20)), true),
    ] {
        let place = again(&place);
        match changed {
            None => fs::remove_file(place.path("custom.wgsl")).unwrap(),
            Some(text) => drop(place.write("custom.wgsl", text)),
        }
        let ran = place.run(&["resume-check", RUN, "--steps", "4"]).ok();
        let note = "custom.wgsl has changed since this run began; the run goes on with the kernel that it began \
                    with, kept in runs/digits-001/kernels/matmul.wgsl";
        assert_eq!(ran.err.contains(note), said, "{}", ran.err);
        let ran = place.run(RESUME).ok();
        assert_eq!(ran.err.contains(note), said, "{}", ran.err);
        assert!(place.read(MODEL) == straight.read(MODEL), "the run went on with another kernel");
        assert_eq!(recorded(&place)[0]["sha256"], hash);
        assert_eq!(place.read(KEPT), MATMUL_NAIVE.wgsl.as_bytes());
    }
}

#[test]
fn a_run_without_a_kept_kernel_goes_on_only_with_the_very_same_file() {
    let place = stopped();
    // As an earlier version left it.
    let older = again(&place);
    fs::remove_dir_all(older.path("runs/digits-001/kernels")).unwrap();
    let ran = again(&older);
    let older_ran = ran.run(RESUME).ok();
    assert!(!older_ran.err.contains("takes its place"), "{}", older_ran.err);
    assert_eq!(ran.read(KEPT), MATMUL_NAIVE.wgsl.as_bytes(), "it is kept from here on");
    older.write("custom.wgsl", backwards());
    for command in [&["resume-check", RUN][..], RESUME] {
        older.run(command).failed(
            3,
            &["matmul", "kernels/matmul.wgsl is missing", "custom.wgsl has changed", "--init-from"],
        );
    }
    fs::remove_file(older.path("custom.wgsl")).unwrap();
    older.run(RESUME).failed(3, &["kernels/matmul.wgsl is missing", "custom.wgsl is missing too"]);

    // A damaged one.
    for damaged in [&b"no shader"[..], b"", &[0xff], &[b' '; 2 << 20]] {
        let place = again(&place);
        place.write(KEPT, damaged);
        let whole = again(&place);
        let ran = whole.run(RESUME).ok();
        assert!(ran.err.contains("kernels/matmul.wgsl is damaged; custom.wgsl still is"), "{}", ran.err);
        assert_eq!(whole.read(KEPT), MATMUL_NAIVE.wgsl.as_bytes());
        place.write("custom.wgsl", backwards());
        place.run(RESUME).failed(3, &["kernels/matmul.wgsl is damaged", "custom.wgsl has changed"]);
    }
    // A record without the kernel is damaged, and the checkpoint's tells which one it was.
    let place = again(&place);
    let mut record = place.json("runs/digits-001/run.json");
    record.as_object_mut().unwrap().remove("kernels");
    place.write("runs/digits-001/run.json", record.to_string()).write("custom.wgsl", backwards());
    let ran = place.run(RESUME).ok();
    assert!(ran.err.contains("custom.wgsl has changed since this run began"), "{}", ran.err);
    assert_eq!(place.json("runs/digits-001/run.json")["kernels"][0]["name"], "matmul");
}
