//! Matrix products, with a piece of the result on every core.

use super::matrix::{MatrixView, Rectangle};
use super::product::{LEAST_ELEMENTS, product};
use super::tile::LANES;
use super::{finish_row, scratch};
use crate::kernel::{Activation, Call, Epilogue, Slice, SliceMut};

/// Multiplications that are worth a thread.
pub const WORTH_A_THREAD: usize = 1 << 17;

/// `matmul`: C = A·B, then the epilogue.   A: (M, K)  B: (K, N)  C: (M, N)
pub fn matmul_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [m, n, k] = ["M", "N", "K"].map(|name| call.consts.uint(name));
    let matrix = |values, rows, columns, transposed| {
        if transposed {
            MatrixView::columns(values, rows, columns)
        } else {
            MatrixView::rows(values, rows, columns)
        }
    };
    let [transpose_a, transpose_b] = ["TRANSPOSE_A", "TRANSPOSE_B"].map(|name| call.consts.flag(name));
    let pass = ProductPass {
        a: matrix(reads[0].real(), m, k, transpose_a),
        b: matrix(reads[1].real(), k, n, transpose_b),
        extra: reads[2].real(),
        width: n,
        add: call.consts.flag("ADD"),
        epilogue: Epilogue::of(call),
        activation: Activation::of(call),
        // A transposed B holds weights, whose rows are columns of C; with a transposed A, C holds gradients
        // of weights. Cut like this, every core has the same part of the weights in both passes and in the
        // update, in its cache.
        by_columns: if transpose_a == transpose_b { n >= m } else { transpose_b },
    };
    let pieces = (m * n * k / WORTH_A_THREAD).min(m * n / LEAST_ELEMENTS);
    pass.run(0, 0, Rectangle::new(writes[0].real(), m, n), pieces.min(rayon::current_num_threads()));
}

/// The data of all pieces of a product.
struct ProductPass<'a> {
    a: MatrixView<'a>,
    b: MatrixView<'a>,
    extra: &'a [f32],
    /// Columns of the whole of C.
    width: usize,
    add: bool,
    epilogue: Epilogue,
    activation: Activation,
    by_columns: bool,
}

impl ProductPass<'_> {
    /// The rectangle of C that begins at this row and column, in `pieces` pieces.
    fn run(&self, row: usize, column: usize, c: Rectangle, pieces: usize) {
        let (length, left) = (if self.by_columns { c.columns() } else { c.rows() }, pieces / 2);
        // Whole vectors, so that as few as possible are cut.
        let cut = if pieces < 2 { 0 } else { (length * left / pieces).next_multiple_of(LANES) };
        let width = c.rows() * c.columns() / length;
        let least = LANES.max(LEAST_ELEMENTS.div_ceil(width));
        if cut < least || cut + least > length {
            return self.piece(row, column, c);
        }
        let ((first, second), (down, along)) =
            if self.by_columns { (c.cut_columns(cut), (0, cut)) } else { (c.cut_rows(cut), (cut, 0)) };
        rayon::join(
            || self.run(row, column, first, left),
            || self.run(row + down, column + along, second, pieces - left),
        );
    }

    fn piece(&self, row: usize, column: usize, mut c: Rectangle) {
        let (rows, columns) = (c.rows(), c.columns());
        let a = self.a.only_rows(row..row + rows);
        let b = self.b.only_columns(column..column + columns);
        if !self.add || self.epilogue == Epilogue::Plain {
            product(a, b, &mut c, self.add);
            return (0..rows).for_each(|at| self.finish(row + at, column, c.row(at)));
        }
        // The epilogue applies to the finished sum, before it is added to what is there.
        scratch(rows * columns, |sums| {
            product(a, b, &mut Rectangle::new(sums, rows, columns), false);
            for (at, sums) in sums.chunks_exact_mut(columns).enumerate() {
                self.finish(row + at, column, sums);
                c.row(at).iter_mut().zip(sums).for_each(|(value, sum)| *value += *sum);
            }
        });
    }

    /// The epilogue of finished sums that begin at a row and column of C.
    fn finish(&self, row: usize, column: usize, sums: &mut [f32]) {
        let first = match self.epilogue {
            Epilogue::Plain => return,
            Epilogue::Bias => column,
            Epilogue::Derivative => row * self.width + column,
        };
        let extra = &self.extra[first..][..sums.len()];
        finish_row(self.epilogue, self.activation, extra, sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::consts;
    use crate::kernel::{Const, Step};

    fn product(threads: usize, (m, n, k): (usize, usize, usize), transposed: [bool; 2]) -> Vec<u32> {
        let consts = consts! {
            M: m, N: n, K: k, TRANSPOSE_A: transposed[0], TRANSPOSE_B: transposed[1], ADD: false,
            EPILOGUE: Const::Uint(0), ACTIVATION: Const::Uint(0), LEAK: 0.0f32,
        };
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|at| (at as f32 * 0.37).sin()).collect() };
        let (a, b, mut c) = (numbers(m * k), numbers(k * n), vec![0.0; m * n]);
        let reads = [&a, &b, &a].map(|values| Slice::Real(&values[..]));
        let call = Call { consts: &consts, step: &Step::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| matmul_fast(call, &reads, &mut [SliceMut::Real(&mut c)]));
        c.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn a_product_does_not_depend_on_the_number_of_threads() {
        let sizes =
            [(64, 128, 784), (128, 784, 64), (300, 10, 700), (10, 300, 700), (65, 67, 1_100), (17, 40, 600)];
        for size in sizes {
            for transposed in [[false, true], [true, false], [false, false]] {
                let alone = product(1, size, transposed);
                for threads in [2, 3, 7] {
                    let together = product(threads, size, transposed);
                    assert!(alone == together, "{size:?} {transposed:?} on {threads} threads");
                }
            }
        }
    }
}
