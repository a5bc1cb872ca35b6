//! Loss and accuracy, added up from the rows of a batch.

use serde::{Deserialize, Serialize};

/// Mean loss and accuracy over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    /// How many samples were measured.
    pub samples: usize,
    /// The mean loss.
    pub loss: f64,
    /// The fraction of samples whose class is correct, between 0 and 1.
    pub accuracy: f64,
}

/// Loss and correct samples, summed in f64.
///
/// They are summed row by row and step by step, so the grouping into submissions changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sum {
    /// How many samples were added up.
    pub samples: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// Samples whose class is correct. Earlier checkpoints call them `hits`.
    #[serde(alias = "hits")]
    pub correct: f64,
}

impl Sum {
    /// The sum over rows. A row is a loss, then 1 or 0 for a correct class.
    pub(super) fn of(rows: &[f32]) -> Sum {
        let mut sum = Sum { samples: rows.len() / 2, ..Sum::default() };
        for row in rows.chunks_exact(2) {
            sum.loss += f64::from(row[0]);
            sum.correct += f64::from(row[1]);
        }
        sum
    }

    pub(super) fn add(&mut self, other: Sum) {
        self.samples += other.samples;
        self.loss += other.loss;
        self.correct += other.correct;
    }

    /// The mean over the samples.
    pub fn mean(self) -> Measure {
        let samples = self.samples.max(1) as f64;
        Measure { samples: self.samples, loss: self.loss / samples, accuracy: self.correct / samples }
    }
}
