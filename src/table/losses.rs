//! Rows of the kernel table for losses.

use super::sizes::sizes;
use crate::cpu::{fast, loss, softmax};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// Words of the four bindings of every loss, with the metrics of `slots` steps.
fn loss_lens(k: &Consts, slots: usize, targets: usize) -> Vec<usize> {
    let [batch, classes] = sizes(k, ["BATCH", "CLASSES"]);
    vec![batch * classes, targets, batch * classes, slots * k.uint("PITCH") * 2]
}

pub static SOFTMAX_LOSS: Kernel = kernel!(
    softmax_loss, softmax::softmax_loss, softmax_loss_bound,
    consts ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST"],
    binds binds![logits: Read Real, labels: Read Uint, dlogits: Write Real, metrics: Write Real],
    lens |k| loss_lens(k, k.uint("SLOTS"), k.uint("BATCH")),
    touched |k| loss_lens(k, 1, k.uint("BATCH")),
    // The softmax, minus the target, times the weight.
    flops |k| 7 * k.uint("BATCH") * k.uint("CLASSES"),
    grid |k| flat_grid(k.uint("BATCH")),
    fast fast::softmax::softmax_loss_fast
);

pub static WEIGHTED_LOSS: Kernel = kernel!(
    weighted_loss, softmax::weighted_loss, weighted_loss_bound,
    consts ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST", "SMOOTHING"],
    binds binds![logits: Read Real, labels: Read Uint, weights: Read Real, dlogits: Write Real,
                 metrics: Write Real],
    lens |k| weighted(k, loss_lens(k, k.uint("SLOTS"), k.uint("BATCH"))),
    touched |k| weighted(k, loss_lens(k, 1, k.uint("BATCH"))),
    // As softmax_loss; three times the target of a class, a product and a sum.
    flops |k| 18 * k.uint("BATCH") * k.uint("CLASSES"),
    grid |k| flat_grid(k.uint("BATCH"))
);

/// A loss's words, with a weight per class behind the targets.
fn weighted(k: &Consts, mut lens: Vec<usize>) -> Vec<usize> {
    lens.insert(2, k.uint("CLASSES"));
    lens
}

pub static BCE_LOSS: Kernel = kernel!(
    bce_loss, loss::bce_loss, bce_loss_bound,
    consts ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST"],
    binds binds![logits: Read Real, targets: Read Real, dlogits: Write Real, metrics: Write Real],
    lens |k| loss_lens(k, k.uint("SLOTS"), k.uint("BATCH") * k.uint("CLASSES")),
    touched |k| loss_lens(k, 1, k.uint("BATCH") * k.uint("CLASSES")),
    // The loss: max, product, difference, exp, sum, log, sum, running sum. Its
    // gradient: the quotient of the sigmoid, minus the target, times the weight.
    flops |k| 11 * k.uint("BATCH") * k.uint("CLASSES"),
    grid |k| flat_grid(k.uint("BATCH"))
);

pub static SQUARED_ERROR: Kernel = kernel!(
    squared_error, loss::squared_error, squared_error_bound,
    consts ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST", "FACTOR", "SCALE"],
    binds binds![predictions: Read Real, targets: Read Real, dpredictions: Write Real, metrics: Write Real],
    lens |k| loss_lens(k, k.uint("SLOTS"), k.uint("BATCH") * k.uint("CLASSES")),
    touched |k| loss_lens(k, 1, k.uint("BATCH") * k.uint("CLASSES")),
    flops |k| 4 * k.uint("BATCH") * k.uint("CLASSES"),
    grid |k| flat_grid(k.uint("BATCH"))
);
