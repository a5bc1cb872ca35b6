//! Twins of the normalisations: `moments_slices.wgsl`, `moments.wgsl`, `running_moments.wgsl`,
//! `normalise.wgsl`, `normalise_slices.wgsl`, `normalise_backward.wgsl` and `normalise_weights.wgsl`.

use super::{DIVISION, EPS, TINY, sum_error};
use crate::kernel::{Activation, Call, Real, Slice, SliceMut};

/// Relative error of √x, which WGSL takes from 1 / inverseSqrt(x): 2 ULP and a division.
const ROOT: f64 = 2.0 * EPS + DIVISION;
/// Relative error of 1 / √(variance + epsilon): sum (halved by the root), root and division.
const SCALE: f64 = EPS + ROOT + DIVISION;

/// Values in groups with one mean each: (outer, groups, inner).
pub struct Groups {
    pub outer: usize,
    pub groups: usize,
    pub inner: usize,
    /// Groups are samples; else the outer index counts them.
    pub by_sample: bool,
    /// Values of a group, without samples past the end of the data.
    pub real: usize,
}

impl Groups {
    /// The sizes in a call's constants.
    pub fn of(call: Call) -> Groups {
        let [outer, groups, inner] = ["OUTER", "GROUPS", "INNER"].map(|name| call.consts.uint(name));
        let by_sample =
            call.consts.iter().any(|(name, _)| name == "BY_SAMPLE") && call.consts.flag("BY_SAMPLE");
        let samples = if by_sample { outer } else { outer.min(call.step.samples as usize) };
        Groups { outer, groups, inner, by_sample, real: samples * inner }
    }

    /// The offset of value `i` of a group.
    fn offset(&self, group: usize, i: usize) -> usize {
        (i / self.inner * self.groups + group) * self.inner + i % self.inner
    }

    /// The group of the value at an offset, and the index of its weight.
    fn own(&self, offset: usize) -> (usize, usize) {
        let group = offset / self.inner % self.groups;
        (group, if self.by_sample { offset % self.inner } else { group })
    }

    /// The values of slice `z`, without those of samples past the end of the data.
    pub fn slice(&self, call: Call, z: usize) -> std::ops::Range<usize> {
        let slice = call.consts.uint("SLICE");
        (z * slice).min(self.real)..((z + 1) * slice).min(self.real)
    }
}

/// `p[z, g]` = mean and Σ (x - mean)² of slice z of group g
pub fn moments_slices<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (groups, x) = (Groups::of(call), reads[0].real());
    for (at, slice) in writes[0].real().chunks_exact_mut(2).enumerate() {
        let range = groups.slice(call, at / groups.groups);
        let value = |i| x[groups.offset(at % groups.groups, i)].f64();
        let mean = range.clone().map(value).sum::<f64>() / range.len().max(1) as f64;
        let squares: f64 = range.map(|i| (value(i) - mean).powi(2)).sum();
        slice[0] = T::of(mean);
        slice[1] = T::of(squares);
    }
}

pub fn moments_slices_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (groups, x) = (Groups::of(call), reads[0].real());
    for (at, slice) in writes[0].real().chunks_exact_mut(2).enumerate() {
        let range = groups.slice(call, at / groups.groups);
        let value = |i| x[groups.offset(at % groups.groups, i)];
        let count = range.len().max(1) as f64;
        let mean = range.clone().map(value).sum::<f64>() / count;
        let size: f64 = range.clone().map(|i| value(i).abs()).sum();
        let squares: f64 = range.map(|i| (value(i) - mean).powi(2)).sum();
        let mean_error = size / count * (count * EPS + DIVISION) + TINY;
        // Around a mean with the error δ, the squares are larger by n·δ².
        let shifted = squares + count * mean_error.powi(2);
        slice[0] = mean_error;
        slice[1] = shifted - squares + (count + 4.0) * EPS * shifted + count * TINY;
    }
}

