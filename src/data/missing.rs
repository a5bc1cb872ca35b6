//! Classes without samples.

use super::dataset::{Dataset, Samples, has_samples};
use crate::text::shorten;

/// The most names in a sentence.
const MOST_NAMES: usize = 3;

impl Dataset {
    /// A sentence for each part that lacks classes, and one about class 0 where labels begin at 1.
    pub(super) fn missing(&self) -> Vec<String> {
        let labels = self.train.labels.iter().chain(&self.held_out.labels);
        let from_1 = self.about.train_files.is_empty() && labels.min().is_some_and(|label| *label == 1);
        let begin = from_1.then(|| {
            "the labels begin at 1, so class 0 is empty: it is neither learned nor measured".to_owned()
        });
        let parts = [("train", &self.train), ("held-out", &self.held_out)];
        let missing =
            parts.map(|(part, samples)| missing_from(usize::from(from_1), part, samples, &self.classes));
        begin.into_iter().chain(missing.into_iter().flatten()).collect()
    }
}

/// A sentence about classes that have no sample in a part.
pub fn missing_classes(part: &str, samples: &Samples, classes: &[String]) -> Option<String> {
    missing_from(0, part, samples, classes)
}

/// [`missing_classes`] from the class `first` on.
fn missing_from(first: usize, part: &str, samples: &Samples, classes: &[String]) -> Option<String> {
    let has = has_samples(classes.len(), samples.classes());
    let missing: Vec<&String> =
        classes.iter().zip(&has).skip(first).filter(|(_, has)| !**has).map(|(name, _)| name).collect();
    if missing.is_empty() {
        return None;
    }
    let mut names: Vec<String> =
        missing.iter().take(MOST_NAMES).map(|name| format!("“{}”", shorten(name))).collect();
    names.extend((missing.len() > MOST_NAMES).then(|| "…".to_owned()));
    let means = if part == "train" { "can't be learned" } else { "is not measured there" };
    Some(format!(
        "{} of {} classes have no picture in the {part} part ({}), so what they look like {means}",
        missing.len(),
        classes.len(),
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::shape::Shape;

    #[test]
    fn labels_that_begin_at_1_leave_class_0_empty() {
        let images = [[1, 2, 3, 4], [2, 2, 3, 4], [5, 2, 3, 4]];
        let classes = ["0", "a", "b"].map(str::to_owned).to_vec();
        let samples = |images: &[[u8; 4]], labels: &[u32]| Samples {
            shape: Shape::image(1, 2, 2),
            pixels: images.concat(),
            labels: labels.to_vec(),
        };
        let all = samples(&images, &[1, 2, 1]);
        let both = samples(&[[9, 2, 3, 4], [8, 2, 3, 4]], &[1, 2]);
        let found = |held_out: Samples| {
            Dataset::new("made up", classes.clone(), all.clone(), held_out).unwrap().missing()
        };
        let begin = "the labels begin at 1, so class 0 is empty: it is neither learned nor measured";
        assert_eq!(found(both), [begin]);
        let notes = found(samples(&[[9, 2, 3, 4]], &[1]));
        assert_eq!(notes[0], begin);
        assert!(
            notes[1].starts_with("1 of 3 classes have no picture in the held-out part (“b”)"),
            "{notes:?}"
        );
        let notes = found(samples(&[[9, 2, 3, 4]], &[0]));
        assert!(notes[0].contains("have no picture in the train part (“0”)"), "{notes:?}");
    }
}
