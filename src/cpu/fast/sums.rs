//! Sums over rows, channels and the gradient arena.

use rayon::prelude::*;

use super::{scratch, vectorised};
use crate::cpu::guard::{HISTORY, TOO_LARGE, all_non_finite, is_non_finite};
use crate::kernel::{Call, Slice, SliceMut};

/// `column_sums`: row by row, so that neighbours are added at once.
pub fn column_sums_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (x, sums) = (reads[0].real(), writes[0].real());
    if !call.consts.flag("ADD") {
        sums.fill(0.0);
    }
    vectorised(
        #[inline(always)]
        || {
            for row in x.chunks_exact(sums.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        },
    );
}

/// `channel_sums`: a slice of the batch on each core.
pub fn channel_sums_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [batch, channels, plane, slice] =
        ["BATCH", "CHANNELS", "PLANE", "SLICE"].map(|name| call.consts.uint(name));
    let x = reads[0].real();
    writes[0].real().par_chunks_exact_mut(channels).enumerate().for_each(|(z, sums)| {
        let (start, end) = (z * slice, ((z + 1) * slice).min(batch * plane));
        for (channel, total) in sums.iter_mut().enumerate() {
            let (mut at, mut sum) = (start, 0.0);
            // Piece by piece, because a slice may begin and end within a sample.
            while at < end {
                let (sample, first) = (at / plane, at % plane);
                let length = (plane - first).min(end - at);
                let piece = &x[(sample * channels + channel) * plane + first..][..length];
                sum += added_up(piece);
                at += length;
            }
            *total = sum;
        }
    });
}

/// A sum of many numbers, as many at once as a vector has.
fn added_up(values: &[f32]) -> f32 {
    vectorised(
        #[inline(always)]
        || {
            let (sixteens, rest) = values.as_chunks::<16>();
            let mut sums = [0.0; 16];
            for sixteen in sixteens {
                sums.iter_mut().zip(sixteen).for_each(|(sum, value)| *sum += value);
            }
            sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
        },
    )
}

/// `gradient_parts`: two halves of the arena, with a sum for each of the four gradients of a group.
pub fn gradient_parts_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (gradients, parts) = (reads[0].real(), call.consts.uint("PARTS"));
    let [sums, non_finite] = writes else { unreachable!("the kernel table binds two outputs") };
    let (sums, non_finite) = (sums.real(), non_finite.uint());
    let finite = in_halves(gradients, parts, sums, add_finite_squares);
    non_finite.fill(0);
    if !finite {
        for (at, g) in gradients.iter().enumerate() {
            non_finite[at / 4 % parts] += u32::from(is_non_finite((*g).into()));
        }
    }
}

/// `square_sums`: sums over every PARTIALS-th group of four.
pub fn square_sums_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    in_halves(reads[0].real(), call.consts.uint("PARTIALS"), writes[0].real(), add_squares);
}

/// Sums over every `parts`-th group of four; returns whether all values are finite.
///
/// `add` sets the sums of each half of the arena, one for each of four neighbours, and returns the same for its half.
fn in_halves(
    values: &[f32],
    parts: usize,
    sums: &mut [f32],
    add: impl Fn(&[f32], &mut [f32]) -> bool + Sync,
) -> bool {
    let rounds = values.len().div_ceil(4 * parts);
    let (first, second) = values.split_at((rounds.div_ceil(2) * 4 * parts).min(values.len()));
    scratch(8 * parts, |squares| {
        let (early, late) = squares.split_at_mut(4 * parts);
        let finite = rayon::join(|| add(first, early), || add(second, late));
        add_fours(early, late, sums);
        finite == (true, true)
    })
}

/// Adds up the four sums of each part, of both halves.
fn add_fours(early: &[f32], late: &[f32], sums: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            let fours = early.as_chunks::<4>().0.iter().zip(late.as_chunks::<4>().0);
            for (sum, (a, b)) in sums.iter_mut().zip(fours) {
                *sum = (a[0] + b[0]) + (a[1] + b[1]) + ((a[2] + b[2]) + (a[3] + b[3]));
            }
        },
    );
}

/// Sets `sums` to the sums of every `sums.len()`-th square, without non-finite gradients.
///
/// Returns whether all gradients are finite.
pub fn add_finite_squares(gradients: &[f32], sums: &mut [f32]) -> bool {
    vectorised(
        #[inline(always)]
        || {
            sums.fill(0.0);
            let mut non_finite = 0;
            for round in gradients.chunks(sums.len()) {
                for (sum, g) in sums.iter_mut().zip(round) {
                    // Written so that NaN counts as non-finite.
                    let finite = g.abs() < TOO_LARGE as f32;
                    *sum += if finite { g * g } else { 0.0 };
                    non_finite |= u32::from(!finite);
                }
            }
            non_finite == 0
        },
    )
}

