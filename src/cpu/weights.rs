//! The twin of `weight_gradient.wgsl` and of its faster versions.

use super::guard::is_non_finite;
use super::{EPS, TINY, sum_error};
use crate::kernel::consts;
use crate::kernel::{Call, Consts, Real, Slice, SliceMut, aligned};

/// Rows and columns of the block of dW that an invocation of `weight_gradient.wgsl` owns.
pub const BLOCK: [usize; 2] = [8, 8];
/// The block of `weight_gradient_subgroup.wgsl`.
pub const SUBGROUP_BLOCK: [usize; 2] = [16, 4];
/// The block of `weight_gradient_narrow_subgroup.wgsl`, whose blocks cover all rows.
pub const NARROW_BLOCK: [usize; 2] = [32, 4];
/// The tile of a workgroup of `weight_gradient_tiled.wgsl`.
pub const TILE: [usize; 2] = [32, 32];

/// The number of parts: one per block, rounded up for the alignment of views.
pub fn parts(inputs: usize, outputs: usize, [rows, columns]: [usize; 2]) -> usize {
    aligned(outputs.div_ceil(rows) * inputs.div_ceil(columns))
}

/// The constants of a call, with a part for every block.
pub fn constants(batch: usize, inputs: usize, outputs: usize, add: bool, block: [usize; 2]) -> Consts {
    let [rows, columns] = block;
    consts! {
        BATCH: batch, INPUTS: inputs, OUTPUTS: outputs, ADD: add, ROWS: rows, COLUMNS: columns,
        PARTS: parts(inputs, outputs, block),
    }
}

/// The sizes of a call.
struct Sizes {
    batch: usize,
    inputs: usize,
    outputs: usize,
    /// Rows and columns of a block of dW, which has one part.
    block: (usize, usize),
    add: bool,
}

impl Sizes {
    fn of(call: Call) -> Sizes {
        let [batch, inputs, outputs, rows, columns] =
            ["BATCH", "INPUTS", "OUTPUTS", "ROWS", "COLUMNS"].map(|name| call.consts.uint(name));
        Sizes { batch, inputs, outputs, block: (rows, columns), add: call.consts.flag("ADD") }
    }

    /// The part of dW\[output, input\]; that of input 0 is also db\[output\]'s.
    fn part(&self, output: usize, input: usize) -> usize {
        output / self.block.0 * self.inputs.div_ceil(self.block.1) + input / self.block.1
    }
}

/// dW = dzᵀ·x   db = Σ over the batch of dz   dz: (B, outputs)  x: (B, inputs)  dW: (outputs, inputs)
///
/// And the squares and non-finite counts, as in [`gradient_parts`](super::guard::gradient_parts), per block of dW.
pub fn weight_gradient<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let (dz, x, size) = (reads[0].real(), reads[1].real(), Sizes::of(call));
    let [dweight, dbias, sums, non_finite] = writes else {
        unreachable!("the kernel table binds four outputs")
    };
    let (dweight, dbias, sums, non_finite) = (dweight.real(), dbias.real(), sums.real(), non_finite.uint());
    let mut squares = vec![0.0; sums.len()];
    non_finite.fill(0);
    let mut watch = |part: usize, gradient: f64| {
        if is_non_finite(gradient) { non_finite[part] += 1 } else { squares[part] += gradient * gradient }
    };
    for output in 0..size.outputs {
        let of_batch = |b: usize| dz[b * size.outputs + output].f64();
        for input in 0..size.inputs {
            let sum: f64 = (0..size.batch).map(|b| of_batch(b) * x[b * size.inputs + input].f64()).sum();
            let gradient = &mut dweight[output * size.inputs + input];
            *gradient = T::of(if size.add { gradient.f64() + sum } else { sum });
            watch(size.part(output, input), gradient.f64());
        }
        let sum: f64 = (0..size.batch).map(of_batch).sum();
        dbias[output] = T::of(if size.add { dbias[output].f64() + sum } else { sum });
        watch(size.part(output, 0), dbias[output].f64());
    }
    sums.iter_mut().zip(squares).for_each(|(sum, squares)| *sum = T::of(squares));
}

