//! Rows of the kernel table for the ends of a network: a first layer that gathers its samples, and a
//! last one with its loss.

use super::dense::{blocks, enough_parts, gradient_flops};
use super::sizes::sizes;
use crate::cpu::{dense_softmax_loss, fast, gather_dense, weights};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// A version of a first layer that gathers its samples.
macro_rules! gather_dense {
    ($shader:ident, subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, gather_dense::gather_dense, gather_dense_bound,
            consts ["BATCH", "FIRST", "VALUES", "PLANE", "CHANNELS", "SAMPLES", "OUTPUTS", "ACTIVATION", "LEAK"],
            binds binds![images: Read Uint, labels: Read Uint, order: Read Uint, normaliser: Read Real,
                         weight: Read Real, bias: Read Real, y: Write Real, batch_labels: Write Uint],
            lens |k| gather_dense_lens(k, k.uint("SAMPLES")),
            touched |k| gather_dense_lens(k, k.uint("SAMPLES").min(k.uint("BATCH"))),
            flops |k| (2 * k.uint("OUTPUTS") + 2) * k.uint("BATCH") * k.uint("VALUES"),
            grid $grid,
            requires whole_pixels,
            subgroup $subgroup,
            family GatherDense
        )
    };
}

pub static GATHER_DENSE_TILED: Kernel = gather_dense!(
    gather_dense_tiled, subgroup None,
    grid |k| [k.uint("OUTPUTS") / 4, k.uint("BATCH").div_ceil(4), 1]
);

pub static GATHER_DENSE_SUBGROUP: Kernel = gather_dense!(
    gather_dense_subgroup, subgroup Some(8),
    grid |k| [k.uint("OUTPUTS") / 4, k.uint("BATCH").div_ceil(32), 1]
);

/// Words of the bindings with this number of samples.
fn gather_dense_lens(k: &Consts, samples: usize) -> Vec<usize> {
    let [batch, values, channels, outputs] = sizes(k, ["BATCH", "VALUES", "CHANNELS", "OUTPUTS"]);
    let words = values / 4;
    vec![samples * words, samples, samples, 2 * channels, outputs * values, outputs, batch * outputs, batch]
}

/// A version of the gradients of such a layer.
macro_rules! gather_dense_gradient {
    ($shader:ident, block $block:expr, requires $requires:expr, subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, gather_dense::gather_dense_gradient, gather_dense_gradient_bound,
            consts ["BATCH", "FIRST", "VALUES", "PLANE", "CHANNELS", "SAMPLES", "OUTPUTS", "ADD", "ROWS",
                     "COLUMNS", "PARTS"],
            binds binds![dz: Read Real, images: Read Uint, order: Read Uint, normaliser: Read Real,
                         dweight: Write Real, dbias: Write Real, sums: Set Real, non_finite: Set Uint],
            lens |k| gather_dense_gradient_lens(k, k.uint("SAMPLES")),
            touched |k| gather_dense_gradient_lens(k, k.uint("SAMPLES").min(k.uint("BATCH"))),
            flops |k| 2 * k.uint("BATCH") * k.uint("VALUES") + gradient_flops(k, k.uint("VALUES")),
            grid $grid,
            requires $requires,
            subgroup $subgroup,
            family GatherDenseGradient,
            block $block
        )
    };
}

pub static GATHER_DENSE_GRADIENT_TILED: Kernel = gather_dense_gradient!(
    gather_dense_gradient_tiled,
    block weights::TILE,
    requires |k| match sizes(k, ["ROWS", "COLUMNS"]) {
        weights::TILE => whole_pixels(k).and_then(|()| enough_parts(blocks(k, "VALUES"), k)),
        _ => Err("ROWS and COLUMNS must be 32"),
    },
    subgroup None,
    grid |k| [k.uint("VALUES") / 4, k.uint("OUTPUTS") / 4, 1]
);

pub static GATHER_DENSE_GRADIENT_SUBGROUP: Kernel = gather_dense_gradient!(
    gather_dense_gradient_subgroup,
    block weights::SUBGROUP_BLOCK,
    requires |k| if !(k.uint("BATCH").is_multiple_of(4)) {
        Err("BATCH must be a multiple of 4")
    } else if sizes(k, ["ROWS", "COLUMNS"]) == weights::SUBGROUP_BLOCK {
        whole_pixels(k).and_then(|()| enough_parts(blocks(k, "VALUES"), k))
    } else {
        Err("ROWS must be 16 and COLUMNS 4")
    },
    subgroup Some(8),
    grid |k| [k.uint("VALUES") / 4, k.uint("OUTPUTS").div_ceil(16), 1]
);

fn gather_dense_gradient_lens(k: &Consts, samples: usize) -> Vec<usize> {
    let [batch, values, channels, outputs, parts] =
        sizes(k, ["BATCH", "VALUES", "CHANNELS", "OUTPUTS", "PARTS"]);
    let image = samples * (values / 4);
    vec![batch * outputs, image, samples, 2 * channels, outputs * values, outputs, parts, parts]
}

/// The requirements of kernels that unpack whole words of pixels, each of one channel.
fn whole_pixels(k: &Consts) -> Result<(), &'static str> {
    let [values, plane, outputs] = sizes(k, ["VALUES", "PLANE", "OUTPUTS"]);
    if !([values, plane, outputs].iter().all(|size| size.is_multiple_of(4))) {
        Err("VALUES, PLANE and OUTPUTS must be multiples of 4")
    } else if values == plane * k.uint("CHANNELS") {
        Ok(())
    } else {
        Err("VALUES must be CHANNELS · PLANE")
    }
}

/// The most classes of `dense_softmax_loss_subgroup`: a row's logits are in registers.
const MOST_CLASSES: usize = 32;

pub static DENSE_SOFTMAX_LOSS_SUBGROUP: Kernel = kernel!(
    dense_softmax_loss_subgroup, dense_softmax_loss::dense_softmax_loss, dense_softmax_loss_bound,
    consts ["BATCH", "INPUTS", "CLASSES", "SLOTS", "PITCH", "FIRST", "ACTIVATION", "LEAK"],
    binds binds![x: Read Real, weight: Read Real, bias: Read Real, labels: Read Uint,
                 logits: Write Real, dlogits: Write Real, metrics: Write Real, dx: Write Real],
    lens |k| dense_softmax_loss_lens(k, k.uint("SLOTS")),
    touched |k| dense_softmax_loss_lens(k, 1),
    // The products of both passes, and as in softmax_loss.
    flops |k| (4 * k.uint("INPUTS") + 7) * k.uint("BATCH") * k.uint("CLASSES"),
    grid |k| flat_grid(k.uint("BATCH")),
    requires |k| match k.uint("CLASSES") {
        2..=MOST_CLASSES if k.uint("INPUTS").is_multiple_of(4) => Ok(()),
        2..=MOST_CLASSES => Err("INPUTS must be a multiple of 4"),
        _ => Err("CLASSES must be from 2 to 32"),
    },
    fast fast::dense_softmax_loss::dense_softmax_loss_fast,
    subgroup Some(8)
);

fn dense_softmax_loss_lens(k: &Consts, slots: usize) -> Vec<usize> {
    let [batch, inputs, classes] = sizes(k, ["BATCH", "INPUTS", "CLASSES"]);
    let (x, logits) = (batch * inputs, batch * classes);
    vec![x, classes * inputs, classes, batch, logits, logits, slots * k.uint("PITCH") * 2, x]
}
