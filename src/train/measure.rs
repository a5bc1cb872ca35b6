//! Loss and accuracy, added up from the rows of a batch.

/// Mean loss and accuracy over some samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    pub samples: usize,
    pub loss: f64,
    /// Between 0 and 1.
    pub accuracy: f64,
}

/// Loss and hits, summed in f64 so that the order of the rows does not matter much.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    pub samples: usize,
    pub loss: f64,
    pub hits: f64,
}

impl Sum {
    /// From rows of loss and hit.
    pub fn of(rows: &[f32]) -> Sum {
        let mut sum = Sum { samples: rows.len() / 2, ..Sum::default() };
        for row in rows.chunks_exact(2) {
            sum.loss += f64::from(row[0]);
            sum.hits += f64::from(row[1]);
        }
        sum
    }

    pub fn add(&mut self, other: Sum) {
        self.samples += other.samples;
        self.loss += other.loss;
        self.hits += other.hits;
    }

    pub fn mean(self) -> Measure {
        let samples = self.samples.max(1) as f64;
        Measure { samples: self.samples, loss: self.loss / samples, accuracy: self.hits / samples }
    }
}
