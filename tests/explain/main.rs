//! `wgrad explain`: its numbers must fit together, for every kind of layer and
//! every loss, on the CPU engine and on an adapter.

mod command;
#[path = "../common/mod.rs"]
mod common;
mod consistent;

use consistent::check;
use serde_json::Value;
use wgrad::Error;
use wgrad::internals::data::{Normaliser, Samples};
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::network::Network;
use wgrad::internals::network::layers::NAMES;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::Training;
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::teach::explain::{Section, Subject, Trace, defaults, explain, json, text};
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::trainer::Settings;

const LOSSES: [Loss; 4] = [Loss::CrossEntropy, Loss::Bce, Loss::Mse, Loss::SquaredError];
const SHAPE: Shape = Shape::image(2, 2, 3);
const SETTINGS: Settings = Settings::new(0.05, 0);

/// With momentum, so that there is a velocity to explain.
fn training() -> Training {
    Training::with(Optimiser::sgd(0.9))
}

fn cpu() -> Device {
    Device::Cpu { reason: None }
}

fn model(network: &str, loss: Loss, classes: usize) -> Model {
    let network: Network = network.parse().unwrap();
    let mut model = Model {
        network,
        loss,
        shape: SHAPE,
        classes: (0..classes).map(|class| format!("c{class}")).collect(),
        normaliser: Normaliser { mean: vec![0.4, 0.5], std: vec![0.25, 0.3] },
        rendering: Default::default(),
        tones: None,
        parameters: Vec::new(),
        data: "made up".to_owned(),
    };
    // Twice the usual weights, so that activations are not nearly linear.
    model.parameters = model.arena().initial_values(3).iter().map(|weight| 2.0 * weight).collect();
    model
}

fn sample(label: u32) -> Samples {
    let pixels = (0..SHAPE.len()).map(|at| (at * 59 + 11) as u8).collect();
    Samples { shape: SHAPE, pixels, labels: vec![label] }
}

fn subject(layer: usize, unit: usize) -> Subject {
    Subject {
        run: "runs/made-up-001".to_owned(),
        part: "held-out",
        sample: 0,
        layer,
        unit,
        device: "a device".to_owned(),
        column: "GPU",
        data_changed: false,
        width: 100,
    }
}

/// Explains one unit of every layer and returns what does not fit together.
fn problems(model: &Model, device: &Device) -> Vec<String> {
    let mut trace = Trace::new(model, &sample(1), &training(), SETTINGS, device).unwrap();
    let mut problems = Vec::new();
    for layer in 0..model.network.layers.len() {
        for unit in [0, trace.shapes[layer + 1].len() - 1] {
            let sections = explain(&mut trace, layer, unit).unwrap();
            let object = json(&trace, &subject(layer, unit), &sections, false);
            let of = |problem| format!("{} with {}, {layer}/{unit}: {problem}", model.network, model.loss);
            problems.extend(check(&object).err().map(of));
        }
    }
    problems
}

#[test]
fn every_optimiser_is_explained_and_its_numbers_agree() {
    for name in wgrad::internals::network::optimiser::NAMES {
        for more in ["", " weight-decay 0.25"] {
            let training = Training::with(format!("{name}{more}").parse().unwrap());
            for network in ["dense 4, relu, dense 3", "conv 3 2x2, dense 3"] {
                let model = model(network, Loss::CrossEntropy, 3);
                let mut trace = Trace::new(&model, &sample(1), &training, SETTINGS, &cpu()).unwrap();
                let layers = model.network.layers.len();
                for layer in [0, layers - 1] {
                    let sections = explain(&mut trace, layer, 1).unwrap();
                    let update = sections.iter().find(|section| section.key == "update").unwrap();
                    for key in ["new_weight", "new_bias"] {
                        assert!(update.values().any(|value| value.key == key), "{name}: no {key}");
                    }
                    let states = training.optimiser.states().len();
                    let keys: std::collections::BTreeSet<&str> =
                        update.values().map(|value| value.key.as_str()).collect();
                    assert!(keys.len() >= 2 + states, "{name}: {keys:?} for {states} states");
                    assert!(update.values().all(|value| value.agrees()), "{name}, layer {layer}");
                }
                assert_eq!(trace.first_disagreement(), None, "{name}");
            }
        }
    }
}

