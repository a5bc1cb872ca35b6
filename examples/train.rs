//! Trains on the built-in digits, prints each epoch, and saves the model.
//!
//!     cargo run --example train -- [DEVICE [MODEL.safetensors]]

use std::path::{Path, PathBuf};

use wgrad::{Dataset, Device, EpochReport, Observer, Recipe, Result, Session};

/// Prints epochs and advice. An observer may also end the run, see `Observer::stop`.
struct Print;

impl Observer for Print {
    fn epoch(&mut self, report: &EpochReport) {
        let (train, held_out) = (report.train, report.held_out);
        let accuracy = 100.0 * held_out.accuracy;
        println!("epoch {:>2}  loss {:.4}  held-out accuracy {accuracy:.1} %", report.epoch, train.loss);
    }

    fn advice(&mut self, sentence: &str) {
        println!("          {sentence}");
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or("auto".to_owned());
    let path = arguments.next().map_or(std::env::temp_dir().join("digits.safetensors"), PathBuf::from);
    run(&device, &path).map(|_| ())
}

/// Trains, saves the model, and returns its accuracy on held-out images.
pub fn run(device: &str, path: &Path) -> Result<f64> {
    let digits = Dataset::load("digits")?;
    let held_out = digits.held_out.clone();
    let recipe = Recipe {
        network: "dense 64, relu, dense 10".parse()?,
        optimiser: "adam".parse()?,
        learning_rate: 0.003,
        epochs: 8,
        ..Recipe::for_data(&digits)
    };
    let device = Device::choose(device)?;
    println!("training “{}” on {}", recipe.network, device.name());
    let trained = Session::new(recipe, digits, device.clone())?.train(&mut Print)?;
    trained.model.save(path)?;
    println!("saved to {}", path.display());

    let measure = trained.model.classifier(&device)?.evaluate(&held_out)?;
    println!("{:.1} % of {} held-out digits are correct", 100.0 * measure.accuracy, measure.samples);
    Ok(measure.accuracy)
}
