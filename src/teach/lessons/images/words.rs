//! What lesson 12 says about its numbers. Every sentence is chosen by
//! comparing them, since other images and other settings tell another story.

use super::learning::{LearningCurve, NetworkKind};
use crate::report::page::number::{count, digits};

pub fn percent(share: f64) -> String {
    format!("{} %", digits((share * 1000.0).round() as f32 / 10.0))
}

/// How the errors went, and when to stop.
pub fn stopping(few: &LearningCurve) -> String {
    let (end, stop, rounds) = (few.end(), few.at_stop(), few.rounds.len());
    let learning = format!(
        "It learns from {} here, and {} others say when to stop.",
        count(end.learned.samples, "image"),
        end.validation.samples
    );
    if rounds == 1 {
        return format!("{learning} One round shows no way that an error goes: give it more --iterations.");
    }
    if few.stop() + 1 == rounds {
        return format!(
            "{learning} The error of the others is lowest after the last of {rounds} rounds, so there is \
             nothing to stop early: more --iterations may still help."
        );
    }
    let at = few.stop() + 1;
    let learned = if end.learned.loss < stop.learned.loss {
        "goes on falling"
    } else {
        "does not fall any further either"
    };
    let meaning = if end.learned.loss < stop.learned.loss {
        "from there on the network learns its own images by heart and gets more certain of its mistakes elsewhere"
    } else {
        "these steps have stopped helping anywhere, and a smaller --alpha may go further"
    };
    format!(
        "{learning} The error of the others is lowest after round {at}, {}, and {} after round {rounds}; that \
         of its own {learned}: {meaning}. Keeping the weights of round {at} is called early stopping. {}",
        digits(stop.validation.loss as f32),
        digits(end.validation.loss as f32),
        verdict(few)
    )
}

/// What early stopping does for images that had no say in it.
fn verdict(few: &LearningCurve) -> String {
    let (end, stop) = (few.end().held_out, few.at_stop().held_out);
    let accuracies =
        format!("{} held out are right rather than {}", percent(stop.accuracy), percent(end.accuracy));
    let error =
        format!("their error is {} rather than {}", digits(stop.loss as f32), digits(end.loss as f32));
    match (stop.accuracy >= end.accuracy, stop.loss < end.loss) {
        (true, true) => format!("It pays here: {accuracies}, and {error}."),
        (false, true) => format!(
            "Here it costs some right answers ({accuracies}), but it is less sure of the wrong ones: {error}."
        ),
        (true, false) => format!("Here {accuracies}, but {error}."),
        (false, false) => format!("It does not pay here: {accuracies}, and {error}."),
    }
}

/// Nothing can be understood of labels that were dealt out.
pub fn remembering(few: &LearningCurve, mixed: &LearningCurve, classes: usize) -> String {
    let (own, dealt) = (few.end(), mixed.end());
    let learned = percent(dealt.learned.accuracy);
    let by_heart = match dealt.learned.accuracy {
        share if share >= 0.9 => format!("it can only remember, and it remembers {learned} of them"),
        share if share > 1.5 / classes as f64 => format!("it can only remember, {learned} of them so far"),
        _ => format!("it could only remember, and has not begun to: {learned} of them are right"),
    };
    let others = if dealt.held_out.accuracy < own.held_out.accuracy {
        format!("where the first network gets {}", percent(own.held_out.accuracy))
    } else {
        format!("and the first network gets no more, {}", percent(own.held_out.accuracy))
    };
    format!(
        "The second network got the same images with their labels dealt out at random, so there is nothing \
         to understand: {by_heart}. Of those held out it gets {}, {others}; guessing gives {}.",
        percent(dealt.held_out.accuracy),
        percent(1.0 / classes as f64)
    )
}

/// What more images do.
pub fn more_images(few: &LearningCurve, many: &LearningCurve) -> String {
    let (few, many) = (few.end(), many.end());
    if many.learned.samples <= few.learned.samples {
        return "These data hold no more images, so the third network is the first one again, for fewer rounds."
            .to_owned();
    }
    let gap = |round: super::learning::Round| round.learned.accuracy - round.held_out.accuracy;
    let verdict = if many.held_out.accuracy > few.held_out.accuracy {
        "more images teach more"
    } else {
        "here they have not taught it more in their rounds"
    };
    let narrower = if gap(many) < gap(few) { "narrower" } else { "no narrower" };
    format!(
        "The third got {}: of its own {} are right, and of those held out {}, the first {} and {}. So {verdict}, \
         and the gap between the two is {narrower}. Whether a network understands, only images tell that it has \
         never seen.",
        count(many.learned.samples, "image"),
        percent(many.learned.accuracy),
        percent(many.held_out.accuracy),
        percent(few.learned.accuracy),
        percent(few.held_out.accuracy)
    )
}

/// Dense against convolutional, on the same images.
pub fn convolution(courses: &[LearningCurve]) -> String {
    let of = |kind, name| {
        courses
            .iter()
            .find(|course| course.kind == kind && course.name == name)
            .map(|course| course.end().held_out)
    };
    let both =
        |name| Some((of(NetworkKind::Dense, name)?.accuracy, of(NetworkKind::Convolutional, name)?.accuracy));
    let (Some(few), Some(many)) = (both("few"), both("many")) else {
        return "These images are too small for a second, convolutional network, which halves their height and \
                width: there is only the dense one."
            .to_owned();
    };
    let conclusion = match (few.1 > few.0, many.1 > many.0) {
        (true, true) => "So it pays here to know that pixels have neighbours",
        (true, false) => {
            "So it pays here where images are few; where they are many the dense one is as good or better"
        }
        (false, true) => "So it pays here where images are many, though not where they are few",
        (false, false) => {
            "So it does not pay here: these images, or these settings, suit the dense one as well or better"
        }
    };
    format!(
        "A dense layer does not know which pixels are neighbours. A convolution does: eight windows of 3×3 slide \
         over the image, each with the same nine weights everywhere, and of every 2×2 results the largest is \
         kept. Of the images held out, dense and convolutional get {} and {} after the few, {} and {} after \
         the many. {conclusion}.",
        percent(few.0),
        percent(few.1),
        percent(many.0),
        percent(many.1)
    )
}