/// Sets `sums` to the sums of every `sums.len()`-th square.
fn add_squares(values: &[f32], sums: &mut [f32]) -> bool {
    vectorised(
        #[inline(always)]
        || {
            sums.fill(0.0);
            for round in values.chunks(sums.len()) {
                sums.iter_mut().zip(round).for_each(|(sum, value)| *sum += value * value);
            }
            true
        },
    )
}

/// `guard`: norm = √Σ sums, the step's row of the history, and gates = 0 if there are non-finite values.
pub fn guard_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [norm, gates, report] = writes else { unreachable!("the kernel table binds three outputs") };
    let (eights, rest) = reads[0].real().as_chunks::<8>();
    let root = vectorised(
        #[inline(always)]
        || {
            // In f64, as the squares of a whole arena may be of very different sizes.
            let mut sums = [0.0f64; 8];
            for eight in eights {
                sums.iter_mut().zip(eight).for_each(|(sum, value)| *sum += f64::from(*value));
            }
            (sums.iter().sum::<f64>() + rest.iter().map(|value| f64::from(*value)).sum::<f64>()).sqrt() as f32
        },
    );
    let non_finite = all_non_finite(call, reads[1].uint(), report.real());
    if non_finite > 0 {
        gates.uint().fill(0);
    }
    norm.real()[0] = root;
    let row = &mut report.real()[call.step.slot as usize * HISTORY..][..HISTORY];
    (row[0], row[1]) = (root, non_finite as f32);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::guard::{gradient_parts, guard};
    use crate::kernel::consts;
    use crate::kernel::{Step, Twin};

    #[test]
    fn a_gradient_gone_wrong_is_counted_in_its_part_and_left_out_of_the_sum() {
        let length = 64 * 4 * 2;
        let consts = consts! { LENGTH: length, PARTS: 64usize };
        let mut gradients = vec![0.5_f32; length];
        gradients[4..7].copy_from_slice(&[f32::NAN, f32::NEG_INFINITY, -TOO_LARGE as f32]);
        gradients[64 * 4 + 9] = TOO_LARGE as f32 / 2.0;
        let call = Call { consts: &consts, step: &Step::default() };
        for function in [gradient_parts::<f32>, gradient_parts_fast] {
            let (mut sums, mut non_finite) = (vec![0.0_f32; 64], vec![0; 64]);
            let mut writes = [SliceMut::Real(&mut sums), SliceMut::Uint(&mut non_finite)];
            function(call, &[Slice::Real(&gradients[..])], &mut writes);
            assert_eq!((non_finite[0], non_finite[1], non_finite.iter().sum::<u32>()), (0, 3, 3));
            assert_eq!((sums[0], sums[1]), (2.0, 1.25));
            assert!(sums[2] > 1e28 && sums[2].is_finite());
        }
    }

    #[test]
    fn a_non_finite_value_among_the_parts_or_the_losses_closes_the_gates_for_good() {
        let consts = consts! { PARTS: 2usize, SLOTS: 2usize, BATCH: 3usize, ROWS_AT: 4usize, GATES: 3usize };
        let step = Step { slot: 1, samples: 2, ..Step::default() };
        let call = Call { consts: &consts, step: &step };
        let run = |guard: Twin<f32>, non_finite: &[u32], wrong: &[usize], gates: u32| {
            let (mut norm, mut gates, mut report) = ([0.0], [gates, 1, 1], [0.5_f32; 4 + 12]);
            wrong.iter().for_each(|at| report[4 + at] = f32::NAN);
            let reads = [Slice::Real(&[9.0, 16.0][..]), Slice::Uint(non_finite)];
            let mut writes =
                [SliceMut::Real(&mut norm), SliceMut::Uint(&mut gates), SliceMut::Real(&mut report)];
            guard(call, &reads, &mut writes);
            (norm, gates, [report[0], report[1], report[2], report[3]])
        };
        for guard in [guard::<f32>, guard_fast] {
            // The losses of the other slot, a correct flag, and the row without a sample don't count.
            let losses = run(guard, &[0, 0], &[0, 2, 4, 7, 10], 3);
            assert_eq!(losses, ([5.0], [3, 1, 1], [0.5, 0.5, 5.0, 0.0]));
            assert_eq!(run(guard, &[0, 3], &[], 3), ([5.0], [0, 0, 0], [0.5, 0.5, 5.0, 3.0]));
            assert_eq!(run(guard, &[0, 3], &[6, 8], 3), ([5.0], [0, 0, 0], [0.5, 0.5, 5.0, 5.0]));
            // Closed gates stay closed until the host opens them.
            assert_eq!(run(guard, &[0, 0], &[], 0).1[0], 0);
        }
    }
}
