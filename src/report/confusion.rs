//! The confusion matrix of a classifier, and the scores of each class.

use std::collections::BTreeMap;

/// Samples counted by true and predicted class. Only pairs that occur take memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// By (true class, predicted class); never 0.
    counts: BTreeMap<(usize, usize), usize>,
}

/// One entry of the matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfusionCount {
    /// The true class.
    pub truth: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The number of samples, never 0.
    pub count: usize,
}

/// The scores of one class; none where they would divide by 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassScore {
    /// Samples of this class.
    pub samples: usize,
    /// The fraction of the predictions of this class that are correct.
    pub precision: Option<f64>,
    /// The fraction of the samples of this class that are predicted correctly.
    pub recall: Option<f64>,
    /// 2·correct / (samples of the class + predictions of it), the harmonic mean of precision and recall.
    pub f1: Option<f64>,
}

impl Confusion {
    /// Counts a sample.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        *self.counts.entry((truth, predicted)).or_default() += 1;
    }

    /// The number of samples of class `truth` that were predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> usize {
        self.counts.get(&(truth, predicted)).copied().unwrap_or_default()
    }

    /// All entries that aren't 0, by true class, then by predicted class.
    pub fn counts(&self) -> impl Iterator<Item = ConfusionCount> + '_ {
        let entries = self.counts.iter();
        entries.map(|(&(truth, predicted), &count)| ConfusionCount { truth, predicted, count })
    }

    /// The scores of classes 0 to `classes` - 1.
    pub fn scores(&self, classes: usize) -> Vec<ClassScore> {
        let (mut samples, mut predictions) = (vec![0; classes], vec![0; classes]);
        for ConfusionCount { truth, predicted, count } in self.counts() {
            samples[truth] += count;
            predictions[predicted] += count;
        }
        let fraction = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let score = |class: usize| {
            let correct = self.count(class, class);
            ClassScore {
                samples: samples[class],
                precision: fraction(correct, predictions[class]),
                recall: fraction(correct, samples[class]),
                f1: fraction(2 * correct, samples[class] + predictions[class]),
            }
        };
        (0..classes).map(score).collect()
    }

    /// The entries for wrong predictions, the most frequent first and equal ones by class.
    pub fn mistakes(&self) -> Vec<ConfusionCount> {
        let mut mistakes: Vec<_> = self.counts().filter(|entry| entry.truth != entry.predicted).collect();
        mistakes.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        mistakes
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
    fn scores_are_fractions_of_rows_and_columns() {
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
        let mistakes = [(1, 0, 2), (0, 1, 1), (0, 2, 1)];
        let mistakes = mistakes.map(|(truth, predicted, count)| ConfusionCount { truth, predicted, count });
        assert_eq!(confusion.mistakes(), mistakes);
        assert_eq!(confusion.counts().map(|entry| entry.count).sum::<usize>(), 8);
        assert_eq!(mean(scores.iter().map(|score| score.recall)), Some((0.6 + 1.0 / 3.0) / 2.0));
        assert_eq!(mean([None].into_iter()), None);
    }
}
