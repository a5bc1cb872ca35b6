//! Twins of `gather_batch.wgsl` and `one_hot.wgsl`.

use std::ops::Range;

use super::EPS;
use super::augment::{Change, Look};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// The source of one row of a batch.
pub struct SampleRow<'a> {
    /// The sample's index in the data set.
    sample: usize,
    /// Packed pixels, four to a word, the lowest byte first.
    pub words: &'a [u32],
    pub label: u32,
}

impl SampleRow<'_> {
    /// The augmentation of the sample, if the call augments.
    pub fn change(&self, call: Call) -> Option<Change> {
        Change::of(call, self.sample)
    }

    /// A pixel of a channel.
    pub fn byte(&self, value: usize) -> f64 {
        self.words[value / 4].to_le_bytes()[value % 4].into()
    }
}

/// The samples that a call gathers from.
pub struct GatherSource<'a> {
    images: &'a [u32],
    labels: &'a [u32],
    order: &'a [u32],
    /// Words of one sample.
    words: usize,
    /// The samples of this call's chunk.
    chunk: Range<usize>,
    /// Position in the order of row 0.
    position: usize,
}

impl<'a> GatherSource<'a> {
    pub fn of<T: Real>(call: Call, reads: &[Slice<'a, T>]) -> GatherSource<'a> {
        let [words, first, length, row] =
            ["WORDS", "CHUNK_FIRST", "CHUNK_LENGTH", "FIRST"].map(|name| call.consts.uint(name));
        let [images, labels, order] = [0, 1, 2].map(|at| reads[at].uint());
        let position = call.step.first as usize + row;
        GatherSource { images, labels, order, words, chunk: first..first + length, position }
    }

    /// The sample of a row, if it is in this call's chunk.
    pub fn row(&self, row: usize) -> Option<SampleRow<'a>> {
        // Rows past the end of the data repeat the last sample; the loss ignores them.
        let sample = self.order[(self.position + row).min(self.order.len() - 1)] as usize;
        let at = self.chunk.contains(&sample).then(|| sample - self.chunk.start)?;
        Some(SampleRow {
            sample,
            words: &self.images[at * self.words..][..self.words],
            label: self.labels[sample],
        })
    }
}

/// `x[r] = scale · image + shift` of the r-th sample of this step, and its label; with `AUGMENT`
/// the sample is augmented first, see [`Change`].
pub fn gather_batch<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let values = call.consts.uint("VALUES");
    let [x, labels] = writes else { unreachable!("the kernel table binds two outputs") };
    let samples = GatherSource::of(call, reads);
    for (row, (x, label)) in x.real().chunks_exact_mut(values).zip(labels.uint()).enumerate() {
        let Some(sample) = samples.row(row) else { continue };
        gather_row(call, reads, &sample, x);
        *label = sample.label;
    }
}

/// One row of the batch, from its sample.
fn gather_row<T: Real>(call: Call, reads: &[Slice<T>], sample: &SampleRow, x: &mut [T]) {
    let [plane, channels] = ["PLANE", "CHANNELS"].map(|name| call.consts.uint(name));
    let (scale, shift) = reads[3].real().split_at(channels);
    let change = sample.change(call);
    for (value, x) in x.iter_mut().enumerate() {
        let channel = value / plane;
        let look = Look { scale: scale[channel].f64(), shift: shift[channel].f64() };
        *x = T::of(match &change {
            None => sample.byte(value) * look.scale + look.shift,
            Some(change) => change.apply(value % plane, look, |at| sample.byte(channel * plane + at)),
        });
    }
}

pub fn gather_batch_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let [batch, values, plane, channels] =
        ["BATCH", "VALUES", "PLANE", "CHANNELS"].map(|n| call.consts.uint(n));
    let (scale, shift) = reads[3].real().split_at(channels);
    // Rows of other chunks are not touched, and labels are exact.
    writes[0].real().fill(0.0);
    writes[1].uint().fill(0);
    let samples = GatherSource::of(call, reads);
    for row in 0..batch {
        let Some(sample) = samples.row(row) else { continue };
        let change = sample.change(call);
        let x = &mut writes[0].real()[row * values..][..values];
        for (value, x) in x.iter_mut().enumerate() {
            let channel = value / plane;
            let look = Look { scale: scale[channel], shift: shift[channel] };
            *x = match &change {
                None => 2.0 * EPS * ((sample.byte(value) * look.scale).abs() + look.shift.abs()),
                Some(change) => change.bound(value % plane, look, |at| sample.byte(channel * plane + at)),
            };
        }
    }
}

/// `t[r, c]` = 1 where c is the label of row r, else 0; with a single column, the label.
pub fn one_hot<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let classes = call.consts.uint("CLASSES");
    for (row, label) in writes[0].real().chunks_exact_mut(classes).zip(reads[0].uint()) {
        for (c, target) in row.iter_mut().enumerate() {
            let hot = if classes == 1 { 1 } else { c as u32 };
            *target = T::of(if *label == hot { 1.0 } else { 0.0 });
        }
    }
}

pub fn one_hot_bound(_: Call, _: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    writes[0].real().fill(0.0);
}
