//! Rows of the kernel table for samples and targets, activations, sums over the batch, and the watch over the
//! gradients.

use super::sizes::sizes;
use crate::cpu::{activation, fast, gather, guard, hot_cold, softmax, sums};
use crate::kernel::{Access, Bind, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

pub static GATHER_BATCH: Kernel = kernel!(
    gather_batch, gather::gather_batch, gather_batch_bound,
    consts ["BATCH", "FIRST", "VALUES", "WORDS", "PLANE", "WIDTH", "CHANNELS", "SAMPLES", "CHUNK_FIRST",
             "CHUNK_LENGTH", "AUGMENT", "SHIFT", "ROTATE", "SCALE", "SHEAR", "FLIP", "CUT_OUT", "BRIGHTNESS", "CONTRAST"],
    binds binds![images: Read Uint, labels: Read Uint, order: Read Uint, normaliser: Read Real,
                 x: Write Real, batch_labels: Write Uint],
    lens |k| {
        let [batch, values, words] = sizes(k, ["BATCH", "VALUES", "WORDS"]);
        let [channels, samples, chunk] = sizes(k, ["CHANNELS", "SAMPLES", "CHUNK_LENGTH"]);
        vec![chunk * words, samples, samples, 2 * channels, batch * values, batch]
    },
    touched |k| {
        let [batch, values, words, channels] = sizes(k, ["BATCH", "VALUES", "WORDS", "CHANNELS"]);
        let [samples, chunk] = sizes(k, ["SAMPLES", "CHUNK_LENGTH"]).map(|size| size.min(batch));
        vec![chunk * words, samples, samples, 2 * channels, batch * values, batch]
    },
    // A scale and a shift; with augmentation also the position (8), the interpolation (3 of 3), brightness and
    // contrast (4).
    flops |k| if k.flag("AUGMENT") { 23 } else { 2 } * k.uint("BATCH") * k.uint("VALUES"),
    grid |k| flat_grid(k.uint("BATCH") * k.uint("WORDS")),
    fast fast::gather::gather_batch_fast
);

pub static ONE_HOT: Kernel = kernel!(
    one_hot, gather::one_hot, one_hot_bound,
    consts ["BATCH", "CLASSES"],
    binds binds![labels: Read Uint, targets: Write Real],
    lens |k| vec![k.uint("BATCH"), k.uint("BATCH") * k.uint("CLASSES")],
    flops |_| 0,
    grid |k| flat_grid(k.uint("BATCH") * k.uint("CLASSES"))
);

pub static ACTIVATION: Kernel = kernel!(
    activation, activation::activation, activation_bound,
    consts ["LENGTH", "ACTIVATION", "LEAK"],
    binds binds![x: Read Real, y: Write Real],
    lens |k| vec![k.uint("LENGTH"); 2],
    flops |k| k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::elementwise::activation_fast
);

pub static ACTIVATION_BACKWARD: Kernel = kernel!(
    activation_backward, activation::activation_backward, activation_backward_bound,
    consts ["LENGTH", "ACTIVATION", "LEAK", "ADD"],
    binds binds![y: Read Real, dy: Read Real, dx: Write Real],
    lens |k| vec![k.uint("LENGTH"); 3],
    flops |k| 2 * k.uint("LENGTH"),
    grid |k| flat_grid(k.uint("LENGTH")),
    fast fast::elementwise::activation_backward_fast
);

pub static SOFTMAX: Kernel = kernel!(
    softmax, softmax::softmax, softmax_bound,
    consts ["ROWS", "COLUMNS"],
    binds binds![x: Read Real, y: Write Real],
    lens |k| vec![k.uint("ROWS") * k.uint("COLUMNS"); 2],
    // Maximum, difference, exp, sum, quotient.
    flops |k| 5 * k.uint("ROWS") * k.uint("COLUMNS"),
    grid |k| flat_grid(k.uint("ROWS"))
);

pub static SOFTMAX_BACKWARD: Kernel = kernel!(
    softmax_backward, softmax::softmax_backward, softmax_backward_bound,
    consts ["ROWS", "COLUMNS", "ADD"],
    binds binds![y: Read Real, dy: Read Real, dx: Write Real],
    lens |k| vec![k.uint("ROWS") * k.uint("COLUMNS"); 3],
    flops |k| 4 * k.uint("ROWS") * k.uint("COLUMNS"),
    grid |k| flat_grid(k.uint("ROWS"))
);

pub static COLUMN_SUMS: Kernel = kernel!(
    column_sums, sums::column_sums, column_sums_bound,
    consts ["ROWS", "COLUMNS", "ADD"],
    binds binds![x: Read Real, sums: Write Real],
    lens |k| vec![k.uint("ROWS") * k.uint("COLUMNS"), k.uint("COLUMNS")],
    flops |k| k.uint("ROWS") * k.uint("COLUMNS"),
    grid |k| flat_grid(k.uint("COLUMNS")),
    fast fast::sums::column_sums_fast
);

pub static GRADIENT_PARTS: Kernel = kernel!(
    gradient_parts, guard::gradient_parts, gradient_parts_bound,
    consts ["LENGTH", "PARTS"],
    binds binds![gradients: Read Real, sums: Write Real, non_finite: Write Uint],
    lens |k| vec![k.uint("LENGTH"), k.uint("PARTS"), k.uint("PARTS")],
    flops |k| 2 * k.uint("LENGTH"),
    grid |k| [k.uint("PARTS"), 1, 1],
    requires |k| if k.uint("LENGTH").is_multiple_of(4) {
        Ok(())
    } else {
        Err("LENGTH must be a multiple of 4")
    },
    fast fast::sums::gradient_parts_fast
);

pub static GUARD: Kernel = kernel!(
    guard, guard::guard, guard_bound,
    consts ["PARTS", "SLOTS", "BATCH", "ROWS_AT", "GATES"],
    binds binds![sums: Read Real, non_finite: Read Uint, norm: Write Real, gates: Update Uint, report: Update Real],
    lens |k| {
        let [parts, gates] = sizes(k, ["PARTS", "GATES"]);
        let [slots, batch, rows_at] = sizes(k, ["SLOTS", "BATCH", "ROWS_AT"]);
        vec![parts, parts, 1, gates, rows_at + slots * batch * 2]
    },
    touched |k| vec![k.uint("PARTS"), k.uint("PARTS"), 1, 0, k.uint("BATCH")],
    flops |k| k.uint("PARTS"),
    grid |_| [64, 1, 1],
    fast fast::sums::guard_fast
);

pub static HOT_COLD: Kernel = kernel!(
    hot_cold, hot_cold::hot_cold, hot_cold_bound,
    consts ["BATCH", "INPUTS", "OUTPUTS"],
    binds binds![x: Read Real, goals: Read Real, starts: Read Real, positions: Read Real,
                 tries: Write Real, moved: Write Real, weights: Write Real],
    lens |k| {
        let [batch, inputs, outputs] = sizes(k, ["BATCH", "INPUTS", "OUTPUTS"]);
        let weights = outputs * inputs;
        vec![batch * inputs, batch * outputs, weights, weights, 2 * weights, weights, weights]
    },
    // Every weight computes the prediction of every sample, and tries two steps from it.
    flops |k| {
        let [batch, inputs, outputs] = sizes(k, ["BATCH", "INPUTS", "OUTPUTS"]);
        outputs * inputs * batch * (2 * inputs + 6)
    },
    grid |k| flat_grid(k.uint("OUTPUTS") * k.uint("INPUTS"))
);
