//! Normalisations line by line.
//!
//! A line is a run of values of one group; or, where a group has a single value per sample, one value of every group.

use std::ops::Range;

use rayon::prelude::*;

use super::functions::{apply, for_kind};
use super::{scratch, vectorised};
use crate::cpu::norm::Groups;
use crate::kernel::{Activation, Call, Slice, SliceMut};

/// Values that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 12;

/// Whether lines go across the groups.
fn across(groups: &Groups) -> bool {
    groups.inner == 1 && !groups.by_sample
}

/// Values of a line.
fn line(groups: &Groups) -> usize {
    if across(groups) { groups.groups } else { groups.inner }
}

/// Calls `work` with 1 / √(variance + epsilon) of every group.
fn with_scales<R>(call: Call, variance: &[f32], then: impl FnOnce(&[f32]) -> R) -> R {
    let epsilon = call.consts.float("EPSILON");
    scratch(variance.len(), |scales| {
        for (scale, variance) in scales.iter_mut().zip(variance) {
            *scale = (1.0 / (f64::from(*variance) + epsilon).sqrt()) as f32;
        }
        then(scales)
    })
}

/// The offsets of values `range` of a group, run by run.
fn runs(groups: &Groups, group: usize, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let (count, inner) = (groups.groups, groups.inner);
    let mut at = range.start;
    std::iter::from_fn(move || {
        let length = (inner - at % inner).min(range.end.checked_sub(at).filter(|left| *left > 0)?);
        let first = (at / inner * count + group) * inner + at % inner;
        at += length;
        Some(first..first + length)
    })
}

/// Two sums over the elements of some runs, as many terms at once as a vector has.
fn sums<const N: usize>(values: [&[f32]; N], term: impl Fn([f32; N]) -> [f32; 2]) -> [f32; 2] {
    vectorised(
        #[inline(always)]
        || {
            let mut sums = [[0.0; 16]; 2];
            let parts = values.map(|run| run.as_chunks::<16>());
            for at in 0..parts[0].0.len() {
                let sixteen = parts.map(|(whole, _)| &whole[at]);
                for lane in 0..16 {
                    let [first, second] = term(sixteen.map(|values| values[lane]));
                    sums[0][lane] += first;
                    sums[1][lane] += second;
                }
            }
            let mut totals = sums.map(|parts| parts.iter().sum::<f32>());
            for at in 0..parts[0].1.len() {
                let [first, second] = term(parts.map(|(_, rest)| rest[at]));
                totals = [totals[0] + first, totals[1] + second];
            }
            totals
        },
    )
}

/// `moments_slices`: mean and Σ (x - mean)² of every slice of every group.
pub fn moments_slices_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (groups, x) = (&Groups::of(call), reads[0].real());
    let count = groups.groups;
    writes[0].real().par_chunks_exact_mut(2 * count).enumerate().for_each(|(z, moments)| {
        let range = groups.slice(call, z);
        let fraction = 1.0 / range.len().max(1) as f32;
        if across(groups) {
            return scratch(2 * count, |memory| {
                let (means, squares) = memory.split_at_mut(count);
                let lines = || x[range.start * count..range.end * count].chunks_exact(count);
                moments_across(lines, fraction, means, squares);
                for (moments, (mean, squares)) in moments.chunks_exact_mut(2).zip(means.iter().zip(squares)) {
                    (moments[0], moments[1]) = (*mean, *squares);
                }
            });
        }
        moments.par_chunks_exact_mut(2).enumerate().for_each(|(group, moments)| {
            let total = |term: &(dyn Fn(&[f32]) -> f32 + Sync)| {
                runs(groups, group, range.clone()).map(|run| term(&x[run])).sum::<f32>()
            };
            let mean = total(&|run| sums([run], |[x]| [x, 0.0])[0]) * fraction;
            (moments[0], moments[1]) =
                (mean, total(&|run| sums([run], |[x]| [(x - mean) * (x - mean), 0.0])[0]));
        });
    });
}

fn moments_across<'a, I: Iterator<Item = &'a [f32]>>(
    lines: impl Fn() -> I,
    fraction: f32,
    means: &mut [f32],
    squares: &mut [f32],
) {
    vectorised(
        #[inline(always)]
        || {
            means.fill(0.0);
            squares.fill(0.0);
            lines().for_each(|line| means.iter_mut().zip(line).for_each(|(mean, x)| *mean += x));
            means.iter_mut().for_each(|mean| *mean *= fraction);
            for line in lines() {
                let values = squares.iter_mut().zip(means.iter().zip(line));
                values.for_each(|(squares, (mean, x))| *squares += (x - mean) * (x - mean));
            }
        },
    );
}

