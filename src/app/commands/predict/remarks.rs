//! Remarks about pictures that are unlike those that the network was trained on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use wgrad::internals::data::{
    Fit, Oddity, PictureOptions, PictureRead, PictureSource, Tone, Tones, is_constant,
};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::text::{shorten, shown};
use wgrad::{Classifier, Model, Prediction, Result, Shape};

use super::super::console::{note, thousands};
use super::output::certainty;

/// Remarks about the pictures, printed at the end.
pub struct Remarks {
    usual: Option<Tones>,
    loss: Loss,
    shape: Shape,
    options: PictureOptions,
    odd: BTreeMap<Oddity, Vec<Odd>>,
    /// The first picture of one colour, and their number.
    constant: Option<(PathBuf, usize)>,
    /// The first picture of another shape, with its size, and their number.
    other_shape: Option<(PathBuf, (u32, u32), usize)>,
}

/// A picture that is unlike the others.
struct Odd {
    path: PathBuf,
    tone: Tone,
    /// Its class and the certainty of that.
    class: (String, f64),
    /// The same of the inverted picture, and whether that is nearer to the pictures trained on.
    inverse: Option<((String, f64), bool)>,
}

impl Odd {
    fn is_surer_inverted(&self) -> bool {
        self.inverse.as_ref().is_some_and(|((_, certainty), _)| *certainty > self.class.1)
    }

    fn is_nearer_inverted(&self) -> bool {
        self.inverse.as_ref().is_some_and(|(_, nearer)| *nearer)
    }
}

impl Remarks {
    pub fn new(model: &Model, options: PictureOptions) -> Remarks {
        let (usual, loss, shape) = (model.usual_tones(), model.loss, model.shape);
        Remarks { usual, loss, shape, options, odd: BTreeMap::new(), constant: None, other_shape: None }
    }

    /// Looks at pictures, and classifies the inverse of those that are odd.
    ///
    /// # Errors
    /// As [`Classifier::predict_each`].
    pub fn look(
        &mut self,
        pictures: &[(&PictureSource, PictureRead, Prediction)],
        classifier: &mut Classifier,
    ) -> Result<()> {
        let (mut found, mut sources) = (Vec::new(), Vec::new());
        for (source, picture, prediction) in pictures {
            let path = source.path();
            if picture.is_of_another_shape(&self.shape) {
                self.other_shape.get_or_insert_with(|| (path.to_owned(), picture.size, 0)).2 += 1;
            }
            let tone = Tone::of(&picture.image, &self.shape);
            if self.is_constant(&picture.image) {
                self.constant.get_or_insert_with(|| (path.to_owned(), 0)).1 += 1;
            } else if let Some(kind) = self.usual.and_then(|usual| usual.oddity(&tone)) {
                found.push((
                    kind,
                    Odd { path: path.to_owned(), tone, class: best(prediction), inverse: None },
                ));
                sources.push(*source);
            }
        }
        let inverted = PictureOptions { invert: !self.options.invert, ..self.options };
        let read = classifier.model().read_pictures(&sources, &inverted)?;
        for ((kind, mut odd), read) in found.into_iter().zip(read) {
            // A file that has changed since is left as it was.
            if let (Ok(read), Some(usual)) = (read, &self.usual) {
                let nearer = usual.distance(&Tone::of(&read.image, &self.shape)) < usual.distance(&odd.tone);
                let prediction = classifier.predict_each(&[read.image])?.remove(0);
                odd.inverse = prediction.ok().map(|prediction| (best(&prediction), nearer));
            }
            self.odd.entry(kind).or_default().push(odd);
        }
        Ok(())
    }

    fn is_constant(&self, image: &[u8]) -> bool {
        // An image of one pixel has no other.
        self.shape.height * self.shape.width > 1 && is_constant(image, &self.shape)
    }

    /// Prints the remarks about `all` pictures.
    pub fn print(&self, all: usize) {
        for (kind, odd) in &self.odd {
            note(format_args!("{}", self.about(*kind, odd, all)));
            note(format_args!("        {}", self.inverted(odd)));
        }
        self.print_constant(all);
        self.print_other_shape(all);
    }

    fn print_constant(&self, all: usize) {
        let advice = "another --background or --invert may show";
        match &self.constant {
            None => {}
            Some((path, 1)) => note(format_args!(
                "{} is of one colour once it is read, so its class says nothing; if it is not, {advice} it",
                shown(path)
            )),
            Some((path, count)) => note(format_args!(
                "{} of {} pictures are of one colour once they are read (as {}), so their classes say nothing; if they are \
                 not, {advice} them",
                thousands(*count),
                thousands(all),
                shown(path)
            )),
        }
    }

