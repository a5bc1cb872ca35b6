//! The adapters of this machine, and the choice among them.

use wgpu::{
    Adapter, AdapterInfo, Backends, DeviceType, DownlevelFlags, Instance, InstanceDescriptor, InstanceFlags,
};

use super::Engine;
use super::checks::Checks;
use super::cooperative;
use super::cpu::CpuEngine;
use super::footprint::{check_memory, check_memory_of_software, note_drivers, of_adapter, of_cpu};
use super::gpu::GpuEngine;
use crate::engine::profile::Profiler;
use crate::error::{DeviceFault, Error, Result, suggestion};
use crate::kernel::{Consts, Kernel};
use crate::memory::{Need, Room};
use crate::program::{Limits, Program};
use crate::table::MATMUL_SUBGROUP;
use crate::table::choice::Choice;
use crate::text::shorten;

pub use super::footprint::is_software;

/// The name of the CPU engine, where adapters have theirs.
pub const CPU: &str = "CPU engine";

/// A device that runs Programs: the CPU engine, or an adapter.
#[derive(Clone, Debug)]
pub enum Device {
    /// The CPU engine, which runs the twins.
    Cpu {
        /// Why it was chosen, if it was not named.
        reason: Option<String>,
    },
    /// An adapter, which runs the shaders: a real GPU or a software one.
    Gpu(Adapter),
}

impl Device {
    /// [`choose`].
    ///
    /// # Errors
    /// As [`choose`].
    pub fn choose(wanted: &str) -> Result<Device> {
        choose(wanted)
    }

    /// The adapter's name, or `CPU engine`.
    pub fn name(&self) -> String {
        match self {
            Device::Cpu { .. } => CPU.to_owned(),
            Device::Gpu(adapter) => name(&adapter.get_info()),
        }
    }

    /// Whether both are the same device.
    ///
    /// Everything that an adapter says of itself is compared: two cards of a kind differ in their bus address.
    pub fn is_same(&self, other: &Device) -> bool {
        match (self, other) {
            (Device::Cpu { .. }, Device::Cpu { .. }) => true,
            (Device::Gpu(one), Device::Gpu(two)) => one.get_info() == two.get_info(),
            _ => false,
        }
    }

    /// Whether the device can run a kernel.
    pub fn runs(&self, kernel: &Kernel) -> bool {
        self.lacks(kernel).is_none()
    }

    /// The requirement of a kernel that the device doesn't meet.
    ///
    /// Such as `needs subgroups of 8`. Some kernels need subgroups of a certain size, some unpack f16, some use
    /// cooperative matrices.
    pub fn lacks(&self, kernel: &Kernel) -> Option<String> {
        let Device::Gpu(adapter) = self else { return None };
        if let Some(size) = kernel.subgroup {
            let info = adapter.get_info();
            let exactly = info.subgroup_min_size == size && info.subgroup_max_size == size;
            let has = exactly && adapter.features().contains(wgpu::Features::SUBGROUP);
            if !has {
                return Some(format!("needs subgroups of {size}"));
            }
        }
        let flags = adapter.get_downlevel_capabilities().flags;
        if kernel.wgsl.contains("unpack2x16float") && !flags.contains(DownlevelFlags::SHADER_F16_IN_F32) {
            return Some("needs to unpack f16".to_owned());
        }
        if kernel.is_cooperative() { cooperative::lacking(adapter) } else { None }
    }

    /// Whether the device runs a kernel with these constants.
    ///
    /// The kernel must be one that it [runs](Device::runs). An adapter has cooperative matrices of some tile sizes only.
    pub fn takes(&self, kernel: &Kernel, consts: &Consts) -> bool {
        match self {
            Device::Gpu(adapter) if kernel.is_cooperative() => {
                cooperative::tile_sizes(adapter).contains(&consts.uint("TILE"))
            }
            _ => true,
        }
    }

