//! Rows of the kernel table for normalisation, dropout and residual blocks.

use super::sizes::sizes;
use crate::cpu::{dropout, fast, norm};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// Values of a tensor in groups, and slices of a group.
fn groups(k: &Consts) -> (usize, usize) {
    let [outer, groups, inner] = sizes(k, ["OUTER", "GROUPS", "INNER"]);
    let slice = k.iter().any(|(name, _)| name == "SLICE").then(|| k.uint("SLICE"));
    (outer * groups * inner, slice.map_or(1, |slice| (outer * inner).div_ceil(slice)))
}

/// The number of weights of a normalisation.
fn weights(k: &Consts) -> usize {
    k.uint(if k.flag("BY_SAMPLE") { "INNER" } else { "GROUPS" })
}

pub static MOMENTS_SLICES: Kernel = kernel!(
    moments_slices, norm::moments_slices, moments_slices_bound,
    consts ["OUTER", "GROUPS", "INNER", "SLICE", "BY_SAMPLE"],
    binds binds![x: Read Real, slices: Write Real],
    lens |k| vec![groups(k).0, groups(k).1 * k.uint("GROUPS") * 2],
    // A sum; a difference, a square and a sum.
    flops |k| 4 * groups(k).0,
    grid |k| flat_grid(groups(k).1 * k.uint("GROUPS")),
    fast fast::norm::moments_slices_fast
);

pub static MOMENTS: Kernel = kernel!(
    moments, norm::moments, moments_bound,
    consts ["OUTER", "GROUPS", "INNER", "SLICE", "BY_SAMPLE"],
    binds binds![slices: Read Real, mean: Write Real, variance: Write Real],
    lens |k| vec![groups(k).1 * k.uint("GROUPS") * 2, k.uint("GROUPS"), k.uint("GROUPS")],
    flops |k| 7 * groups(k).1 * k.uint("GROUPS"),
    grid |k| flat_grid(k.uint("GROUPS"))
);

pub static RUNNING_MOMENTS: Kernel = kernel!(
    running_moments, norm::running_moments, running_moments_bound,
    consts ["OUTER", "GROUPS", "INNER", "PITCH", "MOMENTUM"],
    binds binds![mean: Read Real, variance: Read Real, running: Update Real],
    lens |k| vec![k.uint("GROUPS"), k.uint("GROUPS"), k.uint("PITCH") + k.uint("GROUPS")],
    flops |k| 8 * k.uint("GROUPS"),
    grid |k| flat_grid(k.uint("GROUPS"))
);

pub static NORMALISE: Kernel = kernel!(
    normalise, norm::normalise, normalise_bound,
    consts ["OUTER", "GROUPS", "INNER", "EPSILON", "BY_SAMPLE", "ACTIVATION", "LEAK"],
    binds binds![x: Read Real, mean: Read Real, variance: Read Real, weight: Read Real, bias: Read Real,
                 y: Write Real],
    lens |k| {
        let (all, groups) = (groups(k).0, k.uint("GROUPS"));
        vec![all, groups, groups, weights(k), weights(k), all]
    },
    flops |k| 4 * groups(k).0,
    grid |k| flat_grid(groups(k).0),
    fast fast::norm::normalise_fast
);

pub static NORMALISE_SLICES: Kernel = kernel!(
    normalise_slices, norm::normalise_slices, normalise_slices_bound,
    consts ["OUTER", "GROUPS", "INNER", "SLICE", "PITCH", "EPSILON", "BY_SAMPLE"],
    binds binds![x: Read Real, dy: Read Real, mean: Read Real, variance: Read Real, weight: Read Real,
                 slices: Write Real],
    lens |k| {
        let ((all, slices), groups) = (groups(k), k.uint("GROUPS"));
        vec![all, all, groups, groups, weights(k), slices * (k.uint("PITCH") + groups)]
    },
    flops |k| 6 * groups(k).0,
    grid |k| flat_grid(groups(k).1 * k.uint("PITCH")),
    fast fast::norm::normalise_slices_fast
);

pub static NORMALISE_BACKWARD: Kernel = kernel!(
    normalise_backward, norm::normalise_backward, normalise_backward_bound,
    consts ["OUTER", "GROUPS", "INNER", "PITCH", "EPSILON", "BY_SAMPLE", "CENTRED", "ADD"],
    binds binds![x: Read Real, dy: Read Real, mean: Read Real, variance: Read Real, weight: Read Real,
                 sums: Read Real, dx: Write Real],
    lens |k| {
        let (all, groups) = (groups(k).0, k.uint("GROUPS"));
        vec![all, all, groups, groups, weights(k), k.uint("PITCH") + groups, all]
    },
    flops |k| 8 * groups(k).0,
    grid |k| flat_grid(groups(k).0),
    fast fast::norm::normalise_backward_fast
);

pub static NORMALISE_WEIGHTS: Kernel = kernel!(
    normalise_weights, norm::normalise_weights, normalise_weights_bound,
    consts ["GROUPS", "INNER", "PITCH", "EPSILON"],
    binds binds![x: Read Real, dy: Read Real, mean: Read Real, variance: Read Real, gradients: Write Real],
    lens |k| {
        let [groups, inner, pitch] = sizes(k, ["GROUPS", "INNER", "PITCH"]);
        vec![groups * inner, groups * inner, groups, groups, pitch + inner]
    },
    flops |k| 5 * k.uint("GROUPS") * k.uint("INNER"),
    grid |k| flat_grid(k.uint("PITCH")),
    fast fast::norm::normalise_weights_fast
);

pub static DROPOUT: Kernel = kernel!(
    dropout, dropout::dropout, dropout_bound,
    consts ["LENGTH", "FIRST", "KEEP", "STREAM", "ADD"],
    binds binds![x: Read Real, y: Write Real],
    lens |k| vec![k.uint("LENGTH"); 2],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::elementwise::dropout_fast
);

pub static ADD: Kernel = kernel!(
    add, dropout::add, add_bound,
    consts ["LENGTH", "ACTIVATION", "LEAK"],
    binds binds![a: Read Real, b: Read Real, y: Write Real],
    lens |k| vec![k.uint("LENGTH"); 3],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::elementwise::add_fast
);
