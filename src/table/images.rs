//! Rows of the kernel table for images: convolution and pooling.

use super::sizes::sizes;
use crate::cpu::pool::Pooling;
use crate::cpu::{conv, fast, pool, sums};
use crate::kernel::{Access, Bind, Consts, Element, Geometry, Kernel, TwinSource, WorkgroupSizes, flat_grid};

/// A version of a convolution.
macro_rules! convolution {
    ($shader:ident, requires $requires:expr, subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, conv::conv, conv_bound,
            consts ["BATCH", "CHANNELS", "HEIGHT", "WIDTH", "OUTPUTS", "OUT_HEIGHT", "OUT_WIDTH",
                    "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X",
                    "DILATION_Y", "DILATION_X", "GROUPS", "BACKWARD", "ADD", "EPILOGUE", "ACTIVATION", "LEAK"],
            binds binds![input: Read Real, weights: Read Real, extra: Read Real, output: Write Real],
            lens |k| {
                let (from, to, channels) = ends(k);
                // The epilogue's input; a plain epilogue has none, so the layer's input is bound here.
                let extra = [from, channels, to][k.uint("EPILOGUE").min(2)];
                vec![from, Geometry::of(k).weights(), extra, to]
            },
            touched |k| {
                let (from, to, channels) = ends(k);
                vec![from, Geometry::of(k).weights(), [0, channels, to][k.uint("EPILOGUE").min(2)], to]
            },
            flops |k| 2 * Geometry::of(k).multiply_adds(),
            grid $grid,
            requires $requires,
            fast fast::conv::conv_fast,
            subgroup $subgroup,
            family Conv
        )
    };
}

/// Words of the input and the output, and channels of the output.
fn ends(k: &Consts) -> (usize, usize, usize) {
    let geometry = Geometry::of(k);
    if k.flag("BACKWARD") {
        (geometry.output(), geometry.input(), geometry.channels)
    } else {
        (geometry.input(), geometry.output(), geometry.outputs)
    }
}

pub static CONV_NAIVE: Kernel =
    convolution!(conv_naive, requires |_| Ok(()), subgroup None, grid | k | flat_grid(ends(k).1));

pub static CONV_REGISTER: Kernel =
    convolution!(conv_register, requires short_windows, subgroup None, grid strips);

pub static CONV_SUBGROUP: Kernel =
    convolution!(conv_subgroup, requires short_windows, subgroup Some(8), grid strips);

/// Strips of pixels, tiles of channels and samples.
fn strips(k: &Consts) -> [usize; 3] {
    let geometry = Geometry::of(k);
    let (channels, height, width) = if k.flag("BACKWARD") {
        (geometry.channels, geometry.rows.size, geometry.columns.size)
    } else {
        (geometry.outputs, geometry.rows.out, geometry.columns.out)
    };
    let pixels = if k.flag("BACKWARD") && geometry.columns.stride == 3 { 3 } else { 4 };
    let tiles = tiles(channels / geometry.groups, false) * geometry.groups;
    [height * width.div_ceil(pixels), tiles, geometry.batch]
}

pub static CONV: Kernel = convolution!(
    conv,
    requires |_| Ok(()), subgroup None, grid | k | {
        let geometry = Geometry::of(k);
        let (channels, pixels) = if k.flag("BACKWARD") {
            (geometry.channels, geometry.rows.size * geometry.columns.size)
        } else {
            (geometry.outputs, geometry.rows.out * geometry.columns.out) };
        let tiles = (geometry.batch * pixels).div_ceil(32);
        let down = (channels / geometry.groups).div_ceil(32) * geometry.groups;
        [8 * tiles.min(32_768), 8 * down, tiles.div_ceil(32_768)]
    }
);

/// Tiles of channels of a `*_register` shader, in a group of `channels`.
fn tiles(channels: usize, few: bool) -> usize {
    let rows = match channels {
        0..=4 => 4,
        5..=8 => 8,
        _ if few => 8,
        _ => 16,
    };
    channels.div_ceil(rows)
}

/// The requirements of the `*_register` shaders: a window that the compiler unrolls.
fn short_windows(k: &Consts) -> Result<(), &'static str> {
    let columns = Geometry::of(k).columns;
    let window = 3 * columns.stride + (columns.kernel - 1) * columns.dilation + 1;
    let backwards = (3 + columns.pad) / columns.stride + columns.kernel * columns.dilation + 1;
    if columns.kernel <= 16 && columns.stride <= 4 && window <= 32 && backwards <= 32 {
        Ok(())
    } else {
        Err("kernels are at most 16 wide, strides at most 4 and windows at most 32")
    }
}

/// A version of the weight gradient of a convolution.
macro_rules! conv_weights {
    ($shader:ident, requires $requires:expr, subgroup $subgroup:expr, grid $grid:expr) => {
        kernel!(
            $shader, conv::conv_weights, conv_weights_bound,
            consts ["BATCH", "CHANNELS", "HEIGHT", "WIDTH", "OUTPUTS", "OUT_HEIGHT", "OUT_WIDTH",
                    "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X",
                    "DILATION_Y", "DILATION_X", "GROUPS", "SLICE"],
            binds binds![x: Read Real, dy: Read Real, dw: Write Real],
            lens |k| {
                let geometry = Geometry::of(k);
                vec![geometry.input(), geometry.output(), slices(k) * geometry.weights()]
            },
            flops |k| 2 * Geometry::of(k).multiply_adds(),
            grid $grid,
            requires $requires,
            fast fast::conv::conv_weights_fast,
            subgroup $subgroup,
            family ConvWeights
        )
    };
}

