//! Cooperative matrices: tiles that a whole subgroup of an adapter holds and multiplies at once.

use wgpu::{Adapter, CooperativeMatrixProperties, CooperativeScalarType, ExperimentalFeatures, Features};

use crate::program::Program;
use crate::table::{COOPERATIVE_TILES, MATMUL_COOPERATIVE};

/// What a device is opened with, so that a shader may use cooperative matrices of f16.
const NEEDED: Features =
    Features::EXPERIMENTAL_COOPERATIVE_MATRIX.union(Features::SHADER_F16).union(Features::SUBGROUP);

/// The tile sizes of an adapter for f16 matrices with sums in f32, preferred first.
///
/// Empty where `matmul_cooperative.wgsl` can't run.
pub fn tile_sizes(adapter: &Adapter) -> Vec<usize> {
    if lacking(adapter).is_some() { Vec::new() } else { shapes(adapter).collect() }
}

/// What an adapter lacks of what `matmul_cooperative.wgsl` needs, such as `needs …; it offers none`.
pub fn lacking(adapter: &Adapter) -> Option<String> {
    let (features, info) = (adapter.features(), adapter.get_info());
    if shapes(adapter).next().is_none() {
        let offered = offered(adapter);
        return Some(format!(
            "needs cooperative matrices of 8×8×8 or 16×16×16 of f16 with sums in f32, and it offers {offered}"
        ));
    }
    if !features.contains(NEEDED) {
        let missing: Vec<&str> = (NEEDED - features).iter_names().map(|(name, _)| name).collect();
        return Some(format!("needs more than its driver gives: {}", missing.join(", ")));
    }
    // Tiles belong to whole subgroups, so a workgroup must be made of such.
    let (most, invocations) =
        (info.subgroup_max_size, MATMUL_COOPERATIVE.workgroup_size(&Default::default())[0]);
    let whole = most > 0 && invocations.is_multiple_of(most as usize);
    (!whole).then(|| format!("needs subgroups into which {invocations} can be divided, not of {most}"))
}

/// The tile sizes that both the adapter and the kernel have.
fn shapes(adapter: &Adapter) -> impl Iterator<Item = usize> {
    let offered = adapter.cooperative_matrix_properties();
    COOPERATIVE_TILES.into_iter().filter(move |tile| offered.iter().any(|shape| fits(shape, *tile)))
}

fn fits(shape: &CooperativeMatrixProperties, tile: usize) -> bool {
    let types = (shape.ab_type, shape.cr_type) == (CooperativeScalarType::F16, CooperativeScalarType::F32);
    types && [shape.m_size, shape.n_size, shape.k_size].iter().all(|size| *size as usize == tile)
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
    // By the name of our own: whatever another kernel's text enables, it gets no such device.
    if !program.steps.iter().any(|dispatch| dispatch.kernel.is(&MATMUL_COOPERATIVE)) {
        return (Features::empty(), ExperimentalFeatures::disabled());
    }
    // SAFETY: wgpu warns that what is experimental may have bugs that end in undefined behaviour. Only
    // a Program with that kernel gets here, and outside of this project's own tests and benches there is
    // one only where somebody has asked for it: in training by `--experimental cooperative-matrix`, and by
    // the kernel's name in `wgrad doctor` and `wgrad lesson check`.
    (NEEDED, unsafe { ExperimentalFeatures::enabled() })
}
