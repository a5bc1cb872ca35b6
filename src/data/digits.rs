//! The built-in set of 8×8 handwritten digits, so that a first run needs no download.

use std::io::Read;

use flate2::read::GzDecoder;

use super::dataset::{About, Dataset, Samples, numbered};
use super::size::DataSize;
use crate::error::{Error, Result};
use crate::program::shape::Shape;

/// 1,797 lines of 64 values, 0 to 16, and a class.
///
/// `data/README.md` has the source.
const CSV: &[u8] = include_bytes!("../../data/digits.csv.gz");
const SHAPE: Shape = Shape::image(1, 8, 8);
const CLASSES: usize = 10;
/// The size of the set.
pub(super) const SIZE: DataSize = DataSize {
    shape: SHAPE,
    classes: CLASSES,
    train: 1437,
    held_out: 360,
    validation: 0,
    reading: 0,
    pictures: false,
};
/// Every fifth sample is held out, so that both parts are drawn from the whole length of the file.
const HELD_OUT_EVERY: usize = 5;

/// The built-in set: 1,437 samples to train on, 360 held out.
pub(super) fn dataset() -> Result<Dataset> {
    let mut csv = String::new();
    GzDecoder::new(CSV)
        .read_to_string(&mut csv)
        .ok()
        .and_then(|_| parse(&csv))
        .map(|all| {
            let (held_out, train): (Vec<_>, Vec<_>) =
                (0..all.len()).partition(|index| index % HELD_OUT_EVERY == 0);
            let about = About { origin: "built in, every fifth sample held out".into(), ..About::default() };
            Dataset::of_files(
                "digits",
                numbered(CLASSES),
                all.subset(&train),
                all.subset(&held_out),
                None,
                about,
            )
        })
        .ok_or_else(|| {
            Error::Failure("the digits built into this program are damaged, so build it again".into())
        })
}

fn parse(csv: &str) -> Option<Samples> {
    let mut all = Samples { shape: SHAPE, pixels: Vec::new(), labels: Vec::new() };
    for line in csv.lines() {
        let mut values = line.split(',').map(|value| value.parse::<u32>().ok());
        for _ in 0..SHAPE.len() {
            // Rounded to the nearest byte.
            let value = values.next()??;
            all.pixels.push(u8::try_from((value * 255 + 8) / 16).ok()?);
        }
        all.labels.push(values.next()??);
    }
    Some(all)
}
