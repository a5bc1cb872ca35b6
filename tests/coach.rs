//! The coach: findings, numbers, and that observing changes no bit.
//!
//! Each finding has a network made to have it; a network that learns well has none. Some tests need an adapter.

#[path = "cli/place.rs"]
#[allow(dead_code)]
mod place;

use std::ops::ControlFlow;

use place::Place;
use wgrad::internals::data::{self, Dataset};
use wgrad::internals::engine::Data;
use wgrad::internals::engine::adapter::choose;
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::train::coach::{Coach, EpochMeasures};
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::{Measure, Trainer};

/// The coach's lines during a successful run on the CPU engine.
#[track_caller]
fn advice(arguments: &[&str]) -> Vec<String> {
    let place = Place::new();
    let ran = place.run(&[&["train", "--device", "cpu"], arguments].concat()).ok();
    said(&ran.err)
}

fn said(err: &str) -> Vec<String> {
    let lines = err.lines().filter_map(|line| line.strip_prefix("coach   "));
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn assert_said(arguments: &[&str], words: &[&str]) {
    let said = advice(arguments);
    let found = said.iter().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(found, "{words:?} is not in {said:#?}");
}

#[test]
fn dead_relus_are_counted() {
    // At this learning rate most units are dead after the first steps.
    assert_said(
        &["--learning-rate", "1", "--epochs", "4"],
        &["of the 64 relus of layer 0 dense are dead", "256 samples", "try a lower learning rate"],
    );
}

#[test]
fn saturated_sigmoids_and_tanhs_are_named() {
    for kind in ["sigmoid", "tanh"] {
        let network = format!("dense 64 init normal 3, {kind}, dense 10");
        assert_said(
            &["--network", &network, "--epochs", "2"],
            &["of the outputs of layer 0 dense are saturated", kind, "batchnorm"],
        );
    }
}

#[test]
fn a_gradient_that_vanishes_is_traced_to_its_layer() {
    let network = ["dense 32, sigmoid"; 6].join(", ") + ", dense 10";
    assert_said(
        &["--network", &network, "--epochs", "2"],
        &["the gradient of 0.weight", "of that of 12.weight and so vanishes", "relu"],
    );
}

#[test]
fn a_gradient_that_explodes_is_traced_to_its_layer() {
    let network = "dense 32 init normal 1e-4, dense 10 init normal 1000";
    assert_said(
        &["--network", network, "--learning-rate", "1e-20", "--epochs", "1"],
        &["the gradient of 0.weight", "of that of 1.weight and so explodes", "--clip-norm 1"],
    );
}

#[test]
fn too_large_and_too_small_steps_are_reported() {
    assert_said(
        &["--network", "dense 10", "--batch-size", "1437", "--learning-rate", "5", "--epochs", "1"],
        &["one step changed 0.weight by", "of its norm", "such as 0.5"],
    );
    assert_said(
        &["--learning-rate", "1e-6", "--epochs", "3"],
        &["a step changes no weights by more than", "1e-5, or the one that lr-find suggests"],
    );
}

#[test]
fn over_fitting_is_reported_from_the_validation_part_and_again_only_once_it_has_doubled() {
    let memorise =
        ["--overfit-batches", "15", "--epochs", "2000", "--optimiser", "adam", "--learning-rate", "0.003"];
    let said = advice(&[&["--validation", "0.5"], &memorise[..]].concat());
    let over: Vec<f64> = said
        .iter()
        .filter_map(|line| line.strip_prefix("over-fitting: the validation loss "))
        .map(|line| line.split(" is ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(over.len() > 1, "{said:#?}");
    // Rounded to a percent.
    assert!(over[0] >= 5.0 && over.windows(2).all(|pair| pair[1] + 1.0 >= 2.0 * pair[0]), "{over:?}");
    // Without that part it can't be seen, as the coach does not use the held-out part.
    assert!(!advice(&memorise).iter().any(|line| line.contains("over-fitting")));
}

#[test]
fn a_loss_that_no_longer_falls_is_reported() {
    // One number between the input and ten classes.
    assert_said(
        &["--network", "dense 1, dense 10", "--epochs", "25"],
        &["the train loss has not fallen by 1 % in 5 epochs", "correct: try a larger network"],
    );
}

#[test]
fn a_small_set_that_is_not_learned_needs_more_epochs() {
    let recipe = Recipe { epochs: 10, ..Recipe::defaults_for("digits", 64, 10, 168) };
    let moment = |epoch, loss, accuracy| EpochMeasures {
        epoch,
        train: Measure { samples: 168, loss, accuracy },
        validation: None,
    };
    let mut coach = Coach::new(&recipe);
    for epoch in 1..10 {
        let said = coach.advise(moment(epoch, 2.0 / epoch as f64, 0.5), None, recipe.learning_rate);
        assert!(said.is_empty(), "{said:?}");
    }
    let said = coach.advise(moment(10, 0.2, 0.5), None, recipe.learning_rate);
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(
        said.contains("after 60 steps on 168 samples") && said.contains("⟨epochs 250⟩ or ⟨network cnn⟩"),
        "{said}"
    );
}

#[test]
fn a_schedule_that_lowers_the_rate_itself_is_waited_for() {
    let schedule = "one-cycle".parse().unwrap();
    let recipe = Recipe { epochs: 30, schedule, ..Recipe::defaults_for("digits", 64, 10, 1437) };
    let mut coach = Coach::new(&recipe);
    let mut said_at = Vec::new();
    for epoch in 1..=30 {
        let train = Measure { samples: 1437, loss: 1.0, accuracy: 0.5 };
        let measures = EpochMeasures { epoch, train, validation: None };
        let said = coach.advise(measures, None, recipe.learning_rate);
        assert!(said.iter().all(|line| !line.contains("⟨schedule")), "{said:?}");
        said_at.extend((!said.is_empty()).then_some(epoch));
    }
    assert_eq!(said_at.first(), Some(&20), "{said_at:?}");
}

#[test]
fn a_loss_that_climbs_never_needs_a_larger_network() {
    let recipe = Recipe { epochs: 99, ..Recipe::defaults_for("digits", 64, 10, 1437) };
    let mut coach = Coach::new(&recipe);
    let mut said = Vec::new();
    for epoch in 1..=20 {
        let train = Measure { samples: 1437, loss: 1.0 + 0.1 * epoch as f64, accuracy: 0.5 };
        said.extend(coach.advise(
            EpochMeasures { epoch, train, validation: None },
            None,
            recipe.learning_rate,
        ));
    }
    assert!(said[0].contains("a lower learning rate"), "{said:?}");
    assert!(!said.iter().any(|line| line.contains("larger network")), "{said:?}");
}

#[test]
fn a_healthy_run_gets_no_advice() {
    for arguments in [
        &["--epochs", "15"][..],
        &["--epochs", "15", "--network", "dense 64, tanh, dense 10", "--optimiser", "adam"],
        &["--epochs", "8", "--network", "conv 8 3x3 pad 1, batchnorm, relu, maxpool 2, dense 10"],
        &["--epochs", "12", "--schedule", "cosine", "--learning-rate", "0.005", "--network", "dense 10"],
    ] {
        assert_eq!(advice(arguments), Vec::<String>::new(), "{arguments:?}");
    }
}

#[test]
fn quiet_turns_the_coach_off_and_json_stays_one_object() {
    let place = Place::new();
    let wild = ["train", "--device", "cpu", "--learning-rate", "1", "--epochs", "3", "--json"];
    let loud = place.run(&wild).ok();
    assert!(!said(&loud.err).is_empty(), "{}", loud.err);
    loud.json();
    let quiet = place.run(&[&wild[..], &["--quiet"]].concat()).ok();
    assert_eq!(said(&quiet.err), Vec::<String>::new());
    quiet.json();
    let model = |run: &str| place.read(&format!("runs/{run}/model.safetensors"));
    assert!(model("digits-001") == model("digits-002"));
}

#[test]
fn a_resumed_run_remembers_its_epochs() {
    let place = Place::new();
    let train = ["train", "--device", "cpu", "--network", "dense 1, dense 10", "--epochs", "25"];
    let all = place.run(&[&train[..], &["--checkpoint-every", "45", "--keep", "99"]].concat()).ok();
    let lines: Vec<&str> = all.err.lines().collect();
    let said_at = lines.iter().position(|line| line.starts_with("coach")).expect("a plateau");
    // An epoch has its line before its advice, also where not every epoch has one.
    let before = lines[said_at - 1].strip_prefix("epoch").expect("the line of an epoch");
    let epoch: usize = before.split_whitespace().next().unwrap().parse().unwrap();
    assert!(epoch > 5, "{}", all.err);
    // One epoch before that.
    let from = format!("runs/digits-001/checkpoints/step-{:09}.safetensors", 45 * (epoch - 1));
    let again = place.run(&["train", "--resume", &from]).ok();
    assert_eq!(said(&again.err), said(&all.err));
}

/// A layer of ten units, four of them dead, and another layer.
fn trainer(device: &str) -> Trainer {
    let digits = data::load("digits").unwrap();
    let few: Vec<usize> = (0..200).collect();
    let dataset = Dataset { train: digits.train.subset(&few), ..digits };
    let recipe = Recipe {
        network: "dense 10, batchnorm, relu, dropout 0.3, dense 12, tanh, dense 10".parse().unwrap(),
        optimiser: Optimiser::sgd(0.0),
        learning_rate: 0.25,
        accumulate: 2,
        batch_size: 20,
        ..Recipe::defaults_for("digits", 64, 10, 200)
    };
    let session = Session::new(recipe, dataset, choose(device).unwrap()).unwrap();
    let mut trainer = session.start().unwrap();
    let mut snapshot = trainer.snapshot().unwrap();
    let bias = snapshot.tensors.iter_mut().find(|tensor| tensor.name == "1.bias").unwrap();
    let Data::Real(values) = &mut bias.data else { panic!("biases are numbers") };
    values[..4].fill(-100.0);
    trainer.restore(&snapshot).unwrap();
    trainer
}

fn step(trainer: &mut Trainer) {
    trainer.advance(1, &mut |_| ControlFlow::Continue(())).unwrap();
}

#[test]
fn the_numbers_are_those_of_the_device_and_observing_changes_none() {
    for device in ["cpu", "gpu"] {
        let (mut looked, mut plain) = (trainer(device), trainer(device));
        assert_eq!(looked.observed_step(), 4);
        for _ in 0..7 {
            let before = looked.parameters().unwrap();
            step(&mut looked);
            let diagnostics = looked.diagnostics(&before).unwrap();
            // All five steps of an epoch are observed, of each the first batch.
            assert_eq!(diagnostics.samples, 100);
            let [relu, tanh] = &diagnostics.activations[..] else { panic!("{diagnostics:?}") };
            assert_eq!((relu.layer.as_str(), relu.units, relu.dead), ("1 batchnorm", 10, 4), "{device}");
            assert_eq!((tanh.layer.as_str(), tanh.units, tanh.dead), ("4 dense", 12, 0), "{device}");
            assert!(relu.saturated == 0.0 && tanh.saturated < 0.5, "{diagnostics:?}");
            let names: Vec<&str> =
                diagnostics.weight_changes.iter().map(|weight_change| weight_change.name.as_str()).collect();
            assert_eq!(names, ["0.weight", "4.weight", "6.weight"]);
            for weight_change in &diagnostics.weight_changes {
                // Plain gradient descent moves weights by the learning rate times the gradient. The
                // difference of two f32 is exact to half a last place of the weight.
                let len = match weight_change.name.as_str() {
                    "0.weight" => 640.0f64,
                    _ => 120.0,
                };
                let expected = 0.25 * weight_change.gradient * len.sqrt();
                let rounding = f64::from(f32::EPSILON) * (weight_change.weights + expected);
                assert!((weight_change.change - expected).abs() <= rounding, "{device}: {weight_change:?}");
                assert!(weight_change.change > 0.0);
            }
            step(&mut plain);
        }
        assert_eq!(looked.snapshot().unwrap().difference(&plain.snapshot().unwrap()), None, "{device}");
    }
}

#[test]
fn a_coach_that_rolls_back_forgets_later_epochs() {
    let recipe = Recipe::defaults_for("digits", 64, 10, 1437);
    let moment = |epoch, loss| EpochMeasures {
        epoch,
        train: Measure { samples: 100, loss, accuracy: 0.5 },
        validation: None,
    };
    let mut coach = Coach::new(&recipe);
    for epoch in 1..=5 {
        assert!(coach.advise(moment(epoch, 1.0), None, recipe.learning_rate).is_empty());
    }
    let mut straight = coach.clone();
    assert_eq!(straight.advise(moment(6, 1.0), None, recipe.learning_rate).len(), 1);
    coach.rewind(4);
    // Epochs 4 and 5 once more, and the sixth is the first with five idle ones.
    for epoch in 4..=5 {
        assert!(coach.advise(moment(epoch, 1.0), None, recipe.learning_rate).is_empty());
    }
    assert_eq!(coach.advise(moment(6, 1.0), None, recipe.learning_rate).len(), 1);
    // Reported once, and again after twice as many epochs without progress.
    for epoch in 7..=10 {
        assert!(coach.advise(moment(epoch, 1.0), None, recipe.learning_rate).is_empty(), "{epoch}");
    }
    assert_eq!(coach.advise(moment(11, 1.0), None, recipe.learning_rate).len(), 1);
}
