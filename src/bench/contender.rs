//! The contenders: the plain twins, the fast CPU engine and every adapter.

use std::collections::HashMap;

use super::machine::{BenchDevice, DeviceInfo};
use super::report::WorkKind;
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cpu::CpuEngine;
use crate::engine::profile::Profiler;
use crate::error::Result;
use crate::program::Program;
use crate::table::choice::Choice;

/// An engine on a device.
pub(super) struct Contender {
    pub name: String,
    /// The index of its device.
    pub device: usize,
    pub plain: bool,
    /// The device that it runs on.
    pub of: Device,
    /// The versions of kernels that it uses there.
    pub choice: Choice,
    /// FLOP/s of the last workload of each kind.
    pub flops_per_second: HashMap<WorkKind, f64>,
}

/// All contenders on some devices.
///
/// The CPU has two, the plain twins and the CPU engine.
pub(super) fn contenders(devices: &[BenchDevice], infos: &[DeviceInfo]) -> Vec<Contender> {
    let mut all = Vec::new();
    for (at, (BenchDevice { device, choice }, info)) in devices.iter().zip(infos).enumerate() {
        if matches!(device, Device::Cpu { .. }) {
            let name = "plain twins, 1 thread".to_owned();
            all.push(Contender { name, device: at, plain: true, ..Contender::fast(device, *choice) });
        }
        all.push(Contender { name: info.name.clone(), device: at, ..Contender::fast(device, *choice) });
    }
    all
}

impl Contender {
    /// The engine that training uses on a device.
    pub fn fast(device: &Device, choice: Choice) -> Contender {
        let (name, of) = (device.name(), device.clone());
        Contender { name, device: 0, plain: false, of, choice, flops_per_second: HashMap::new() }
    }

    /// An engine for a Program.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open(&self, program: Program, profiler: &Profiler) -> Result<Box<dyn Engine>> {
        if self.plain {
            Ok(Box::new(CpuEngine::plain(program)?.with_profiler(profiler)))
        } else {
            self.of.open_profiled(program, profiler)
        }
    }
}
