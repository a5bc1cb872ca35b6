//! Early stopping, and resuming in the middle of it.

use crate::kills::{RUN, content};
use crate::place::Place;

const TRAIN: &[&str] = &["train", "--device", "cpu", "--epochs", "200", "--keep", "999"];

/// The epochs in a run's metrics.
fn epochs(place: &Place) -> u64 {
    place.json(&format!("{RUN}/run.json"))["epochs"].as_u64().unwrap()
}

#[test]
fn a_resumed_run_stops_at_the_same_epoch_with_the_same_weights() {
    let place = Place::new();
    let when = ["--validation", "0.2", "--stop-early", "validation-loss patience 3 gain 0.01"];
    // The steps of an epoch: a fifth of 1,437 samples is for validation, and the batch size is 32.
    let per_epoch = 36;
    let ran = place.run(&[TRAIN, &when, &["--checkpoint-every", "18"]].concat()).ok();
    let stopped = epochs(&place);
    assert!((6..200).contains(&stopped), "{}", ran.err);
    let best = stopped - 3;
    let said = format!("by validation-loss the best epoch is {best} of {stopped}: its weights are saved");
    assert!(ran.err.contains(&said), "{}", ran.err);
    let (weights, lines) = (place.read(&format!("{RUN}/model.safetensors")), content(&place, RUN));
    // Before the best epoch, at its end, within the patience, and within an epoch.
    for from in [best - 2, best, best + 1, stopped - 1] {
        for half in [0, 18] {
            let step = from * per_epoch + half;
            let checkpoint = format!("{RUN}/checkpoints/step-{step:09}.safetensors");
            let kept = place.read(&format!("{RUN}/model.safetensors"));
            let ran = place
                .run(&["train", "--resume", &checkpoint, "--keep", "999", "--checkpoint-every", "18"])
                .ok();
            assert!(ran.err.contains(&said), "from step {step}: {}", ran.err);
            assert_eq!(epochs(&place), stopped, "from step {step}");
            assert!(kept == weights && place.read(&format!("{RUN}/model.safetensors")) == weights);
            assert_eq!(content(&place, RUN), lines, "from step {step}");
        }
    }
}

#[test]
fn a_run_that_stopped_early_is_not_resumed() {
    let place = Place::new();
    let train = [TRAIN, &["--stop-early", "train-loss patience 2 gain 100"]].concat();
    place.run(&train).ok();
    assert_eq!(epochs(&place), 3);
    place.refuses(2, &["train", "--resume", RUN], &["has stopped by train-loss", "--init-from"]);
}
