//! A kernel: a contract with two executions, the WGSL and the plain Rust twin
//! that says what the WGSL must compute.
//!
//! This room has the words that all others speak in: [`Kernel`] and its constants, the slices that a twin
//! gets, the scalars of a [`Step`], and random numbers that shaders and Rust draw alike.
//!
//! May depend on `error` alone. Read this file first, then `consts.rs`.

pub mod activation;
mod align;
mod augmentation;
mod consts;
mod epilogue;
mod family;
mod geometry;
pub mod precision;
pub mod rng;
mod text;
mod values;

use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytemuck::{Pod, Zeroable};
use wgpu::naga;

pub use activation::Activation;
pub use align::{ALIGN, aligned};
pub use augmentation::Augmentation;
pub use consts::{Const, Consts, consts};
pub use epilogue::Epilogue;
pub use family::Family;
pub use geometry::{Geometry, Side};
pub use text::{COMMON, COOPERATIVE, enabled, enables, in_directive, specialize, words};
pub use values::{Access, Element, Real, Slice, SliceMut};

/// What changes from one step to the next; the same struct as in `shaders/common.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Step {
    /// Which row of the metrics buffer belongs to this step.
    pub slot: u32,
    /// Position in the shuffled order of the step's first sample.
    pub first: u32,
    /// How many samples the step has, over all its batches; the last step of an epoch may be short.
    pub samples: u32,
    /// Steps taken since the run began.
    pub index: u32,
    pub learning_rate: f32,
    pub momentum: f32,
    /// For random numbers drawn inside kernels.
    pub seed: u32,
    pub epoch: u32,
    /// What Adam's means and squares of gradients are multiplied by, see
    /// [`Optimiser::corrections`](crate::network::optimiser::Optimiser::corrections).
    pub mean_correction: f32,
    pub square_correction: f32,
    /// How much of the average of the weights is kept.
    pub ema_decay: f32,
}

/// What a twin is called with besides its buffers.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub consts: &'a Consts,
    pub step: &'a Step,
}

/// A twin: the bindings that are only read, and those that are written, in binding order.
pub type Twin<T> = fn(Call, &[Slice<T>], &mut [SliceMut<T>]);

/// One binding of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Bind {
    pub name: &'static str,
    pub access: Access,
    pub element: Element,
}

/// Where a twin stands in this crate's source.
#[derive(Clone, Copy, Debug)]
pub struct TwinSource {
    pub path: &'static str,
    pub function: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// The constants by which a shader with several tile sizes makes its workgroups.
pub const SHAPES: &[&str] = &["TILE", "BLOCK"];

/// The workgroup sizes of a shader, by those of its constants that they depend on.
#[derive(Debug, Default)]
pub struct WorkgroupSizes(Mutex<Vec<(Consts, [usize; 3])>>);

impl WorkgroupSizes {
    /// None is known.
    pub const fn new() -> WorkgroupSizes {
        WorkgroupSizes(Mutex::new(Vec::new()))
    }

    fn of(&self, shape: &Consts, read: impl FnOnce(&Consts) -> [usize; 3]) -> [usize; 3] {
        // A panic leaves the list as it was.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, size)) = known.iter().find(|(of, _)| of == shape) {
            return *size;
        }
        let size = read(shape);
        known.push((shape.clone(), size));
        size
    }
}

