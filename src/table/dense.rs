//! Rows of the kernel table for dense layers: matrix products, and the gradients of weights.

use super::sizes::sizes;
use crate::cpu::{f16, fast, matmul, slices, weights};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// A version of matmul.
macro_rules! matmul {
    ($shader:ident, $(choices [$($choice:literal),*],)? requires $requires:expr, subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, matmul::matmul, matmul_bound,
            consts ["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B", "ADD", "EPILOGUE", "ACTIVATION", "LEAK"
                    $($(, $choice)*)?],
            binds binds![a: Read Real, b: Read Real, extra: Read Real, c: Write Real],
            lens |k| {
                let [m, n, inner] = sizes(k, ["M", "N", "K"]);
                // The epilogue's input; a plain epilogue has none, so A is bound here.
                let extra = [m * inner, n, m * n][k.uint("EPILOGUE").min(2)];
                vec![m * inner, inner * n, extra, m * n]
            },
            touched |k| {
                let [m, n, inner] = sizes(k, ["M", "N", "K"]);
                vec![m * inner, inner * n, [0, n, m * n][k.uint("EPILOGUE").min(2)], m * n]
            },
            flops |k| 2 * k.uint("M") * k.uint("N") * k.uint("K"),
            grid $grid,
            requires $requires,
            fast fast::matmul::matmul_fast,
            subgroup $subgroup,
            family Matmul
        )
    };
}

pub static MATMUL_NAIVE: Kernel = matmul!(
    matmul_naive, requires |_| Ok(()), subgroup None,
    grid |k| flat_grid(k.uint("M") * k.uint("N"))
);

pub static MATMUL: Kernel = matmul!(
    matmul, requires |_| Ok(()), subgroup None,
    grid |k| [k.uint("N").div_ceil(4), k.uint("M").div_ceil(4), 1]
);

pub static MATMUL_VECTORS: Kernel = matmul!(
    matmul_vectors, choices ["TILE", "BLOCK"],
    requires |k| offered_tile(k).and_then(|()| whole_vectors(k)),
    subgroup None,
    grid |k| [k.uint("N").div_ceil(k.uint("BLOCK")), k.uint("M").div_ceil(k.uint("BLOCK")), 1]
);

/// Tile and block sizes of `matmul_vectors.wgsl`.
///
/// They have from 64 invocations, below which a GPU's cores are half empty, to 256, the most that WebGPU promises.
pub const TILES: [(usize, usize); 4] = [(32, 4), (64, 4), (64, 8), (128, 8)];

fn offered_tile(k: &Consts) -> Result<(), &'static str> {
    if TILES.contains(&(k.uint("TILE"), k.uint("BLOCK"))) {
        Ok(())
    } else {
        Err("TILE and BLOCK must be 32 and 4, 64 and 4, 64 and 8, or 128 and 8")
    }
}

pub static MATMUL_REGISTER: Kernel = matmul!(
    matmul_register, requires |_| Ok(()), subgroup None,
    grid |k| [k.uint("N").div_ceil(8) * k.uint("M").div_ceil(8), 1, 1]
);

pub static MATMUL_SUBGROUP: Kernel = matmul!(
    matmul_subgroup, requires whole_vectors, subgroup Some(8),
    grid |k| [k.uint("N").div_ceil(4), k.uint("M").div_ceil(16), 1]
);

pub static MATMUL_SLICES: Kernel = kernel!(
    matmul_slices, slices::matmul_slices, matmul_slices_bound,
    consts ["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B", "SLICES", "SLICE"],
    binds binds![a: Read Real, b: Read Real, parts: Write Real],
    lens |k| {
        let [m, n, inner, slices] = sizes(k, ["M", "N", "K", "SLICES"]);
        vec![m * inner, inner * n, slices * m * n]
    },
    flops |k| 2 * k.uint("M") * k.uint("N") * k.uint("K"),
    grid |k| [k.uint("N").div_ceil(4), k.uint("M").div_ceil(4), k.uint("SLICES")],
    requires |k| {
        let [inner, slices, slice] = sizes(k, ["K", "SLICES", "SLICE"]);
        if slice.is_multiple_of(SLICE_ROUND) && slices == inner.div_ceil(slice.max(1)) {
            whole_rows(k)
        } else {
            Err("SLICE must be a multiple of 32, and SLICES as many as K has")
        }
    }
);

