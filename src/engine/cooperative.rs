//! Cooperative matrices: tiles that a whole subgroup of an adapter holds and multiplies at once.

use wgpu::{Adapter, CooperativeMatrixProperties, CooperativeScalarType, ExperimentalFeatures, Features};

use crate::program::Program;
use crate::table::{COOPERATIVE_TILES, MATMUL_COOPERATIVE};

/// The features of a device whose shaders may use cooperative matrices of f16.
const NEEDED: Features =
    Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(Features::SHADER_F16).union(Features::SUBGROUP);

/// The tile sizes that `matmul_cooperative.wgsl` can use, preferred first.
///
/// Tiles are square, of f16, with sums in f32. None where an adapter can't run the shader.
pub fn tile_sizes(adapter: &Adapter) -> Vec<usize> {
    if lacking(adapter).is_some() { Vec::new() } else { usable_sizes(adapter).collect() }
}

/// The requirement of `matmul_cooperative.wgsl` that an adapter doesn't meet, such as `needs …`.
pub fn lacking(adapter: &Adapter) -> Option<String> {
    let (features, info) = (adapter.features(), adapter.get_info());
    if usable_sizes(adapter).next().is_none() {
        let offered = offered(adapter);
        return Some(format!(
            "needs cooperative matrices of 8×8×8 or 16×16×16 of f16 with sums in f32, and it offers {offered}"
        ));
    }
    if !features.contains(NEEDED) {
        let missing: Vec<&str> = (NEEDED - features).iter_names().map(|(name, _)| name).collect();
        return Some(format!("needs more than its driver gives: {}", missing.join(", ")));
    }
    // A tile belongs to a whole subgroup, so a workgroup must be whole subgroups.
    let (most, invocations) =
        (info.subgroup_max_size, MATMUL_COOPERATIVE.workgroup_size(&Default::default())[0]);
    let whole = most > 0 && invocations.is_multiple_of(most as usize);
    (!whole).then(|| format!("needs subgroups whose size divides {invocations}, and {most} doesn't"))
}

/// The shader's tile sizes that an adapter has.
fn usable_sizes(adapter: &Adapter) -> impl Iterator<Item = usize> {
    let offered = adapter.cooperative_matrix_properties();
    COOPERATIVE_TILES.into_iter().filter(move |size| offered.iter().any(|shape| fits(shape, *size)))
}

/// Whether a shape is a square tile of this size, of f16 with sums in f32.
fn fits(shape: &CooperativeMatrixProperties, size: usize) -> bool {
    let types = (shape.ab_type, shape.cr_type) == (CooperativeScalarType::F16, CooperativeScalarType::F32);
    types && [shape.m_size, shape.n_size, shape.k_size].iter().all(|side| *side as usize == size)
}

/// The tile shapes of an adapter, such as `8×8×8 of f16 with sums in f32`, or `none`.
///
/// wgpu knows only square tiles of 8 and of 16, so an adapter may have others.
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

/// The features that a Program needs beyond those of [`open`](super::device::open).
pub(super) fn needs(program: &Program) -> (Features, ExperimentalFeatures) {
    // Only our kernel gets such a device, whatever the text of another one enables.
    if !program.steps.iter().any(|dispatch| dispatch.kernel.is(&MATMUL_COOPERATIVE)) {
        return (Features::empty(), ExperimentalFeatures::disabled());
    }
    // SAFETY: wgpu warns that experimental features may have bugs that end in undefined behaviour. Only a Program with
    // that kernel gets here. Outside of this project's tests and benches a user has named it: in training by
    // `--experimental cooperative-matrix`, else by the kernel's name in `wgrad doctor` and `wgrad lesson check`.
    (NEEDED, unsafe { ExperimentalFeatures::enabled() })
}