/// The slices of a group: their number of values, mean and squares.
fn slices_of<'a, T: Real>(
    call: Call<'a>,
    groups: &'a Groups,
    slices: &'a [T],
    group: usize,
) -> impl ExactSizeIterator<Item = (f64, f64, f64)> + Clone + 'a {
    let count = groups.real.div_ceil(call.consts.uint("SLICE"));
    let of = move |z| {
        let at = (z * groups.groups + group) * 2;
        (groups.slice(call, z).len() as f64, slices[at].f64(), slices[at + 1].f64())
    };
    (0..count).map(of)
}

/// mean and variance of every group, from its slices
pub fn moments<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let groups = Groups::of(call);
    for group in 0..groups.groups {
        let slices = slices_of(call, &groups, reads[0].real(), group);
        let mean = slices.clone().map(|(n, mean, _)| n * mean).sum::<f64>() / groups.real as f64;
        let squares: f64 = slices.map(|(n, own, squares)| squares + n * (own - mean).powi(2)).sum();
        writes[0].real()[group] = T::of(mean);
        writes[1].real()[group] = T::of(squares / groups.real as f64);
    }
}

pub fn moments_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let groups = Groups::of(call);
    let count = groups.real as f64;
    for group in 0..groups.groups {
        let slices = slices_of(call, &groups, reads[0].real(), group);
        let terms = slices.len() as f64;
        let mean = slices.clone().map(|(n, mean, _)| n * mean).sum::<f64>() / count;
        let size: f64 = slices.clone().map(|(n, mean, _)| (n * mean).abs()).sum();
        // Counts beyond 2^24 are rounded as well.
        let mean_error = (size * (terms + 2.0) * EPS) / count + size / count * (DIVISION + EPS) + TINY;
        let (mut total, mut error) = (0.0, 0.0);
        for (n, own, squares) in slices {
            let difference = (own - mean).abs();
            let off = mean_error + EPS * difference;
            total += squares.abs() + n * (difference + off).powi(2);
            error += n * (2.0 * difference * off + off.powi(2));
        }
        writes[0].real()[group] = mean_error;
        writes[1].real()[group] =
            (error + (terms + 5.0) * EPS * total) / count + total / count * (DIVISION + EPS) + TINY;
    }
}

/// running += momentum · (moment - running), with the unbiased variance
pub fn running_moments<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (groups, momentum) = (Groups::of(call), call.consts.float("MOMENTUM"));
    let (pitch, count) = (call.consts.uint("PITCH"), groups.real as f64);
    for group in 0..groups.groups {
        let unbiased = reads[1].real()[group].f64() * count / (count - 1.0).max(1.0);
        for (at, moment) in [(group, reads[0].real()[group].f64()), (pitch + group, unbiased)] {
            let running = &mut writes[0].real()[at];
            *running = T::of(running.f64() + momentum * (moment - running.f64()));
        }
    }
}

pub fn running_moments_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (groups, momentum) = (Groups::of(call), call.consts.float("MOMENTUM"));
    let (pitch, count) = (call.consts.uint("PITCH"), groups.real as f64);
    let before = writes[0].real().to_vec();
    // The padding between the two stays as it is.
    writes[0].real().fill(0.0);
    for group in 0..groups.groups {
        let unbiased = reads[1].real()[group] * count / (count - 1.0).max(1.0);
        let unbiased_error = unbiased.abs() * (DIVISION + 4.0 * EPS);
        let both = [(group, reads[0].real()[group], 0.0), (pitch + group, unbiased, unbiased_error)];
        for (at, moment, error) in both {
            let size = before[at].abs() + moment.abs();
            writes[0].real()[at] = momentum * error + 4.0 * EPS * size + TINY;
        }
    }
}

/// y = activate((x - mean) / √(variance + epsilon) · weight + bias)
pub fn normalise<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (groups, activation) = (Groups::of(call), Activation::of(call));
    for (at, y) in writes[0].real().iter_mut().enumerate() {
        let (group, own) = groups.own(at);
        let normal = normal(call, reads, [0, 1, 2], at, group);
        *y = T::of(activation.apply(normal * reads[3].real()[own].f64() + reads[4].real()[own].f64()));
    }
}

/// (x - mean) / √(variance + epsilon), of the bindings of x, mean and variance.
fn normal<T: Real>(call: Call, reads: &[Slice<T>], binds: [usize; 3], at: usize, group: usize) -> f64 {
    let [x, mean, variance] = binds.map(|bind| reads[bind].real());
    (x[at].f64() - mean[group].f64()) * scale(call, variance, group)
}

