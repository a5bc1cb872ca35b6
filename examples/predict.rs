//! Classifies pictures with a saved model.
//!
//! Without a model it trains a small one first; without pictures it takes held-out digits.
//!
//!     cargo run --example predict -- [DEVICE [MODEL.safetensors [PICTURE.png …]]]

use std::path::PathBuf;

use wgrad::{Dataset, Device, Model, Prediction, Recipe, Result, Session};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or("auto".to_owned());
    let model = arguments.next().map(PathBuf::from);
    let pictures: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    run(&device, model, &pictures).map(|_| ())
}

/// Predicts, and returns the predictions.
pub fn run(device: &str, model: Option<PathBuf>, pictures: &[PathBuf]) -> Result<Vec<Prediction>> {
    let device = Device::choose(device)?;
    let model = match model {
        Some(path) => Model::load(&path)?,
        None => small(&device)?,
    };
    // An image is C·H·W bytes; a picture of any size is scaled to it.
    let images: Vec<Vec<u8>> = if pictures.is_empty() {
        let held_out = Dataset::load("digits")?.held_out;
        (0..10).map(|at| held_out.image(at).to_vec()).collect()
    } else {
        pictures.iter().map(|path| model.read_picture(path, false)).collect::<Result<_>>()?
    };
    let found = model.classifier(&device)?.predict(&images)?;
    for (at, prediction) in found.iter().enumerate() {
        let ranked = prediction.ranked();
        let [(first, score), (second, next)] = [ranked[0], ranked[1]];
        println!("image {at}: {first} with {:.1} %, then {second} with {:.1} %", 100.0 * score, 100.0 * next);
    }
    Ok(found)
}

/// A model after a second of training.
fn small(device: &Device) -> Result<Model> {
    let digits = Dataset::load("digits")?;
    let recipe = Recipe { epochs: 10, ..Recipe::for_data(&digits) };
    let mut trainer = Session::new(recipe, digits, device.clone())?.start()?;
    // A loop by hand, without the validation and advice of `Session::train`.
    for epoch in 1..=10 {
        trainer.epoch(epoch, &mut |_| {})?;
    }
    trainer.to_model()
}
