//! Limits of the command line, of numbers, and of the system.

use crate::place::{Place, Ran};

#[test]
fn json_has_an_object_for_a_refused_command_line_too() {
    let place = Place::new();
    for arguments in [
        &["train", "--json", "--keep", "0"][..],
        &["train", "--json", "--nonsense"],
        &["lr-find", "--json", "--steps", "x"],
        &["lesson", "3", "--json", "--alpha", "x"],
        &["eval", "--json"],
        &["predict", "--json"],
    ] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {}", ran.err);
        let json = ran.json();
        let sentence = json["error"].as_str().unwrap();
        assert!(
            !sentence.is_empty() && ran.err.contains(sentence.split(':').next().unwrap()),
            "{arguments:?}: {json}"
        );
    }
    assert_eq!(place.run(&["train", "--keep", "0"]).out, "");
    assert_eq!(place.run(&["predict", "--", "--json"]).out, "");
}

#[test]
fn numbers_that_are_0_in_32_bits_are_refused() {
    let place = Place::new();
    for flag in ["--clip-norm", "--clip-value", "--learning-rate", "--ema"] {
        place.refuses(2, &["train", "--device", "cpu", flag, "1e-46"], &[flag, "which is 0 in 32 bits"]);
    }
    place.write("small.toml", "data = \"digits\"\nclip_norm = 1e-50\n");
    place.refuses(2, &["train", "small.toml"], &["clip_norm is 1e-50", "which is 0 in 32 bits"]);
}

#[test]
fn more_threads_than_are_of_use_are_refused() {
    let place = Place::new();
    let train = ["train", "--device", "cpu", "--epochs", "1"];
    let mut command = place.command(&train);
    Ran::of(command.env("RAYON_NUM_THREADS", "5000")).failed(2, &["RAYON_NUM_THREADS is 5000", "threads"]);
    let mut command = place.command(&train);
    Ran::of(command.env("RAYON_NUM_THREADS", "3")).ok();
}

#[test]
fn a_seed_of_64_bits_is_resumed() {
    let place = Place::new();
    place.run(&["train", "--device", "cpu", "--epochs", "1", "--seed", "18446744073709551615"]).ok();
    let ran = place.run(&["train", "--resume", "runs/digits-001", "--epochs", "2"]).ok();
    assert!(!ran.err.contains("can't be read"), "{}", ran.err);
    assert!(ran.err.contains("resume  runs/digits-001 after epoch 1 (45 steps of the run)\n"), "{}", ran.err);
    place.refuses(
        2,
        &["train", "--resume", "runs/digits-001", "--epochs", "1"],
        &["has run 2 epochs, more than 1"],
    );
}

#[cfg(unix)]
#[test]
fn a_small_stack_is_enough() {
    let place = Place::new();
    let mut shell = std::process::Command::new("sh");
    let script =
        format!("ulimit -s 64; exec {} train --device cpu --epochs 1 --quiet", env!("CARGO_BIN_EXE_wgrad"));
    Ran::of(shell.current_dir(place.path(".")).args(["-c", &script])).ok();
}
