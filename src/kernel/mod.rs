//! Kernels: a kernel is a contract with two implementations, a shader in WGSL and a twin in plain Rust.
//!
//! This room has the types that all others use: [`Kernel`] and its constants, the slices of a twin, the scalars of a
//! [`Step`], and random numbers that are equal in shaders and Rust.
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
pub mod threads;
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

/// The values of one training step; the same struct as in `shaders/common.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Step {
    /// The step's row of the metrics buffer.
    pub slot: u32,
    /// Position in the shuffled order of the step's first sample.
    pub first: u32,
    /// Samples of all batches of the step.
    ///
    /// The last step of an epoch may be short.
    pub samples: u32,
    /// Steps taken since the run began.
    pub index: u32,
    pub learning_rate: f32,
    pub momentum: f32,
    /// The seed of random numbers drawn inside kernels.
    pub seed: u32,
    pub epoch: u32,
    /// Adam's factors for the means and squares of gradients, see
    /// [`Optimiser::corrections`](crate::network::optimiser::Optimiser::corrections).
    pub mean_correction: f32,
    pub square_correction: f32,
    /// The decay of the EMA of the weights.
    pub ema_decay: f32,
}

/// The arguments of a twin besides its buffers.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub consts: &'a Consts,
    pub step: &'a Step,
}

/// The signature of a twin.
///
/// Its slices are the bindings that are only read, then those that are written, in binding order.
pub type Twin<T> = fn(Call, &[Slice<T>], &mut [SliceMut<T>]);

/// One binding of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Bind {
    pub name: &'static str,
    pub access: Access,
    pub element: Element,
}

/// A twin's position in this crate's source.
#[derive(Clone, Copy, Debug)]
pub struct TwinSource {
    pub path: &'static str,
    pub function: &'static str,
    /// The whole file.
    pub text: &'static str,
}

/// The constants that the workgroup size of a shader may depend on.
pub const SHAPES: &[&str] = &["TILE", "BLOCK"];

/// The workgroup sizes of a shader, by the constants in [`SHAPES`].
#[derive(Debug, Default)]
pub struct WorkgroupSizes(Mutex<Vec<(Consts, [usize; 3])>>);

impl WorkgroupSizes {
    /// An empty list.
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

/// A contract with two implementations: a shader, and the twin that defines what it must compute.
pub struct Kernel {
    /// Stem of the shader file, its entry point, and the label in every table.
    pub name: &'static str,
    pub wgsl: &'static str,
    /// The path of the twin, such as `cpu::matmul::matmul`.
    pub twin_name: &'static str,
    /// The constants that every dispatch gives.
    pub consts: &'static [&'static str],
    pub binds: &'static [Bind],
    /// Words of each binding, in binding order.
    pub lens: fn(&Consts) -> Vec<usize>,
    /// The most words of each binding that one dispatch reads or writes.
    ///
    /// For gathering, these are the words of a batch, not of the whole data set.
    pub touched: fn(&Consts) -> Vec<usize>,
    /// Floating-point operations of the equation.
    ///
    /// A multiply-add counts as two, an exp or a division as one. All versions of a contract have the same number, also one that computes something twice.
    pub flops: fn(&Consts) -> usize,
    /// Invocations along x, y and z.
    ///
    /// The workgroups follow from the shader's workgroup size.
    pub grid: fn(&Consts) -> [usize; 3],
    /// The twin as the CPU engine runs it.
    pub twin: Twin<f32>,
    /// The twin in f64: the ground truth.
    pub oracle: Twin<f64>,
    /// The twin's source text.
    pub twin_source: TwinSource,
    /// The largest error of f32 arithmetic in any order, per written element.
    ///
    /// It has a twin's signature: its outputs hold what the kernel would find there, and it overwrites them with the
    /// bounds.
    pub bound: Twin<f64>,
    /// A fast function for the CPU engine, tested against the twin like a shader.
    pub fast: Option<Twin<f32>>,
    /// Checks requirements on the constants; the error is a sentence.
    pub requires: fn(&Consts) -> Result<(), &'static str>,
    /// The subgroup size that the shader needs, if it uses subgroups.
    pub subgroup: Option<u32>,
    /// Its family, where there are several versions or a rewrite looks for it.
    pub family: Option<Family>,
    /// Rows and columns of the block that has one part of the watch, where the shader fixes them.
    pub block: Option<[usize; 2]>,
    /// Whether it may run without run-time checks: ours, which the tests run with them. A custom kernel never may.
    pub trusted: bool,
    /// Read from the shader once: see [`Kernel::workgroup_size`].
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
    /// Whether it is this row of the table, and neither another version nor a custom kernel.
    pub fn is(&self, row: &'static Kernel) -> bool {
        std::ptr::eq(self, row)
    }

    /// Whether it is a version of this contract.
    pub fn is_a(&self, family: Family) -> bool {
        self.family == Some(family)
    }

    /// Whether its shader uses cooperative matrices, for which a device must be opened.
    pub fn is_cooperative(&self) -> bool {
        enables(self.wgsl, COOPERATIVE)
    }

    /// The complete WGSL, with these constants in their `const` lines.
    ///
    /// # Panics
    /// When the shader does not declare one of the constants: then the kernel table is wrong.
    pub fn specialize(&self, consts: &Consts) -> String {
        specialize(self.wgsl, consts).unwrap_or_else(|name| {
            panic!("shader {} declares no const {name}", self.name);
        })
    }

    /// The workgroup size with these constants, by reflection.
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

    /// Bytes that one dispatch moves: each word once, and twice if it is updated or added to.
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
