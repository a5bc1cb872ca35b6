//! Optimisers, schedules, stopping and the learning-rate finder.

use crate::place::{Place, Ran};

/// A short training on the CPU engine, small unless `more` says otherwise.
fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["train", "--device", "cpu"];
    for (flag, value) in [("--network", "dense 10"), ("--batch-size", "100")] {
        if !more.contains(&flag) {
            all.extend([flag, value]);
        }
    }
    all.extend(more);
    all
}

fn train(place: &Place, more: &[&str]) -> Ran {
    place.run(&arguments(more))
}

#[test]
fn every_optimiser_learns_digits() {
    let place = Place::new();
    for name in wgrad::internals::network::optimiser::NAMES {
        let ran = train(
            &place,
            &["--network", "dense 16, relu, dense 10", "--epochs", "25", "--optimiser", name, "--json"],
        );
        let accuracy = ran.ok().json()["held_out_accuracy"].as_f64().unwrap();
        // Guessing gives 0.1.
        assert!(accuracy > 0.5, "{name}: {accuracy}");
    }
}

#[test]
fn accumulated_batches_learn_the_same_as_one_large_batch() {
    let place = Place::new();
    train(&place, &["--epochs", "2", "--momentum", "0.5"]).ok();
    train(&place, &["--epochs", "2", "--momentum", "0.5", "--batch-size", "25", "--accumulate", "4"]).ok();
    let accuracies = ["001", "002"].map(|run| {
        let record = place.json(&format!("runs/digits-{run}/run.json"));
        assert_eq!(record["steps"], 30);
        record["last"]["held_out_loss"].as_f64().unwrap()
    });
    assert!((accuracies[0] - accuracies[1]).abs() < 1e-4, "{accuracies:?}");
}

#[test]
fn schedules_clipping_ema_and_class_weights_combine_and_repeat() {
    let place = Place::new();
    let more = [
        "--epochs",
        "3",
        "--optimiser",
        "adamw weight-decay 0.05",
        "--schedule",
        "one-cycle warmup 3",
        "--clip-norm",
        "1",
        "--clip-value",
        "0.5",
        "--ema",
        "0.9",
        "--label-smoothing",
        "0.1",
        "--class-weights",
        "balanced",
    ];
    train(&place, &more).ok();
    place.run(&["train", "runs/digits-001/recipe.toml"]).ok();
    for file in ["model.safetensors", "recipe.toml"] {
        let [one, two] = ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/{file}")));
        assert!(one == two, "{file} differs");
    }
}

#[test]
fn a_run_stops_early_and_saves_the_best_weights() {
    let place = Place::new();
    // No epoch improves by 100.
    let ran = train(&place, &["--epochs", "50", "--stop-early", "train-loss patience 2 gain 100"]).ok();
    assert!(ran.err.contains("the best epoch is 1 of 3"), "{}", ran.err);
    train(&place, &["--epochs", "1"]).ok();
    let [stopped, one] =
        ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/model.safetensors")));
    assert!(stopped == one, "the saved weights are not those of the first epoch");
    // The record has the last epoch all the same.
    assert_eq!(place.json("runs/digits-001/run.json")["last"]["epoch"], 3);
}

#[test]
fn the_time_limit_ends_a_run_in_the_middle_of_an_epoch() {
    let place = Place::new();
    let ran = train(&place, &["--epochs", "100000", "--max-time", "1s"]).ok();
    assert!(ran.err.contains("the time of 1s is over in epoch"), "{}", ran.err);
}

#[test]
fn a_network_over_fits_a_single_batch() {
    let place = Place::new();
    let more =
        ["--network", "dense 32, relu, dense 10", "--overfit-batches", "1", "--epochs", "150", "--json"];
    let ran = train(&place, &more);
    let result = ran.ok().json();
    assert_eq!(result["steps"], 150);
    assert!(result["train_loss"].as_f64().unwrap() < 0.05, "{result}");
}

#[test]
fn a_fast_dev_run_takes_one_step_and_saves_nothing() {
    let place = Place::new();
    let ran = train(&place, &["--fast-dev-run", "--schedule", "cosine over 9999"]).ok();
    assert!(ran.err.contains("a test of one step: nothing was saved"), "{}", ran.err);
    assert!(ran.out.contains("(1 epoch, 1 step, "), "{}", ran.out);
    assert!(place.files().is_empty(), "{:?}", place.files().keys());
}

#[test]
fn lr_find_suggests_a_rate_that_learns_and_writes_no_files() {
    let place = Place::new();
    let find = ["lr-find", "--device", "cpu", "--network", "dense 16, relu, dense 10"];
    let found = place.run(&[&find[..], &["--json"]].concat());
    let rate = found.ok().json()["suggestion"].as_f64().unwrap();
    assert!((1e-3..=3.0).contains(&rate), "{rate}");
    assert!(place.files().is_empty(), "{:?}", place.files().keys());
    let page = place.run(&find).ok();
    assert!(page.out.contains("log10 of the learning rate") && page.out.contains("learning rate      "));
    let rate = rate.to_string();
    let ran = train(&place, &["--epochs", "5", "--momentum", "0", "--learning-rate", &rate, "--json"]);
    assert!(ran.ok().json()["held_out_accuracy"].as_f64().unwrap() > 0.5);
}

#[test]
fn contradictory_settings_are_refused() {
    let place = Place::new();
    let refuses = |more: &[&str], words: &[&str]| place.refuses(2, &arguments(more), words);
    refuses(&["--optimiser", "adma"], &["did you mean “adam”?"]);
    refuses(&["--optimiser", "adam", "--momentum", "0.9"], &["--momentum", "is for the optimiser sgd"]);
    refuses(&["--schedule", "cosine over 7"], &["shorter than the run", "leave out “over 7”"]);
    refuses(
        &["--schedule", "constant warmup 100000"],
        &["the warm-up of 100000 steps does not fit into the run"],
    );
    refuses(&["--clip-norm", "-1"], &["--clip-norm", "a number from 0"]);
    refuses(&["--accumulate", "0"], &["--accumulate", "a whole number from 1"]);
    refuses(&["--accumulate", "16"], &["a step of 16 batches of 100", "--accumulate 15"]);
    refuses(&["--ema", "1"], &["--ema", "below 1"]);
    refuses(&["--label-smoothing", "1"], &["--label-smoothing", "below 1"]);
    refuses(&["--label-smoothing", "0.1", "--loss", "mse"], &["for --loss cross-entropy, not for mse"]);
    refuses(&["--class-weights", "1,2"], &["there are 2 --class-weights", "10 classes"]);
    refuses(&["--class-weights", "heavy"], &["even, balanced"]);
    refuses(&["--stop-early", "validation-loss"], &["needs a validation part", "--validation 0.1"]);
    refuses(&["--stop-early", "loss"], &["there is no metric “loss”"]);
    refuses(&["--max-time", "soon"], &["time “soon”", "10m"]);
    place.refuses(2, &["lr-find", "--from", "1", "--to", "0.1"], &["--from 1 and --to 0.1 are no range"]);
    place.refuses(2, &["lr-find", "--steps", "3"], &["--steps is 3", "from 20"]);
}