/// `normalise`: y = activate((x - mean) / √(variance + epsilon) · weight + bias)
pub fn normalise_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (groups, activation) = (&Groups::of(call), Activation::of(call));
    let [x, mean, variance, weight, bias] = [0, 1, 2, 3, 4].map(|bind| reads[bind].real());
    let length = line(groups);
    with_scales(call, variance, |scales| {
        let lines = writes[0].real().par_chunks_exact_mut(length).zip(x.par_chunks_exact(length));
        lines.with_min_len(WORTH_A_THREAD.div_ceil(length)).enumerate().for_each(|(at, (y, x))| {
            let own = at % groups.groups;
            vectorised(
                #[inline(always)]
                || {
                    if across(groups) {
                        let numbers = (mean, scales, weight, bias);
                        normalise_across(y, x, numbers);
                    } else if groups.by_sample {
                        let (mean, scale) = (mean[own], scales[own]);
                        let values = y.iter_mut().zip(x).zip(weight.iter().zip(bias));
                        values.for_each(|((y, x), (w, b))| *y = (x - mean) * scale * w + b);
                    } else {
                        let (mean, scale, weight, bias) = (mean[own], scales[own], weight[own], bias[own]);
                        let values = y.iter_mut().zip(x);
                        values.for_each(|(y, x)| *y = (x - mean) * scale * weight + bias);
                    }
                    for_kind!(activation, kind => {
                        for y in y.iter_mut() {
                            *y = apply(kind, *y);
                        }
                    });
                },
            );
        });
    });
}

#[inline(always)]
fn normalise_across(y: &mut [f32], x: &[f32], (mean, scale, weight, bias): (&[f32], &[f32], &[f32], &[f32])) {
    let numbers = mean.iter().zip(scale).zip(weight.iter().zip(bias));
    for ((y, x), ((mean, scale), (weight, bias))) in y.iter_mut().zip(x).zip(numbers) {
        *y = (x - mean) * scale * weight + bias;
    }
}

/// `normalise_slices`: Σ d · normal of every group over each slice, then Σ d.
pub fn normalise_slices_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let groups = &Groups::of(call);
    let [x, dy, mean, variance, weight] = [0, 1, 2, 3, 4].map(|bind| reads[bind].real());
    let [slice, pitch] = ["SLICE", "PITCH"].map(|name| call.consts.uint(name));
    let (count, length) = (groups.groups, groups.outer * groups.inner);
    with_scales(call, variance, |scales| {
        writes[0].real().par_chunks_exact_mut(pitch + count).enumerate().for_each(|(z, row)| {
            let range = z * slice..((z + 1) * slice).min(length);
            row.fill(0.0);
            let (products, gradients) = row.split_at_mut(pitch);
            if across(groups) {
                let lines = range.start * count..range.end * count;
                return slices_across(&x[lines.clone()], &dy[lines], mean, scales, products, gradients);
            }
            let sums_of_groups = products.par_iter_mut().zip(gradients).enumerate();
            sums_of_groups.take(count).for_each(|(group, (product, gradient))| {
                let (mean, scale) = (mean[group], scales[group]);
                for run in runs(groups, group, range.clone()) {
                    let (x, dy) = (&x[run.clone()], &dy[run.clone()]);
                    let [first, second] = if groups.by_sample {
                        let weight = &weight[run.start % groups.inner..][..x.len()];
                        sums([x, dy, weight], |[x, dy, w]| [dy * w * ((x - mean) * scale), dy * w])
                    } else {
                        sums([x, dy], |[x, dy]| [dy * ((x - mean) * scale), dy])
                    };
                    *product += first;
                    *gradient += second;
                }
            });
        });
    });
}

fn slices_across(
    x: &[f32],
    dy: &[f32],
    mean: &[f32],
    scales: &[f32],
    products: &mut [f32],
    gradients: &mut [f32],
) {
    vectorised(
        #[inline(always)]
        || {
            for (x, dy) in x.chunks_exact(mean.len()).zip(dy.chunks_exact(mean.len())) {
                let numbers = x.iter().zip(dy).zip(mean.iter().zip(scales));
                let sums = products.iter_mut().zip(gradients.iter_mut());
                for ((product, gradient), ((x, dy), (mean, scale))) in sums.zip(numbers) {
                    *product += dy * ((x - mean) * scale);
                    *gradient += dy;
                }
            }
        },
    );
}

