//! The kernel table: one row per shader, in the order in which a training step uses them.
//!
//! A row names the shader's constants and bindings, says how many words each
//! binding has and how many invocations it wants, and ties the shader to its
//! twin and its error bound. `tests/shaders` checks every row against the
//! shader itself, by reflection.

use crate::cpu::{activation, fast, gather, guard, hot_cold, loss, softmax, sums};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// `binds![a: Read Real, c: Write Real]`
macro_rules! binds {
    ($($name:ident: $access:ident $element:ident),* $(,)?) => {
        &[$(Bind { name: stringify!($name), access: Access::$access, element: Element::$element }),*]
    };
}

/// A row: the shader's name gives its file, its twin and its bound their names.
macro_rules! kernel {
    ($shader:ident, $module:ident::$twin:ident, $bound:ident,
     consts $consts:expr, binds $binds:expr, lens $lens:expr $(, touched $touched:expr)?, flops $flops:expr,
     grid $grid:expr $(, requires $requires:expr)? $(, fast $fast:path)? $(, subgroup $subgroup:expr)?
     $(, family $family:ident)? $(, block $block:expr)?) => {
        Kernel {
            name: stringify!($shader),
            wgsl: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", stringify!($shader), ".wgsl")),
            twin_name: concat!("cpu::", stringify!($module), "::", stringify!($twin)),
            consts: &$consts,
            binds: $binds,
            lens: $lens,
            touched: kernel!(@touched $lens $(, $touched)?),
            flops: $flops,
            grid: $grid,
            twin: $module::$twin,
            oracle: $module::$twin,
            twin_source: TwinSource {
                path: concat!("src/cpu/", stringify!($module), ".rs"),
                function: stringify!($twin),
                text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cpu/", stringify!($module), ".rs")),
            },
            bound: $module::$bound,
            fast: kernel!(@fast $($fast)?),
            requires: kernel!(@requires $($requires)?),
            subgroup: kernel!(@subgroup $($subgroup)?),
            family: kernel!(@family $($family)?),
            block: kernel!(@block $($block)?),
            trusted: true,
            workgroup_sizes: WorkgroupSizes::new(),
        }
    };
    (@touched $lens:expr) => {
        $lens
    };
    (@touched $lens:expr, $touched:expr) => {
        $touched
    };
    (@requires) => {
        |_| Ok(())
    };
    (@requires $requires:expr) => {
        $requires
    };
    (@subgroup) => {
        None
    };
    (@subgroup $subgroup:expr) => {
        $subgroup
    };
    (@family) => { None };
    (@family $family:ident) => { Some($crate::kernel::Family::$family) };
    (@block) => { None };
    (@block $block:expr) => { Some($block) };
    (@fast) => { None };
    (@fast $fast:path) => { Some($fast) };
}

// Behind the macro, so that its rows are written with it.
mod updates;
pub use updates::*;

pub mod choice;
mod dense;
mod ends;
mod images;
mod norm;

pub use dense::*;
pub use ends::*;
pub use images::*;
pub use norm::*;

fn sizes<const N: usize>(consts: &Consts, names: [&str; N]) -> [usize; N] {
    names.map(|name| consts.uint(name))
}

/// Words of the four bindings that every loss has, with the metrics of so many steps.
fn loss_lens(k: &Consts, slots: usize, targets: usize) -> Vec<usize> {
    let [batch, classes] = sizes(k, ["BATCH", "CLASSES"]);
    vec![batch * classes, targets, batch * classes, slots * k.uint("PITCH") * 2]
}

pub static GATHER_BATCH: Kernel = kernel!(
    gather_batch, gather::gather_batch, gather_batch_bound,
    consts ["BATCH", "FIRST", "VALUES", "WORDS", "PLANE", "WIDTH", "CHANNELS", "SAMPLES", "CHUNK_FIRST",
             "CHUNK_LENGTH", "AUGMENT", "SHIFT", "ROTATE", "SCALE", "SHEAR", "FLIP", "CUT_OUT", "BRIGHTNESS", "CONTRAST"],
    binds binds![images: Read Uint, labels: Read Uint, order: Read Uint, normaliser: Read Real,
                 x: Write Real, y: Write Uint],
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
    // A scale and a shift; of a changed sample also the place (8), the mix (3 of 3) and the look (4).
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
    // As softmax_loss; what is wanted of a class, three times, and a product and a sum more.
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
    binds binds![gradients: Read Real, sums: Write Real, flaws: Write Uint],
    lens |k| vec![k.uint("LENGTH"), k.uint("PARTS"), k.uint("PARTS")],
    flops |k| 2 * k.uint("LENGTH"),
    grid |k| [k.uint("PARTS"), 1, 1],
    requires |k| match k.uint("LENGTH").is_multiple_of(4) {
        true => Ok(()),
        false => Err("LENGTH must be a multiple of 4"),
    },
    fast fast::sums::gradient_parts_fast
);