pub static ADD_SLICES: Kernel = kernel!(
    add_slices, slices::add_slices, add_slices_bound,
    consts ["SLICES", "M", "N", "ADD", "EPILOGUE", "ACTIVATION", "LEAK"],
    binds binds![parts: Read Real, extra: Read Real, c: Write Real],
    lens |k| {
        let [slices, m, n] = sizes(k, ["SLICES", "M", "N"]);
        // The epilogue's input; a plain epilogue has none, so the parts are bound here.
        let extra = [slices * m * n, n, m * n][k.uint("EPILOGUE").min(2)];
        vec![slices * m * n, extra, m * n]
    },
    touched |k| {
        let [slices, m, n] = sizes(k, ["SLICES", "M", "N"]);
        vec![slices * m * n, [0, n, m * n][k.uint("EPILOGUE").min(2)], m * n]
    },
    flops |k| k.uint("SLICES") * k.uint("M") * k.uint("N"),
    grid |k| flat_grid(k.uint("M") * k.uint("N"))
);

pub static PACK_F16: Kernel = kernel!(
    pack_f16, f16::pack_f16, pack_f16_bound,
    consts ["LENGTH", "GRADIENT"],
    binds binds![x: Read Real, packed: Write Uint],
    lens |k| vec![k.uint("LENGTH"), k.uint("LENGTH") / 2],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH") / 2),
    requires |k| if k.uint("LENGTH").is_multiple_of(2) {
        Ok(())
    } else {
        Err("LENGTH must be a multiple of 2")
    }
);

pub static MATMUL_F16: Kernel = kernel!(
    matmul_f16, f16::matmul_f16, matmul_f16_bound,
    consts ["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B", "ADD", "EPILOGUE", "ACTIVATION", "LEAK"],
    binds binds![a: Read Real, b: Read Uint, extra: Read Real, c: Write Real],
    lens |k| {
        let mut lens = (MATMUL.lens)(k);
        lens[1] /= 2;
        lens
    },
    touched |k| {
        let mut touched = (MATMUL.touched)(k);
        touched[1] /= 2;
        touched
    },
    flops |k| (MATMUL.flops)(k),
    grid |k| [k.uint("N").div_ceil(4), k.uint("M").div_ceil(4), 1],
    requires whole_vectors,
    fast fast::f16::matmul_f16_fast
);

pub static MATMUL_COOPERATIVE: Kernel = kernel!(
    matmul_cooperative, f16::matmul_cooperative, matmul_cooperative_bound,
    consts ["M", "N", "K", "TRANSPOSE_A", "TRANSPOSE_B", "ADD", "EPILOGUE", "ACTIVATION", "LEAK", "TILE", "GRADIENT"],
    binds binds![a: Read Uint, b: Read Uint, extra: Read Real, c: Write Real],
    lens |k| {
        let mut lens = (MATMUL.lens)(k);
        lens[..2].iter_mut().for_each(|words| *words /= 2);
        lens
    },
    touched |k| {
        let mut touched = (MATMUL.touched)(k);
        touched[..2].iter_mut().for_each(|words| *words /= 2);
        touched
    },
    flops |k| (MATMUL.flops)(k),
    // A workgroup of 128 owns a block of 32×64.
    grid |k| [k.uint("N").div_ceil(64) * 128, k.uint("M").div_ceil(32), 1],
    requires whole_tiles
);

/// The requirements of `matmul_cooperative.wgsl`.
pub fn whole_tiles(k: &Consts) -> Result<(), &'static str> {
    let tile = k.uint("TILE");
    let whole = || sizes(k, ["M", "N", "K"]).iter().all(|size| size.is_multiple_of(tile));
    if !COOPERATIVE_TILES.contains(&tile) {
        Err("TILE must be 8 or 16")
    } else if whole() {
        Ok(())
    } else {
        Err("M, N and K must be multiples of TILE")
    }
}

