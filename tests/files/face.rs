//! The names at the root of the crate: what people embed, on data of their own.

use wgrad::{
    Dataset, Device, DeviceFault, Ended, Error, Model, Observer, Recipe, Result, Samples, Session, Shape,
    Trained,
};

/// Images of 1×2×2 that are bright on the left for class 0 and on the right for class 1.
fn samples(count: usize) -> Samples {
    let image = |at: usize| if at.is_multiple_of(2) { [250, 10, 250, 10] } else { [10, 250, 10, 250] };
    Samples {
        shape: Shape::image(1, 2, 2),
        pixels: (0..count).flat_map(image).collect(),
        labels: (0..count as u32).map(|at| at % 2).collect(),
    }
}

fn data(train: Samples, held_out: Samples) -> Result<Dataset> {
    Dataset::new("sides", vec!["left".to_owned(), "right".to_owned()], train, held_out)
}

fn recipe(data: &Dataset) -> Recipe {
    Recipe { network: "dense 2".parse().unwrap(), epochs: 20, batch_size: 8, ..Recipe::for_data(data) }
}

struct Silent;

impl Observer for Silent {}

#[test]
fn a_network_learns_data_in_memory_and_a_thread_of_its_own_classifies() {
    let sides = data(samples(32), samples(8)).unwrap();
    let device = Device::choose("cpu").unwrap();
    let session = Session::new(recipe(&sides), sides, device.clone()).unwrap();
    let trained: Trained = session.train(&mut Silent).unwrap();
    assert_eq!(trained.ended, Ended::AllEpochs);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sides.safetensors");
    trained.model.save(&path).unwrap();
    let mut classifier = Model::load(&path).unwrap().classifier(&device).unwrap();
    let names = std::thread::spawn(move || {
        let predictions = classifier.predict(&[[200, 0, 200, 0], [0, 200, 0, 200]]).unwrap();
        predictions.iter().map(|prediction| prediction.name().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(names.join().unwrap(), ["left", "right"]);
}

/// Ends a run at its first submission.
struct Impatient;

impl Observer for Impatient {
    fn stop(&mut self) -> bool {
        true
    }
}

#[test]
fn a_run_that_is_stopped_within_its_first_epoch_has_the_weights_that_it_has_trained() {
    let sides = data(samples(32), samples(8)).unwrap();
    let session = Session::new(recipe(&sides), sides, Device::choose("cpu").unwrap()).unwrap();
    let first = session.start().unwrap().to_model().unwrap();
    let mut trained = session.train(&mut Impatient).unwrap();
    assert_eq!(trained.ended, Ended::ByObserver);
    assert!(trained.model.parameters != first.parameters);
    assert_eq!(trained.model, trained.trainer.to_model().unwrap());
}

#[test]
fn data_that_do_not_go_together_are_refused() {
    let refused = |data: Result<Dataset>, words: &str| match data {
        Err(Error::Data(problem)) => assert!(problem.contains(words), "{problem}"),
        other => panic!("{other:?}"),
    };
    let changed = |change: fn(&mut Samples)| {
        let mut samples = samples(8);
        change(&mut samples);
        samples
    };
    refused(data(changed(|s| s.labels[3] = 77), samples(8)), "the label 77 in its train part");
    refused(
        data(samples(8), changed(|s| s.pixels.truncate(9))),
        "9 bytes of pixels for 8 labels in its held-out part",
    );
    refused(data(samples(8), samples(0)), "no samples in its held-out part");
    refused(data(samples(8), changed(|s| s.shape = Shape::image(1, 4, 1))), "of 1×4×1 held out");
    refused(Dataset::new("none", Vec::new(), samples(8), samples(8)), "has no classes");
    // One that was changed afterwards is refused where it is used.
    let mut late = data(samples(8), samples(8)).unwrap();
    late.classes.clear();
    let recipe = recipe(&data(samples(8), samples(8)).unwrap());
    assert!(matches!(Session::new(recipe, late, Device::choose("cpu").unwrap()), Err(Error::Data(_))));
}

#[test]
fn settings_that_no_run_can_have_are_refused_with_their_key() {
    let refused = |change: fn(&mut Recipe), expected: &str| {
        let sides = data(samples(32), samples(8)).unwrap();
        let mut recipe = recipe(&sides);
        change(&mut recipe);
        match Session::new(recipe, sides, Device::choose("cpu").unwrap()).map(|_| ()) {
            Err(Error::Setting { key, problem }) => {
                assert_eq!(key, expected);
                assert!(problem.contains(&format!("⟨{key}")), "{problem}");
            }
            other => panic!("{expected}: {other:?}"),
        }
    };
    refused(|recipe| recipe.batch_size = 0, "batch_size");
    refused(|recipe| recipe.batch_size = 33, "batch_size");
    refused(|recipe| recipe.accumulate = 0, "accumulate");
    refused(|recipe| recipe.learning_rate = -1.0, "learning_rate");
    refused(|recipe| recipe.clip_norm = f32::NAN, "clip_norm");
    refused(|recipe| recipe.label_smoothing = 2.0, "label_smoothing");
}

#[test]
fn another_optimiser_brings_its_learning_rate() {
    let sides = data(samples(32), samples(8)).unwrap();
    assert_eq!(recipe(&sides).with_optimiser("adam".parse().unwrap()).learning_rate, 0.001);
}

#[test]
fn a_caller_can_branch_on_what_is_wrong() {
    assert!(matches!(Model::load("no such model"), Err(Error::NotFound(_))));
    let lost = Error::Device(DeviceFault::Lost, "gone".to_owned());
    assert!(matches!(lost, Error::Device(DeviceFault::Lost, _)) && lost.exit_code() == 4);
}
