//! The sentences of lesson 12, chosen by its numbers, as other images and settings give other results.

use super::learning::{LearningCurve, NetworkKind};
use crate::report::page::number::{count, digits};

pub fn percent(fraction: f64) -> String {
    format!("{} %", digits((fraction * 1000.0).round() as f32 / 10.0))
}

/// How the errors went, and when to stop.
pub fn stopping(few: &LearningCurve) -> String {
    let (end, stop, rounds) = (few.end(), few.at_stop(), few.rounds.len());
    let learning = format!(
        "It learns from {} here; {} others, the validation images, decide when to stop.",
        count(end.learned.samples, "image"),
        end.validation.samples
    );
    if rounds == 1 {
        return format!("{learning} One round shows no trend: give it more iterations.");
    }
    if few.stop() + 1 == rounds {
        return format!(
            "{learning} The validation error is lowest after the last of {rounds} rounds, so there is \
             nothing to stop early: more iterations may still help."
        );
    }
    let at = few.stop() + 1;
    let learned = if end.learned.loss < stop.learned.loss {
        "goes on falling"
    } else {
        "does not fall any further either"
    };
    let meaning = if end.learned.loss < stop.learned.loss {
        "the network memorises those images, and gets more certain of its mistakes on others"
    } else {
        "these steps have stopped helping anywhere, and a smaller alpha may go further"
    };
    format!(
        "{learning} The validation error is lowest after round {at}, {}, and is {} after round {rounds}. The error on \
         the images learned from {learned}: {meaning}. Keeping the weights of round {at} is called early stopping. {}",
        digits(stop.validation.loss as f32),
        digits(end.validation.loss as f32),
        verdict(few)
    )
}

/// The effect of early stopping on the held-out images.
fn verdict(few: &LearningCurve) -> String {
    let (end, stop) = (few.end().held_out, few.at_stop().held_out);
    let accuracies = format!(
        "{} of the held-out images are right instead of {}",
        percent(stop.accuracy),
        percent(end.accuracy)
    );
    let error = format!("the error is {} instead of {}", digits(stop.loss as f32), digits(end.loss as f32));
    match (stop.accuracy >= end.accuracy, stop.loss < end.loss) {
        (true, true) => format!("It helps here: {accuracies}, and {error}."),
        (false, true) => format!(
            "Here it costs some right answers ({accuracies}), but it is less sure of the wrong ones: {error}."
        ),
        (true, false) => format!("Here {accuracies}, but {error}."),
        (false, false) => format!("It does not help here: {accuracies}, and {error}."),
    }
}

/// Shuffled labels can only be memorised.
pub fn remembering(few: &LearningCurve, shuffled: &LearningCurve, classes: usize) -> String {
    let (own, shuffled) = (few.end(), shuffled.end());
    let learned = percent(shuffled.learned.accuracy);
    let memorised = match shuffled.learned.accuracy {
        fraction if fraction >= 0.9 => format!("it can only memorise, and it memorises {learned} of them"),
        fraction if fraction > 1.5 / classes as f64 => {
            format!("it can only memorise, {learned} of them so far")
        }
        _ => format!("it could only memorise, and has not begun to: {learned} of them are right"),
    };
    let others = if shuffled.held_out.accuracy < own.held_out.accuracy {
        format!("where the first network gets {}", percent(own.held_out.accuracy))
    } else {
        format!("and the first network gets no more, {}", percent(own.held_out.accuracy))
    };
    format!(
        "The second network got the same images with their labels shuffled, so there is nothing to \
         generalise: {memorised}. It gets {} of the held-out images right, {others}; guessing gives {}.",
        percent(shuffled.held_out.accuracy),
        percent(1.0 / classes as f64)
    )
}

/// The effect of more images.
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
        "The third got {}: {} of those are right, and {} of the held-out images. The first network has {} and {}. \
         So {verdict}, and the gap between the two is {narrower}. Whether a network generalises shows only on images that it has \
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
        (true, true) => "So it helps here to use which pixels are neighbours",
        (true, false) => "So it helps here with few images; with many the dense one is as good or better",
        (false, true) => "So it helps here with many images, but not with few",
        (false, false) => {
            "So it does not help here: these images, or these settings, suit the dense one as well or better"
        }
    };
    format!(
        "A dense layer does not use which pixels are neighbours. A convolution does: eight windows of 3×3 slide \
         over the image, each with the same nine weights everywhere, and the largest of every 2×2 results \
         is kept. Dense and convolutional get {} and {} of the held-out images right after learning from few, {} \
         and {} from many. {conclusion}.",
        percent(few.0),
        percent(few.1),
        percent(many.0),
        percent(many.1)
    )
}