/// A layer of each kind, and one in front of it whose output it can work on: an image or a row.
fn example(name: &str) -> (&'static str, String) {
    let image = "conv 3 2x2 pad 1";
    match name {
        "dense" => ("dense 3", "dense 3".to_owned()),
        "conv" => (image, "conv 3 2x2 stride 2 pad 1".to_owned()),
        "maxpool" => (image, "maxpool 2 stride 1".to_owned()),
        "avgpool" => (image, "avgpool 2x3 stride 1 pad 1".to_owned()),
        "globalavgpool" => (image, name.to_owned()),
        "residual" => (image, "residual { conv 3 1x1, tanh }".to_owned()),
        _ => ("dense 3", name.to_owned()),
    }
}

/// Each kind of layer in front of the weights, between them and at the end.
fn networks() -> Vec<String> {
    let around = |name: &&str| {
        let (front, layer) = example(name);
        let mut all = vec![format!("{layer}, dense 3"), format!("{front}, {layer}, dense 3")];
        // A network must end with a number per class.
        if front == "dense 3" || *name == "globalavgpool" {
            all.push(format!("{front}, {layer}"));
        }
        all
    };
    let mut networks: Vec<String> = NAMES.iter().flat_map(around).collect();
    // More units behind the last weights than there are outputs.
    networks.push("conv 3 2x2, relu, globalavgpool".to_owned());
    // Several in a row, and more inputs than are shown one by one.
    networks.push("dense 16, tanh, sigmoid, dense 15, relu, relu, flatten, softmax, dense 3".to_owned());
    networks
}

#[test]
fn every_kind_of_layer_has_an_explanation() {
    for name in NAMES {
        let (front, layer) = example(name);
        let model = model(&format!("{front}, {layer}, dense 3"), Loss::CrossEntropy, 3);
        let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
        let sections = explain(&mut trace, 1, 2).unwrap();
        for key in ["forward", "loss", "backward"] {
            let section = sections.iter().find(|section| section.key == key).unwrap();
            let checked = section.values().any(|value| value.twin.is_some());
            assert!(checked, "{name}: the {key} section compares nothing with a twin");
        }
        let differences = sections.iter().flat_map(Section::values).any(|value| value.difference.is_some());
        assert!(differences, "{name}: no gradient has a finite difference");
    }
}

