//! Runs that are refused, resumed or new.

use std::fs;

use wgrad::internals::train::run::checkpoint::{self, Checkpoint};

use crate::kills::{RUN, content};
use crate::place::{Place, halves};

/// The files of a run that was stopped in its second epoch.
fn stopped(place: &Place) {
    let train = ["train", "--epochs", "3", "--device", "cpu", "--checkpoint-every", "60", "--keep", "9"];
    place.run(&train).ok();
    for later in ["step-000000120", "step-000000135"] {
        fs::remove_file(place.path(&format!("{RUN}/checkpoints/{later}.safetensors"))).unwrap();
    }
}

#[test]
fn flags_that_contradict_the_run_are_refused() {
    let place = Place::new();
    stopped(&place);
    for (flags, words) in [
        (&["--network", "dense 10"][..], ["network was", "now is \"dense 10\""]),
        (&["--seed", "5"], ["seed was 0", "now is 5"]),
        (&["--momentum", "0"], ["optimiser was", "--init-from runs/digits-001"]),
        (&["--learning-rate", "1"], ["learning_rate was 0.02", "now is 1.0"]),
        (&["--batch-size", "7"], ["batch_size was 32", "now is 7"]),
        (&["mnist"], ["data was \"digits\"", "\"mnist\""]),
    ] {
        place.refuses(2, &[&["train", "--resume", RUN], flags].concat(), &words);
    }
    for flags in [&["--init-from", RUN][..], &["--out", "elsewhere"]] {
        let before = place.files();
        let ran = place.run(&[&["train", "--resume", RUN], flags].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.contains("cannot be used with") && place.files() == before, "{}", ran.err);
    }
    let ran = place.run(&["train", "digits", "--seed", "0", "--resume", RUN, "--epochs", "3"]).ok();
    assert!(ran.err.contains("resume  runs/digits-001 after step 15 of epoch 2"), "{}", ran.err);
    place.refuses(2, &["train", "--resume", RUN], &["has run all its 3 epochs", "more --epochs"]);
}

#[test]
fn a_recipe_that_was_changed_is_refused() {
    let place = Place::new();
    stopped(&place);
    let recipe = String::from_utf8(place.read(&format!("{RUN}/recipe.toml"))).unwrap();
    let file = format!("{RUN}/recipe.toml");
    place.write(&file, recipe.replace("seed = 0", "seed = 4"));
    place.refuses(3, &["train", "--resume", RUN], &["recipe.toml was edited", "seed was 0 and now is 4"]);
    place.write(&file, recipe.replace("seed", "sede"));
    place.refuses(
        3,
        &["train", "--resume", RUN],
        &["recipe.toml was edited", "“sede”", "did you mean “seed”"],
    );
    // The device may change, by a flag alone.
    place.write(&file, recipe.replace("device = \"cpu\"", "device = \"auto\""));
    let ran = place.run(&["train", "--resume", RUN]).ok();
    assert!(ran.err.contains("recipe.toml has another device than the checkpoint"), "{}", ran.err);
    assert!(ran.err.contains("device  CPU engine"), "{}", ran.err);
}

