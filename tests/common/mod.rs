//! Code that several test binaries share.

use wgrad::internals::engine::adapter::{Device, choose};

/// The adapter under test; a missing one is a failure, never a skip.
pub fn adapter() -> wgpu::Adapter {
    match choose("gpu") {
        Ok(Device::Gpu(adapter)) => adapter,
        Ok(Device::Cpu { .. }) => unreachable!("“gpu” never means the CPU engine"),
        Err(error) => panic!("{error}"),
    }
}
