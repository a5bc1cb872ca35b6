//! The machine, its devices, drivers and load, without which no time means anything.

use serde::Serialize;

use crate::engine::adapter::{Device, adapters, driver, kind};
use crate::engine::platform::{load_average, processor};
use crate::kernel::threads::cores;
use crate::table::choice::Choice;
use crate::text::shorten;
use crate::train::run::WGPU_VERSION;

/// The machine and the program.
#[derive(Clone, Debug, Serialize)]
pub struct MachineInfo {
    /// The processor's name, where the system gives one.
    pub processor: Option<String>,
    pub cores: usize,
    /// Such as `linux x86_64`.
    pub system: String,
    /// The mean number of runnable processes in the last minute, where the system gives it.
    pub load_average: Option<f64>,
    pub wgrad: &'static str,
    pub wgpu: &'static str,
    /// Whether the program was built with optimisations.
    pub optimised: bool,
}

impl MachineInfo {
    /// This machine at this moment.
    pub fn here() -> MachineInfo {
        MachineInfo {
            processor: processor().map(|name| shorten(&name)),
            cores: cores(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            load_average: load_average(),
            wgrad: env!("CARGO_PKG_VERSION"),
            wgpu: WGPU_VERSION,
            optimised: !cfg!(debug_assertions),
        }
    }
}

/// The best rates of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ceiling {
    /// GB/s, read and written, of a copy that is larger than the caches.
    pub copy_gbytes: f64,
    /// GFLOP/s of the product of two square matrices, the best of several sizes.
    pub matmul_gflops: f64,
}

impl Ceiling {
    /// The fewest seconds for a number of operations on a number of bytes.
    pub fn seconds(&self, flops: usize, bytes: usize) -> f64 {
        f64::max(flops as f64 / self.matmul_gflops, bytes as f64 / self.copy_gbytes) * 1e-9
    }
}

/// A device to measure.
#[derive(Clone, Debug)]
pub struct BenchDevice {
    pub device: Device,
    /// The versions of kernels that it trains with.
    pub choice: Choice,
}

/// A device and its ceilings.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceInfo {
    /// Its name, unique in the bench.
    pub name: String,
    /// `cpu`, or the kind of adapter.
    pub kind: &'static str,
    pub backend: String,
    pub driver: String,
    /// The versions of kernels that it took, as the setting `tuning` has them.
    ///
    /// None on the CPU engine.
    pub tuning: Option<String>,
    /// None where the device could not be opened.
    pub ceiling: Option<Ceiling>,
}

impl DeviceInfo {
    /// All devices with unique names, without ceilings.
    pub(super) fn of_all(devices: &[BenchDevice]) -> Vec<DeviceInfo> {
        let mut all: Vec<DeviceInfo> = devices.iter().map(DeviceInfo::of).collect();
        let names = distinct(all.iter().map(|info| info.name.as_str()).collect());
        all.iter_mut().zip(names).for_each(|(info, name)| info.name = name);
        all
    }

    fn of(BenchDevice { device, choice }: &BenchDevice) -> DeviceInfo {
        let (kind, backend, driver, tuning) = match device {
            Device::Cpu { .. } => ("cpu", String::new(), String::new(), None),
            Device::Gpu(adapter) => {
                let info = adapter.get_info();
                (kind(&info), info.backend.to_string(), driver(&info), Some(choice.picks().to_string()))
            }
        };
        DeviceInfo { name: device.name(), kind, backend, driver, tuning, ceiling: None }
    }
}

/// The names, with a number behind equal ones, such as two equal cards.
fn distinct(names: Vec<&str>) -> Vec<String> {
    let numbered = |(at, name): (usize, &&str)| {
        let before = names[..at].iter().filter(|other| *other == name).count();
        if before == 0 && !names[at + 1..].contains(name) {
            (*name).to_owned()
        } else {
            format!("{name} #{}", before + 1)
        }
    };
    names.iter().enumerate().map(numbered).collect()
}

/// The CPU engine, then every adapter.
pub fn devices() -> Vec<Device> {
    let gpus = adapters().into_iter().map(Device::Gpu);
    std::iter::once(Device::Cpu { reason: None }).chain(gpus).collect()
}

/// A device, its driver, and the machine's load.
pub fn title(device: &Device) -> String {
    let driver = match device {
        Device::Gpu(adapter) => format!(", {}", shorten(&adapter.get_info().driver_info)),
        Device::Cpu { .. } => String::new(),
    };
    let load = load_average().map_or_else(String::new, |load| format!(", load average {load:.2}"));
    format!("{}{driver}{load}", device.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cards_of_a_kind_get_numbers_and_others_keep_their_names() {
        let names = distinct(vec!["CPU engine", "Card", "llvmpipe", "Card", "Car"]);
        assert_eq!(names, ["CPU engine", "Card #1", "llvmpipe", "Card #2", "Car"]);
    }
}
