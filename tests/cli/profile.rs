//! `wgrad train --profile`: a table, and a trace in the run directory.

use crate::place::Place;

#[test]
fn a_profile_is_a_table_and_a_trace_and_changes_no_weight() {
    let place = Place::new();
    let train = ["train", "--epochs", "1", "--device", "cpu"];
    place.run(&train).ok();
    let ran = place.run(&[&train[..], &["--profile=5"]].concat()).ok();
    let words = ["profile            5 steps of ", "% time", "GFLOP/s", "total", "trace.json"];
    for word in words.iter().chain(&["matmul", "gather_batch", "dense_softmax_loss"]) {
        assert!(ran.out.contains(word), "“{word}” is not in {}", ran.out);
    }
    let events = place.json("runs/digits-002/trace.json")["traceEvents"].clone();
    let named = |name: &str| events.as_array().unwrap().iter().filter(|event| event["name"] == name).count();
    assert_eq!((named("step 5"), named("step 6"), named("dense_softmax_loss")), (1, 0, 5));
    assert!(!place.files().contains_key("runs/digits-001/trace.json"));
    assert_eq!(
        place.read("runs/digits-001/model.safetensors"),
        place.read("runs/digits-002/model.safetensors")
    );
}

#[test]
fn with_json_the_table_is_on_stderr_and_stdout_stays_one_object() {
    let place = Place::new();
    let ran = place.run(&["train", "--epochs", "1", "--device", "cpu", "--profile", "--json"]).ok();
    assert_eq!(ran.json()["run"], "runs/digits-001");
    // An epoch has only 45 steps.
    assert!(ran.err.contains("45 steps of "), "{}", ran.err);
}

#[test]
fn a_resumed_run_is_profiled_too_and_a_fast_dev_run_leaves_no_trace() {
    let place = Place::new();
    let cpu = ["--device", "cpu"];
    place.run(&[&["train", "--fast-dev-run", "--profile"][..], &cpu].concat()).ok();
    assert!(place.files().is_empty());
    let begun = ["train", "--epochs", "1", "--checkpoint-every", "20", "--keep", "9"];
    place.run(&[&begun[..], &cpu].concat()).ok();
    let checkpoint = "runs/digits-001/checkpoints/step-000000020.safetensors";
    let ran = place.run(&[&["train", "--resume", checkpoint, "--profile=3"][..], &cpu].concat()).ok();
    assert!(ran.out.contains("3 steps of "), "{}", ran.out);
    // Steps are counted from the beginning of the run.
    assert_eq!(place.json("runs/digits-001/trace.json")["traceEvents"][3]["name"], "step 21");
}

#[test]
fn a_profile_of_no_steps_is_refused() {
    let ran = Place::new().run(&["train", "--profile=0"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("a whole number from 1"), "{}", ran.err);
}