#[test]
fn an_experimental_run_is_not_resumed_on_a_device_that_can_not_run_it() {
    let place = Place::new();
    stopped(&place);
    let experimental = |recipe: &str| {
        let f16 = recipe.replace("precision = \"f32\"", "precision = \"f16\"");
        f16.replace("experimental = \"none\"", "experimental = \"cooperative-matrix 8\"")
    };
    for (_, path) in checkpoint::list(&place.path(RUN)).unwrap() {
        let loaded = Checkpoint::load(&path).unwrap();
        Checkpoint { recipe: experimental(&loaded.recipe), ..loaded }.save(&path).unwrap();
    }
    let file = format!("{RUN}/recipe.toml");
    let recipe = String::from_utf8(place.read(&file)).unwrap();
    place.write(&file, experimental(&recipe));
    let way = "--experimental none --device cpu --tuning auto --init-from runs/digits-001";
    let words = [
        "runs/digits-001 has been trained with experimental cooperative-matrix 8",
        "the CPU engine has no cooperative matrices; name an adapter that can with --device",
        &format!("begin a new run from its weights with wgrad train runs/digits-001/recipe.toml {way}"),
    ];
    for command in [&["train", "--resume"][..], &["resume-check"]] {
        place.refuses(2, &[command, &[RUN]].concat(), &words);
    }
    // The advice of the error works.
    let ran = place.run(&["train", "--resume", RUN]);
    assert!(!ran.err.contains("leave it out"), "{}", ran.err);
    let way: Vec<&str> = way.split(' ').collect();
    let ran = place.run(&[&["train", &file, "--epochs", "1"], &way[..]].concat()).ok();
    assert!(ran.err.contains("weights 4 taken over"), "{}", ran.err);
    // A killed run has no model, and its checkpoints have the weights.
    fs::remove_file(place.path(&format!("{RUN}/model.safetensors"))).unwrap();
    place.refuses(2, &["train", "--resume", RUN], &words);
    place.run(&[&["train", &file, "--epochs", "1"], &way[..]].concat()).ok();
}

#[test]
fn changed_data_are_refused() {
    let place = Place::new();
    halves(&place, "set", 40, &[0, 1]);
    let train =
        ["train", "set", "--epochs", "2", "--batch-size", "8", "--device", "cpu", "--checkpoint-every", "6"];
    place.run(&train).ok();
    fs::remove_file(place.path("runs/set-001/checkpoints/step-000000010.safetensors")).unwrap();
    halves(&place, "set", 40, &[0, 0]);
    place.refuses(3, &["train", "--resume", "runs/set-001"], &["no longer those", "sha256:"]);
    halves(&place, "set", 40, &[0, 1]);
    place.run(&["train", "--resume", "runs/set-001"]).ok();
}

#[test]
fn a_finished_run_is_refused_unless_its_model_is_missing_or_damaged() {
    let place = Place::trained();
    place.refuses(
        2,
        &["train", "--resume", RUN],
        &["has run all its 2 epochs", "extend it with more --epochs"],
    );
    let model = place.read(&format!("{RUN}/model.safetensors"));
    fs::remove_file(place.path(&format!("{RUN}/model.safetensors"))).unwrap();
    place.run(&["train", "--resume", RUN]).ok();
    assert!(place.read(&format!("{RUN}/model.safetensors")) == model);
    let half = &model[..model.len() / 2];
    place.write(&format!("{RUN}/model.safetensors"), half);
    let ran = place.run(&["train", "--resume", RUN]).ok();
    assert!(ran.err.contains("model.safetensors is damaged"), "{}", ran.err);
    assert!(place.read(&format!("{RUN}/model.safetensors")) == model);
    assert_eq!(place.json(&format!("{RUN}/run.json"))["status"], "done");
}

