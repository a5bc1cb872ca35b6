//! A trained model classifies images with the numbers that training measures.

use wgrad::internals::network::lower::HELD_OUT;
use wgrad::internals::train::classifier::Evaluated;
use wgrad::{Dataset, Device, Error, Model, Recipe, Samples, Session, Trainer};

fn trained() -> (Trainer, Samples) {
    let digits = Dataset::load("digits").unwrap();
    let held_out = digits.held_out.clone();
    let recipe = Recipe { network: "dense 16, relu, dense 10".parse().unwrap(), ..Recipe::for_data(&digits) };
    let session = Session::new(recipe, digits, Device::choose("cpu").unwrap()).unwrap();
    let mut trainer = session.start().unwrap();
    for epoch in 1..=2 {
        trainer.epoch(epoch, &mut |_| {}).unwrap();
    }
    (trainer, held_out)
}

fn images(samples: &Samples) -> Vec<&[u8]> {
    (0..samples.len()).map(|at| samples.image(at)).collect()
}

#[test]
fn a_classifier_has_the_measures_of_the_trainer() {
    let (mut trainer, held_out) = trained();
    let measured = trainer.measure(HELD_OUT).unwrap();
    let mut classifier = trainer.to_model().unwrap().classifier(&Device::choose("cpu").unwrap()).unwrap();
    assert_eq!(classifier.evaluate(&held_out).unwrap(), measured);

    // One image, then many, which takes more at once; and one again.
    let images = images(&held_out);
    let first = classifier.predict(&images[..1]).unwrap();
    let all = classifier.predict(&images).unwrap();
    assert_eq!(classifier.predict(&images[..1]).unwrap()[0].class, first[0].class);
    assert_eq!(all.len(), held_out.len());
    let mut each = Vec::new();
    let evaluated = classifier.evaluate_each(&held_out, &mut |one: Evaluated| {
        assert_eq!((one.sample, one.class), (each.len(), held_out.labels[each.len()] as usize));
        each.push(one.predicted);
    });
    assert_eq!(evaluated.unwrap(), measured);
    assert_eq!(all.iter().map(|one| one.class).collect::<Vec<_>>(), each);
    for prediction in &all {
        let ranked = prediction.ranked();
        assert_eq!((ranked.len(), ranked[0].0), (10, prediction.name()));
        assert!((prediction.scores.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    assert!(classifier.predict(&[[0u8; 64]; 0]).unwrap().is_empty());
}

#[test]
fn a_model_of_a_trainer_is_the_one_that_is_saved() {
    let (mut trainer, _) = trained();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let model = trainer.to_model().unwrap();
    assert_eq!((model.data.as_str(), model.classes.len(), model.classes[3].as_str()), ("digits", 10, "3"));
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model);
}

#[test]
fn wrong_images_and_non_finite_outputs_are_errors() {
    let (mut trainer, held_out) = trained();
    let mut model = trainer.to_model().unwrap();
    let cpu = Device::choose("cpu").unwrap();
    let mut classifier = model.clone().classifier(&cpu).unwrap();
    let error = classifier.predict(&[vec![0; 64], vec![0; 63]]).unwrap_err();
    assert!(matches!(&error, Error::Data(problem) if problem.contains("image 1 has 63 bytes")), "{error}");

    model.parameters.fill(3e38);
    let mut classifier = model.classifier(&cpu).unwrap();
    let error = classifier.predict(&[[255; 64]]).unwrap_err();
    assert!(matches!(&error, Error::Diverged(problem) if problem.starts_with("image 0: ")), "{error}");
    assert!(matches!(classifier.evaluate(&held_out), Err(Error::Diverged(_))));
    assert_eq!(classifier.outputs(&[[255; 64]]).unwrap()[0].len(), 10);
}
