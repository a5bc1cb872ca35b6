//! A model and a checkpoint of a small run.

use std::fs;

use wgrad::internals::data;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::session::Session;

use crate::mutation::mutate;
use crate::run::Run;

/// A model, then a checkpoint.
pub fn models_and_checkpoints(models: Run, checkpoints: Run) {
    let digits = data::load("digits").expect("they are built in");
    let recipe = Recipe {
        network: "dense 3, relu, dense 10".parse().expect("a network"),
        ..Recipe::defaults_for("digits", 64, 10, digits.train.len())
    };
    let session = Session::new(recipe, digits, Device::Cpu { reason: None }).expect("a session");
    let mut trainer = session.start().expect("a trainer");
    let snapshot = trainer.snapshot().expect("a snapshot");
    let checkpoint = Checkpoint::new(snapshot, Default::default(), &session.recipe, "sha256:0");
    let model = Model {
        network: session.recipe.network.clone(),
        loss: session.recipe.loss,
        shape: session.dataset.train.shape,
        classes: session.dataset.classes.clone(),
        normaliser: session.normaliser.clone(),
        rendering: Default::default(),
        parameters: trainer.parameters().expect("parameters"),
        data: "digits".to_owned(),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    model.save(&path).expect("it is written");
    let good = fs::read(&path).expect("it was written");
    models.over(
        |rng| mutate(rng, &good),
        |bytes| {
            fs::write(&path, bytes).expect("it is written");
            Model::load(&path)
        },
    );
    checkpoint.save(&path).expect("it is written");
    let good = fs::read(&path).expect("it was written");
    checkpoints.over(
        |rng| mutate(rng, &good),
        |bytes| {
            fs::write(&path, bytes).expect("it is written");
            Checkpoint::load(&path)
        },
    );
}
