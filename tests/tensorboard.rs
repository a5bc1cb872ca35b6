//! The event file, read by other code than wrote it: the framing is written here again from TensorFlow's
//! `record_writer.h`, the checksums are from the crate crc32c, and prost decodes the messages by the numbers and types
//! of `event.proto` and `summary.proto`.

#[path = "cli/place.rs"]
#[allow(dead_code)]
mod place;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use place::Place;
use prost::Message;
use serde_json::Value as Json;

const EVENTS: &str = "events.out.tfevents.wgrad";

#[derive(Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, tag = "3")]
    file_version: String,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// The messages of a file that is complete to its last byte.
#[track_caller]
fn read(bytes: &[u8]) -> Vec<Event> {
    let masked = |bytes: &[u8]| {
        let crc = crc32c::crc32c(bytes);
        crc.rotate_left(17).wrapping_add(0xa282_ead8)
    };
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let (mut events, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        assert!(rest.len() >= 16, "{} bytes are left", rest.len());
        assert_eq!(word(&rest[8..12]), masked(&rest[..8]), "the checksum of a length");
        let end = 12 + u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        assert_eq!(word(&rest[end..end + 4]), masked(&rest[12..end]), "the checksum of a message");
        events.push(Event::decode(&rest[12..end]).unwrap());
        rest = &rest[end + 4..];
    }
    events
}

/// The steps and values of each tag in a run's file.
#[track_caller]
fn series(place: &Place, run: &str) -> BTreeMap<String, Vec<(i64, f32)>> {
    let events = read(&place.read(&format!("runs/{run}/{EVENTS}")));
    assert_eq!((events[0].file_version.as_str(), events[0].step), ("brain.Event:2", 0));
    let mut series: BTreeMap<String, Vec<(i64, f32)>> = BTreeMap::new();
    for event in &events {
        // After 2020 and before 2100.
        assert!((1.6e9..4.1e9).contains(&event.wall_time), "{}", event.wall_time);
        for value in event.summary.iter().flat_map(|summary| &summary.value) {
            series.entry(value.tag.clone()).or_default().push((event.step, value.simple_value));
        }
    }
    series
}

/// The same from `metrics.jsonl`, without values that depend on how steps were submitted.
fn expected(place: &Place, run: &str) -> BTreeMap<String, Vec<(i64, f32)>> {
    let text = String::from_utf8(place.read(&format!("runs/{run}/metrics.jsonl"))).unwrap();
    let mut series: BTreeMap<String, Vec<(i64, f32)>> = BTreeMap::new();
    let mut push = |tag: &str, step: i64, value: &Json| {
        series.entry(tag.to_owned()).or_default().push((step, value.as_f64().unwrap() as f32));
    };
    let mut step = 0;
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let list = |key: &str| line[key].as_array().cloned().unwrap_or_default();
        let lists = list("losses").into_iter().zip(list("gradient_norms")).zip(list("learning_rates"));
        for ((loss, norm), rate) in lists {
            step += 1;
            push("loss/train", step, &loss);
            push("gradient_norm", step, &norm);
            push("learning_rate", step, &rate);
        }
        if line["kind"] == "epoch" {
            for (tag, key) in [
                ("loss/epoch", "train_loss"),
                ("accuracy/epoch", "train_accuracy"),
                ("loss/validation", "validation_loss"),
                ("accuracy/validation", "validation_accuracy"),
                ("loss/held-out", "held_out_loss"),
                ("accuracy/held-out", "held_out_accuracy"),
            ] {
                push(tag, line["step"].as_i64().unwrap(), &line[key]);
            }
        }
    }
    series
}

const TRAIN: &[&str] = &[
    "train",
    "--device",
    "cpu",
    "--epochs",
    "12",
    "--validation",
    "0.1",
    "--schedule",
    "one-cycle",
    "--checkpoint-every",
    "7",
    "--keep",
    "99",
];

/// Compares all but the accuracies of groups of steps, whose length depends on the clock.
#[track_caller]
fn assert_whole(place: &Place, run: &str) -> BTreeMap<String, Vec<(i64, f32)>> {
    let mut found = series(place, run);
    let accuracies = found.remove("accuracy/train").expect("accuracies by step");
    assert!(accuracies.windows(2).all(|pair| pair[0].0 < pair[1].0), "{accuracies:?}");
    assert!(accuracies.iter().all(|(_, share)| (0.0..=1.0).contains(share)), "{accuracies:?}");
    assert_eq!(found, expected(place, run));
    let steps: Vec<i64> = found["loss/train"].iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, (1..=12 * 41).collect::<Vec<_>>(), "each step once");
    found
}

#[test]
fn every_step_and_every_epoch_is_there_once() {
    let place = Place::new();
    place.run(&[TRAIN, &["--tensorboard"]].concat()).ok();
    let found = assert_whole(&place, "digits-001");
    // The schedule is visible: up, and down to almost 0.
    let rates = &found["learning_rate"];
    assert!(rates[0].1 < rates[150].1 && rates[150].1 > rates[491].1, "{rates:?}");
    // Without the flag there is no such file.
    place.run(TRAIN).ok();
    assert!(!place.path(&format!("runs/digits-002/{EVENTS}")).exists());
}

#[test]
fn a_killed_and_resumed_run_has_no_gap_and_no_duplicate() {
    let place = Place::new();
    place.run(&[TRAIN, &["--tensorboard"]].concat()).ok();
    let straight = assert_whole(&place, "digits-001");
    let mut arguments = [TRAIN, &["--tensorboard"]].concat();
    let mut kills = 0;
    for pause in [60, 30, 80, 45] {
        let mut command = place.command(&arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !place.path("runs/digits-002/checkpoints/step-000000007.safetensors").is_file() {
            sleep(Duration::from_millis(2));
        }
        sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            break;
        }
        kills += 1;
        // The resumed run needs no flag.
        arguments = vec!["train", "--resume", "runs/digits-002", "--checkpoint-every", "7", "--keep", "99"];
    }
    assert!(kills >= 1);
    let ended = place.run(&["train", "--resume", "runs/digits-002"]);
    assert!(ended.code == Some(0) || ended.err.contains("has run all its"), "{}", ended.err);
    assert_eq!(assert_whole(&place, "digits-002"), straight);
}

#[test]
fn a_file_that_was_begun_late_or_is_damaged_is_completed() {
    let place = Place::new();
    let checkpoint = "runs/digits-001/checkpoints/step-000000252.safetensors";
    place.run(TRAIN).ok();
    place.run(&["train", "--resume", checkpoint, "--keep", "99", "--tensorboard"]).ok();
    let whole = assert_whole(&place, "digits-001");
    let file = format!("runs/digits-001/{EVENTS}");
    let bytes = place.read(&file);
    let mut flipped = bytes.clone();
    flipped[5000] ^= 1;
    for damaged in [&flipped[..], &bytes[..9001], b"no event file"] {
        place.write(&file, damaged);
        place.run(&["train", "--resume", checkpoint, "--keep", "99"]).ok();
        assert_eq!(assert_whole(&place, "digits-001"), whole);
    }
}
