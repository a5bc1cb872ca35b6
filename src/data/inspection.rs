//! A look at the samples of a data set: what can't be learned from them, and what makes measuring them wrong.

use std::collections::HashMap;
use std::path::PathBuf;

use super::dataset::{Dataset, Samples};
use super::equal::first_equals;
use crate::program::shape::Shape;
use crate::text::{shorten, shown};

/// Training pictures that repeat others are noted from this fraction of the train part, one in this many.
const REPEATED_OF: usize = 100;
/// The settings that make samples of pictures.
const RENDERING: &str = "⟨resize⟩, ⟨background⟩ and ⟨levels⟩, which decide what is read of them";

/// What a look at a data set has found, as sentences with settings marked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// A sentence for each kind of sample that shows nothing, or is in the wrong place.
    pub notes: Vec<String>,
    /// Why nothing can be learned from the train part, if so.
    pub nothing_to_learn: Option<String>,
}

impl Dataset {
    /// Looks at the pixels and labels of both parts, each once.
    ///
    /// Found are samples of one colour, samples that reading made equal, that repeat others or contradict them, held-out samples that were
    /// trained on, and classes without a sample.
    pub fn inspect(&self) -> Inspection {
        let parts = [self.inspected_train(), self.inspected_held_out()];
        let first = first_equals(&[&self.train, &self.held_out]);
        let same = self.first_of_content(&first);
        let mut notes: Vec<String> = parts.iter().filter_map(Inspected::constant).collect();
        notes.extend(self.read_alike(&parts, &first, &same));
        notes.extend(self.repeats(&parts[0], &same));
        notes.extend(self.contradictions(&parts[0], &same));
        notes.extend(overlap(&parts[1], &parts[0], &same));
        notes.extend(self.missing());
        notes.extend(self.opaque());
        Inspection { notes, nothing_to_learn: self.nothing_to_learn(&first) }
    }

