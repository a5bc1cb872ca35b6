//! The variants of kernels that a run uses: flag, recipe and cache. Measuring needs an adapter.

use std::fs;
use std::process::Command;

use wgrad::internals::table::choice::{Choice, Class};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint};

use crate::place::{Place, Ran};

/// A tuning that all adapters can run and none has by default.
const REGISTER: &str = "narrow matmul_register, small matmul_register, long matmul_register, \
                        large matmul_register, huge matmul_register, weights separate, conv conv_register, \
                        conv-weights conv_weights_register, first separate, last separate";
const RUN: &str = "runs/digits-001";

fn recipe(place: &Place) -> String {
    String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap()
}

/// The same with a cache of its own, or with none.
fn caching(mut command: Command, cache: Option<&str>) -> Command {
    match cache {
        Some(cache) => command.env("XDG_CACHE_HOME", cache),
        None => command.env_remove("XDG_CACHE_HOME").env_remove("HOME"),
    };
    command
}

#[test]
fn a_misspelt_tuning_is_refused_before_data_are_read() {
    let place = Place::new();
    let refuses = |text: &str, words: &[&str]| {
        place.refuses(2, &["train", "no such data", "--tuning", text], words);
        place.write("recipe.toml", format!("data = 'no such data'\ntuning = '{text}'\n"));
        place.refuses(2, &["train", "recipe.toml"], &[words, &["recipe.toml, line 2"]].concat());
        fs::remove_file(place.path("recipe.toml")).unwrap();
    };
    refuses("atuo", &["“atuo” is neither auto nor default, did you mean “auto”?"]);
    refuses("larg matmul", &["no class of work “larg”, did you mean “large”?"]);
    refuses("large matmull", &["large has no variant “matmull”, did you mean “matmul”?"]);
    refuses("large matmul, large matmul", &["names large twice"]);
}

#[test]
fn the_cpu_engine_has_only_the_default_tuning() {
    let place = Place::new();
    let train = ["train", "--epochs", "1", "--device", "cpu", "-v", "--tuning"];
    let auto = place.run(&[&train[..], &["auto"]].concat()).ok();
    assert!(auto.err.contains("tuning  default\n") && !auto.err.contains("finding out"), "{}", auto.err);
    assert!(recipe(&place).contains("\ntuning = \"default\"\n"));
    let fixed = place.run(&[&train[..], &[REGISTER]].concat()).ok();
    assert!(fixed.err.contains("the CPU engine has one version of each kernel"), "{}", fixed.err);
    assert_eq!(place.read("runs/digits-002/recipe.toml"), place.read("runs/digits-001/recipe.toml"));
}

#[test]
fn a_run_without_the_key_tuning_resumes_with_the_default() {
    let place = Place::trained();
    let model = place.read("runs/digits-001/model.safetensors");
    let older = recipe(&place).replace("tuning = \"default\"\n", "");
    place.write("runs/digits-001/recipe.toml", &older);
    let (_, path) = checkpoint::list(&place.path(RUN)).unwrap().pop().unwrap();
    let Checkpoint { recipe: of_checkpoint, .. } = Checkpoint::load(&path).unwrap();
    assert!(of_checkpoint.contains("tuning = \"default\"\n"));
    for (_, path) in checkpoint::list(&place.path(RUN)).unwrap() {
        let loaded = Checkpoint::load(&path).unwrap();
        let recipe = loaded.recipe.replace("tuning = \"default\"\n", "");
        Checkpoint { recipe, ..loaded }.save(&path).unwrap();
    }
    place.run(&["resume-check", RUN, "--steps", "4"]).ok();
    place.refuses(
        2,
        &["train", "--resume", RUN, "--tuning", "auto"],
        &["tuning was \"default\" and now is \"auto\""],
    );
    assert_eq!(place.read("runs/digits-001/model.safetensors"), model);
}

#[test]
fn a_run_with_a_given_tuning_is_resumed_and_repeated_to_the_bit() {
    let place = Place::new();
    let arguments = [
        "train",
        "--epochs",
        "2",
        "--device",
        "gpu",
        "--network",
        "conv 4 3x3, relu, dense 20, relu, dense 10",
    ];
    let rest = ["--checkpoint-every", "20", "--keep", "9", "--tuning", REGISTER];
    place.run(&[&arguments[..], &rest[..]].concat()).ok();
    let tuning = format!("\ntuning = \"{REGISTER}\"\n");
    assert!(recipe(&place).contains(&tuning), "{}", recipe(&place));
    let model = place.read("runs/digits-001/model.safetensors");

    let (_, middle) =
        checkpoint::list(&place.path(RUN)).unwrap().into_iter().find(|(steps, _)| *steps == 40).unwrap();
    let resumed = place.run(&["train", "--resume", middle.to_str().unwrap(), "-v"]).ok();
    assert!(resumed.err.contains(&format!("tuning  {REGISTER}\n")), "{}", resumed.err);
    assert!(place.read("runs/digits-001/model.safetensors") == model);
    // It resumed in the middle.
    assert!(resumed.err.contains("after step 40"), "{}", resumed.err);

    place.run(&["train", "runs/digits-001/recipe.toml"]).ok();
    assert!(place.read("runs/digits-002/model.safetensors") == model);
    assert_eq!(place.read("runs/digits-002/recipe.toml"), place.read("runs/digits-001/recipe.toml"));

    // A partial tuning is completed.
    place.run(&["train", "--epochs", "1", "--device", "gpu", "--tuning", "large matmul_naive"]).ok();
    let recipe = String::from_utf8(place.read("runs/digits-003/recipe.toml")).unwrap();
    let line = recipe.lines().find_map(|line| line.strip_prefix("tuning = ")).unwrap();
    assert!(line.contains(", large matmul_naive, "), "{line}");
    assert!(Class::ALL.iter().all(|class| line.contains(&format!("{} ", class.name()))), "{line}");
}