    /// The default variants for devices of this kind.
    ///
    /// They are the fastest on most such devices; [`tune`](crate::tune) measures which are on this one.
    pub fn choice(&self) -> Choice {
        match self {
            Device::Cpu { .. } => Choice::CPU,
            Device::Gpu(adapter) if !is_software(&adapter.get_info()) => Choice::GPU,
            Device::Gpu(_) if self.runs(&MATMUL_SUBGROUP) => Choice::SOFTWARE_SUBGROUPS,
            Device::Gpu(_) => Choice::SOFTWARE,
        }
    }

    /// An engine for training: shaders without run-time checks, or fast CPU functions.
    ///
    /// # Errors
    /// [`Error::Device`]: [`DeviceFault::Absent`] when the adapter can't be opened, [`DeviceFault::TooSmall`] when
    /// it has too little memory.
    pub fn open(&self, program: Program) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Device::Cpu { .. } => Box::new(CpuEngine::fast(program)?),
            Device::Gpu(adapter) => Box::new(GpuEngine::new(adapter, program, Checks::Off)?),
        })
    }

    /// The engine of [`Device::open`], which also times dispatches for a profile.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn open_profiled(&self, program: Program, profiler: &Profiler) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Device::Cpu { .. } => Box::new(CpuEngine::fast(program)?.with_profiler(profiler)),
            Device::Gpu(adapter) => {
                Box::new(GpuEngine::with_profiler(adapter, program, Checks::Off, profiler)?)
            }
        })
    }

    /// Memory of the host that the process takes with this device, without any Program or data.
    pub fn footprint(&self) -> Need {
        match self {
            Device::Cpu { .. } => of_cpu(),
            Device::Gpu(adapter) => of_adapter(&adapter.get_info()),
        }
    }

    /// Whether buffers of the device are in the memory of the host.
    pub fn shares_memory(&self) -> bool {
        match self {
            Device::Cpu { .. } => true,
            Device::Gpu(adapter) => is_software(&adapter.get_info()),
        }
    }

    /// The bytes that a Program may use.
    pub fn limits(&self) -> Limits {
        // Adapters with memory of their own don't say how much they have.
        let memory_bytes = if self.shares_memory() { Room::now().bytes() } else { None };
        match self {
            Device::Cpu { .. } => Limits { binding_bytes: u64::MAX, buffer_bytes: u64::MAX, memory_bytes },
            Device::Gpu(adapter) => {
                let limits = adapter.limits();
                Limits {
                    binding_bytes: limits.max_storage_buffer_binding_size,
                    buffer_bytes: limits.max_buffer_size,
                    memory_bytes,
                }
            }
        }
    }
}

/// The kind of an adapter: `discrete`, `integrated`, `virtual`, `software` or `other`.
pub fn kind(info: &AdapterInfo) -> &'static str {
    match info.device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Cpu => "software",
        DeviceType::Other => "other",
    }
}

/// The driver's name and version.
pub fn driver(info: &AdapterInfo) -> String {
    shorten(format!("{} {}", info.driver, info.driver_info).trim())
}

/// The name of an adapter, as its driver gives it.
pub fn name(info: &AdapterInfo) -> String {
    shorten(&info.name)
}

/// All adapters, the best first: discrete, integrated, virtual, software.
///
/// Honours `WGPU_BACKEND`; wgpu's own choice by `WGPU_ADAPTER_NAME` panics on
/// an unknown name, so [`choose`] does that.
pub fn adapters() -> Vec<Adapter> {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wanted_backend().map_or(Backends::all(), |name| Backends::from_comma_list(&name));
    // Without validation layers: naga and the parity tests check the same rules.
    descriptor.flags = InstanceFlags::empty();
    let instance = Instance::new(descriptor);
    let mut adapters = pollster::block_on(instance.enumerate_adapters(Backends::all()));
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    });
    adapters
}

/// The value of `WGPU_BACKEND`; empty counts as unset.
fn wanted_backend() -> Option<String> {
    std::env::var("WGPU_BACKEND").ok().filter(|name| !name.is_empty())
}

