//! The twin of `column_sums.wgsl`.

use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// `s[c] = Σ_r x[r, c]`   x: (ROWS, COLUMNS)
pub fn column_sums<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (columns, add) = (call.consts.uint("COLUMNS"), call.consts.flag("ADD"));
    for (column, total) in writes[0].real().iter_mut().enumerate() {
        let sum: f64 = reads[0].real().iter().skip(column).step_by(columns).map(|x| x.f64()).sum();
        *total = T::of(if add { total.f64() + sum } else { sum });
    }
}

pub fn column_sums_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (columns, add) = (call.consts.uint("COLUMNS"), call.consts.flag("ADD"));
    let rows = call.consts.uint("ROWS") as f64;
    for (column, total) in writes[0].real().iter_mut().enumerate() {
        let size: f64 = reads[0].real().iter().skip(column).step_by(columns).map(|x| x.abs()).sum();
        let before = if add { total.abs() } else { 0.0 };
        *total = rows * EPS * (size + before) + TINY;
    }
}

/// The offsets of one channel's values in a slice of (BATCH, CHANNELS, PLANE), counted over the batch.
fn slice_of_channel(call: Call, z: usize, channel: usize) -> impl Iterator<Item = usize> {
    let [batch, channels, plane, slice] =
        ["BATCH", "CHANNELS", "PLANE", "SLICE"].map(|name| call.consts.uint(name));
    (z * slice..((z + 1) * slice).min(batch * plane))
        .map(move |i| (i / plane * channels + channel) * plane + i % plane)
}

/// `s[z, c]` = Σ over slice z of `x[b, c, i]`   x: (BATCH, CHANNELS, PLANE)
pub fn channel_sums<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (x, channels) = (reads[0].real(), call.consts.uint("CHANNELS"));
    for (at, total) in writes[0].real().iter_mut().enumerate() {
        let offsets = slice_of_channel(call, at / channels, at % channels);
        *total = T::of(offsets.map(|offset| x[offset].f64()).sum());
    }
}

pub fn channel_sums_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (x, channels) = (reads[0].real(), call.consts.uint("CHANNELS"));
    let terms = call.consts.uint("SLICE") as f64;
    for (at, total) in writes[0].real().iter_mut().enumerate() {
        let offsets = slice_of_channel(call, at / channels, at % channels);
        *total = terms * EPS * offsets.map(|offset| x[offset].abs()).sum::<f64>() + TINY;
    }
}
