//! Twins of `max_pool.wgsl`, `max_pool_backward.wgsl`, `average_pool.wgsl` and `average_pool_backward.wgsl`.

use super::{DIVISION, EPS, TINY};
use crate::kernel::{Activation, Call, Consts, Real, Side, Slice, SliceMut};

/// The sizes of a pooling: what every kernel of one has as its first constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// Samples times channels.
    pub planes: usize,
    pub rows: Side,
    pub columns: Side,
}

/// One value of y, with its plane and window.
struct Window {
    y: usize,
    plane: usize,
    p: usize,
    q: usize,
}

impl Pooling {
    /// The sizes in a call's constants.
    pub fn of(consts: &Consts) -> Pooling {
        let side = |names: [&str; 5]| {
            let [size, out, kernel, stride, pad] = names.map(|name| consts.uint(name));
            Side { size, out, kernel, stride, pad, dilation: 1 }
        };
        Pooling {
            planes: consts.uint("PLANES"),
            rows: side(["HEIGHT", "OUT_HEIGHT", "KERNEL_HEIGHT", "STRIDE_Y", "PAD_Y"]),
            columns: side(["WIDTH", "OUT_WIDTH", "KERNEL_WIDTH", "STRIDE_X", "PAD_X"]),
        }
    }

    /// Values of x: (planes, height, width).
    pub fn input(&self) -> usize {
        self.planes * self.rows.size * self.columns.size
    }

    /// Values of y: (planes, out height, out width).
    pub fn output(&self) -> usize {
        self.planes * self.rows.out * self.columns.out
    }

    /// Values in a window.
    pub fn area(&self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// The offset of a plane's first value in x.
    fn plane(&self, plane: usize) -> usize {
        plane * self.rows.size * self.columns.size
    }

    fn windows(&self) -> impl Iterator<Item = Window> {
        let (rows, columns) = (self.rows.out, self.columns.out);
        let window = move |y| Window { y, plane: y / columns / rows, p: y / columns % rows, q: y % columns };
        (0..self.output()).map(window)
    }

    /// The offsets in its plane that a window of y reads, without padding.
    fn offsets(&self, window: &Window) -> impl Iterator<Item = usize> {
        let (rows, columns, p, q) = (self.rows, self.columns, window.p, window.q);
        (0..rows.kernel).filter_map(move |r| rows.reads(p, r)).flat_map(move |row| {
            let across = (0..columns.kernel).filter_map(move |s| columns.reads(q, s));
            across.map(move |column| row * columns.size + column)
        })
    }

    /// The offsets in its plane that the window of this value of y reads.
    pub fn places_of(&self, y: usize) -> Vec<usize> {
        self.windows().nth(y).map(|window| self.offsets(&window).collect()).unwrap_or_default()
    }
}

/// y = the largest value of each window; chosen = its offset in the plane, the first of equal ones.
pub fn max_pool<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (pooling, x) = (Pooling::of(call.consts), reads[0].real());
    for window in pooling.windows() {
        let plane = &x[pooling.plane(window.plane)..];
        let mut best: Option<usize> = None;
        for offset in pooling.offsets(&window) {
            if best.is_none_or(|best| plane[offset].f64() > plane[best].f64()) {
                best = Some(offset);
            }
        }
        let best = best.expect("a window is never all padding");
        writes[0].real()[window.y] = plane[best];
        writes[1].uint()[window.y] = best as u32;
    }
}

/// Nothing is rounded.
pub fn max_pool_bound(_: Call, _: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    writes[0].real().fill(0.0);
    writes[1].uint().fill(0);
}

/// dx = activation'(x) · the dy of every window that chose x
pub fn max_pool_backward<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (pooling, activation) = (Pooling::of(call.consts), Activation::of(call));
    let (chosen, y, dy) = (reads[0].uint(), reads[1].real(), reads[2].real());
    let mut sums = vec![0.0; pooling.input()];
    for window in pooling.windows() {
        let at = pooling.plane(window.plane) + chosen[window.y] as usize;
        // The value that a window chose is its y.
        sums[at] += dy[window.y].f64() * activation.derivative(y[window.y].f64());
    }
    store(&sums, call.consts.flag("ADD"), writes);
}

