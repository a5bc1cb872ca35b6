//! A small last layer and its loss, forward and backward, with some rows of the batch on every core.

use super::softmax::softmax_loss_rows;
use super::tile::LANES;
use super::{finish_row, scratch, vectorised};
use crate::cpu::softmax::slot_rows;
use crate::kernel::{Activation, Call, Epilogue, Slice, SliceMut};

/// Multiplications, forward and backward, that are worth a thread.
///
/// They are fewer than for a product, because the other cores are idle in the dispatches on both sides of this one.
const WORTH_A_THREAD: usize = 1 << 14;

/// Inputs whose gradients are summed at once, in registers.
const WIDE: usize = 4 * LANES;

/// Rows that are summed at once, so that no sum waits for the one before it.
const ROWS: usize = 4;

/// `dense_softmax_loss`: z = x·Wᵀ + b, the loss of z with its gradient dz, and dx = dz·W, times the derivative of
/// x's activation.
pub fn dense_softmax_loss_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [batch, inputs, classes] = ["BATCH", "INPUTS", "CLASSES"].map(|name| call.consts.uint(name));
    let [logits, dlogits, metrics, dx] = writes else { unreachable!("the kernel table binds four outputs") };
    let all = LossRows {
        first: 0,
        x: reads[0].real(),
        labels: reads[3].uint(),
        logits: logits.real(),
        dlogits: dlogits.real(),
        metrics: slot_rows(call, metrics.real()),
        dx: dx.real(),
    };
    let (weight, bias) = (reads[1].real(), reads[2].real());
    scratch(inputs * classes.next_multiple_of(LANES), |turned| {
        turn(weight, inputs, turned);
        let layer =
            DenseLoss { call, inputs, classes, turned, weight, bias, activation: Activation::of(call) };
        let pieces = 2 * batch * inputs * classes / WORTH_A_THREAD;
        layer.run(all, pieces.min(rayon::current_num_threads()));
    });
}

/// W with the weights of each input side by side, class by class, in panels of classes padded with zeros.
fn turn(weight: &[f32], inputs: usize, turned: &mut [f32]) {
    turned.fill(0.0);
    for (c, row) in weight.chunks_exact(inputs).enumerate() {
        let panel = &mut turned[c / LANES * LANES * inputs..][..LANES * inputs];
        panel.as_chunks_mut::<LANES>().0.iter_mut().zip(row).for_each(|(to, w)| to[c % LANES] = *w);
    }
}

/// The data of all pieces.
struct DenseLoss<'a> {
    call: Call<'a>,
    inputs: usize,
    classes: usize,
    turned: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
}

/// Some rows of the batch.
struct LossRows<'a> {
    first: usize,
    x: &'a [f32],
    labels: &'a [u32],
    logits: &'a mut [f32],
    dlogits: &'a mut [f32],
    metrics: &'a mut [f32],
    dx: &'a mut [f32],
}

impl<'a> LossRows<'a> {
    fn cut(self, rows: usize, layer: &DenseLoss) -> (LossRows<'a>, LossRows<'a>) {
        let (x, x_below) = self.x.split_at(rows * layer.inputs);
        let (labels, labels_below) = self.labels.split_at(rows);
        let (logits, logits_below) = self.logits.split_at_mut(rows * layer.classes);
        let (dlogits, dlogits_below) = self.dlogits.split_at_mut(rows * layer.classes);
        let (metrics, metrics_below) = self.metrics.split_at_mut(2 * rows);
        let (dx, dx_below) = self.dx.split_at_mut(rows * layer.inputs);
        let below = LossRows {
            first: self.first + rows,
            x: x_below,
            labels: labels_below,
            logits: logits_below,
            dlogits: dlogits_below,
            metrics: metrics_below,
            dx: dx_below,
        };
        (LossRows { first: self.first, x, labels, logits, dlogits, metrics, dx }, below)
    }
}

