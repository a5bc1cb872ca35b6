//! Exercises are cut from the real shaders: each has a hole, and the core fills it.

use std::fs;

use wgrad::internals::teach::exercises::{EXERCISES, Exercise};
use wgrad::internals::verify::custom;

use super::common::adapter;
use super::{CustomKernel, wgrad};

fn problem(exercise: &Exercise, text: &str) -> Option<String> {
    let file = CustomKernel::new(exercise.kernel, text);
    let custom =
        custom::CustomKernel::read(&file.path(), exercise.kernel).unwrap_or_else(|error| panic!("{error}"));
    custom::trial(&custom, &adapter(), &mut |_, _| {}).unwrap().report()
}

#[test]
fn every_exercise_is_valid_and_fails_until_its_core_is_back() {
    for exercise in EXERCISES {
        let text = exercise.text();
        let report = problem(exercise, &text);
        assert!(report.is_some(), "{} passes with a hole in it", exercise.kernel.name);
        let filled = text.replacen(&exercise.hole(), exercise.core, 1);
        assert_eq!(filled, exercise.kernel.wgsl);
        assert_eq!(problem(exercise, &filled), None);
    }
}

#[test]
fn hints_go_from_a_nudge_to_the_lines() {
    for exercise in EXERCISES {
        let hints = [1, 2, 3].map(|number| exercise.hint(number));
        assert!(hints[0].len() < hints[1].len(), "{}", exercise.kernel.name);
        assert!(hints[2].contains(exercise.core.trim_end()));
    }
    let ran = wgrad(&["lesson", "hint", "sgd"]);
    ran.passed();
    assert_eq!(ran.stdout.trim_end(), Exercise::find("sgd").unwrap().hint(1));
    assert!(ran.stderr.contains("wgrad lesson hint sgd 2"), "{ran:?}");
    wgrad(&["lesson", "hint", "sdg"]).refused(2, &["did you mean “sgd”?"]);
    wgrad(&["lesson", "hint", "sgd", "4"]).refused(2, &["4"]);
}

#[test]
fn exercises_are_written_once_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("mine");
    let start = || wgrad(&["lesson", "start", target.to_str().unwrap()]);
    let ran = start();
    ran.passed();
    let readme = fs::read_to_string(target.join("README.md")).unwrap();
    for exercise in EXERCISES {
        let name = exercise.kernel.name;
        assert_eq!(fs::read_to_string(target.join(format!("{name}.wgsl"))).unwrap(), exercise.text());
        assert!(readme.contains(&format!("--kernel {name}\n")), "{readme}");
    }
    fs::remove_file(target.join("README.md")).unwrap();
    fs::write(target.join("sgd.wgsl"), "mine").unwrap();
    start().refused(2, &["is there already", "common.wgsl"]);
    assert!(!target.join("README.md").exists(), "it wrote something all the same");
    assert_eq!(fs::read_to_string(target.join("sgd.wgsl")).unwrap(), "mine");
}
