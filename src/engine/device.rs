//! A device of wgpu: how it is opened, what is made on it, and what it reports.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once};

use wgpu::{Adapter, Buffer, BufferDescriptor, BufferUsages, ExperimentalFeatures, Features};

use crate::error::{DeviceFault, Error, Result};
use crate::program::{Buf, Program};

/// The first thing that went wrong on a device, noted by wgpu's callbacks.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

/// One for each buffer of the Program; those that share memory are the same one.
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

/// A device with what all our kernels need; `more` are features besides, and wgpu's leave for those of
/// them that are experimental.
pub(super) fn open(
    adapter: &Adapter,
    (more, experimental_features): (Features, ExperimentalFeatures),
) -> Result<(wgpu::Device, wgpu::Queue, Trouble)> {
    let offered = adapter.limits();
    // Kernels stay within WebGPU's default limits, so that they run in a browser
    // too; only buffers may be as large as the adapter allows.
    let required_limits = wgpu::Limits {
        max_buffer_size: offered.max_buffer_size,
        max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
        ..wgpu::Limits::default()
    };
    let name = adapter.get_info().name;
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("wgrad"),
        required_features: adapter.features() & Features::SUBGROUP | more,
        required_limits,
        experimental_features,
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
        .map_err(|error| Error::Device(DeviceFault::Absent, format!("{name} cannot be used: {error}")))?;
    let trouble = Trouble::default();
    let note = |trouble: &Trouble, text: String| {
        // The first report is the cause; the rest are its consequences.
        trouble.lock().expect("callbacks do not panic").get_or_insert(text);
    };
    let seen = Arc::clone(&trouble);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| note(&seen, error.to_string())));
    let seen = Arc::clone(&trouble);
    device.set_device_lost_callback(move |reason, text| {
        if reason != wgpu::DeviceLostReason::Destroyed {
            note(&seen, format!("the device was lost: {text}"));
        }
    });
    Ok((device, queue, trouble))
}

pub(super) fn make_buffer(device: &wgpu::Device, label: &str, bytes: u64, usage: BufferUsages) -> Buffer {
    device.create_buffer(&BufferDescriptor {
        label: Some(label),
        size: bytes,
        usage,
        mapped_at_creation: false,
    })
}

pub(super) fn lost(what: String) -> Error {
    Error::Device(DeviceFault::Lost, format!("the device was lost or stopped answering: {what}"))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What `call` returns, or nothing if it panics; this thread's panics are not printed meanwhile.
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
