//! Custom kernels: a user's shader in the place of a built-in one.
//!
//! The file is read, checked against the contract of the built-in kernel, compared with the twin, timed, and put in its
//! place. It is used like a built-in shader: with `common.wgsl` in front, the values of the `const` lines that the kernel
//! table names rewritten, and an entry point named like the kernel. Its workgroup may have another size. An invocation
//! owns the same elements as in the built-in shader of that name (see the second line of that file), because the grid
//! is computed by the same formula, divided by the custom workgroup size. So a tiled product with one element per
//! invocation is a `matmul_naive`, and one with blocks of 4×4 is a `matmul`.
//!
//! It always runs with bounds checks and zeroed workgroup memory, as in a browser, because nothing has proved that it can
//! do without.

mod contract;
mod family;
mod former;
mod inputs;
mod replace;
mod settings;
mod source;
mod text;
mod timing;
mod trial;

pub use contract::Shader;
pub use inputs::{Input, inputs};
pub use replace::{CustomKernelFile, built_in_f16_products, find, replace};
pub use settings::{NeededSetting, name_in_settings, needed_settings};
pub use source::{Fault, offset};
pub use text::{MAX_BYTES, ShaderText};
pub use timing::{Timing, time};
pub use trial::{Trial, trial};

use std::path::Path;

use former::with_present_names;

use crate::error::{Error, Result};
use crate::kernel::{Kernel, WorkgroupSizes};
use crate::text::shown;

/// A custom version of `ours`, valid and with the bindings of its contract.
#[derive(Clone, Debug)]
pub struct CustomKernel {
    /// The built-in kernel.
    pub ours: &'static Kernel,
    /// The row of the built-in kernel with the custom shader in it.
    pub kernel: &'static Kernel,
    /// Facts about the shader by reflection.
    pub shader: Shader,
    /// SHA-256 of the text, in hexadecimal.
    pub digest: String,
}

impl CustomKernel {
    /// Reads a file, then as [`CustomKernel::of`].
    ///
    /// # Errors
    /// As [`ShaderText::read`] and [`CustomKernel::of`].
    pub fn read(path: &Path, ours: &'static Kernel) -> Result<CustomKernel> {
        CustomKernel::of(&ShaderText::read(path)?, ours)
    }

    /// Checks a text against the contract of `ours`.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is not valid WGSL (with line, column and the line itself) or has other bindings, constants
    /// or limits than the contract (with the expected and the actual one).
    pub fn of(given: &ShaderText, ours: &'static Kernel) -> Result<CustomKernel> {
        let text = with_present_names(given.wgsl(), ours);
        let shader = Shader::examine(&text, ours)
            .map_err(|fault| Error::Usage(fault.report(&shown(&given.path), &text)))?;
        Ok(CustomKernel { ours, kernel: leak(ours, text), shader, digest: given.digest() })
    }
}

/// A kernel with this shader, which lives as long as the process.
///
/// Built-in kernels do so, and a process reads few custom ones, once each: a reference count in every dispatch would buy
/// nothing.
fn leak(ours: &'static Kernel, text: String) -> &'static Kernel {
    Box::leak(Box::new(Kernel {
        wgsl: Box::leak(text.into_boxed_str()),
        fast: None,
        trusted: false,
        workgroup_sizes: WorkgroupSizes::new(),
        ..*ours
    }))
}
