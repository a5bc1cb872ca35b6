//! Both gradients of a dense layer and the watch over them, some rows of blocks on every core.

use super::matmul::WORTH_A_THREAD;
use super::matrix::{MatrixView, Rectangle};
use super::product::{LEAST_ELEMENTS, product};
use super::sums::add_finite_squares;
use super::{scratch, vectorised};
use crate::cpu::guard::is_non_finite;
use crate::kernel::{Call, Slice, SliceMut};

/// `weight_gradient`: dW = dzᵀ·x and db, and the squares and non-finite counts of every block of dW.
///
/// A core takes the squares right after it has computed the gradients, while they are in its cache.
pub fn weight_gradient_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [batch, inputs, outputs, high, wide] =
        ["BATCH", "INPUTS", "OUTPUTS", "ROWS", "COLUMNS"].map(|name| call.consts.uint(name));
    let (dz, x) = (reads[0].real(), reads[1].real());
    let layer = WeightGradient {
        dz: MatrixView::columns(dz, outputs, batch),
        x: MatrixView::rows(x, batch, inputs),
        block: (high, wide),
        add: call.consts.flag("ADD"),
    };
    let [dweight, dbias, sums, non_finite] = writes else {
        unreachable!("the kernel table binds four outputs")
    };
    let parts = outputs.div_ceil(high) * layer.blocks_across();
    let (sums, behind) = sums.real().split_at_mut(parts);
    behind.fill(0.0);
    let (non_finite, behind) = non_finite.uint().split_at_mut(parts);
    behind.fill(0);
    let all = GradientRows { first: 0, dweight: dweight.real(), dbias: dbias.real(), sums, non_finite };
    layer.run(all, (batch * inputs * outputs / WORTH_A_THREAD).min(rayon::current_num_threads()));
}

/// The data of all pieces.
struct WeightGradient<'a> {
    /// (outputs, batch)
    dz: MatrixView<'a>,
    x: MatrixView<'a>,
    /// Rows and columns of a block of dW.
    block: (usize, usize),
    add: bool,
}

/// Some rows of dW, in whole rows of blocks, and their bias gradient and parts.
struct GradientRows<'a> {
    first: usize,
    dweight: &'a mut [f32],
    dbias: &'a mut [f32],
    sums: &'a mut [f32],
    non_finite: &'a mut [u32],
}

impl<'a> GradientRows<'a> {
    /// The rows above a row of blocks, and the others.
    fn cut(self, blocks: usize, layer: &WeightGradient) -> (GradientRows<'a>, GradientRows<'a>) {
        let rows = blocks * layer.block.0;
        let (dweight, dweight_below) = self.dweight.split_at_mut(rows * layer.x.columns);
        let (dbias, dbias_below) = self.dbias.split_at_mut(rows);
        let (sums, sums_below) = self.sums.split_at_mut(blocks * layer.blocks_across());
        let (non_finite, non_finite_below) = self.non_finite.split_at_mut(blocks * layer.blocks_across());
        let below = GradientRows {
            first: self.first + rows,
            dweight: dweight_below,
            dbias: dbias_below,
            sums: sums_below,
            non_finite: non_finite_below,
        };
        (GradientRows { first: self.first, dweight, dbias, sums, non_finite }, below)
    }
}

