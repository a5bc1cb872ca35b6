//! The commands, one per file.

mod adopted;
pub mod bench;
mod captions;
mod changeable;
pub mod console;
pub mod custom;
pub mod data;
pub mod devices;
mod diff;
pub mod doctor;
pub mod eval;
pub mod exercises;
pub mod explain;
mod get;
pub mod import;
pub mod lesson;
pub mod lr_find;
pub mod memory;
pub mod predict;
pub mod prepared;
pub mod profile;
pub mod progress;
pub mod resume;
pub mod running;
pub mod runs;
pub mod shell;
pub mod signals;
pub mod summary;
pub mod train;
pub mod tuning;
mod weights;

use std::path::Path;

use wgrad::Result;
use wgrad::internals::engine::adapter::{Device, choose, driver, is_software, name};
use wgrad::internals::text::shown;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::foreign_model;
use wgrad::internals::train::run::model::Model;

/// The model of a run, or in a file. It is noted when the run wrote another one.
pub fn model_of(path: &Path) -> Result<Model> {
    let model = Model::load(path)?;
    note_foreign(path);
    Ok(model)
}

/// Notes a model that is not the one that its run wrote.
pub fn note_foreign(path: &Path) {
    if let Some(model) = foreign_model(path) {
        console::note(format_args!(
            "warning: {} is not the model that this run wrote: it is another run's, or was changed since",
            shown(model)
        ));
    }
}

/// The device that the user wants, announced on stderr.
pub fn device(wanted: &str) -> Result<Device> {
    choose(wanted).map(announced)
}

/// The device that a recipe wants. Custom kernels are shaders, so `auto` is an adapter for them, a software one too.
pub fn device_of(recipe: &Recipe) -> Result<Device> {
    device(if recipe.kernel.is_empty() { &recipe.device } else { for_shaders(&recipe.device) })
}

/// The device to look for where only an adapter will do: a software one takes the place of the CPU engine.
pub fn for_shaders(wanted: &str) -> &str {
    if wanted.eq_ignore_ascii_case("auto") { "gpu" } else { wanted }
}

/// Names the device on stderr.
pub fn announced(device: Device) -> Device {
    match &device {
        Device::Cpu { reason: None } => console::note(format_args!("device  CPU engine")),
        Device::Cpu { reason: Some(reason) } => {
            console::note(format_args!("device  CPU engine, because {reason}"));
        }
        Device::Gpu(adapter) => {
            let info = adapter.get_info();
            console::note(format_args!("device  {} ({}, {})", name(&info), info.backend, driver(&info)));
            if is_software(&info) {
                console::note(format_args!(
                    "        a software adapter: the CPU engine is likely faster (--device cpu)"
                ));
            }
        }
    }
    device
}
