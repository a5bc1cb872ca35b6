//! A wgpu device: opening it, its buffers, and the errors that it reports.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once};

use wgpu::{Adapter, Buffer, BufferDescriptor, BufferUsages, ExperimentalFeatures, Features, MemoryHints};

use super::footprint::check_memory;
use crate::error::{DeviceFault, Error, Result};
use crate::kernel::threads;
use crate::memory::mebibytes;
use crate::program::{Buf, Program};
use crate::text::{joined, shorten};

/// The first error of a device that wgpu's callbacks were given.
pub(super) type Trouble = Arc<Mutex<Option<Error>>>;

/// A wgpu buffer for each buffer of the Program.
///
/// Buffers that share memory are the same one.
pub(super) fn make_buffers(device: &wgpu::Device, program: &Program, usage: BufferUsages) -> Vec<Buffer> {
    let allocated = program.bufs.iter().enumerate().filter(|(_, buf)| buf.shares.is_none());
    let usage_of = |at| {
        if program.gates.is_some_and(|gates| gates.buf == Buf(at)) {
            usage | BufferUsages::INDIRECT
        } else {
            usage
        }
    };
    let allocated: HashMap<Buf, Buffer> = allocated
        .map(|(at, buf)| (Buf(at), make_buffer(device, &buf.name, buf.len as u64 * 4, usage_of(at))))
        .collect();
    (0..program.bufs.len()).map(|at| allocated[&program.owner(Buf(at))].clone()).collect()
}

/// Opens a device with the features that all our kernels need, and `more`.
pub(super) fn open(
    adapter: &Adapter,
    (more, experimental_features): (Features, ExperimentalFeatures),
) -> Result<(wgpu::Device, wgpu::Queue, Trouble)> {
    let offered = adapter.limits();
    // Kernels stay within WebGPU's default limits, so that they run in a browser too. Only buffers may be as large as
    // the adapter allows.
    let required_limits = wgpu::Limits {
        max_buffer_size: offered.max_buffer_size,
        max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
        ..wgpu::Limits::default()
    };
    let name = shorten(&adapter.get_info().name);
    check_memory(&adapter.get_info()).map_err(|problem| {
        Error::Device(DeviceFault::TooSmall, format!("{problem}: make room for it, or use ⟨device cpu⟩"))
    })?;
    // A software adapter makes threads of its own, and says of a failure only that the device is lost.
    threads::spare(1)?;
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("wgrad"),
        required_features: adapter.features() & Features::SUBGROUP | more,
        required_limits,
        experimental_features,
        // Buffers are made once and most are large: memory beyond them would only lie about.
        memory_hints: MemoryHints::MemoryUsage,
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| {
        let problem =
            format!("{name} can't be opened ({}): update its driver, or use another ⟨device⟩", joined(error));
        Error::Device(DeviceFault::Absent, problem)
    })?;
    let trouble = Trouble::default();
    let note = |trouble: &Trouble, error: Error| {
        // The first report is the cause; the rest are its consequences.
        trouble.lock().expect("callbacks do not panic").get_or_insert(error);
    };
    let seen = Arc::clone(&trouble);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&seen, reported(&error))));
    let seen = Arc::clone(&trouble);
    device.set_device_lost_callback(move |reason, text| {
        if reason != wgpu::DeviceLostReason::Destroyed {
            note(&seen, lost(&text));
        }
    });
    Ok((device, queue, trouble))
}

/// An error that wgpu reported while the device worked.
fn reported(error: &wgpu::Error) -> Error {
    match error {
        wgpu::Error::OutOfMemory { .. } => {
            too_small(&format!("the device ran out of memory ({})", joined(error)))
        }
        _ => lost(&error.to_string()),
    }
}

/// `problem`, and the advice for a device with too little memory.
pub(super) fn too_small(problem: &str) -> Error {
    let advice = "use a smaller ⟨batch_size⟩ or ⟨network⟩, or another ⟨device⟩";
    Error::Device(DeviceFault::TooSmall, format!("{problem}: {advice}"))
}

/// The error of values that don't fit the memory of the host.
pub(super) fn no_memory_for_copy(words: usize) -> Error {
    too_small(&format!("there is no memory for {} from the device", mebibytes(words as u64 * 4)))
}

pub(super) fn make_buffer(device: &wgpu::Device, label: &str, bytes: u64, usage: BufferUsages) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage,
        mapped_at_creation: false,
    })
}

/// A device that stopped answering, and why.
pub(super) fn lost(cause: &str) -> Error {
    let problem = format!(
        "the device was lost or stopped answering ({}), so open it again or use another ⟨device⟩",
        joined(cause)
    );
    Error::Device(DeviceFault::Lost, problem)
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The result of `call`, or none if it panics.
///
/// During the call panics of this thread are not printed.
pub(super) fn quietly<T>(call: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                print(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(call)).ok();
    QUIET.set(false);
    result
}
