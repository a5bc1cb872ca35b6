//! The machine that runs a lesson's dispatches: the shaders on an adapter, or the twins.

use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::program::{Dispatch, Program};
use crate::report::page::Note;

type Open = Box<dyn Fn(Program) -> Result<Box<dyn Engine>>>;

/// Opens engines for lessons.
pub struct Machine {
    /// The adapter's name, or the kind of twins.
    pub name: String,
    /// Whether it runs the shaders; otherwise the twins.
    pub shaders: bool,
    open: Open,
}

impl Machine {
    /// The shaders on an adapter, or the plain twins on the CPU, as lessons are about the twins.
    pub fn of(device: &Device) -> Machine {
        match device {
            Device::Cpu { .. } => Machine::plain(),
            Device::Gpu(_) => {
                let gpu = device.clone();
                Machine {
                    name: device.name(),
                    shaders: true,
                    open: Box::new(move |program| gpu.open(program)),
                }
            }
        }
    }

    /// The twins, storing f32 as a GPU does.
    pub fn plain() -> Machine {
        let open: Open = Box::new(|program| Ok(Box::new(CpuEngine::plain(program)?)));
        Machine { name: "the CPU engine".to_owned(), shaders: false, open }
    }

    /// The twins in f64.
    pub fn oracle() -> Machine {
        let open: Open = Box::new(|program| Ok(Box::new(CpuEngine::oracle(program)?)));
        Machine { name: "the CPU engine in f64".to_owned(), shaders: false, open }
    }

    /// A note that names the machine and the kernels of some dispatches.
    pub fn note<'a>(&self, dispatches: impl IntoIterator<Item = &'a Dispatch>) -> Note {
        Note::new(&self.name, self.shaders, dispatches)
    }

    /// An engine that runs a Program.
    ///
    /// # Errors
    /// As the engine says.
    pub fn open(&self, program: Program) -> Result<Box<dyn Engine>> {
        (self.open)(program)
    }
}