#[test]
fn a_run_on_another_device_is_tuned_for_that_device() {
    let place = Place::new();
    place.run(&["train", "--epochs", "2", "--device", "gpu", "--checkpoint-every", "20", "--keep", "9"]).ok();
    let chosen = recipe(&place);
    assert!(chosen.contains("\ntuning = \"narrow "), "{chosen}");
    let middle = checkpoint::path(&place.path(RUN), 40);
    let moved = place
        .run(&[
            "train",
            "--resume",
            middle.to_str().unwrap(),
            "--device",
            "cpu",
            "-v",
            "--checkpoint-every",
            "20",
            "--keep",
            "9",
        ])
        .ok();
    for words in ["its kernels are chosen again", "same to rounding only", "tuning  default\n"] {
        assert!(moved.err.contains(words), "“{words}” is not in {}", moved.err);
    }
    // Back on the adapter: the checkpoint is from the CPU engine, and the recipe's choice is said to differ.
    let middle = checkpoint::path(&place.path(RUN), 60);
    let back = place.run(&["train", "--resume", middle.to_str().unwrap(), "-v", "--device", "gpu"]).ok();
    for words in ["recipe.toml has another tuning", "its kernels are chosen again", "as measured before"] {
        assert!(back.err.contains(words), "“{words}” is not in {}", back.err);
    }
    assert_eq!(recipe(&place), chosen);
}

#[test]
fn kernels_are_measured_once_and_printed_with_v() {
    let place = Place::new();
    let cache = place.path("cache");
    let file = cache.join("wgrad/tuning.toml");
    let train = |more: &[&str]| {
        let arguments = [&["train", "--epochs", "1", "--device", "gpu"], more].concat();
        Ran::of(&mut caching(place.command(&arguments), cache.to_str())).ok()
    };
    let first = train(&[]);
    for words in ["measuring, once, which kernels are fastest", "it took", "kept in", "tuning.toml"] {
        assert!(first.err.contains(words), "“{words}” is not in {}", first.err);
    }
    let again = train(&[]);
    assert!(!again.err.contains("tuning"), "{}", again.err);
    let said = train(&["-v"]);
    for words in ["as measured before, from", "large  ", " ms", "conv-weights "] {
        assert!(said.err.contains(words), "“{words}” is not in {}", said.err);
    }
    let lines = |number: usize| {
        String::from_utf8(place.read(&format!("runs/digits-00{number}/recipe.toml"))).unwrap()
    };
    assert!(lines(1) == lines(2) && lines(2) == lines(3));
    assert!(lines(1).contains("tuning = \"narrow "), "{}", lines(1));

    // The file is cut in the middle of the tuning.
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.find(", small").unwrap()]).unwrap();
    let damaged = train(&[]);
    for words in ["tuning.toml can't be used (", "measured again", "measuring, once", "kept in"] {
        assert!(damaged.err.contains(words), "“{words}” is not in {}", damaged.err);
    }
    assert!(!train(&[]).err.contains("tuning"));
    // The default tuning measures nothing, and a custom kernel implies it.
    fs::remove_file(&file).unwrap();
    let default = train(&["--tuning", "default", "-v"]);
    assert!(default.err.contains("tuning  default\n"), "{}", default.err);
    place.write("custom.wgsl", wgrad::internals::table::SGD_MOMENTUM.wgsl);
    let custom = train(&["--kernel", "sgd_momentum=custom.wgsl", "-v"]);
    assert!(custom.err.contains("tuning  default\n"), "{}", custom.err);
    assert!(!file.exists());
}

#[test]
fn devices_shows_the_tuning_and_measures_it_again() {
    let place = Place::new();
    let devices = |more: &[&str], cache: Option<&str>| {
        Ran::of(&mut caching(place.command(&[&["devices"], more].concat()), cache)).ok()
    };
    let cache = place.path("cache");
    let cache = cache.to_str();
    assert!(devices(&[], cache).out.contains("not measured yet; --tune does it"));
    let tuned = devices(&["--tune"], cache);
    let words: Vec<String> = Class::ALL.iter().map(|class| format!(" {:<13}", class.name())).collect();
    assert!(words.iter().all(|word| tuned.out.contains(word.as_str())), "{}", tuned.out);
    let shown = devices(&[], cache).out;
    let line = shown.lines().find_map(|line| line.trim().strip_prefix("tuning ")).unwrap().trim();
    let choice: wgrad::internals::table::choice::Picks = line.parse().unwrap();
    assert_eq!(choice, Choice::NAIVE.with(&choice).picks());

    // Without a home directory there is no cache.
    let homeless = devices(&["--tune"], None);
    assert!(homeless.out.contains(" large  "), "{}", homeless.out);
    assert!(homeless.err.contains("not kept, so the next run measures again"), "{}", homeless.err);
    let mut train = caching(place.command(&["train", "--epochs", "1", "--device", "gpu"]), None);
    let ran = Ran::of(&mut train).ok();
    assert!(ran.err.contains("not kept, so the next run measures again"), "{}", ran.err);
}