/// 1 / √(variance + epsilon)
fn scale<T: Real>(call: Call, variance: &[T], group: usize) -> f64 {
    1.0 / (variance[group].f64() + call.consts.float("EPSILON")).sqrt()
}

/// Relative error of [`normal`] in f32: the difference, the scale, and a product or a division.
const NORMAL: f64 = EPS + SCALE + DIVISION;

pub fn normalise_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (groups, activation) = (Groups::of(call), Activation::of(call));
    for (at, y) in writes[0].real().iter_mut().enumerate() {
        let (group, own) = groups.own(at);
        let product = normal(call, reads, [0, 1, 2], at, group) * reads[3].real()[own];
        let z = product + reads[4].real()[own];
        let error = product.abs() * (NORMAL + 2.0 * EPS) + EPS * (z.abs() + reads[4].real()[own].abs());
        *y = activation.apply_error(z, error + TINY * reads[3].real()[own].abs().max(1.0)) + TINY;
    }
}

/// `p[z]`: Σ d · normal of every group over slice z, then Σ d; d is dy, or with BY_SAMPLE dy · weight
pub fn normalise_slices<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    slices(call, reads, |z, sums: [f64; 2], _, at: [usize; 2]| {
        let row = row(call, z);
        writes[0].real()[row + at[0]] = T::of(sums[0]);
        writes[0].real()[row + at[1]] = T::of(sums[1]);
    });
    // The padding between the two is zero, as between parameters.
    let (groups, pitch) = (call.consts.uint("GROUPS"), call.consts.uint("PITCH"));
    writes[0].real().chunks_exact_mut(pitch + groups).for_each(|row| row[groups..pitch].fill(T::of(0.0)));
}

/// The offset of a slice's sums.
fn row(call: Call, z: usize) -> usize {
    z * (call.consts.uint("PITCH") + call.consts.uint("GROUPS"))
}

/// Calls `each` with a slice, the two sums of a group, their sizes, and their offsets in the slice.
fn slices<T: Real>(
    call: Call,
    reads: &[Slice<T>],
    mut each: impl FnMut(usize, [f64; 2], [f64; 2], [usize; 2]),
) {
    let groups = Groups::of(call);
    let (dy, weight) = (reads[1].real(), reads[4].real());
    let (slice, pitch) = (call.consts.uint("SLICE"), call.consts.uint("PITCH"));
    let length = groups.outer * groups.inner;
    for z in 0..length.div_ceil(slice) {
        for group in 0..groups.groups {
            let (mut sums, mut sizes) = ([0.0; 2], [0.0; 2]);
            for i in z * slice..((z + 1) * slice).min(length) {
                let offset = groups.offset(group, i);
                let factor = if groups.by_sample { weight[i % groups.inner].f64() } else { 1.0 };
                let gradient = dy[offset].f64() * factor;
                for (at, term) in [gradient * normal(call, reads, [0, 2, 3], offset, group), gradient]
                    .into_iter()
                    .enumerate()
                {
                    sums[at] += term;
                    sizes[at] += term.abs();
                }
            }
            each(z, sums, sizes, [group, pitch + group]);
        }
    }
}

pub fn normalise_slices_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let terms = call.consts.uint("SLICE");
    // Between the sums there are zeros.
    writes[0].real().fill(0.0);
    slices(call, reads, |z, _, sizes, at| {
        let row = row(call, z);
        // Each term has the errors of its factors; a difference may be flushed to zero.
        let first = sum_error(terms, sizes[0]) + sizes[0] * (NORMAL + 3.0 * EPS);
        writes[0].real()[row + at[0]] = first + terms as f64 * FLUSHED;
        writes[0].real()[row + at[1]] = sum_error(terms, sizes[1]) + 2.0 * EPS * sizes[1] + TINY;
    });
}

/// The error of a flushed intermediate, times a scale of up to 1 / √1e-12 and factors below 1e3.
const FLUSHED: f64 = TINY * 1e9;

