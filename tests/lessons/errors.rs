//! Wrong settings, and their errors.

use std::process::Command;

use wgrad::Error;
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::options::LessonOptions;
use wgrad::internals::teach::lessons::{find, run};

/// Checks that a lesson is refused with a sentence that has all of these in it.
#[track_caller]
fn refused(lesson: &str, options: &LessonOptions, parts: &[&str]) {
    let result = find(lesson).and_then(|lesson| run(lesson, options, &Machine::plain()));
    let error = result.expect_err("it was accepted");
    assert!(matches!(error, Error::Usage(_) | Error::Setting { .. }), "{error:?}");
    for part in parts {
        assert!(error.to_string().contains(part), "“{error}” does not say “{part}”");
    }
}

#[test]
fn unknown_lessons_suggest_the_nearest_name() {
    refused(
        "gradient-decent",
        &LessonOptions::default(),
        &["did you mean “gradient-descent”?", "1 one-weight"],
    );
    // A word of a name, whole or not, and whatever the case.
    for (wanted, name) in [("hot", "hot-and-cold"), ("Gradient", "gradient-descent"), ("neurons", "neuron")] {
        refused(wanted, &LessonOptions::default(), &[&format!("did you mean “{name}”?")]);
    }
    refused("nine", &LessonOptions::default(), &["no lesson “nine”; there are 1 one-weight"]);
    for number in ["99", "0", "-1", "7a"] {
        refused(number, &LessonOptions::default(), &["numbered 1 to 12", "7b"]);
    }
}

#[test]
fn unknown_settings_are_refused_with_the_known_ones() {
    let options = LessonOptions { alpha: Some(1.0), ..LessonOptions::default() };
    refused("1", &options, &["lesson 1 (one-weight) has no alpha", "it takes input, weights"]);
}

#[test]
fn vectors_of_different_lengths_are_refused() {
    let input = LessonOptions { input: Some(vec![1.0, 2.0]), ..LessonOptions::default() };
    refused("3", &input, &["input has 2 numbers", "weights has 3 numbers"]);
    refused("4", &input, &["weights has 9 numbers", "multiple of 2"]);
    refused("7", &input, &["input has 2 numbers", "one input"]);
    let goal = LessonOptions { goal: Some(vec![1.0]), ..LessonOptions::default() };
    refused("2", &goal, &["input has 2 numbers", "goal has 1 number"]);
    refused("7b", &goal, &["weights has 3 numbers", "goal has 1 number"]);
    let weights = LessonOptions { weights: Some(vec![1.0, 2.0]), ..LessonOptions::default() };
    refused("5", &weights, &["weights has 2 numbers", "1 input", "1 goal"]);
}

#[test]
fn non_finite_settings_are_refused() {
    for value in [f32::NAN, f32::INFINITY] {
        let options = LessonOptions { weights: Some(vec![value]), ..LessonOptions::default() };
        refused("1", &options, &["weights", "not a number"]);
    }
    refused("5", &LessonOptions { step: Some(0.0), ..LessonOptions::default() }, &["step", "above 0"]);
    refused("5", &LessonOptions { iterations: Some(0), ..LessonOptions::default() }, &["iterations", "1 to"]);
    refused("1", &LessonOptions { input: Some(Vec::new()), ..LessonOptions::default() }, &["input", "1 to"]);
}

/// The program's exit code, and what it wrote to stdout and stderr.
fn wgrad(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wgrad")).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn exit_codes_tell_usage_from_divergence() {
    let (code, _, errors) = wgrad(&["lesson", "nine"]);
    assert_eq!((code, errors.lines().count()), (Some(2), 1), "{errors}");
    let (code, _, errors) = wgrad(&["lesson", "1", "--alpha", "3"]);
    assert!(code == Some(2) && errors.contains("has no --alpha; it takes --input, --weights"), "{errors}");
    let (code, _, errors) = wgrad(&["lesson", "1", "--data", "mnist"]);
    assert!(code == Some(2) && errors.contains("has no --data; it takes"), "{errors}");
    let (code, _, errors) = wgrad(&["lesson", "--alpha", "3"]);
    assert!(code == Some(2) && errors.contains("LESSON"), "{errors}");
    let (code, page, errors) = wgrad(&["lesson", "7", "--alpha", "1e20", "--device", "cpu"]);
    assert_eq!(code, Some(5));
    assert!(page.contains("iteration") && errors.contains("error: it diverged"), "{page}\n{errors}");
    let (code, page, _) = wgrad(&["lesson", "3", "--weights", "-0.1,-0.2,1", "--device", "cpu", "--json"]);
    assert_eq!(code, Some(0));
    assert!(page.starts_with("{\"title\":") && page.lines().count() == 1, "{page}");
    let (code, list, _) = wgrad(&["lesson"]);
    assert!(code == Some(0) && list.contains(" 7b  three-outputs"), "{list}");
}

#[test]
fn a_picture_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bowl.svg");
    let file = file.to_str().unwrap();
    let (code, ..) = wgrad(&["lesson", "7", "--svg", file, "--device", "cpu"]);
    assert_eq!(code, Some(0));
    assert!(std::fs::read_to_string(file).unwrap().contains("the bowl"));
}