/// Tile sizes of `matmul_cooperative.wgsl`, preferred first: those that WGSL has types for.
pub const COOPERATIVE_TILES: [usize; 2] = [16, 8];

/// Terms of the sums that `matmul_slices.wgsl` adds in one round.
pub const SLICE_ROUND: usize = 32;

/// The requirements of `matmul_slices.wgsl`, which reads vec4s.
fn whole_rows(k: &Consts) -> Result<(), &'static str> {
    let [m, n, inner] = sizes(k, ["M", "N", "K"]);
    let a = if k.flag("TRANSPOSE_A") { m } else { inner };
    let b = if k.flag("TRANSPOSE_B") { inner } else { n };
    if a.is_multiple_of(4) && b.is_multiple_of(4) {
        Ok(())
    } else {
        Err("the stored rows of A and B must be multiples of 4 long")
    }
}

/// The requirements of `matmul_subgroup.wgsl`, which reads and writes vec4s.
pub fn whole_vectors(k: &Consts) -> Result<(), &'static str> {
    let [m, n, inner] = sizes(k, ["M", "N", "K"]).map(|size| size.is_multiple_of(4));
    if inner && n && (m || !k.flag("TRANSPOSE_A")) {
        Ok(())
    } else {
        Err("K, N and M with TRANSPOSE_A must be multiples of 4")
    }
}

/// Operations of the gradients of a dense layer with this number of inputs.
///
/// These are the products, the sums of the bias, and the square and sum of every gradient.
pub(super) fn gradient_flops(k: &Consts, inputs: usize) -> usize {
    let [batch, outputs] = sizes(k, ["BATCH", "OUTPUTS"]);
    (2 * batch * inputs + batch + 2 * (inputs + 1)) * outputs
}

/// A version of the gradients of a dense layer.
macro_rules! weight_gradient {
    ($shader:ident, $(choices [$($choice:literal),*],)? $(block $block:expr,)? requires $requires:expr,
     subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, weights::weight_gradient, weight_gradient_bound,
            consts ["BATCH", "INPUTS", "OUTPUTS", "ADD", "ROWS", "COLUMNS", "PARTS" $($(, $choice)*)?],
            binds binds![dz: Read Real, x: Read Real, dweight: Write Real, dbias: Write Real,
                         sums: Set Real, non_finite: Set Uint],
            lens |k| {
                let [batch, inputs, outputs, parts] = sizes(k, ["BATCH", "INPUTS", "OUTPUTS", "PARTS"]);
                vec![batch * outputs, batch * inputs, outputs * inputs, outputs, parts, parts]
            },
            flops |k| gradient_flops(k, k.uint("INPUTS")),
            grid $grid,
            requires $requires,
            fast fast::weights::weight_gradient_fast,
            subgroup $subgroup,
            family WeightGradient
            $(, block $block)?
        )
    };
}

pub static WEIGHT_GRADIENT: Kernel = weight_gradient!(
    weight_gradient,
    block weights::BLOCK,
    requires |k| match sizes(k, ["ROWS", "COLUMNS"]) {
        weights::BLOCK => enough_parts(blocks(k, "INPUTS"), k),
        _ => Err("ROWS and COLUMNS must be 8"),
    },
    subgroup None,
    grid |k| [blocks(k, "INPUTS"), 1, 1]
);

pub static WEIGHT_GRADIENT_TILED: Kernel = weight_gradient!(
    weight_gradient_tiled,
    block weights::TILE,
    requires |k| match sizes(k, ["ROWS", "COLUMNS"]) {
        weights::TILE => enough_parts(blocks(k, "INPUTS"), k),
        _ => Err("ROWS and COLUMNS must be 32"),
    },
    subgroup None,
    grid |k| [k.uint("INPUTS").div_ceil(4), k.uint("OUTPUTS").div_ceil(4), 1]
);

