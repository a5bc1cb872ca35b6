//! Checks a custom kernel against its twin, then trains with it.
//!
//!     cargo run --example custom_kernel -- [DEVICE [SHADER.wgsl]]
//!
//! The CPU engine runs twins and no shaders, so this needs an adapter; a software adapter is enough.

use std::path::{Path, PathBuf};

use wgrad::internals::table;
use wgrad::internals::train::running::{RunOptions, Silent};
use wgrad::internals::verify::custom::{CustomKernel, replace, trial};
use wgrad::{Dataset, Device, Error, Recipe, Result, Session};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let device = arguments.next().unwrap_or("auto".to_owned());
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/custom_kernel.wgsl");
    run(&device, &arguments.next().map_or(example, PathBuf::from)).map(|_| ())
}

/// Checks the shader as a version of `sgd` and trains with it.
///
/// Returns the held-out accuracy, or nothing without an adapter.
pub fn run(device: &str, shader: &Path) -> Result<Option<f64>> {
    let device = Device::choose(device)?;
    let Device::Gpu(adapter) = &device else {
        println!("{} runs no shaders, so use an adapter", device.name());
        return Ok(None);
    };

    // It must be valid WGSL, have the bindings and constants of `sgd`, and be correct on every awkward shape.
    let custom = CustomKernel::read(shader, &table::SGD)?;
    let trial = trial(&custom, adapter, &mut |_, _| {})?;
    if let Some(report) = trial.report() {
        return Err(Error::Check(report));
    }
    println!("{} is correct in all {} cases on {}", shader.display(), trial.verdict.cases, device.name());

    let digits = Dataset::load("digits")?;
    let recipe = Recipe {
        optimiser: "sgd momentum 0".parse()?,
        epochs: 5,
        // Rewrites might absorb the kernel into a larger one.
        rewrites: "none".parse()?,
        ..Recipe::for_data(&digits)
    };
    let session = Session::new(recipe, digits, device.clone())?;
    let mut lowered = session.lower()?;
    let count = replace(&mut lowered.program, &custom, true)?;
    println!("it replaces the kernel of {count} dispatches");
    // Every 20th step is checked against the twins while it trains.
    let options = RunOptions { verify: Some(20), ..RunOptions::default() };
    let trainer = session.open(lowered.clone())?;
    let trained = session.run(trainer, &lowered, session.record(&lowered), options)?.begin(&mut Silent)?;

    let accuracy = trained.epoch.map_or(0.0, |epoch| epoch.held_out_accuracy);
    println!("{:.1} % of the held-out digits are correct", 100.0 * accuracy);
    Ok(Some(accuracy))
}
