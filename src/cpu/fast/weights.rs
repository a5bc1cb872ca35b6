//! All gradients of a dense layer with the watch over them, a few rows of dW to every core.

use super::matmul::WORTH_A_THREAD;
use super::matrix::{LEAST_ELEMENTS, Matrix, Rectangle, product};
use super::sums::add_sound_squares;
use super::{scratch, vectorised};
use crate::cpu::guard::flawed;
use crate::kernel::{Call, Slice, SliceMut};

/// `weight_gradient`: dW = dzᵀ·x and db, and a part of the watch for every block of dW. A core watches what it
/// has just computed, and finds it in its cache.
pub fn weight_gradient_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [batch, inputs, outputs, high, wide] =
        ["BATCH", "INPUTS", "OUTPUTS", "ROWS", "COLUMNS"].map(|name| call.consts.uint(name));
    let (dz, x) = (reads[0].real(), reads[1].real());
    let layer = Layer {
        dz: Matrix::columns(dz, outputs, batch),
        x: Matrix::rows(x, batch, inputs),
        block: (high, wide),
        add: call.consts.flag("ADD"),
    };
    let [dweight, dbias, sums, flaws] = writes else { unreachable!("the kernel table binds four outputs") };
    let parts = outputs.div_ceil(high) * inputs.div_ceil(wide);
    let (sums, behind) = sums.real().split_at_mut(parts);
    behind.fill(0.0);
    let (flaws, behind) = flaws.uint().split_at_mut(parts);
    behind.fill(0);
    let all = Rows { first: 0, dweight: dweight.real(), dbias: dbias.real(), sums, flaws };
    layer.run(all, (batch * inputs * outputs / WORTH_A_THREAD).min(rayon::current_num_threads()));
}

/// What the pieces have in common.
struct Layer<'a> {
    /// (outputs, batch)
    dz: Matrix<'a>,
    x: Matrix<'a>,
    /// Rows and columns of dW that a part watches.
    block: (usize, usize),
    add: bool,
}

/// Some rows of dW, whole rows of blocks, and what belongs to them.
struct Rows<'a> {
    first: usize,
    dweight: &'a mut [f32],
    dbias: &'a mut [f32],
    sums: &'a mut [f32],
    flaws: &'a mut [u32],
}

impl<'a> Rows<'a> {
    /// Those above a row of blocks, and the others.
    fn cut(self, blocks: usize, layer: &Layer) -> (Rows<'a>, Rows<'a>) {
        let rows = blocks * layer.block.0;
        let (dweight, dweight_below) = self.dweight.split_at_mut(rows * layer.x.columns);
        let (dbias, dbias_below) = self.dbias.split_at_mut(rows);
        let (sums, sums_below) = self.sums.split_at_mut(blocks * layer.blocks_across());
        let (flaws, flaws_below) = self.flaws.split_at_mut(blocks * layer.blocks_across());
        let below = Rows {
            first: self.first + rows,
            dweight: dweight_below,
            dbias: dbias_below,
            sums: sums_below,
            flaws: flaws_below,
        };
        (Rows { first: self.first, dweight, dbias, sums, flaws }, below)
    }
}

