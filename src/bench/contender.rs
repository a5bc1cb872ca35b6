//! Who is measured: the plain twins, the fast CPU engine and every adapter.

use super::machine::DeviceInfo;
use super::report::Kind;
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cpu::CpuEngine;
use crate::engine::profile::Profiler;
use crate::error::Result;
use crate::program::Program;
use crate::program::record::Versions;

/// Something that runs Programs.
pub(super) struct Contender {
    pub name: String,
    /// Its place among the devices.
    pub device: usize,
    pub plain: bool,
    /// Where it runs.
    pub of: Device,
    /// The shaders that it uses there.
    pub versions: Versions,
    /// Operations a second at the last piece of work of each kind.
    pub rates: Vec<(Kind, f64)>,
}

/// All contenders on some devices; the plain twins run on the CPU as well.
pub(super) fn contenders(devices: &[(Device, Versions)], infos: &[DeviceInfo]) -> Vec<Contender> {
    let mut all = Vec::new();
    for (at, ((device, versions), info)) in devices.iter().zip(infos).enumerate() {
        if matches!(device, Device::Cpu { .. }) {
            let name = "plain twins, 1 thread".to_owned();
            all.push(Contender { name, device: at, plain: true, ..Contender::fast(device, *versions) });
        }
        all.push(Contender { name: info.name.clone(), device: at, ..Contender::fast(device, *versions) });
    }
    all
}

impl Contender {
    /// What a device trains with.
    pub fn fast(device: &Device, versions: Versions) -> Contender {
        let (name, of) = (device.name(), device.clone());
        Contender { name, device: 0, plain: false, of, versions, rates: Vec::new() }
    }

    /// An engine for a Program.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open(&self, program: Program, profiler: &Profiler) -> Result<Box<dyn Engine>> {
        match self.plain {
            true => Ok(Box::new(CpuEngine::plain(program)?.with_profiler(profiler))),
            false => self.of.open_profiled(program, profiler),
        }
    }
}
