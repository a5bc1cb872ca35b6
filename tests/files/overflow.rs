//! Values that overflow within a network are errors, also where an activation hides them.

use wgrad::internals::data::Normaliser;
use wgrad::{Device, Error, Model, Samples, Shape};

/// A model on images of 2 by 2 whose parameters are all `values`, by the end of their names.
fn model(network: &str, values: &[(&str, f32)]) -> Model {
    let mut model = Model {
        network: network.parse().unwrap(),
        loss: "cross-entropy".parse().unwrap(),
        shape: Shape::image(1, 2, 2),
        classes: ["a", "b"].map(String::from).to_vec(),
        normaliser: Normaliser { mean: vec![0.5], std: vec![0.5] },
        parameters: Vec::new(),
        data: "none".to_owned(),
        rendering: Default::default(),
        tones: None,
    };
    let arena = model.arena();
    model.parameters = arena.initial_values(1);
    for param in &arena.params {
        for (name, value) in values.iter().filter(|(name, _)| param.name.ends_with(name)) {
            assert!(!name.is_empty());
            model.parameters[param.start..][..param.len()].fill(*value);
            // Behind the first layer of both signs in turns, so that sums of infinite values are NaN.
            if param.name.ends_with("weight") && !param.name.starts_with('0') {
                let odd = model.parameters[param.start..][..param.len()].iter_mut().skip(1).step_by(2);
                odd.for_each(|weight| *weight = -*weight);
            }
        }
    }
    model
}

fn samples() -> Samples {
    Samples {
        pixels: vec![128, 128, 128, 128, 255, 255, 0, 255],
        labels: vec![0, 1],
        shape: Shape::image(1, 2, 2),
    }
}

#[test]
fn a_nan_that_relu_hides_is_an_error_of_its_image() {
    for network in [
        "dense 4, relu, dense 4, relu, dense 4, relu, dense 2",
        "conv 4 1x1, relu, conv 4 1x1, relu, maxpool 2, dense 4, relu, dense 2",
        "dense 4, residual { dense 4, relu, dense 4, relu }, dense 4, relu, dense 2",
    ] {
        let huge = model(
            network,
            &[("0.weight", 1e30), ("2.weight", 1e30), ("body.0.weight", 1e30), ("body.2.weight", 1e30)],
        );
        let mut classifier = huge.classifier(&Device::choose("cpu").unwrap()).unwrap();
        let samples = samples();
        let outputs = classifier.outputs(&[[255, 255, 0, 255]]).unwrap();
        assert!(outputs[0].iter().all(|value| value.is_finite()), "{network} hides nothing: {outputs:?}");
        let error = classifier.predict(&[[255, 255, 0, 255]]).unwrap_err();
        assert!(
            matches!(&error, Error::Diverged(problem) if problem.starts_with("image 0: ")),
            "{network}: {error}"
        );
        let error = classifier.evaluate(&samples).unwrap_err();
        assert!(matches!(&error, Error::Diverged(_)), "{network}: {error}");
    }
}

#[test]
fn one_image_that_overflows_leaves_the_others() {
    let network = "dense 4, relu, dense 4, relu, dense 2";
    let large = model(network, &[("0.weight", 1e30), ("0.bias", 0.0), ("2.weight", 1e8), ("4.weight", 0.0)]);
    let mut classifier = large.classifier(&Device::choose("cpu").unwrap()).unwrap();
    // A pixel of 127.5 would be 0; two of opposite sign nearly cancel.
    let each = classifier.predict_each(&[[255, 255, 255, 255], [0, 0, 0, 0]]).unwrap();
    assert!(each.iter().any(|one| one.is_err()), "{each:?}");
}

#[test]
fn models_of_usual_weights_have_the_same_outputs_as_before() {
    for network in [
        "dense 4, relu, dense 2",
        "conv 4 1x1, batchnorm, relu, dense 2",
        "dense 4, layernorm, gelu, dense 2",
    ] {
        let usual = model(network, &[]);
        let mut classifier = usual.classifier(&Device::choose("cpu").unwrap()).unwrap();
        let images = [[0, 64, 128, 255], [255, 0, 255, 0]];
        let outputs = classifier.outputs(&images).unwrap();
        let predicted = classifier.predict(&images).unwrap();
        assert_eq!(predicted.iter().map(|one| one.outputs.clone()).collect::<Vec<_>>(), outputs);
        classifier.evaluate(&samples()).unwrap();
    }
}
