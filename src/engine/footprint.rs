//! Memory that a process takes for a device, besides the buffers of a Program. It was measured.

use std::sync::OnceLock;
use std::thread::available_parallelism;

use wgpu::{AdapterInfo, DeviceType};

use crate::memory::{Need, Room, Shortage, taken};

const MIB: u64 = 1 << 20;

/// The program itself, and the stacks and scratch memory of its threads.
const PROGRAM: u64 = 12 * MIB;
/// Addresses of a thread: its stack, and what it allocates first.
const THREAD: u64 = 4 * MIB;
/// A software adapter: its compiler, which takes most, its libraries and its code. It takes 70 MiB less when it finds
/// the compiled shaders of an earlier run.
const SOFTWARE: u64 = 152 * MIB;
/// Addresses of a software adapter, and of each of its threads, of which it has several for each processor.
const SOFTWARE_ADDRESSES: u64 = 512 * MIB;
const SOFTWARE_THREADS: u64 = 256 * MIB;
/// The driver of a GPU.
const DRIVER: u64 = 250 * MIB;

/// The most bytes that are sent to an adapter or fetched at once: wgpu keeps a copy of them meanwhile.
pub(super) const PIECE: usize = 8 << 20;

/// The memory that the process had taken once it had looked for adapters: their drivers stay loaded.
static WITH_DRIVERS: OnceLock<Need> = OnceLock::new();

/// Remembers the memory that drivers have taken.
pub(super) fn note_drivers() {
    WITH_DRIVERS.get_or_init(taken);
}

/// Memory that the process takes without any device.
pub(super) fn of_cpu() -> Need {
    match WITH_DRIVERS.get() {
        None => without_drivers(),
        Some(taken) => {
            without_drivers().or(Need { address: taken.address + without_drivers().address, ..*taken })
        }
    }
}

fn without_drivers() -> Need {
    Need { resident: PROGRAM, address: 3 * PROGRAM + threads() * THREAD }
}

/// Memory that the process takes with an adapter.
///
/// Drivers of GPUs reserve more addresses than any machine has memory; those are not counted.
pub(super) fn of_adapter(info: &AdapterInfo) -> Need {
    if is_software(info) {
        return of_software();
    }
    without_drivers().plus(2 * PIECE as u64 + DRIVER)
}

fn of_software() -> Need {
    let Need { resident, address } = without_drivers().plus(2 * PIECE as u64);
    let threads = SOFTWARE_ADDRESSES + threads() * SOFTWARE_THREADS;
    Need { resident: resident + SOFTWARE, address: address + threads }
}

/// Checks that there is memory for a software adapter, whose driver doesn't answer without it.
///
/// # Errors
/// What is missing.
pub(super) fn check_memory_of_software() -> Result<(), Shortage> {
    Room::now().check(of_software().beyond(taken()))
}

/// Checks that there is memory for an adapter: some drivers end the process when there is none.
///
/// # Errors
/// The beginning of a sentence: what is missing.
pub(super) fn check_memory(info: &AdapterInfo) -> Result<(), String> {
    let room = Room::now().check(of_adapter(info).beyond(taken()));
    room.map_err(|shortage| format!("{} {shortage}", info.name))
}

/// Whether an adapter is software on the CPU: lavapipe, SwiftShader or WARP.
pub fn is_software(info: &AdapterInfo) -> bool {
    info.device_type == DeviceType::Cpu
}

fn threads() -> u64 {
    available_parallelism().map_or(1, |threads| threads.get() as u64)
}