impl Layer<'_> {
    fn blocks_across(&self) -> usize {
        self.x.columns.div_ceil(self.block.1)
    }

    /// These rows in so many pieces, each for a core.
    fn run(&self, rows: Rows, pieces: usize) {
        let (blocks, left) = (rows.dbias.len().div_ceil(self.block.0), pieces / 2);
        let cut = if pieces < 2 { 0 } else { (blocks * left).div_ceil(pieces) };
        // Sums of few elements would be added up in another order.
        let least = LEAST_ELEMENTS.div_ceil(self.block.0 * self.x.columns) + 1;
        if cut < least || cut + least > blocks {
            return self.piece(rows);
        }
        let (above, below) = rows.cut(cut, self);
        rayon::join(|| self.run(above, left), || self.run(below, pieces - left));
    }

    fn piece(&self, rows: Rows) {
        let Rows { first, dweight, dbias, sums, flaws } = rows;
        let (inputs, outputs) = (self.x.columns, dbias.len());
        let dz = self.dz.only_rows(first..first + outputs);
        product(dz, self.x, &mut Rectangle::new(dweight, outputs, inputs), self.add);
        self.bias(dz, dbias);
        flaws.fill(0);
        let high = self.block.0;
        let across = self.blocks_across();
        for (at, sums) in sums.chunks_exact_mut(across).enumerate() {
            let rows = at * high..((at + 1) * high).min(outputs);
            let (dweight, dbias) = (&dweight[rows.start * inputs..rows.end * inputs], &dbias[rows]);
            if !self.watch(dweight, dbias, sums) {
                self.count(dweight, dbias, &mut flaws[at * across..][..across]);
            }
        }
    }

    /// db of these rows: sample by sample, so that neighbours are added at once.
    fn bias(&self, dz: Matrix, dbias: &mut [f32]) {
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
            match self.add {
                true => dbias.iter_mut().zip(sums).for_each(|(bias, sum)| *bias += *sum),
                false => dbias.copy_from_slice(sums),
            }
        });
    }

    /// The squares of a row of blocks, of those gradients that are not flawed; whether none is.
    fn watch(&self, dweight: &[f32], dbias: &[f32], sums: &mut [f32]) -> bool {
        scratch(self.x.columns, |squares| {
            let mut sound = add_sound_squares(dweight, squares);
            for bias in dbias {
                let flawed = flawed((*bias).into());
                squares[0] += if flawed { 0.0 } else { bias * bias };
                sound &= !flawed;
            }
            sums.iter_mut()
                .zip(squares.chunks(self.block.1))
                .for_each(|(sum, part)| *sum = part.iter().sum());
            sound
        })
    }

    /// The flaws of a row of blocks.
    fn count(&self, dweight: &[f32], dbias: &[f32], flaws: &mut [u32]) {
        for row in dweight.chunks_exact(self.x.columns) {
            for (flaws, block) in flaws.iter_mut().zip(row.chunks(self.block.1)) {
                *flaws += block.iter().map(|g| u32::from(flawed((*g).into()))).sum::<u32>();
            }
        }
        flaws[0] += dbias.iter().map(|g| u32::from(flawed((*g).into()))).sum::<u32>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::weights;
    use crate::kernel::Step;

    /// The bits of all that is written, by so many threads.
    fn gradients(threads: usize, (batch, inputs, outputs): (usize, usize, usize)) -> Vec<u32> {
        let consts = weights::constants(batch, inputs, outputs, false, weights::BLOCK);
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|at| (at as f32 * 0.37).sin()).collect() };
        let (dz, x, parts) = (numbers(batch * outputs), numbers(batch * inputs), consts.uint("PARTS"));
        let (mut dweight, mut dbias) = (vec![0.0; outputs * inputs], vec![0.0; outputs]);
        let (mut sums, mut flaws) = (vec![0.5; parts], vec![7; parts]);
        let mut writes = [
            SliceMut::Real(&mut dweight),
            SliceMut::Real(&mut dbias),
            SliceMut::Real(&mut sums),
            SliceMut::Uint(&mut flaws),
        ];
        let call = Call { consts: &consts, step: &Step::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| weight_gradient_fast(call, &[Slice::Real(&dz), Slice::Real(&x)], &mut writes));
        let numbers = dweight.iter().chain(&dbias).chain(&sums).map(|number| number.to_bits());
        numbers.chain(flaws).collect()
    }

    #[test]
    fn gradients_do_not_depend_on_the_number_of_threads() {
        for size in [(64, 784, 128), (64, 1_000, 10), (600, 33, 100), (7, 3, 2_000), (64, 20_000, 9)] {
            let alone = gradients(1, size);
            for threads in [2, 3, 7] {
                assert!(gradients(threads, size) == alone, "{size:?} on {threads} threads");
            }
        }
    }
}