impl DenseLoss<'_> {
    /// These rows in `pieces` pieces, one for each core.
    fn run(&self, rows: LossRows, pieces: usize) {
        let left = pieces / 2;
        let cut = if pieces < 2 { 0 } else { (rows.labels.len() * left / pieces).next_multiple_of(ROWS) };
        if cut == 0 || cut >= rows.labels.len() {
            return self.piece(rows);
        }
        let (above, below) = rows.cut(cut, self);
        rayon::join(|| self.run(above, left), || self.run(below, pieces - left));
    }

    fn piece(&self, rows: LossRows) {
        let LossRows { first, x, labels, logits, dlogits, metrics, dx } = rows;
        let (inputs, classes) = (self.inputs, self.classes);
        for (x, z) in x.chunks(ROWS * inputs).zip(logits.chunks_mut(ROWS * classes)) {
            // A sum doesn't depend on the sums beside it.
            if x.len() == ROWS * inputs {
                self.weighted_sums::<ROWS>(x, z)
            } else {
                let each = x.chunks_exact(inputs).zip(z.chunks_exact_mut(classes));
                each.for_each(|(x, z)| self.weighted_sums::<1>(x, z));
            }
        }
        softmax_loss_rows(self.call, first, logits, labels, dlogits, metrics);
        let outputs = dlogits.chunks_exact(classes).zip(dx.chunks_exact_mut(inputs));
        for ((dz, dx), x) in outputs.zip(x.chunks_exact(inputs)) {
            self.carry_back(dz, dx);
            finish_row(Epilogue::Derivative, self.activation, x, dx);
        }
    }

    /// z of R rows.
    fn weighted_sums<const R: usize>(&self, x: &[f32], z: &mut [f32]) {
        let rows: [&[f32]; R] = std::array::from_fn(|row| &x[row * self.inputs..][..self.inputs]);
        for (at, panel) in self.turned.chunks_exact(LANES * self.inputs).enumerate() {
            let sums = vectorised(
                #[inline(always)]
                || {
                    // Made in here, so that they stay in registers.
                    let mut sums = [[0.0; LANES]; R];
                    let panel = panel.as_chunks::<LANES>().0;
                    let rows = rows.map(|row| &row[..panel.len()]);
                    for (input, weights) in panel.iter().enumerate() {
                        for (sums, x) in sums.iter_mut().zip(&rows) {
                            let x = x[input];
                            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
                        }
                    }
                    sums
                },
            );
            let some = at * LANES..((at + 1) * LANES).min(self.classes);
            for (z, sums) in z.chunks_exact_mut(self.classes).zip(&sums) {
                let biases = &self.bias[some.clone()];
                z[some.clone()]
                    .iter_mut()
                    .zip(sums.iter().zip(biases))
                    .for_each(|(z, (sum, b))| *z = sum + b);
            }
        }
    }

    /// One row of dz·W.
    fn carry_back(&self, dz: &[f32], dx: &mut [f32]) {
        vectorised(
            #[inline(always)]
            || {
                let rows = || dz.iter().zip(self.weight.chunks_exact(self.inputs));
                let (wide, rest) = dx.as_chunks_mut::<WIDE>();
                for (at, dx) in wide.iter_mut().enumerate() {
                    let mut sums = [0.0; WIDE];
                    for (dz, weights) in rows() {
                        let weights = &weights[at * WIDE..][..WIDE];
                        sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += dz * w);
                    }
                    *dx = sums;
                }
                rest.fill(0.0);
                for (dz, weights) in rows() {
                    let weights = &weights[self.inputs - rest.len()..];
                    rest.iter_mut().zip(weights).for_each(|(dx, w)| *dx += dz * w);
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Step;
    use crate::kernel::consts;

    /// The bits of all outputs, computed with this number of threads.
    fn losses(threads: usize, (batch, inputs, classes): (usize, usize, usize)) -> Vec<u32> {
        let (kind, leak) = Activation::Relu.consts();
        let consts = consts! {
            BATCH: batch, INPUTS: inputs, CLASSES: classes, SLOTS: 1usize, PITCH: batch, FIRST: 0usize,
            ACTIVATION: kind, LEAK: leak,
        };
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|at| (at as f32 * 0.37).sin()).collect() };
        let (x, weight, bias) = (numbers(batch * inputs), numbers(classes * inputs), numbers(classes));
        let labels: Vec<u32> = (0..batch).map(|row| (row % classes) as u32).collect();
        let reads = [Slice::Real(&x), Slice::Real(&weight), Slice::Real(&bias), Slice::Uint(&labels)];
        let mut written =
            [batch * classes, batch * classes, 2 * batch, batch * inputs].map(|len| vec![0.0; len]);
        let mut writes = written.each_mut().map(|numbers| SliceMut::Real(numbers));
        let step = Step { samples: batch as u32, ..Step::default() };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| dense_softmax_loss_fast(Call { consts: &consts, step: &step }, &reads, &mut writes));
        written.concat().iter().map(|number| number.to_bits()).collect()
    }

    #[test]
    fn losses_do_not_depend_on_the_number_of_threads() {
        for size in [(64, 128, 10), (67, 132, 17), (9, 1_024, 32), (5, 4, 2)] {
            let alone = losses(1, size);
            for threads in [2, 3, 7] {
                assert!(losses(threads, size) == alone, "{size:?} on {threads} threads");
            }
        }
    }
}
