//! The twins of `matmul_slices.wgsl` and `add_slices.wgsl`, the two dispatches of a long product
//! with a small result: together they are [`matmul`](super::matmul::matmul).

use super::matmul::{ProductSizes, extra_at};
use super::{EPS, TINY};
use crate::kernel::{Activation, Call, Epilogue, Real, Slice, SliceMut};

/// Every sum of P, with its range of k: P is (SLICES, M, N).
fn sums(call: Call, mut each: impl FnMut(usize, &mut dyn Iterator<Item = (usize, usize)>)) {
    let p = ProductSizes::of(call);
    let [slices, slice] = ["SLICES", "SLICE"].map(|name| call.consts.uint(name));
    for (at, (z, row)) in (0..slices).flat_map(|z| (0..p.m).map(move |row| (z, row))).enumerate() {
        for column in 0..p.n {
            let ks = z * slice..((z + 1) * slice).min(p.k);
            each(at * p.n + column, &mut ks.map(|k| (p.at_a(row, k), p.at_b(k, column))));
        }
    }
}

/// `P[z]` = A·B over slice z of K   A: (M, K)  B: (K, N)  P: (SLICES, M, N)
pub fn matmul_slices<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (a, b, parts) = (reads[0].real(), reads[1].real(), writes[0].real());
    sums(call, |at, terms| {
        parts[at] = T::of(terms.map(|(left, right)| a[left].f64() * b[right].f64()).sum());
    });
}

pub fn matmul_slices_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (a, b, parts) = (reads[0].real(), reads[1].real(), writes[0].real());
    sums(call, |at, terms| {
        let (count, size) = terms
            .fold((0, 0.0), |(count, size), (left, right)| (count + 1, size + (a[left] * b[right]).abs()));
        parts[at] = super::sum_error(count, size) + TINY;
    });
}

/// C = `Σ_z P[z]`, then the epilogue.   P: (SLICES, M, N)  C: (M, N)
pub fn add_slices<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (parts, extra, c) = (reads[0].real(), reads[1].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let (columns, add) = (call.consts.uint("N"), call.consts.flag("ADD"));
    let elements = c.len();
    for (at, value) in c.iter_mut().enumerate() {
        let sum = parts.iter().skip(at).step_by(elements).map(|part| part.f64()).sum();
        let sum = epilogue.apply(activation, sum, extra[extra_at(epilogue, at, at % columns)].f64());
        *value = T::of(if add { value.f64() + sum } else { sum });
    }
}

pub fn add_slices_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (parts, extra, c) = (reads[0].real(), reads[1].real(), writes[0].real());
    let (epilogue, activation) = (Epilogue::of(call), Activation::of(call));
    let (columns, add) = (call.consts.uint("N"), call.consts.flag("ADD"));
    let slices = call.consts.uint("SLICES") as f64;
    let elements = c.len();
    for (at, value) in c.iter_mut().enumerate() {
        let (mut sum, mut size) = (0.0, 0.0);
        for part in parts.iter().skip(at).step_by(elements) {
            sum += part;
            size += part.abs();
        }
        let extra = extra[extra_at(epilogue, at, at % columns)];
        let (result, error) = epilogue.error(activation, sum, slices * EPS * size + TINY, extra);
        *value = error + TINY + if add { EPS * (value.abs() + result.abs()) } else { 0.0 };
    }
}