/// `dx = (dy · weight - factor · (sums[1] + normal · sums[0]) / N) / √(variance + epsilon)`
pub fn normalise_backward<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let add = call.consts.flag("ADD");
    for (at, dx) in writes[0].real().iter_mut().enumerate() {
        let InputGradient { direct, shared, scale, .. } = inner(call, reads, at);
        let gradient = (direct - shared) * scale;
        *dx = T::of(if add { dx.f64() + gradient } else { gradient });
    }
}

/// The parts of dx = (direct − shared) · scale.
struct InputGradient {
    /// dy · weight
    direct: f64,
    /// The part that all values of the group have in common.
    shared: f64,
    /// The sum of its terms' absolute values.
    size: f64,
    scale: f64,
}

fn inner<T: Real>(call: Call, reads: &[Slice<T>], at: usize) -> InputGradient {
    let groups = Groups::of(call);
    let (group, own) = groups.own(at);
    let [dy, weight, sums] = [1, 4, 5].map(|bind| reads[bind].real());
    let (weight, scale) = (weight[own].f64(), scale(call, reads[3].real(), group));
    let direct = dy[at].f64() * weight;
    if !call.consts.flag("CENTRED") {
        return InputGradient { direct, shared: 0.0, size: 0.0, scale };
    }
    if !groups.by_sample && at / (groups.inner * groups.groups) >= call.step.samples as usize {
        return InputGradient { direct: 0.0, shared: 0.0, size: 0.0, scale };
    }
    let normal = normal(call, reads, [0, 2, 3], at, group);
    let factor = if groups.by_sample { 1.0 } else { weight } / groups.real as f64;
    let (second, first) = (sums[call.consts.uint("PITCH") + group].f64(), normal * sums[group].f64());
    let size = (factor * second).abs() + (factor * first).abs();
    InputGradient { direct, shared: factor * (second + first), size, scale }
}

pub fn normalise_backward_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let add = call.consts.flag("ADD");
    for (at, dx) in writes[0].real().iter_mut().enumerate() {
        let InputGradient { direct, shared, size, scale } = inner(call, reads, at);
        let gradient = (direct - shared) * scale;
        // The two parts, their difference, and its product with the scale.
        let parts = EPS * direct.abs() + size * (NORMAL + DIVISION + 5.0 * EPS);
        let error = scale * (parts + EPS * (direct.abs() + size)) + gradient.abs() * (SCALE + EPS);
        *dx = error + FLUSHED + if add { EPS * (gradient.abs() + dx.abs()) } else { 0.0 };
    }
}

/// `dweight[i] = Σ dy · normal`, then `dbias[i] = Σ dy`, over all samples
pub fn normalise_weights<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (inner, pitch) = (call.consts.uint("INNER"), call.consts.uint("PITCH"));
    let gradients = writes[0].real();
    gradients[inner..pitch].fill(T::of(0.0));
    for i in 0..inner {
        let [products, sum] = columns(call, reads, i, |term| term);
        gradients[i] = T::of(products);
        gradients[pitch + i] = T::of(sum);
    }
}

/// The two sums of a weight over its terms, each mapped by `of`.
fn columns<T: Real>(call: Call, reads: &[Slice<T>], i: usize, of: fn(f64) -> f64) -> [f64; 2] {
    let (groups, inner) = (call.consts.uint("GROUPS"), call.consts.uint("INNER"));
    let mut sums = [0.0; 2];
    for group in 0..groups {
        let offset = group * inner + i;
        let dy = reads[1].real()[offset].f64();
        sums[0] += of(dy * normal(call, reads, [0, 2, 3], offset, group));
        sums[1] += of(dy);
    }
    sums
}

pub fn normalise_weights_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let (inner, pitch) = (call.consts.uint("INNER"), call.consts.uint("PITCH"));
    let terms = call.consts.uint("GROUPS");
    writes[0].real().fill(0.0);
    for i in 0..inner {
        let [products, sum] = columns(call, reads, i, f64::abs);
        writes[0].real()[i] =
            sum_error(terms, products) + products * (NORMAL + 2.0 * EPS) + terms as f64 * FLUSHED;
        writes[0].real()[pitch + i] = sum_error(terms, sum) + TINY;
    }
}