/// The device of this name: `auto`, `gpu`, `cpu`, or a part of an adapter's name.
///
/// `auto` is the best GPU. Where there is none, only a software adapter or no memory for a driver, it is the CPU engine,
/// which is faster than a software adapter. `gpu` is the best adapter, a software one last, and never the CPU engine.
/// Where the environment variable `WGPU_ADAPTER_NAME` is set, it chooses among the adapters for `auto` and `gpu`.
///
/// # Errors
/// [`Error::Device`] with [`DeviceFault::Absent`] when no adapter answers, [`Error::Usage`] when none has such a
/// name.
pub fn choose(wanted: &str) -> Result<Device> {
    if wanted.eq_ignore_ascii_case("cpu") {
        return Ok(Device::Cpu { reason: None });
    }
    let adapters = adapters();
    note_drivers();
    let auto = wanted.eq_ignore_ascii_case("auto");
    let by_kind = auto || wanted.eq_ignore_ascii_case("gpu");
    let from_env = adapter_of_environment().filter(|_| by_kind);
    if auto
        && from_env.is_none()
        && let Some(reason) = reason_for_cpu(adapters.first())
    {
        return Ok(Device::Cpu { reason: Some(reason) });
    }
    if adapters.is_empty() {
        return Err(Error::Device(
            DeviceFault::Absent,
            format!(
                "{}: install a driver or run ./setup for a software adapter, or use ⟨device cpu⟩",
                no_adapter()
            ),
        ));
    }
    match from_env {
        Some(name) => named(adapters, &name, "WGPU_ADAPTER_NAME"),
        None if by_kind => Ok(Device::Gpu(adapters.into_iter().next().expect("checked above"))),
        None => named(adapters, wanted, "⟨device⟩"),
    }
}

/// The value of `WGPU_ADAPTER_NAME`; empty counts as unset.
fn adapter_of_environment() -> Option<String> {
    std::env::var("WGPU_ADAPTER_NAME").ok().filter(|name| !name.is_empty())
}

/// Whether `WGPU_ADAPTER_NAME` names the adapter that `auto` and `gpu` are.
pub fn is_named_by_environment() -> bool {
    adapter_of_environment().is_some()
}

/// Why `auto` is the CPU engine, if it is. `best` is the best adapter.
fn reason_for_cpu(best: Option<&Adapter>) -> Option<String> {
    let Some(best) = best else { return Some(no_adapter()) };
    let info = best.get_info();
    if is_software(&info) {
        return Some(format!(
            "there is no GPU here: ⟨device gpu⟩ takes the slower software adapter {}",
            name(&info)
        ));
    }
    check_memory(&info).err()
}

/// The beginning of a sentence for a machine without adapters.
fn no_adapter() -> String {
    let cause = "no graphics adapter answers on this machine (Vulkan, Metal or DirectX 12)";
    if let Err(shortage) = check_memory_of_software() {
        return format!("{cause}, and a software one {shortage}");
    }
    match wanted_backend() {
        Some(backend) => format!("{cause} through WGPU_BACKEND={}", shorten(&backend)),
        None => cause.to_owned(),
    }
}

/// The first adapter with `name` in its name.
///
/// `origin` is where the name was given.
fn named(adapters: Vec<Adapter>, name: &str, origin: &str) -> Result<Device> {
    let names: Vec<String> = adapters.iter().map(|adapter| self::name(&adapter.get_info())).collect();
    let found = names.iter().position(|known| known.to_lowercase().contains(&name.to_lowercase()));
    match found {
        Some(at) => Ok(Device::Gpu(adapters.into_iter().nth(at).expect("positions are in range"))),
        None => {
            let near = suggestion(name, &["auto", "gpu", "cpu"]);
            let all = names.join("”, “");
            Err(Error::Usage(format!(
                "{origin}: no adapter is called “{name}”{near}; there are “{all}”, and auto, gpu and cpu",
                name = shorten(name)
            )))
        }
    }
}