    fn inspected_train(&self) -> Inspected<'_> {
        Inspected { name: "train", samples: &self.train, files: &self.about.train_files }
    }

    fn inspected_held_out(&self) -> Inspected<'_> {
        Inspected { name: "held-out", samples: &self.held_out, files: &self.about.held_out_files }
    }

    /// For each sample, the first with the same pixels that had them in its file too.
    fn first_of_content(&self, first: &[usize]) -> Vec<usize> {
        let contents = Some(&self.about.contents).filter(|contents| contents.len() == first.len());
        let content = |at: usize| contents.map(|contents| contents[at]);
        let mut known = HashMap::new();
        let each = first.iter().enumerate();
        each.map(|(at, first)| *known.entry((*first, content(at))).or_insert(at)).collect()
    }

    /// Pictures that differ in their files and are equal once read.
    fn read_alike(&self, parts: &[Inspected; 2], first: &[usize], same: &[usize]) -> Option<String> {
        let trained = parts[0].samples.len();
        let of = |at: usize| if at < trained { (&parts[0], at) } else { (&parts[1], at - trained) };
        let example = |at| of(at).0.example(of(at).1);
        let alike = |at: &usize| first[same[*at]] != same[*at] && !of(*at).0.is_constant(of(*at).1);
        let found: Vec<usize> = (0..first.len()).filter(alike).collect();
        let at = *found.first()?;
        Some(format!(
            "{} of {} pictures have the pixels of another once they are read, though their files differ (as {} has those \
             of {}), so check {RENDERING}",
            found.len(),
            first.len(),
            example(at),
            example(first[at])
        ))
    }

    /// Training samples that repeat earlier ones of their class.
    fn repeats(&self, train: &Inspected, first: &[usize]) -> Option<String> {
        let labels = &train.samples.labels;
        let again =
            |at: &usize| first[*at] != *at && labels[first[*at]] == labels[*at] && !train.is_constant(*at);
        let found: Vec<usize> = (0..labels.len()).filter(again).collect();
        let at = *found.first().filter(|_| found.len() * REPEATED_OF > labels.len())?;
        Some(format!(
            "{} of {} pictures of the train part repeat others of it to the last pixel (as {} repeats {}), so each \
             counts several times",
            found.len(),
            labels.len(),
            train.example(at),
            train.example(first[at])
        ))
    }

    /// Training samples with the pixels of another class.
    fn contradictions(&self, train: &Inspected, first: &[usize]) -> Option<String> {
        let labels = &train.samples.labels;
        let contradicts = |at: &usize| labels[first[*at]] != labels[*at] && !train.is_constant(*at);
        let found: Vec<usize> = (0..labels.len()).filter(contradicts).collect();
        let at = *found.first()?;
        let class = |at: usize| shorten(&self.classes[labels[at] as usize]);
        Some(format!(
            "{} of {} pictures of the train part have the pixels of a picture of another class (as {} of “{}” has those of \
             {} of “{}”), so correct their labels",
            found.len(),
            labels.len(),
            train.example(at),
            class(at),
            train.example(first[at]),
            class(first[at])
        ))
    }

    /// An alpha channel that says nothing.
    fn opaque(&self) -> Option<String> {
        let Shape { channels, height, width, .. } = self.train.shape;
        let pictures = !self.about.train_files.is_empty();
        let plane = height * width;
        let opaque = |samples: &Samples| {
            let mut alphas = (0..samples.len()).map(|at| &samples.image(at)[(channels - 1) * plane..]);
            alphas.all(|alpha| alpha.iter().all(|alpha| *alpha == 255))
        };
        let says_nothing = pictures && channels % 2 == 0 && opaque(&self.train) && opaque(&self.held_out);
        says_nothing.then(|| {
            format!(
                "the pictures have an alpha channel that is 255 throughout: ⟨resize {}x{height}x{width}⟩ leaves it out",
                channels - 1
            )
        })
    }

    /// Why no network can learn anything from the train part, if so: equal pixels have the classes in the same
    /// proportions as the whole part.
    fn nothing_to_learn(&self, first: &[usize]) -> Option<String> {
        let labels = &self.train.labels;
        let samples = labels.len();
        let mut all = vec![0; self.classes.len()];
        labels.iter().for_each(|label| all[*label as usize] += 1);
        if let Some(class) = all.iter().position(|count| *count == samples) {
            return Some(format!(
                "all {samples} pictures of the train part have the class “{}”, so there is nothing to learn: add pictures \
                 of another class",
                shorten(&self.classes[class])
            ));
        }
        let mut groups: Vec<(usize, u32)> = first.iter().copied().zip(labels.iter().copied()).collect();
        groups.sort_unstable();
        let used = all.iter().filter(|count| **count > 0).count();
        let tells_nothing = |group: &[(usize, u32)]| {
            let classes = group.chunk_by(|a, b| a == b);
            let alike =
                |class: &[(usize, u32)]| class.len() * samples == group.len() * all[class[0].1 as usize];
            classes.clone().count() == used && classes.into_iter().all(alike)
        };
        if !groups.chunk_by(|a, b| a.0 == b.0).all(tells_nothing) {
            return None;
        }
        let settings = if self.about.train_files.is_empty() {
            "so check the files".to_owned()
        } else {
            format!("so check the files, and {RENDERING}")
        };
        let equal = if first[..samples].iter().all(|at| *at == 0) {
            format!("all {samples} pictures of the train part have the same pixels")
        } else {
            format!("the {samples} pictures of the train part have the same pixels in every class")
        };
        Some(format!("{equal}, and there is nothing to learn from them, {settings}"))
    }
}

/// A sentence about samples of a part, such as the validation part, that have the pixels of training samples.
pub fn repeated(name: &'static str, samples: &Samples, train: &Samples) -> Option<String> {
    let first = first_equals(&[train, samples]);
    let part = |name, samples| Inspected { name, samples, files: &[] };
    overlap(&part(name, samples), &part("train", train), &first)
}

/// A sentence about the samples of a part that are of one colour, whose files are those of `files` if they are files.
pub(super) fn of_one_colour(name: &'static str, samples: &Samples, files: &[PathBuf]) -> Option<String> {
    Inspected { name, samples, files }.constant()
}

/// Whether all pixels of an image are equal.
pub fn is_constant(image: &[u8], shape: &Shape) -> bool {
    let plane = shape.height * shape.width;
    image.chunks_exact(plane).all(|plane| plane.iter().all(|value| *value == plane[0]))
}

/// A part, and the files of its samples if they are files.
struct Inspected<'a> {
    name: &'static str,
    samples: &'a Samples,
    files: &'a [PathBuf],
}

