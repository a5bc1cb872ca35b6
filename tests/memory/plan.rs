//! The memory of a run is known before its data are read.

use wgrad::internals::data::{self, Reading};
use wgrad::internals::train::plan::MemoryPlan;
use wgrad::{Device, Recipe, Session};

const CPU: Device = Device::Cpu { reason: None };

fn recipe(network: &str) -> Recipe {
    Recipe { network: network.parse().unwrap(), ..Recipe::defaults_for("digits", 64, 10, 1437) }
}

#[test]
fn a_forecast_is_the_plan_of_the_run() {
    let size = data::size("digits", &Reading::default()).unwrap().unwrap();
    let plain = recipe("dense 300, relu, dense 10");
    let recipes = [
        Recipe { validation: 0.1, stop_early: Some("validation-loss".parse().unwrap()), ..plain.clone() },
        Recipe { optimiser: "adam".parse().unwrap(), ema: 0.9, batch_size: 7, ..plain.clone() },
        recipe("conv 4 3x3, relu, flatten, dense 10"),
        plain,
    ];
    for recipe in recipes {
        let forecast = MemoryPlan::forecast(&recipe, &size, &CPU, false).unwrap().unwrap();
        let session = Session::new(recipe, data::load("digits").unwrap(), CPU).unwrap();
        let lowered = session.lower().unwrap();
        assert_eq!(session.memory(&lowered, false), forecast);
        assert_eq!(forecast.device, None);
        assert!(forecast.host.resident > lowered.program.total_bytes());
        let verified = session.memory(&lowered, true);
        assert!(verified.host.resident >= forecast.host.resident);
    }
}

#[test]
fn a_step_longer_than_an_epoch_is_not_forecast() {
    let size = data::size("digits", &Reading::default()).unwrap().unwrap();
    let forecast = |accumulate| {
        MemoryPlan::forecast(&Recipe { accumulate, ..recipe("dense 10") }, &size, &CPU, false).unwrap()
    };
    // An epoch has 45 batches; the session says that a step can't have more.
    assert!(forecast(45).is_some());
    for accumulate in [46, 3000, usize::MAX] {
        assert_eq!(forecast(accumulate), None);
    }
}

#[test]
fn more_state_takes_more_memory() {
    let size = data::size("digits", &Reading::default()).unwrap().unwrap();
    let bytes = |recipe: Recipe| {
        MemoryPlan::forecast(&recipe, &size, &CPU, false).unwrap().unwrap().host.resident as f64
    };
    let sgd = Recipe {
        optimiser: "sgd".parse().unwrap(),
        ..recipe("dense 4096, relu, dense 4096, relu, dense 10")
    };
    let parameters = 4.0 * (64.0 * 4096.0 + 4096.0 * 4096.0 + 4096.0 * 10.0 + 2.0 * 4096.0 + 10.0);
    let more = |recipe: Recipe| ((bytes(recipe) - bytes(sgd.clone())) / parameters * 10.0).round() / 10.0;
    // Its two states, once on the device and twice in checkpoints.
    assert_eq!(more(Recipe { optimiser: "adam".parse().unwrap(), ..sgd.clone() }), 6.0);
    assert_eq!(more(Recipe { ema: 0.9, ..sgd.clone() }), 3.0);
    assert_eq!(more(Recipe { validation: 0.1, ..sgd.clone() }), 1.0);
}

#[test]
fn the_size_of_a_data_set_is_known_without_reading_it() {
    for name in ["digits", "mnist"] {
        let size = data::size(name, &Reading::default()).unwrap().unwrap();
        let set = data::load(name).unwrap();
        let loaded = (set.train.shape, set.classes.len(), set.train.len(), set.held_out.len());
        assert_eq!((size.shape, size.classes, size.train, size.held_out), loaded, "{name}");
        let bytes = |samples: &wgrad::Samples| samples.pixels.len() + 4 * samples.labels.len();
        assert_eq!(size.bytes(), (bytes(&set.train) + bytes(&set.held_out)) as u64);
    }
}