pub static GUARD: Kernel = kernel!(
    guard, guard::guard, guard_bound,
    consts ["PARTS", "SLOTS", "BATCH", "ROWS_AT", "GATES"],
    binds binds![sums: Read Real, flaws: Read Uint, norm: Write Real, gates: Update Uint, report: Update Real],
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
    // Every weight makes the whole prediction of every sample, and tries two steps from it.
    flops |k| {
        let [batch, inputs, outputs] = sizes(k, ["BATCH", "INPUTS", "OUTPUTS"]);
        outputs * inputs * batch * (2 * inputs + 6)
    },
    grid |k| flat_grid(k.uint("OUTPUTS") * k.uint("INPUTS"))
);

/// Every kernel there is.
pub static ALL: &[&Kernel] = &[
    &GATHER_BATCH,
    &ONE_HOT,
    &MATMUL_NAIVE,
    &MATMUL,
    &MATMUL_VECTORS,
    &MATMUL_REGISTER,
    &MATMUL_SUBGROUP,
    &MATMUL_SLICES,
    &ADD_SLICES,
    &PACK_HALF,
    &MATMUL_HALF,
    &MATMUL_COOPERATIVE,
    &WEIGHT_GRADIENT,
    &WEIGHT_GRADIENT_TILED,
    &WEIGHT_GRADIENT_VECTORS,
    &WEIGHT_GRADIENT_SUBGROUP,
    &WEIGHT_GRADIENT_NARROW_SUBGROUP,
    &PIXEL_DENSE_TILED,
    &PIXEL_DENSE_SUBGROUP,
    &PIXEL_GRADIENT_TILED,
    &PIXEL_GRADIENT_SUBGROUP,
    &ACTIVATION,
    &ACTIVATION_BACKWARD,
    &SOFTMAX,
    &SOFTMAX_BACKWARD,
    &SOFTMAX_LOSS,
    &WEIGHTED_LOSS,
    &DENSE_LOSS_SUBGROUP,
    &BCE_LOSS,
    &SQUARED_ERROR,
    &COLUMN_SUMS,
    &GRADIENT_PARTS,
    &GUARD,
    &SQUARE_SUMS,
    &CLIP_NORM,
    &CLIP_VALUE,
    &SGD,
    &SGD_MOMENTUM,
    &ADA_GRAD,
    &RMS_PROP,
    &RMS_PROP_MOMENTUM,
    &RMS_PROP_CENTRED,
    &ADAM,
    &LION,
    &MUON_MOMENTUM,
    &UNIT_SIZE,
    &BLEND,
    &MUON,
    &AVERAGE,
    &HOT_COLD,
    &CONV_NAIVE,
    &CONV,
    &CONV_REGISTER,
    &CONV_SUBGROUP,
    &CONV_WEIGHTS_NAIVE,
    &CONV_WEIGHTS,
    &CONV_WEIGHTS_REGISTER,
    &CONV_WEIGHTS_SUBGROUP,
    &CHANNEL_SUMS,
    &MAX_POOL,
    &MAX_POOL_BACKWARD,
    &AVERAGE_POOL,
    &AVERAGE_POOL_BACKWARD,
    &MOMENTS_SLICES,
    &MOMENTS,
    &RUNNING_MOMENTS,
    &NORMALISE,
    &NORMALISE_SLICES,
    &NORMALISE_BACKWARD,
    &NORMALISE_WEIGHTS,
    &DROPOUT,
    &ADD,
];

/// The kernel of this name.
pub fn find(name: &str) -> Option<&'static Kernel> {
    ALL.iter().copied().find(|kernel| kernel.name == name)
}
