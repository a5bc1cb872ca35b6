//! What a classifier takes for what: the confusion matrix and what follows from it for each class.

use std::collections::BTreeMap;

/// Samples counted by their class and the class that was predicted. Only what occurs takes memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// By (true class, predicted class); never 0.
    counts: BTreeMap<(usize, usize), usize>,
}

/// How well one class is told from the others. A share of nothing is `None`: the precision of a
/// class that was never predicted, say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScore {
    /// Samples of this class.
    pub samples: usize,
    /// Of those predicted as this class, the share that is of it.
    pub precision: Option<f64>,
    /// Of those of this class, the share that was predicted as it.
    pub recall: Option<f64>,
    /// 2·hits / (samples of the class + predictions of it), which is the harmonic mean of the two.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts a sample.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        *self.counts.entry((truth, predicted)).or_default() += 1;
    }

    /// How many samples of the class `truth` were predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts.get(&(truth, predicted)).copied().unwrap_or_default()
    }

    /// All counts that aren't 0, as (true, predicted, how often), by class.
    pub fn counts(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        self.counts.iter().map(|(&(truth, predicted), &count)| (truth, predicted, count))
    }

    /// The scores of classes 0 to `classes` - 1.
    pub fn scores(&self, classes: usize) -> Vec<ClassScore> {
        let (mut samples, mut predictions) = (vec![0; classes], vec![0; classes]);
        for (truth, predicted, count) in self.counts() {
            samples[truth] += count;
            predictions[predicted] += count;
        }
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let score = |class: usize| {
            let correct = self.count(class, class);
            ClassScore {
                samples: samples[class],
                precision: share(correct, predictions[class]),
                recall: share(correct, samples[class]),
                f1: share(2 * correct, samples[class] + predictions[class]),
            }
        };
        (0..classes).map(score).collect()
    }

    /// The pairs of classes of which one is taken for the other, as [`Confusion::counts`], the most
    /// frequent first and equal ones by class.
    pub fn mistakes(&self) -> Vec<(usize, usize, usize)> {
        let mut pairs: Vec<_> = self.counts().filter(|(truth, predicted, _)| truth != predicted).collect();
        pairs.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
        pairs
    }
}

/// The mean of the scores that there are.
pub fn mean(scores: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let scores: Vec<f64> = scores.flatten().collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_shares_of_rows_and_columns() {
        let mut confusion = Confusion::default();
        // Five of class 0, three of class 1; class 2 never occurs and is predicted once, class 3 neither.
        for (truth, predicted) in [(0, 0), (0, 0), (0, 0), (0, 1), (0, 2), (1, 1), (1, 0), (1, 0)] {
            confusion.add(truth, predicted);
        }
        assert_eq!((confusion.count(0, 0), confusion.count(1, 0), confusion.count(2, 2)), (3, 2, 0));
        let scores = confusion.scores(4);
        let score = |samples, precision, recall, f1| ClassScore { samples, precision, recall, f1 };
        assert_eq!(scores[0], score(5, Some(0.6), Some(0.6), Some(0.6)));
        assert_eq!(scores[1], score(3, Some(0.5), Some(1.0 / 3.0), Some(0.4)));
        assert_eq!(scores[2], score(0, Some(0.0), None, Some(0.0)));
        assert_eq!(scores[3], score(0, None, None, None));
        assert_eq!(confusion.mistakes(), [(1, 0, 2), (0, 1, 1), (0, 2, 1)]);
        assert_eq!(confusion.counts().map(|(_, _, count)| count).sum::<usize>(), 8);
        assert_eq!(mean(scores.iter().map(|score| score.recall)), Some((0.6 + 1.0 / 3.0) / 2.0));
        assert_eq!(mean([None].into_iter()), None);
    }
}