    fn print_other_shape(&self, all: usize) {
        let Some((path, (width, height), count)) = &self.other_shape else { return };
        let one = *count == 1;
        let who = if one {
            format!("{} ({width}×{height} pixels) has another shape than the network's images", shown(path))
        } else {
            format!(
                "{} of {} pictures have another shape than the network's images (as {}, {width}×{height} pixels)",
                thousands(*count),
                thousands(all),
                shown(path)
            )
        };
        let it = if one { "it is" } else { "they are" };
        let how = match self.options.fit {
            Fit::Pad => format!("{it} padded; --fit crop takes the middle, --fit stretch fills the image"),
            Fit::Crop => format!("{it} cropped to the middle; --fit pad and --fit stretch keep all"),
            Fit::Stretch => {
                format!("{it} stretched; --fit pad keeps the proportions, --fit crop takes the middle")
            }
        };
        note(format_args!("{who}: {how}"));
    }

    /// A sentence about pictures that are odd in the same way.
    fn about(&self, kind: Oddity, odd: &[Odd], all: usize) -> String {
        let first = &odd[0];
        let than = match kind {
            Oddity::Brighter => "much brighter than",
            Oddity::Darker => "much darker than",
            Oddity::Flatter => "of much less contrast than",
            Oddity::Starker => "of much more contrast than",
        };
        let numbers = self.numbers(kind, &first.tone);
        match odd.len() {
            1 => format!("{} is {than} the pictures trained on: {numbers}", shown(&first.path)),
            count => format!(
                "{} of {} pictures are {than} those trained on (as {}: {numbers})",
                thousands(count),
                thousands(all),
                shown(&first.path)
            ),
        }
    }

    /// How their inverse is read, and what to do.
    fn inverted(&self, odd: &[Odd]) -> String {
        let nearer = odd.iter().filter(|odd| odd.is_nearer_inverted()).count();
        let surer = odd.iter().filter(|odd| odd.is_surer_inverted()).count();
        let advice = match (2 * nearer > odd.len(), self.options.invert) {
            (true, false) => "add --invert",
            (true, true) => "leave --invert out",
            (false, _) => "--save-input shows what the network sees",
        };
        let (other, present_way) = match self.options.invert {
            false => ("inverted", "as it is"),
            true => ("not inverted", "inverted"),
        };
        let example = odd.iter().find(|odd| odd.is_nearer_inverted()).unwrap_or(&odd[0]);
        let Some((inverse, is_nearer)) = &example.inverse else {
            return format!("its class may say little: {advice}");
        };
        let (inverse, present) = (self.reading(inverse), self.reading(&example.class));
        if odd.len() == 1 {
            let near = if *is_nearer { "nearer to them" } else { "no nearer to them" };
            let sure = if surer == 1 { "more" } else { "less" };
            return format!(
                "{other} it is {near} and read {inverse}, {sure} surely than {present_way} ({present}): {advice}"
            );
        }
        let surer = match surer {
            0 => "none is".to_owned(),
            1 => "1 is".to_owned(),
            _ => format!("{} are", thousands(surer)),
        };
        format!(
            "{other}, {} of them are nearer to those and {surer} read more surely (as {}: {inverse}, and {present_way} {present}): \
             {advice}",
            thousands(nearer),
            shown(&example.path)
        )
    }

    fn reading(&self, (class, p): &(String, f64)) -> String {
        format!("as {} with {}", shorten(class), certainty(self.loss, *p))
    }

    /// The number that is odd, and those that are usual.
    fn numbers(&self, kind: Oddity, tone: &Tone) -> String {
        let Some(usual) = &self.usual else { return String::new() };
        let (what, value, [least, greatest]) = match kind {
            Oddity::Brighter | Oddity::Darker => ("a mean of", tone.brightness, usual.brightness),
            Oddity::Flatter | Oddity::Starker => ("a deviation of", tone.contrast, usual.contrast),
        };
        format!("{what} {value:.2}, theirs {:.2} to {:.2}", least.max(0.0), greatest.min(1.0))
    }
}

/// The most probable class, with its number.
fn best(prediction: &Prediction) -> (String, f64) {
    let (class, p) = prediction.ranked()[0];
    (class.to_owned(), p)
}