/// A contract with two executions: the WGSL, and the twin that says what it must compute.
pub struct Kernel {
    /// Stem of the shader file, its entry point, and the label in every table.
    pub name: &'static str,
    pub wgsl: &'static str,
    /// Where the twin stands, such as `cpu::matmul::matmul`.
    pub twin_name: &'static str,
    /// The constants that every dispatch gives.
    pub consts: &'static [&'static str],
    pub binds: &'static [Bind],
    /// Words of each binding, in binding order.
    pub lens: fn(&Consts) -> Vec<usize>,
    /// Words of each binding that one dispatch reads or writes at most: of a batch
    /// out of a data set, say, not the whole set.
    pub touched: fn(&Consts) -> Vec<usize>,
    /// Floating-point operations of the equation: a multiply-add is two, and an
    /// exp or a division one. Tables of speeds count by it, so that a version
    /// that computes something twice gains nothing by that.
    pub flops: fn(&Consts) -> usize,
    /// Invocations wanted along x, y and z; workgroups follow from the shader's own workgroup size.
    pub grid: fn(&Consts) -> [usize; 3],
    /// The twin as the CPU engine runs it.
    pub twin: Twin<f32>,
    /// The twin in f64: the ground truth.
    pub oracle: Twin<f64>,
    /// The twin as text, for readers.
    pub twin_source: TwinSource,
    /// The largest error that f32 arithmetic in any order explains, per written
    /// element. It has a twin's signature: it finds in its writes what the
    /// kernel would find there, and leaves the bounds in their place.
    pub bound: Twin<f64>,
    /// A fast function for the CPU engine, held to the twin like a shader.
    pub fast: Option<Twin<f32>>,
    /// What the constants must fulfil beyond their lengths, or the sentence that says so.
    pub requires: fn(&Consts) -> Result<(), &'static str>,
    /// The one subgroup size with which the shader is right, when it uses subgroups.
    pub subgroup: Option<u32>,
    /// The contract that it shares with other versions, where there are several or a rewrite looks for it.
    pub family: Option<Family>,
    /// Rows and columns of what one invocation (or workgroup) owns and watches, where the shader fixes them.
    pub block: Option<[usize; 2]>,
    /// Ours, which the tests have proved with run-time checks on, so that it
    /// may run without; a reader's own version never does.
    pub trusted: bool,
    /// Read from the shader once, see [`Kernel::workgroup_size`].
    pub workgroup_sizes: WorkgroupSizes,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Kernel({})", self.name)
    }
}

/// Width of a flat grid, as in `common.wgsl`.
pub const FLAT_WIDTH: usize = 1 << 21;

/// The grid of a kernel whose invocations are numbered by `flat_index`.
pub fn flat_grid(invocations: usize) -> [usize; 3] {
    [invocations.min(FLAT_WIDTH), invocations.div_ceil(FLAT_WIDTH), 1]
}

impl Kernel {
    /// Whether it is this row of the table itself: no other version, and no custom kernel.
    pub fn is(&self, row: &'static Kernel) -> bool {
        std::ptr::eq(self, row)
    }

    /// Whether it is a version of this contract.
    pub fn is_a(&self, family: Family) -> bool {
        self.family == Some(family)
    }

    /// Whether its shader multiplies by cooperative matrices, which an adapter must have and a device be
    /// opened for.
    pub fn is_cooperative(&self) -> bool {
        enables(self.wgsl, COOPERATIVE)
    }

    /// The complete WGSL with these constants written into their `const` lines.
    ///
    /// # Panics
    /// When the shader does not declare one of the constants: the kernel table
    /// and the shader disagree, which no user can cause.
    pub fn specialize(&self, consts: &Consts) -> String {
        specialize(self.wgsl, consts).unwrap_or_else(|name| {
            panic!("shader {} declares no const {name}", self.name);
        })
    }

    /// The workgroup size with these constants, read from the shader itself by reflection.
    ///
    /// # Panics
    /// When the shader is not valid WGSL, which `tests/shaders` rules out.
    pub fn workgroup_size(&self, consts: &Consts) -> [usize; 3] {
        self.workgroup_sizes.of(&consts.only(SHAPES), |shape| {
            let module = naga::front::wgsl::parse_str(&self.specialize(shape))
                .unwrap_or_else(|error| panic!("shader {}: {error}", self.name));
            module.entry_points[0].workgroup_size.map(|size| size as usize)
        })
    }

    /// Bytes that one dispatch moves: every word it touches once, and one that is
    /// updated or added to twice.
    pub fn bytes(&self, consts: &Consts) -> usize {
        let touched = (self.touched)(consts);
        let moved = touched.iter().zip(self.binds).map(|(words, bind)| {
            words * (usize::from(bind.access.reads(consts)) + usize::from(bind.access.writes()))
        });
        moved.sum::<usize>() * size_of::<f32>()
    }

    /// Workgroups to dispatch along x, y and z.
    pub fn groups(&self, consts: &Consts) -> [u32; 3] {
        let (grid, size) = ((self.grid)(consts), self.workgroup_size(consts));
        std::array::from_fn(|axis| u32::try_from(grid[axis].div_ceil(size[axis])).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_grids_cover_their_length_within_the_limit() {
        for n in [1, 64, FLAT_WIDTH, FLAT_WIDTH + 1, 100_000_000] {
            let [x, y, z] = flat_grid(n);
            assert!(x * y * z >= n && x.div_ceil(64) <= 65_535 && y <= 65_535);
        }
    }
}
