//! Runs that end within an epoch, runs that are extended, and what of them other runs begin with.

use crate::kills::{RUN, content};
use crate::place::Place;

const MODEL: &str = "runs/digits-001/model.safetensors";

/// A network that needs some seconds for an epoch of the digits in a test build, and far less for a step.
const WIDE: &[&str] = &["--network", "dense 2048, relu, dense 2048, relu, dense 10", "--batch-size", "64"];

#[test]
fn a_run_that_its_time_ends_within_an_epoch_keeps_what_it_has_learned() {
    let place = Place::new();
    let timed = ["train", "--device", "cpu", "--epochs", "100", "--max-time", "1s", "--json"];
    let ran = place.run(&[&timed[..], WIDE].concat()).ok();
    assert!(ran.err.contains("the time of 1s is over"), "{}", ran.err);
    let said = ran.json();
    assert_eq!(said["status"], "done");
    let steps = said["steps"].as_u64().unwrap();
    assert!(steps > 0, "{said}");
    // What was printed is what the model on the disk does.
    let measured = place.run(&["eval", RUN, "--device", "cpu", "--json"]).ok().json();
    assert_eq!(said["held_out_accuracy"], measured["held_out_accuracy"]);
    assert!(said["held_out_accuracy"].as_f64().unwrap() > 0.2, "{said}");
    // It goes on to the bits of a run that was never stopped.
    let epochs = (steps / 23 + 1).to_string();
    place.run(&["train", "--resume", RUN, "--max-time", "none", "--epochs", &epochs]).ok();
    let resumed = (place.read(MODEL), content(&place, RUN));
    let straight = ["train", "--device", "cpu", "--epochs", &epochs, "--out", "straight"];
    place.run(&[&straight[..], WIDE].concat()).ok();
    assert!(resumed.0 == place.read("straight/digits-001/model.safetensors"));
    assert_eq!(resumed.1, content(&place, "straight/digits-001"));
}

#[test]
fn a_finished_run_is_extended_to_the_bits_of_a_longer_one() {
    for more in [
        &["--schedule", "plateau patience 1", "--validation", "0.1"][..],
        &["--optimiser", "adam", "--ema", "0.9", "--augment", "shift 1"],
        &["--schedule", "step every 1 factor 0.5", "--accumulate", "2"],
    ] {
        let place = Place::new();
        let train = |epochs: &str, out: &str| {
            place.run(&[&["train", "--device", "cpu", "--epochs", epochs, "--out", out], more].concat()).ok()
        };
        train("2", "runs");
        let ran = place.run(&["train", "--resume", RUN, "--epochs", "5"]).ok();
        assert!(!ran.err.contains("was fitted to"), "{}", ran.err);
        train("5", "straight");
        assert!(place.read(MODEL) == place.read("straight/digits-001/model.safetensors"), "{more:?}");
        assert_eq!(content(&place, RUN), content(&place, "straight/digits-001"), "{more:?}");
        // The recipe of the run is that of the longer one.
        let recipe = |run: &str| String::from_utf8(place.read(&format!("{run}/recipe.toml"))).unwrap();
        assert_eq!(recipe(RUN), recipe("straight/digits-001"));
        place.refuses(2, &["train", "--resume", RUN], &["has run all its 5 epochs", "more --epochs"]);
    }
}

#[test]
fn another_length_of_a_fitted_schedule_is_said() {
    let place = Place::new();
    place.run(&["train", "--device", "cpu", "--epochs", "2", "--schedule", "cosine"]).ok();
    let ran = place.run(&["train", "--resume", RUN, "--epochs", "4"]).ok();
    let said =
        ["“cosine” was fitted to 2 epochs and is to 4 from here on", "the next learning rate is 0.0099"];
    assert!(said.iter().all(|said| ran.err.contains(said)), "{}", ran.err);
}

#[test]
fn a_checkpoint_is_what_another_run_begins_with() {
    let place = Place::new();
    let network = ["--network", "conv 4 3x3, batchnorm, relu, flatten, dense 10"];
    let train = ["train", "--device", "cpu", "--epochs", "2", "--ema", "0.9", "--keep", "9"];
    place.run(&[&train[..], &network, &["--checkpoint-every", "60"]].concat()).ok();
    // The last checkpoint has the weights of the model, and so do the runs that begin with the one and the other.
    let begun = |from: &str, out: &str| {
        let train = ["train", "--device", "cpu", "--epochs", "1", "--out", out, "--init-from", from];
        let ran = place.run(&[&train[..], &network].concat()).ok();
        assert!(ran.err.contains("weights 8 taken over"), "{}", ran.err);
        place.read(&format!("{out}/digits-001/model.safetensors"))
    };
    let of_model = begun(RUN, "a");
    let checkpoint = format!("{RUN}/checkpoints/step-000000090.safetensors");
    assert!(begun(&checkpoint, "b") == of_model);
    assert!(begun(&format!("{RUN}/checkpoints/step-000000060.safetensors"), "c") != of_model);
    // A run without a model has its newest checkpoint.
    std::fs::remove_file(place.path(MODEL)).unwrap();
    assert!(begun(RUN, "d") == of_model);
}

#[test]
fn a_run_that_diverges_prints_one_object_too() {
    let place = Place::new();
    let ran = place.run(&["train", "--device", "cpu", "--learning-rate", "1e30", "--json"]);
    assert_eq!(ran.code, Some(5), "{}", ran.err);
    let said = ran.json();
    assert_eq!((&said["status"], &said["run"]), (&"diverged".into(), &RUN.into()));
    assert!(said["error"].as_str().unwrap().contains("learning rate"), "{said}");
}

#[test]
fn a_run_that_rolls_back_still_does_after_it_was_resumed_as_advised() {
    let place = Place::new();
    let wild =
        ["train", "--device", "cpu", "--epochs", "2", "--learning-rate", "1e6", "--on-nan", "rollback"];
    let every = ["--checkpoint-every", "10", "--keep", "99"];
    place.run(&[&wild[..], &every].concat()).ok();
    let (model, lines) = (place.read(MODEL), content(&place, RUN));
    // From its first steps, before anything went wrong, and without a word about rolling back.
    let first = format!("{RUN}/checkpoints/step-000000000.safetensors");
    place.run(&[&["train", "--resume", &first], &every[..]].concat()).ok();
    assert!(place.read(MODEL) == model);
    assert_eq!(content(&place, RUN), lines);
    // A run that stops at such a value goes on with another answer to it.
    let stops = [&wild[..5], &["--learning-rate", "1e6", "--out", "stops"], &every].concat();
    place.run(&stops).failed(5, &["--on-nan rollback"]);
    let ran = place.run(&["train", "--resume", "stops/digits-001", "--on-nan", "rollback"]).ok();
    assert!(ran.err.contains("back to step"), "{}", ran.err);
}