impl WeightGradient<'_> {
    fn blocks_across(&self) -> usize {
        self.x.columns.div_ceil(self.block.1)
    }

    /// These rows in `pieces` pieces, one for each core.
    fn run(&self, rows: GradientRows, pieces: usize) {
        let (outputs, high) = (rows.dbias.len(), self.block.0);
        let (blocks, left) = (outputs.div_ceil(high), pieces / 2);
        let cut = if pieces < 2 { 0 } else { (blocks * left).div_ceil(pieces) };
        // The sums of a single row and of few elements would be added up in another order.
        let whole = |rows: usize| rows > 1 && rows * self.x.columns >= LEAST_ELEMENTS;
        if !whole(cut * high) || !whole(outputs.saturating_sub(cut * high)) {
            return self.piece(rows);
        }
        let (above, below) = rows.cut(cut, self);
        rayon::join(|| self.run(above, left), || self.run(below, pieces - left));
    }

    fn piece(&self, rows: GradientRows) {
        let GradientRows { first, dweight, dbias, sums, non_finite } = rows;
        let (inputs, outputs) = (self.x.columns, dbias.len());
        let dz = self.dz.only_rows(first..first + outputs);
        product(dz, self.x, &mut Rectangle::new(dweight, outputs, inputs), self.add);
        self.bias(dz, dbias);
        non_finite.fill(0);
        let high = self.block.0;
        let across = self.blocks_across();
        for (at, sums) in sums.chunks_exact_mut(across).enumerate() {
            let rows = at * high..((at + 1) * high).min(outputs);
            let (dweight, dbias) = (&dweight[rows.start * inputs..rows.end * inputs], &dbias[rows]);
            if !self.watch(dweight, dbias, sums) {
                self.count(dweight, dbias, &mut non_finite[at * across..][..across]);
            }
        }
    }

    /// db of these rows: sample by sample, so that neighbours are added at once.
    fn bias(&self, dz: MatrixView, dbias: &mut [f32]) {
        scratch(dbias.len(), |sums| {
            vectorised(
                #[inline(always)]
                || {
                    sums.fill(0.0);
                    for sample in 0..dz.columns {
                        let of_sample = &dz.values[sample * dz.along..][..sums.len()];
                        sums.iter_mut().zip(of_sample).for_each(|(sum, dz)| *sum += dz);
                    }
                },
            );
            if self.add {
                dbias.iter_mut().zip(sums).for_each(|(bias, sum)| *bias += *sum)
            } else {
                dbias.copy_from_slice(sums)
            }
        });
    }

    /// The squares of the finite gradients of a row of blocks.
    ///
    /// Returns whether all are finite.
    fn watch(&self, dweight: &[f32], dbias: &[f32], sums: &mut [f32]) -> bool {
        scratch(self.x.columns, |squares| {
            let mut finite = add_finite_squares(dweight, squares);
            for bias in dbias {
                let non_finite = is_non_finite((*bias).into());
                squares[0] += if non_finite { 0.0 } else { bias * bias };
                finite &= !non_finite;
            }
            sums.iter_mut()
                .zip(squares.chunks(self.block.1))
                .for_each(|(sum, part)| *sum = part.iter().sum());
            finite
        })
    }

    /// The non-finite counts of a row of blocks.
    fn count(&self, dweight: &[f32], dbias: &[f32], non_finite: &mut [u32]) {
        for row in dweight.chunks_exact(self.x.columns) {
            for (non_finite, block) in non_finite.iter_mut().zip(row.chunks(self.block.1)) {
                *non_finite += block.iter().map(|g| u32::from(is_non_finite((*g).into()))).sum::<u32>();
            }
        }
        non_finite[0] += dbias.iter().map(|g| u32::from(is_non_finite((*g).into()))).sum::<u32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::weights;
    use crate::kernel::{Consts, Step, Twin};

    /// The outputs.
    #[derive(Clone, PartialEq)]
    struct Results {
        gradients: Vec<f32>,
        sums: Vec<f32>,
        non_finite: Vec<u32>,
    }

    fn numbers(len: usize) -> Vec<f32> {
        (0..len).map(|at| (at as f32 * 0.37).sin()).collect()
    }

    fn write(twin: Twin<f32>, consts: &Consts, dz: &[f32]) -> Results {
        let [batch, inputs, outputs, parts] =
            ["BATCH", "INPUTS", "OUTPUTS", "PARTS"].map(|name| consts.uint(name));
        let x = numbers(batch * inputs);
        // The content before, for ADD.
        let (mut dweight, mut dbias) = (numbers(outputs * inputs), numbers(outputs));
        let (mut sums, mut non_finite) = (vec![0.5; parts], vec![7; parts]);
        let mut writes = [
            SliceMut::Real(&mut dweight),
            SliceMut::Real(&mut dbias),
            SliceMut::Real(&mut sums),
            SliceMut::Uint(&mut non_finite),
        ];
        let call = Call { consts, step: &Step::default() };
        twin(call, &[Slice::Real(dz), Slice::Real(&x)], &mut writes);
        Results { gradients: [dweight, dbias].concat(), sums, non_finite }
    }

    #[test]
    fn gradients_do_not_depend_on_the_number_of_threads() {
        // The last block a whole one, a single row, two rows of many inputs, and more.
        for (batch, inputs, outputs) in [(64, 784, 128), (64, 784, 129), (64, 3_000, 10), (600, 33, 100)] {
            for add in [false, true] {
                let consts = weights::constants(batch, inputs, outputs, add, weights::BLOCK);
                let dz = numbers(batch * outputs);
                let written = |threads: usize| {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                    pool.install(|| write(weight_gradient_fast, &consts, &dz))
                };
                let alone = written(1);
                for threads in [2, 3, 7] {
                    assert!(written(threads) == alone, "{consts} on {threads} threads");
                }
            }
        }
    }

    #[test]
    fn non_finite_values_are_counted_where_they_are_and_left_out_of_the_squares() {
        let (batch, inputs, outputs) = (64, 300, 45);
        for add in [false, true] {
            let consts = weights::constants(batch, inputs, outputs, add, weights::BLOCK);
            let mut dz = numbers(batch * outputs);
            for (at, value) in [(0, f32::NAN), (11, f32::INFINITY), (30, 1e15), (44, -1e20)] {
                dz[at] = value;
            }
            let fast = write(weight_gradient_fast, &consts, &dz);
            let twin = write(weights::weight_gradient, &consts, &dz);
            assert!(twin.non_finite.iter().filter(|non_finite| **non_finite > 0).count() > 100);
            assert!(fast.non_finite == twin.non_finite);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * b.abs();
            assert!(fast.sums.iter().zip(&twin.sums).all(near));
        }
    }
}
