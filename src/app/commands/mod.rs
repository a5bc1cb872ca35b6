//! The commands, one per file.

mod adopted;
pub mod bench;
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
pub mod signals;
pub mod summary;
pub mod train;
pub mod tuning;

use wgrad::Result;
use wgrad::internals::engine::adapter::{Device, choose, driver, is_software, name};

/// The device that the user wants, announced on stderr.
pub fn device(wanted: &str) -> Result<Device> {
    let device = choose(wanted)?;
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
    Ok(device)
}