/// Slices of the rows of dy.
fn slices(k: &Consts) -> usize {
    let geometry = Geometry::of(k);
    (geometry.batch * geometry.rows.out).div_ceil(k.uint("SLICE"))
}

pub static CONV_WEIGHTS_NAIVE: Kernel = conv_weights!(
    conv_weights_naive,
    requires |_| Ok(()), subgroup None, grid | k | flat_grid(slices(k) * Geometry::of(k).weights())
);

pub static CONV_WEIGHTS_REGISTER: Kernel =
    conv_weights!(conv_weights_register, requires short_windows, subgroup None, grid kernel_rows);

pub static CONV_WEIGHTS_SUBGROUP: Kernel =
    conv_weights!(conv_weights_subgroup, requires short_windows, subgroup Some(8), grid kernel_rows);

/// Rows of a kernel over all channels, tiles of outputs, and slices.
fn kernel_rows(k: &Consts) -> [usize; 3] {
    let geometry = Geometry::of(k);
    let tiles = tiles(geometry.outputs / geometry.groups, geometry.columns.kernel > 4);
    [geometry.seen() * geometry.rows.kernel, tiles * geometry.groups, slices(k)]
}

pub static CONV_WEIGHTS: Kernel = conv_weights!(
    conv_weights,
    requires |_| Ok(()), subgroup None, grid | k | {
        let geometry = Geometry::of(k);
        let down = (geometry.outputs / geometry.groups).div_ceil(32) * geometry.groups;
        [8 * (geometry.seen() * geometry.taps()).div_ceil(32), 8 * down, slices(k)]
    }
);

pub static CHANNEL_SUMS: Kernel = kernel!(
    channel_sums, sums::channel_sums, channel_sums_bound,
    consts ["BATCH", "CHANNELS", "PLANE", "SLICE"],
    binds binds![x: Read Real, sums: Write Real],
    lens |k| {
        let [batch, channels, plane, slice] = sizes(k, ["BATCH", "CHANNELS", "PLANE", "SLICE"]);
        vec![batch * channels * plane, (batch * plane).div_ceil(slice) * channels]
    },
    flops |k| k.uint("BATCH") * k.uint("CHANNELS") * k.uint("PLANE"),
    grid |k| {
        let [batch, channels, plane, slice] = sizes(k, ["BATCH", "CHANNELS", "PLANE", "SLICE"]);
        flat_grid((batch * plane).div_ceil(slice) * channels)
    },
    fast fast::sums::channel_sums_fast
);

pub static MAX_POOL: Kernel = kernel!(
    max_pool, pool::max_pool, max_pool_bound,
    consts ["PLANES", "HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH",
            "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X"],
    binds binds![x: Read Real, y: Write Real, chosen: Write Uint],
    lens |k| vec![Pooling::of(k).input(), Pooling::of(k).output(), Pooling::of(k).output()],
    flops |k| Pooling::of(k).output() * Pooling::of(k).area(),
    grid |k| flat_grid(Pooling::of(k).output()),
    fast fast::pool::max_pool_fast
);

pub static MAX_POOL_BACKWARD: Kernel = kernel!(
    max_pool_backward, pool::max_pool_backward, max_pool_backward_bound,
    consts ["PLANES", "HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH",
            "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X",
            "ACTIVATION", "LEAK", "ADD"],
    binds binds![chosen: Read Uint, y: Read Real, dy: Read Real, dx: Write Real],
    lens |k| {
        let (x, y) = (Pooling::of(k).input(), Pooling::of(k).output());
        vec![y, y, y, x]
    },
    flops |k| 2 * Pooling::of(k).output(),
    grid |k| flat_grid(Pooling::of(k).input()),
    fast fast::pool::max_pool_backward_fast
);

pub static AVERAGE_POOL: Kernel = kernel!(
    average_pool, pool::average_pool, average_pool_bound,
    consts ["PLANES", "HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH",
            "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X"],
    binds binds![x: Read Real, y: Write Real],
    lens |k| vec![Pooling::of(k).input(), Pooling::of(k).output()],
    flops |k| Pooling::of(k).output() * Pooling::of(k).area(),
    grid |k| flat_grid(Pooling::of(k).output()),
    fast fast::pool::average_pool_fast
);

pub static AVERAGE_POOL_BACKWARD: Kernel = kernel!(
    average_pool_backward, pool::average_pool_backward, average_pool_backward_bound,
    consts ["PLANES", "HEIGHT", "WIDTH", "OUT_HEIGHT", "OUT_WIDTH",
            "KERNEL_HEIGHT", "KERNEL_WIDTH", "STRIDE_Y", "STRIDE_X", "PAD_Y", "PAD_X",
            "ACTIVATION", "LEAK", "ADD"],
    binds binds![x: Read Real, dy: Read Real, dx: Write Real],
    lens |k| {
        let (x, y) = (Pooling::of(k).input(), Pooling::of(k).output());
        vec![x, y, x]
    },
    flops |k| Pooling::of(k).output() * Pooling::of(k).area() + 2 * Pooling::of(k).input(),
    grid |k| flat_grid(Pooling::of(k).input()),
    fast fast::pool::average_pool_backward_fast
);