#[test]
fn the_numbers_fit_together_on_the_cpu() {
    let of = |network: &String| LOSSES.map(|loss| problems(&model(network, loss, 3), &cpu()));
    let problems: Vec<String> = networks().iter().flat_map(of).flatten().collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_numbers_fit_together_on_an_adapter() {
    let device = Device::Gpu(common::adapter());
    let deep = networks().pop().unwrap();
    let mut problems: Vec<String> =
        LOSSES.iter().flat_map(|loss| problems(&model(&deep, *loss, 3), &device)).collect();
    problems.extend(self::problems(&model("softmax, dense 4, leaky-relu, dense 3", Loss::Bce, 3), &device));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn one_output_for_two_classes_fits_together() {
    for loss in [Loss::Bce, Loss::Mse, Loss::SquaredError] {
        for network in ["dense 4, tanh, dense 1", "dense 1, sigmoid"] {
            assert_eq!(problems(&model(network, loss, 2), &cpu()), [""; 0]);
        }
    }
}

#[test]
fn wrong_numbers_are_found() {
    let model = model("dense 16, relu, dense 3", Loss::CrossEntropy, 3);
    let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
    let sections = explain(&mut trace, 2, 1).unwrap();
    let good = json(&trace, &subject(2, 1), &sections, false);
    check(&good).unwrap();
    for path in [
        "/forward/terms/rows/2/weight",
        "/forward/terms/others/sum",
        "/forward/bias/device",
        "/forward/weighted_sum/twin",
        "/forward/weighted_sum/device",
        "/backward/delta/device",
        "/backward/delta/exact",
        "/backward/delta/finite_difference",
        "/backward/loss_gradient/device",
        "/backward/weight_delta/3/twin",
        "/backward/weight_delta/3/exact",
        "/backward/bias_delta/twin",
        "/update/velocity/0/twin",
        "/update/new_weight/0/twin",
        "/update/new_bias/twin",
        "/loss/probability/worked_out",
    ] {
        let mut bad = good.clone();
        let number = bad.pointer_mut(path).unwrap_or_else(|| panic!("no {path}"));
        *number = Value::from(number.as_f64().unwrap() * 1.001 + 1e-4);
        assert!(check(&bad).is_err(), "{path} may be wrong and nothing notices");
    }
}

#[test]
fn at_the_corner_of_a_relu_there_is_no_finite_difference() {
    // A 0 of the first relu is at the second one's corner.
    let model = model("dense 8, relu, relu, dense 3", Loss::Mse, 3);
    let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
    let sections: Vec<Value> = (0..8)
        .map(|unit| {
            let sections = explain(&mut trace, 1, unit).unwrap();
            json(&trace, &subject(1, unit), &sections, false)
        })
        .collect();
    let (flat, steep): (Vec<&Value>, Vec<&Value>) =
        sections.iter().partition(|object| object["forward"]["y"]["device"] == 0.0);
    assert!(!flat.is_empty() && !steep.is_empty());
    assert!(flat.iter().all(|object| object["backward"]["dy_1"]["finite_difference"].is_null()));
    assert!(steep.iter().all(|object| object["backward"]["dy_1"]["finite_difference"].is_f64()));
    assert!(sections.iter().all(|object| object["agrees"] == true));
}

#[test]
fn text_is_narrow_and_aligned() {
    for network in networks() {
        let model = model(&network, Loss::SquaredError, 3);
        let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
        for layer in 0..model.network.layers.len() {
            let sections = explain(&mut trace, layer, 1).unwrap();
            // No narrower than 80, and no wider than 100 however much room there is.
            for (width, most) in [(0, 80), (80, 80), (93, 93), (usize::MAX, 100)] {
                let subject = Subject { width, ..subject(layer, 1) };
                let text = text(&trace, &subject, &sections, false);
                for line in text.lines() {
                    assert!(line.chars().count() <= most, "{line}");
                    assert_eq!(line, line.trim_end());
                }
                assert!(text.replace('\n', " ").contains("Everything agrees"), "{text}");
            }
        }
    }
}

#[test]
fn an_unknown_layer_or_unit_is_refused_with_the_range() {
    let model = model("dense 4, relu, dense 3", Loss::CrossEntropy, 3);
    let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
    let mut refused = |layer, unit, parts: &[&str]| match explain(&mut trace, layer, unit) {
        Err(Error::Usage(text)) => parts.iter().for_each(|part| assert!(text.contains(part), "{text}")),
        other => panic!("{other:?}"),
    };
    refused(3, 0, &["layer 3", "0 dense 4, 1 relu, 2 dense 3"]);
    refused(1, 4, &["unit 4", "layer 1 (relu)", "0 to 3"]);
    let refused = |layer, unit| defaults(&trace, layer, unit).unwrap_err().to_string();
    assert!(refused(Some(3), None).contains("0 to 2"));
    assert!(refused(Some(-1), None).contains("layer -1 is outside the network: its layers are 0 to 2"));
    assert!(
        refused(Some(2), Some(-3)).contains("unit -3 is outside layer 2 (dense 3): its units are 0 to 2")
    );
    assert!(refused(None, Some(3)).contains("its units are 0 to 2"));
    assert_eq!(defaults(&trace, None, None).unwrap(), (2, 1));
    assert_eq!(defaults(&trace, Some(1), None).unwrap(), (1, 0));
    assert_eq!(defaults(&trace, Some(0), Some(3)).unwrap(), (0, 3));
}

#[test]
fn numbers_beyond_f32_are_reported_as_divergence() {
    let mut model = model("dense 4, relu, dense 3", Loss::CrossEntropy, 3);
    model.parameters.iter_mut().for_each(|weight| *weight *= 1e30);
    let mut trace = Trace::new(&model, &sample(1), &training(), SETTINGS, &cpu()).unwrap();
    let problem = trace.first_disagreement().unwrap();
    assert!(problem.contains("diverged"), "{problem}");
    let sections = explain(&mut trace, 2, 1).unwrap();
    assert_eq!(json(&trace, &subject(2, 1), &sections, false)["agrees"], false);
    assert!(text(&trace, &subject(2, 1), &sections, false).contains("NO"));
}