pub fn weight_gradient_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let x = reads[1].real();
    bounds(call, reads[0].real(), x, &vec![0.0; x.len()], writes);
}

/// The bound where x has these `errors`.
pub fn bounds(call: Call, dz: &[f64], x: &[f64], errors: &[f64], writes: &mut [SliceMut<f64>]) {
    let size = Sizes::of(call);
    let [dweight, dbias, sums, non_finite] = writes else {
        unreachable!("the kernel table binds four outputs")
    };
    let (dweight, dbias, sums) = (dweight.real(), dbias.real(), sums.real());
    let roundings = 2.0 * (size.block.0 * (size.block.1 + 1)) as f64 + 8.0;
    sums.fill(0.0);
    // The error of a sum of terms, each with its own error, added to what is there; and its effect on the part's
    // squares.
    let mut bound = |element: &mut f64, part: usize, terms: &mut dyn Iterator<Item = (f64, f64)>| {
        let (mut sum, mut absolute, mut error) = (0.0, 0.0, 0.0);
        for (term, term_error) in terms {
            sum += term;
            absolute += term.abs() + term_error;
            error += term_error;
        }
        let value = if size.add { *element + sum } else { sum };
        let added = if size.add { EPS * (element.abs() + sum.abs() + error) } else { 0.0 };
        let error = error + sum_error(size.batch, absolute) + added + TINY;
        *element = error;
        let largest = value.abs() + error;
        sums[part] += (2.0 * value.abs() + error) * error + roundings * (EPS * largest * largest + TINY);
    };
    for output in 0..size.outputs {
        let of_batch = |b: usize| dz[b * size.outputs + output];
        for input in 0..size.inputs {
            let term = |b: usize| {
                let at = b * size.inputs + input;
                (of_batch(b) * x[at], of_batch(b).abs() * errors[at])
            };
            let mut terms = (0..size.batch).map(term);
            bound(&mut dweight[output * size.inputs + input], size.part(output, input), &mut terms);
        }
        let mut terms = (0..size.batch).map(|b| (of_batch(b), 0.0));
        bound(&mut dbias[output], size.part(output, 0), &mut terms);
    }
    // Counts are exact.
    non_finite.uint().fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Step;

    #[test]
    fn the_first_part_of_each_row_of_blocks_has_the_bias_too_and_non_finite_values_are_left_out() {
        // Two outputs of three inputs each, a part per element of dW.
        let consts = consts! {
            BATCH: 2usize, INPUTS: 3usize, OUTPUTS: 2usize, ADD: false, ROWS: 1usize, COLUMNS: 1usize,
            PARTS: 64usize,
        };
        let dz = [1.0_f32, 2.0, 3.0, 0.0];
        let x = [1.0_f32, 0.0, -1.0, 2.0, 1.0, f32::INFINITY];
        let (mut dweight, mut dbias) = ([f32::NAN; 6], [f32::NAN; 2]);
        let (mut sums, mut non_finite) = ([f32::NAN; 64], [7; 64]);
        let call = Call { consts: &consts, step: &Step::default() };
        let mut writes = [
            SliceMut::Real(&mut dweight),
            SliceMut::Real(&mut dbias),
            SliceMut::Real(&mut sums),
            SliceMut::Uint(&mut non_finite),
        ];
        weight_gradient(call, &[Slice::Real(&dz), Slice::Real(&x)], &mut writes);
        assert_eq!(dweight[..5], [7.0, 3.0, f32::INFINITY, 2.0, 0.0]);
        // 0 · ∞ is not a number.
        assert!(dweight[5].is_nan());
        assert_eq!(dbias, [4.0, 2.0]);
        assert_eq!(sums[..7], [7.0 * 7.0 + 4.0 * 4.0, 9.0, 0.0, 2.0 * 2.0 + 2.0 * 2.0, 0.0, 0.0, 0.0]);
        assert_eq!(non_finite[..7], [0, 0, 1, 0, 0, 1, 0]);
    }
}