/// `normalise_backward`: `dx = (dy · weight - factor · (sums[1] + normal · sums[0]) / N) / √(variance + epsilon)`
pub fn normalise_backward_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let groups = &Groups::of(call);
    let [x, dy, mean, variance, weight, both] = [0, 1, 2, 3, 4, 5].map(|bind| reads[bind].real());
    let [centred, add] = ["CENTRED", "ADD"].map(|name| call.consts.flag(name));
    let (count, length) = (groups.groups, line(groups));
    let (products, gradients) = (&both[..count], &both[call.consts.uint("PITCH")..][..count]);
    with_scales(call, variance, |scales| {
        let fraction = centred.then_some(1.0 / groups.real as f32);
        let shared = NormBackward { mean, scales, weight, products, gradients, fraction, add };
        let lines = x.par_chunks_exact(length).zip(dy.par_chunks_exact(length));
        let lines = writes[0].real().par_chunks_exact_mut(length).zip(lines);
        lines.with_min_len(WORTH_A_THREAD.div_ceil(length)).enumerate().for_each(|(at, (dx, (x, dy)))| {
            let sample = if across(groups) { at } else { at / count };
            if centred && !groups.by_sample && sample >= call.step.samples as usize {
                // A sample past the end of the data has no part in the loss.
                return if !add {
                    dx.fill(0.0);
                };
            }
            vectorised(
                #[inline(always)]
                || match (across(groups), groups.by_sample) {
                    (true, _) => shared.across(x, dy, dx),
                    (_, true) => shared.by_sample(at % count, x, dy, dx),
                    _ => shared.by_channel(at % count, x, dy, dx),
                },
            );
        });
    });
}

/// The data of all lines of [`normalise_backward_fast`].
struct NormBackward<'a> {
    mean: &'a [f32],
    scales: &'a [f32],
    weight: &'a [f32],
    /// Σ d · normal of every group.
    products: &'a [f32],
    /// Σ d of every group.
    gradients: &'a [f32],
    /// 1 / N; none where the moments are constants.
    fraction: Option<f32>,
    add: bool,
}

impl NormBackward<'_> {
    /// One value of a group: `direct` is dy · weight, and `factor` the factor of the common part.
    #[inline(always)]
    fn gradient(&self, group: usize, direct: f32, factor: f32, x: f32) -> f32 {
        let normal = (x - self.mean[group]) * self.scales[group];
        let shared = self.fraction.map_or(0.0, |fraction| {
            factor * fraction * (self.gradients[group] + normal * self.products[group])
        });
        (direct - shared) * self.scales[group]
    }

    #[inline(always)]
    fn put(&self, dx: &mut f32, gradient: f32) {
        *dx = if self.add { *dx + gradient } else { gradient };
    }

    #[inline(always)]
    fn across(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        for (group, (dx, (x, dy))) in dx.iter_mut().zip(x.iter().zip(dy)).enumerate() {
            let weight = self.weight[group];
            self.put(dx, self.gradient(group, dy * weight, weight, *x));
        }
    }

    #[inline(always)]
    fn by_sample(&self, group: usize, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        for ((dx, weight), (x, dy)) in dx.iter_mut().zip(self.weight).zip(x.iter().zip(dy)) {
            self.put(dx, self.gradient(group, dy * weight, 1.0, *x));
        }
    }

    #[inline(always)]
    fn by_channel(&self, group: usize, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let [mean, scale, weight] = [self.mean, self.scales, self.weight].map(|numbers| numbers[group]);
        let factor = self.fraction.map_or(0.0, |fraction| weight * fraction);
        let (product, sum) = (factor * self.products[group], factor * self.gradients[group]);
        let gradient = |x: f32, dy: f32| {
            let normal = (x - mean) * scale;
            (dy * weight - (sum + normal * product)) * scale
        };
        let values = dx.iter_mut().zip(x.iter().zip(dy));
        if self.add {
            values.for_each(|(dx, (x, dy))| *dx += gradient(*x, *dy))
        } else {
            values.for_each(|(dx, (x, dy))| *dx = gradient(*x, *dy))
        }
    }
}

/// Columns of [`normalise_weights_fast`] that are worth a thread.
const COLUMNS: usize = 256;

/// `normalise_weights`: `dweight[i] = Σ dy · normal`, then `dbias[i] = Σ dy`, over all samples
pub fn normalise_weights_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [x, dy, mean, variance] = [0, 1, 2, 3].map(|bind| reads[bind].real());
    let (inner, pitch) = (call.consts.uint("INNER"), call.consts.uint("PITCH"));
    let (products, gradients) = writes[0].real().split_at_mut(pitch);
    products.fill(0.0);
    gradients.fill(0.0);
    with_scales(call, variance, |scales| {
        let columns = products[..inner].par_chunks_mut(COLUMNS).zip(gradients.par_chunks_mut(COLUMNS));
        columns.enumerate().for_each(|(piece, (products, gradients))| {
            let first = piece * COLUMNS;
            vectorised(
                #[inline(always)]
                || {
                    for (group, (mean, scale)) in mean.iter().zip(scales).enumerate() {
                        let line = group * inner + first..group * inner + first + products.len();
                        let values = x[line.clone()].iter().zip(&dy[line]);
                        let sums = products.iter_mut().zip(gradients.iter_mut());
                        for ((product, gradient), (x, dy)) in sums.zip(values) {
                            *product += dy * ((x - mean) * scale);
                            *gradient += dy;
                        }
                    }
                },
            );
        });
    });
}