#[test]
fn a_folder_that_is_not_a_run_is_refused() {
    let place = Place::new();
    place.write("empty/.keep", "");
    place.refuses(3, &["train", "--resume", "empty"], &["empty is no run directory"]);
    place.refuses(3, &["train", "--resume", "nowhere"], &["nowhere is no run directory"]);
    place.refuses(3, &["resume-check", "empty"], &["empty has no checkpoint"]);
    place.refuses(3, &["runs", "diff", "empty", "empty"], &["run.json can't be read"]);
    place.refuses(2, &["runs", "--out", "nowhere"], &["nowhere can't be read"]);
    place.refuses(
        3,
        &["train", "--init-from", "empty", "--device", "cpu"],
        &["empty has no model.safetensors"],
    );
    for wrong in ["0", "-3", "2d", "soon"] {
        let ran = place.run(&["train", "--checkpoint-every", wrong]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
    }
}

#[test]
fn weights_are_matched_by_name_and_the_others_are_listed() {
    let place = Place::new();
    place.run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    let from = ["train", "--epochs", "1", "--device", "cpu", "--init-from", RUN, "--network"];
    let ran = place.run(&[&from[..], &["dense 64, relu, dense 20, relu, dense 10"]].concat()).ok();
    for line in [
        "2 taken over: 0.weight, 0.bias",
        "not in the file, so drawn at random: 4.weight, 4.bias",
        "of layers with another shape, so drawn at random: 2.weight, 2.bias",
    ] {
        assert!(ran.err.contains(line), "“{line}” is not in {}", ran.err);
    }
    let ran = place.run(&[&from[..], &["dense 64, flatten, dense 10"]].concat()).ok();
    assert!(ran.err.contains("4 taken over") && !ran.err.contains("drawn at random"), "{}", ran.err);
    place.refuses(2, &[&from[..], &["flatten, dense 10"]].concat(), &["--init-from: none"]);
    // A second epoch, in a run of its own, starts where the first ended.
    let again =
        place.run(&["train", "--epochs", "1", "--device", "cpu", "--init-from", RUN, "--json"]).ok().json();
    let first = &place.json("runs/digits-001/run.json")["last"]["held_out_loss"];
    assert!(again["train_loss"].as_f64() < first.as_f64(), "{again}");
}

#[test]
fn a_path_with_special_characters_is_read_and_quoted() {
    let place = Place::new();
    let odd = "it's \"my\" best run, $HOME & é";
    let train = ["train", "--epochs", "1", "--device", "cpu"];
    place.run(&[&train[..], &["--out", odd]].concat()).ok();
    let run = format!("{odd}/digits-001");
    for from in [run.clone(), format!("{run}/model.safetensors"), format!("./{run}/")] {
        let ran = place.run(&[&train[..], &["--init-from", &from]].concat()).ok();
        assert!(ran.err.contains("weights 4 taken over"), "{from}: {}", ran.err);
    }
    // The path in the advice is quoted for a shell.
    let typed = "--init-from 'it'\\''s \"my\" best run, $HOME & é/digits-001'";
    place.refuses(2, &["train", "--resume", &run, "--seed", "1"], &["seed was 0 and now is 1", typed]);
}

#[test]
fn a_run_rolls_back_at_most_three_times() {
    let place = Place::new();
    let wild =
        ["train", "--epochs", "3", "--device", "cpu", "--learning-rate", "1e30", "--on-nan", "rollback"];
    let ran = place.run(&wild);
    ran.failed(5, &["the run went back 3 times before", "lower learning rate than 1.25e29"]);
    assert_eq!(ran.err.matches("back to step 0").count(), 3, "{}", ran.err);
    assert_eq!(place.json("runs/digits-001/run.json")["status"], "diverged");
}

#[test]
fn a_run_that_rolled_back_finishes_and_resumes_with_its_learning_rate() {
    let place = Place::new();
    let wild =
        ["train", "--epochs", "2", "--device", "cpu", "--learning-rate", "1e6", "--checkpoint-every", "10"];
    place.run(&wild).failed(5, &["step"]);
    let ran = place.run(&[&wild[..], &["--on-nan", "rollback", "--keep", "20"]].concat()).ok();
    let rollbacks = ran.err.matches("back to step").count();
    assert!((1..=3).contains(&rollbacks), "{}", ran.err);
    let run = "runs/digits-002";
    assert_eq!(place.json(&format!("{run}/run.json"))["rollbacks"], rollbacks);
    let (checkpoint, _) = wgrad::internals::train::run::checkpoint::newest(&place.path(run)).unwrap();
    assert_eq!(checkpoint.snapshot.position.factor, 0.5_f32.powi(rollbacks as i32));
    // The measurements of the steps that were given up are gone.
    let (losses, epochs) = content(&place, run);
    assert_eq!((losses.len(), epochs.len()), (90, 2));
    let weights = place.read(&format!("{run}/model.safetensors"));
    for later in ["step-000000080", "step-000000090"] {
        fs::remove_file(place.path(&format!("{run}/checkpoints/{later}.safetensors"))).unwrap();
    }
    place.run(&["train", "--resume", run]).ok();
    assert!(place.read(&format!("{run}/model.safetensors")) == weights);
}