impl Inspected<'_> {
    /// Whether all pixels of a sample are equal.
    fn is_constant(&self, at: usize) -> bool {
        is_constant(self.samples.image(at), &self.samples.shape)
    }

    /// A sentence about the samples of one colour.
    fn constant(&self) -> Option<String> {
        let all = self.samples.len();
        // An image of one pixel has no other.
        let can_vary = self.samples.shape.height * self.samples.shape.width > 1;
        let found: Vec<usize> = (0..all).filter(|at| can_vary && self.is_constant(*at)).collect();
        let example = self.example(*found.first()?);
        Some(format!(
            "{} of {all} pictures of the {} part are of one colour throughout (as {example}): they show no form, so take \
             them out unless the colour is what tells the classes apart",
            found.len(),
            self.name
        ))
    }

    /// A sample's file, or its number.
    fn example(&self, at: usize) -> String {
        self.files.get(at).map_or_else(|| format!("sample {at}"), shown)
    }
}

/// A sentence about samples of a part that have the pixels of training samples.
///
/// `first` is of the train part and then this one.
fn overlap(part: &Inspected, train: &Inspected, first: &[usize]) -> Option<String> {
    let trained = train.samples.len();
    let known = |at: &usize| first[trained + *at] < trained && !part.is_constant(*at);
    let found: Vec<usize> = (0..part.samples.len()).filter(known).collect();
    let at = *found.first()?;
    Some(format!(
        "{} of {} pictures of the {} part are in the train part too, to the last pixel (as {} is {}): they are measured \
         as if they were new, so take them out of one part",
        found.len(),
        part.samples.len(),
        part.name,
        part.example(at),
        train.example(first[trained + at])
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(images: &[[u8; 4]], labels: &[u32]) -> Samples {
        Samples { shape: Shape::image(1, 2, 2), pixels: images.concat(), labels: labels.to_vec() }
    }

    fn inspect(train: Samples, held_out: Samples) -> Inspection {
        let classes = ["a", "b"].map(str::to_owned).to_vec();
        Dataset::new("made up", classes, train, held_out).unwrap().inspect()
    }

    #[test]
    fn a_clean_set_is_not_commented_on() {
        let train = samples(&[[1, 2, 3, 4], [2, 2, 3, 4], [5, 2, 3, 4]], &[0, 1, 0]);
        let held_out = samples(&[[9, 2, 3, 4], [8, 2, 3, 4]], &[0, 1]);
        assert_eq!(inspect(train, held_out), Inspection::default());
    }

    #[test]
    fn each_fault_of_the_samples_has_a_sentence() {
        let train =
            samples(&[[1, 2, 3, 4], [7; 4], [1, 2, 3, 4], [1, 2, 3, 4], [3, 2, 3, 4]], &[0, 0, 0, 1, 0]);
        let held_out = samples(&[[7; 4], [3, 2, 3, 4]], &[0, 0]);
        let found = inspect(train, held_out);
        let expected = [
            "1 of 5 pictures of the train part are of one colour throughout (as sample 1)",
            "1 of 2 pictures of the held-out part are of one colour throughout (as sample 0)",
            "1 of 5 pictures of the train part repeat others of it to the last pixel (as sample 2 repeats sample 0)",
            "1 of 5 pictures of the train part have the pixels of a picture of another class (as sample 3 of “b”",
            "1 of 2 pictures of the held-out part are in the train part too, to the last pixel (as sample 1 is sample 4)",
            "1 of 2 classes have no picture in the held-out part (“b”)",
        ];
        assert_eq!(found.notes.len(), expected.len(), "{:#?}", found.notes);
        for (note, expected) in found.notes.iter().zip(expected) {
            assert!(note.starts_with(expected), "{note}");
        }
    }

    #[test]
    fn a_set_without_anything_to_learn_is_known() {
        let held_out = || samples(&[[9, 2, 3, 4]], &[0]);
        let why = |images: &[[u8; 4]], labels| inspect(samples(images, labels), held_out()).nothing_to_learn;
        let same = why(&[[0; 4]; 4], &[0, 1, 0, 1]).unwrap();
        assert!(same.starts_with("all 4 pictures of the train part have the same pixels"), "{same}");
        let one = why(&[[1, 2, 3, 4], [4, 3, 2, 1]], &[1, 1]).unwrap();
        assert!(one.contains("have the class “b”"), "{one}");
        let mixed = why(&[[1; 4], [2; 4], [1; 4], [2; 4]], &[0, 0, 1, 1]).unwrap();
        assert!(mixed.contains("the same pixels in every class"), "{mixed}");
        // Colours alone can tell classes apart.
        assert_eq!(why(&[[1; 4], [1; 4], [2; 4], [2; 4]], &[0, 0, 1, 1]), None);
        assert_eq!(why(&[[1; 4], [2; 4], [1; 4]], &[0, 1, 1]), None);
    }
}
