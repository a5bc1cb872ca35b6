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
