//! A reader's own version of a kernel: read, held to the contract of ours,
//! compared with the twin, timed against ours, and put in its place.
//!
//! The file is used as ours are: with `common.wgsl` in front, the values of the
//! `const` lines that the kernel table names rewritten, and an entry point named
//! like the kernel. Its workgroup may have another size, but an invocation owns
//! what it owns in our shader of that name (the second line of our file says
//! what), because our formula for the grid is used, divided by the reader's
//! workgroup size. So a tiled product with one element to an invocation is a
//! `matmul_naive`, and one with blocks of 4×4 is a `matmul`.
//!
//! It always runs with bounds checks and zeroed workgroup memory, as in a
//! browser: nothing has proved that it can do without.

mod contract;
mod family;
mod flags;
mod former;
mod inputs;
mod replace;
mod source;
mod timing;
mod trial;

pub use contract::Shader;
pub use flags::how_to_train;
pub use inputs::{Input, inputs};
pub use replace::{CustomKernelFile, beside, find, replace};
pub use source::{Fault, offset};
pub use timing::{Timing, time};
pub use trial::{Trial, trial};

use std::path::Path;

use sha2::{Digest, Sha256};

use former::with_present_names;

use crate::data::files::{self, hex};
use crate::error::{Error, Result};
use crate::kernel::{Kernel, WorkgroupSizes};

/// No shader is longer; a file that is was named by mistake.
const MAX_BYTES: u64 = 1 << 20;

/// A reader's version of `ours`, valid and with the contract's bindings.
#[derive(Clone, Debug)]
pub struct CustomKernel {
    pub ours: &'static Kernel,
    /// The same row with the reader's shader in it.
    pub kernel: &'static Kernel,
    /// What reflection says of the shader.
    pub shader: Shader,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
}

impl CustomKernel {
    /// Reads a file and holds it to the contract of `ours`.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file can't be read, is no valid WGSL (with
    /// line, column and the line itself) or has other bindings, constants or
    /// limits than the contract (with what was expected and what was got).
    pub fn read(path: &Path, ours: &'static Kernel) -> Result<CustomKernel> {
        let text = read_text(path)?;
        let digest = hex(Sha256::digest(text.as_bytes()));
        let text = with_present_names(&text, ours);
        let shader = Shader::examine(&text, ours)
            .map_err(|fault| Error::Usage(fault.report(&path.display().to_string(), &text)))?;
        Ok(CustomKernel { ours, kernel: leak(ours, text), shader, digest })
    }
}

/// Kernels are referred to for as long as the process lives, because all of
/// ours are part of it. A process reads a handful of shaders, once each, so
/// they are given the same life rather than every dispatch a count.
fn leak(ours: &'static Kernel, text: String) -> &'static Kernel {
    Box::leak(Box::new(Kernel {
        wgsl: Box::leak(text.into_boxed_str()),
        fast: None,
        trusted: false,
        workgroup_sizes: WorkgroupSizes::new(),
        ..*ours
    }))
}

fn read_text(path: &Path) -> Result<String> {
    let problem = |why: String| {
        Error::Usage(format!("the shader {} can't be read ({why}), so check the path", path.display()))
    };
    let text = files::read_text(path, MAX_BYTES).map_err(problem)?;
    // Editors on Windows begin a file with a byte order mark.
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