pub static WEIGHT_GRADIENT_VECTORS: Kernel = weight_gradient!(
    weight_gradient_vectors, choices ["TILE", "BLOCK"],
    requires |k| {
        let [inputs, outputs, rows, columns, tile] = sizes(k, ["INPUTS", "OUTPUTS", "ROWS", "COLUMNS", "TILE"]);
        if !(inputs.is_multiple_of(4) && outputs.is_multiple_of(4)) {
            Err("INPUTS and OUTPUTS must be multiples of 4")
        } else if rows == tile && columns == tile {
            offered_tile(k).and_then(|()| enough_parts(blocks(k, "INPUTS"), k))
        } else {
            Err("ROWS and COLUMNS must be TILE")
        }
    },
    subgroup None,
    grid |k| [k.uint("INPUTS").div_ceil(k.uint("BLOCK")), k.uint("OUTPUTS").div_ceil(k.uint("BLOCK")), 1]
);

pub static WEIGHT_GRADIENT_SUBGROUP: Kernel = weight_gradient!(
    weight_gradient_subgroup,
    block weights::SUBGROUP_BLOCK,
    requires |k| if !sizes(k, ["BATCH", "INPUTS", "OUTPUTS"]).iter().all(|size| size.is_multiple_of(4)) {
        Err("BATCH, INPUTS and OUTPUTS must be multiples of 4")
    } else if sizes(k, ["ROWS", "COLUMNS"]) == weights::SUBGROUP_BLOCK {
        enough_parts(blocks(k, "INPUTS"), k)
    } else {
        Err("ROWS must be 16 and COLUMNS 4")
    },
    subgroup Some(8),
    grid |k| [k.uint("INPUTS") / 4, k.uint("OUTPUTS").div_ceil(16), 1]
);

pub static WEIGHT_GRADIENT_NARROW_SUBGROUP: Kernel = weight_gradient!(
    weight_gradient_narrow_subgroup,
    block weights::NARROW_BLOCK,
    requires |k| if !sizes(k, ["BATCH", "INPUTS"]).iter().all(|size| size.is_multiple_of(4)) {
        Err("BATCH and INPUTS must be multiples of 4")
    } else if sizes(k, ["ROWS", "COLUMNS"]) != weights::NARROW_BLOCK {
        Err("ROWS must be 32 and COLUMNS 4")
    } else if k.uint("OUTPUTS") > weights::NARROW_BLOCK[0] {
        Err("OUTPUTS must be at most 32")
    } else {
        enough_parts(blocks(k, "INPUTS"), k)
    },
    subgroup Some(8),
    grid |k| [k.uint("INPUTS") / 4, 1, 1]
);

/// The blocks of dW, each of which has a part.
pub(super) fn blocks(k: &Consts, inputs: &'static str) -> usize {
    let [inputs, outputs, rows, columns] = sizes(k, [inputs, "OUTPUTS", "ROWS", "COLUMNS"]);
    outputs.div_ceil(rows) * inputs.div_ceil(columns)
}

pub(super) fn enough_parts(blocks: usize, k: &Consts) -> Result<(), &'static str> {
    match blocks {
        // Eight to a workgroup, along one dimension.
        blocks if blocks > 8 * 65_535 => Err("there are more blocks than a dispatch has along a dimension"),
        blocks if blocks > k.uint("PARTS") => Err("PARTS must be at least the number of blocks"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::consts;
    use crate::table::{COLUMN_SUMS, GRADIENT_PARTS, MATMUL_NAIVE};

    #[test]
    fn one_dispatch_counts_the_operations_of_the_three_that_it_stands_for() {
        let (batch, inputs, outputs) = (64, 784, 128);
        let one = (WEIGHT_GRADIENT.flops)(&consts! { BATCH: batch, INPUTS: inputs, OUTPUTS: outputs });
        let product = (MATMUL_NAIVE.flops)(&consts! { M: outputs, N: inputs, K: batch });
        let bias = (COLUMN_SUMS.flops)(&consts! { ROWS: batch, COLUMNS: outputs });
        let watched = (GRADIENT_PARTS.flops)(&consts! { LENGTH: outputs * inputs + outputs });
        assert_eq!(one, product + bias + watched);
    }
}
