//! Cooperative matrices: tiles that a whole subgroup of an adapter holds and multiplies at once.

use wgpu::{Adapter, CooperativeMatrixProperties, CooperativeScalarType, ExperimentalFeatures, Features};

use crate::kernels::{EDGES, MATMUL_COOPERATIVE};
use crate::program::Program;

/// What a device is opened with, so that a shader may use cooperative matrices of halves.
const NEEDED: Features =
    Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(Features::SHADER_F16).union(Features::SUBGROUP);

/// The edges of the square tiles of halves that an adapter multiplies and adds up in single precision,
/// those that `matmul_cooperative.wgsl` prefers first; none where it can't be run.
pub fn edges(adapter: &Adapter) -> Vec<usize> {
    // Tiles belong to whole subgroups, so a workgroup must be made of such.
    let invocations = MATMUL_COOPERATIVE.workgroup_size(&Default::default())[0];
    let whole = invocations.is_multiple_of(adapter.get_info().subgroup_max_size.max(1) as usize);
    if !whole || !adapter.features().contains(NEEDED) {
        return Vec::new();
    }
    let offered = adapter.cooperative_matrix_properties();
    EDGES.into_iter().filter(|edge| offered.iter().any(|shape| fits(shape, *edge))).collect()
}

fn fits(shape: &CooperativeMatrixProperties, edge: usize) -> bool {
    let types = (shape.ab_type, shape.cr_type) == (CooperativeScalarType::F16, CooperativeScalarType::F32);
    types && [shape.m_size, shape.n_size, shape.k_size].iter().all(|size| *size as usize == edge)
}

/// What an adapter offers, in words, such as `8×8×8 of f16 with sums in f32`; `none` where it has none.
///
/// wgpu knows of square tiles of 8 and of 16 only, so an adapter may have others.
pub fn offered(adapter: &Adapter) -> String {
    let mut shapes: Vec<String> = adapter.cooperative_matrix_properties().iter().map(describe).collect();
    shapes.dedup();
    if shapes.is_empty() { "none".to_owned() } else { shapes.join(", ") }
}

fn describe(shape: &CooperativeMatrixProperties) -> String {
    let CooperativeMatrixProperties { m_size, n_size, k_size, ab_type, cr_type, .. } = shape;
    let [factors, sums] = [ab_type, cr_type].map(|kind| match kind {
        CooperativeScalarType::F16 => "f16",
        CooperativeScalarType::F32 => "f32",
        CooperativeScalarType::I32 => "i32",
        CooperativeScalarType::U32 => "u32",
    });
    format!("{m_size}×{n_size}×{k_size} of {factors} with sums in {sums}")
}

/// What a Program needs of a device beyond what every one is opened with, and wgpu's leave for that.
pub(super) fn needs(program: &Program) -> (Features, ExperimentalFeatures) {
    if !program.steps.iter().any(|dispatch| dispatch.kernel.is_cooperative()) {
        return (Features::empty(), ExperimentalFeatures::disabled());
    }
    // SAFETY: wgpu warns that what is experimental may have bugs that end in undefined behaviour. Only
    // a Program with such a kernel gets here, and there is one only where somebody has asked for it by
    // name: in training by `--experimental cooperative-matrix`, or in a check of all kernels.
    (NEEDED, unsafe { ExperimentalFeatures::enabled() })
}