pub fn max_pool_backward_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (pooling, activation) = (Pooling::of(call.consts), Activation::of(call));
    let (chosen, y, dy) = (reads[0].uint(), reads[1].real(), reads[2].real());
    let mut sums = vec![(0.0, 0.0, TINY); pooling.input()];
    for window in pooling.windows() {
        let (sum, size, error) = &mut sums[pooling.plane(window.plane) + chosen[window.y] as usize];
        let term = dy[window.y] * activation.derivative(y[window.y]);
        *sum += term;
        *size += term.abs();
        *error += dy[window.y].abs() * activation.derivative_error(y[window.y]) + TINY;
    }
    store_bound(&pooling, &sums, call.consts.flag("ADD"), writes);
}

/// y = Σ of each window / its area, padding counted as zeros
pub fn average_pool<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (pooling, x) = (Pooling::of(call.consts), reads[0].real());
    for window in pooling.windows() {
        let plane = &x[pooling.plane(window.plane)..];
        let sum: f64 = pooling.offsets(&window).map(|offset| plane[offset].f64()).sum();
        writes[0].real()[window.y] = T::of(sum / pooling.area() as f64);
    }
}

pub fn average_pool_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (pooling, x) = (Pooling::of(call.consts), reads[0].real());
    for window in pooling.windows() {
        let plane = &x[pooling.plane(window.plane)..];
        let size: f64 = pooling.offsets(&window).map(|offset| plane[offset].abs()).sum();
        let area = pooling.area() as f64;
        writes[0].real()[window.y] = size / area * (area * EPS + DIVISION) + TINY;
    }
}

/// dx = activation'(x) · Σ dy / area over the windows of x; x is the activation's output
pub fn average_pool_backward<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (pooling, activation) = (Pooling::of(call.consts), Activation::of(call));
    let (x, dy) = (reads[0].real(), reads[1].real());
    let mut sums = vec![0.0; pooling.input()];
    for window in pooling.windows() {
        for offset in pooling.offsets(&window) {
            sums[pooling.plane(window.plane) + offset] += dy[window.y].f64() / pooling.area() as f64;
        }
    }
    sums.iter_mut().zip(x).for_each(|(sum, x)| *sum *= activation.derivative(x.f64()));
    store(&sums, call.consts.flag("ADD"), writes);
}

pub fn average_pool_backward_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (pooling, activation) = (Pooling::of(call.consts), Activation::of(call));
    let (x, dy) = (reads[0].real(), reads[1].real());
    let mut sums = vec![(0.0, 0.0, TINY); pooling.input()];
    for window in pooling.windows() {
        for offset in pooling.offsets(&window) {
            let (sum, size, _) = &mut sums[pooling.plane(window.plane) + offset];
            let term = dy[window.y] / pooling.area() as f64;
            *sum += term;
            *size += term.abs();
        }
    }
    for ((sum, size, error), x) in sums.iter_mut().zip(x) {
        let derivative = activation.derivative(*x);
        // The division, the derivative and the product with it.
        *error += *size * (derivative.abs() * (DIVISION + EPS) + activation.derivative_error(*x)) + TINY;
        *sum *= derivative;
        *size *= derivative.abs();
    }
    store_bound(&pooling, &sums, call.consts.flag("ADD"), writes);
}

fn store<T: Real>(sums: &[f64], add: bool, writes: &mut [SliceMut<T>]) {
    for (dx, sum) in writes[0].real().iter_mut().zip(sums) {
        *dx = T::of(if add { dx.f64() + sum } else { *sum });
    }
}

/// `sums`: value, Σ of the terms' absolute values, and the terms' own error.
fn store_bound(pooling: &Pooling, sums: &[(f64, f64, f64)], add: bool, writes: &mut [SliceMut<f64>]) {
    for (dx, (sum, size, error)) in writes[0].real().iter_mut().zip(sums) {
        let before = if add { EPS * (sum.abs() + dx.abs()) } else { 0.0 };
        *dx = error + super::sum_error(pooling.area(), *size) + before;
    }
}
