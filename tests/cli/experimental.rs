//! `--experimental` without an adapter that supports it. `tests/cooperative.rs` has the rest. What is shown of a run
//! needs an adapter, of whatever kind.

use wgrad::internals::engine::adapter::choose;
use wgrad::internals::table::MATMUL_COOPERATIVE;

use crate::place::Place;

const OPTION: &str = "--experimental cooperative-matrix";

#[test]
fn cooperative_matrices_without_f16_or_an_adapter_are_refused() {
    let place = Place::new();
    let train = ["train", "--device", "cpu", "--experimental", "cooperative-matrix"];
    place.refuses(2, &train, &[OPTION, "add --precision f16, or leave it out"]);
    // With f32.
    let f32 = [&train[..], &["--precision", "f32"]].concat();
    place.refuses(2, &f32, &[OPTION, "add --precision f16"]);
    let f16 = [&train[..], &["--precision", "f16"]].concat();
    place.refuses(
        2,
        &f16,
        &[OPTION, "the CPU engine has no cooperative matrices", "--device", "leave it out"],
    );
    // The same holds for a recipe.
    place.write("recipe.toml", "device = 'cpu'\nprecision = 'f16'\nexperimental = 'cooperative-matrix'");
    place.refuses(2, &["train", "recipe.toml"], &[OPTION, "the CPU engine has no"]);
    place.refuses(2, &["train", "recipe.toml", "--precision", "f32"], &["add --precision f16"]);
    place.write("recipe.toml", "experimental = true");
    place.refuses(2, &["train", "recipe.toml"], &["experimental is true", "none or cooperative-matrix"]);
}

#[test]
fn an_unknown_experimental_name_is_refused() {
    let place = Place::new();
    let train =
        |name| place.refuses(2, &["train", "--experimental", name], &["neither none nor", "did you mean"]);
    train("cooperative-matrx");
    train("nonee");
    let tiles = ["train", "--experimental", "cooperative-matrix 12"];
    place.refuses(2, &tiles, &["tiles of 16, of 8 or of both", "“12”"]);
}

#[test]
fn a_run_without_experimental_kernels_does_not_mention_them() {
    let place = Place::new();
    let ran = place.run(&["train", "--epochs", "1", "--device", "cpu", "--precision", "f16"]).ok();
    assert!(!ran.err.contains("experimental") && !ran.err.contains("cooperative"), "{}", ran.err);
    let recipe = String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap();
    assert!(recipe.contains("\nexperimental = \"none\"\n"), "{recipe}");
    place.refuses(
        2,
        &["train", "--resume", "runs/digits-001", "--experimental", "cooperative-matrix"],
        &["a run is resumed as it was: experimental was \"none\""],
    );
    // The error is not that it needs f16: with f16 it would be refused as well.
    place.run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    place.refuses(
        2,
        &["train", "--resume", "runs/digits-002", "--experimental", "cooperative-matrix"],
        &["a run is resumed as it was: experimental was \"none\" and now is \"cooperative-matrix\""],
    );
}

#[test]
fn summary_shows_the_tiles_of_a_run_or_why_it_can_not() {
    let place = Place::new();
    let network = ["--network", "dense 32, relu, dense 10", "--precision", "f16", "--device", "cpu"];
    place.run(&[&["train", "--epochs", "1"], &network[..]].concat()).ok();
    let recipe = String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap();
    let cooperative = "experimental = \"cooperative-matrix\"";
    place.write("runs/digits-001/recipe.toml", recipe.replace("experimental = \"none\"", cooperative));
    let shown = |device: &str| place.run(&["summary", "runs/digits-001", "--device", device]).ok();
    let device = choose("gpu").unwrap();
    let without = |why: &str| {
        format!("the run has experimental cooperative-matrix, but {why}; the steps are shown without")
    };
    let (cpu, gpu) = (shown("cpu"), shown(&device.name()));
    assert!(cpu.err.contains(&without("the CPU engine has no cooperative matrices")), "{}", cpu.err);
    assert!(cpu.out.contains("matmul_f16") && !cpu.out.contains("matmul_cooperative"), "{}", cpu.out);
    let lacking = device.lacks(&MATMUL_COOPERATIVE);
    assert_eq!(gpu.out.contains("matmul_cooperative"), lacking.is_none(), "{}", gpu.out);
    match lacking {
        Some(lacking) => {
            let why = format!("{} can't, as it {lacking}", device.name());
            assert!(gpu.err.contains(&without(&why)), "{}", gpu.err);
        }
        None => assert!(!gpu.err.contains("experimental"), "{}", gpu.err),
    }
}
