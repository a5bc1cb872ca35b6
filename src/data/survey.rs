//! What all pictures of a data set show together: the ground for them, and what reading lost.

use std::path::Path;

use super::fitting::Seen;
use super::histogram::Kept;
use super::outline::GROUNDS;
use super::rendering::{BLACK, Background, Colour, LevelRange, Rendering, WHITE};
use crate::program::shape::Shape;
use crate::text::shown;

/// The ground for drawings with dark and bright parts, if no other grey shows more.
const GREY: Colour = [128; 3];
/// Parts of one in this many drawings may be hidden before another ground is looked for.
const FEW_OF: usize = 20;

/// The ground on which transparent pictures are seen best, and a sentence about it.
///
/// None when no picture with transparent parts has anything to see.
pub(super) fn ground<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Option<(Colour, String)> {
    let (ground, because) = best_ground(all.clone())?;
    let other = Background::Colour(if ground == WHITE { BLACK } else { WHITE });
    let note = format!(
        "{} of {} pictures have transparent parts: composed onto {}, because {because}; ⟨background {other}⟩ changes it",
        all.clone().filter(|seen| seen.composed).count(),
        all.count(),
        name(ground),
    );
    Some((ground, note))
}

/// The ground that hides parts of the fewest drawings, and why.
fn best_ground<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Option<(Colour, String)> {
    let (mut sum, mut drawings, mut hidden) = (0, 0, [0; GROUNDS.len()]);
    for seen in all {
        if let Some(ink) = seen.ink {
            sum += usize::from(ink);
            drawings += 1;
        }
        if let Some(outline) = seen.outline {
            hidden.iter_mut().zip(outline.hidden()).for_each(|(count, hidden)| *count += usize::from(hidden));
        }
    }
    let mean = sum.checked_div(drawings)?;
    let [dark, bright, greys @ ..] = hidden;
    let many = |count: usize| count * FEW_OF > drawings;
    let grey = greys.iter().zip(&GROUNDS[2..]).min_by_key(|(count, _)| **count);
    Some(match (many(dark), many(bright), grey) {
        (true, true, Some((count, grey))) if 2 * count < dark.min(bright) => {
            (*grey, format!("{dark} of the drawings have dark parts and {bright} have bright ones"))
        }
        (true, _, _) if dark > bright => (WHITE, format!("{dark} of the drawings have dark parts")),
        (_, true, _) if bright > dark => (BLACK, format!("{bright} of the drawings have bright parts")),
        _ if mean < 128 => (WHITE, format!("the drawings are rather dark (a grey of {mean} of 255)")),
        _ => (BLACK, format!("the drawings are rather bright (a grey of {mean} of 255)")),
    })
}

/// A sentence about parts of drawings that the ground hides, if another would show them.
fn hidden<'a>(
    all: impl Iterator<Item = (&'a Path, &'a Seen)> + Clone,
    rendering: &Rendering,
) -> Option<String> {
    let (best, _) = best_ground(all.clone().map(|(_, seen)| seen))?;
    let at = GROUNDS.iter().position(|ground| *ground == best)?;
    let hides = |(_, seen): &(&Path, &Seen)| seen.outline.is_some_and(|outline| outline.hidden_here());
    let still = |(_, seen): &(&Path, &Seen)| seen.outline.is_some_and(|outline| outline.hidden()[at]);
    let mut found = all.clone().filter(hides);
    let (path, _) = found.next()?;
    let count = found.count() + 1;
    let drawings = all.clone().filter(|(_, seen)| seen.composed).count();
    let better = best != rendering.ground && count * FEW_OF > drawings;
    (better && 2 * all.clone().filter(still).count() < count).then(|| {
        format!(
            "{count} of {} pictures have parts that can't be told from their ground, {} (as {}): ⟨background {}⟩ shows more \
             of them",
            all.count(),
            name(rendering.ground),
            shown(path),
            Background::Colour(best)
        )
    })
}

/// A ground in a sentence.
fn name(ground: Colour) -> String {
    if ground == GREY { "grey (128)".to_owned() } else { Background::Colour(ground).to_string() }
}

/// White if most opaque pictures are bright along their edge, as drawings on paper are, else black.
pub(super) fn paper<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Colour {
    let bright = all.clone().filter(|seen| seen.edge >= 192).count();
    if 2 * bright > all.count() { WHITE } else { BLACK }
}

/// A sentence for each way in which reading has lost what pictures show.
pub(super) fn losses<'a>(
    all: impl Iterator<Item = (&'a Path, &'a Seen)> + Clone,
    shape: &Shape,
    rendering: &Rendering,
) -> Vec<String> {
    let lost = |seen: &Seen| seen.varied && seen.contrast_left == 0;
    let faded = |seen: &Seen| !lost(seen) && seen.contrast >= 32 && seen.contrast_left <= seen.contrast / 8;
    let thin = |seen: &Seen| {
        let ((width, height), (to_width, to_height)) = (seen.size, seen.fitted);
        (to_width == 1 && width > 1 && shape.width > 1) || (to_height == 1 && height > 1 && shape.height > 1)
    };
    let count = all.clone().count();
    let sentence = |has: &dyn Fn(&Seen) -> bool, what: &dyn Fn(&str, &Seen) -> String| {
        let mut found = all.clone().filter(|(_, seen)| has(seen));
        let (path, seen) = found.next()?;
        let (found, file) = (found.count() + 1, shown(path));
        Some(format!("{found} of {count} pictures {}", what(&file, seen)))
    };
    [
        sentence(&lost, &|file, seen| {
            let cause = cause(seen, shape, rendering);
            format!("show something in their files and are of one colour once read (as {file}): {cause}")
        }),
        sentence(&faded, &|file, seen| {
            format!(
                "lose most of their contrast when they are resized, as thin lines do (as {file}, from {} to {} of 255), \
                 so use a larger ⟨resize⟩",
                seen.contrast, seen.contrast_left
            )
        }),
        sentence(&|seen| !lost(seen) && seen.kept.is_some_and(|kept| kept.few), &|file, seen| {
            let Kept { values, bytes, middle, .. } = seen.kept.unwrap_or_default();
            let LevelRange { low, high } = rendering.levels;
            format!(
                "lose differences between their 16-bit values, those below {} of 65535, which only closer ⟨levels⟩ could keep \
                 (as {file}, where {values} different values become {bytes} bytes, and nine in ten samples lie within \
                 {middle} of 255)",
                (high - low).div_ceil(255)
            )
        }),
        hidden(all.clone(), rendering),
        sentence(&thin, &|file, seen| {
            let ((width, height), (to_width, to_height)) = (seen.size, seen.fitted);
            format!(
                "are so long that resizing leaves one pixel of their shorter side (as {file}, from {height}×{width} to \
                 {to_height}×{to_width}), so cut them or use a larger ⟨resize⟩"
            )
        }),
        sentence(&|seen| seen.animated, &|file, _| {
            format!("are animations, of which the still image alone is read (as {file})")
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Why a picture is of one colour, and what to do. The end of a sentence.
fn cause(seen: &Seen, shape: &Shape, rendering: &Rendering) -> String {
    if seen.contrast > 0 {
        let (height, width) = (shape.height, shape.width);
        return format!("it vanishes when they are resized to {height}×{width}, so use a larger ⟨resize⟩");
    }
    if seen.composed && seen.ink.is_none() {
        return "they are transparent throughout, so save them again with their opacity".to_owned();
    }
    if seen.composed {
        return format!(
            "their drawing has the colour of the ground, {}, so choose another ⟨background⟩",
            name(rendering.ground)
        );
    }
    if seen.kept.is_some() {
        return "their 16-bit values differ too little, so choose ⟨levels⟩ that are closer together"
            .to_owned();
    }
    let Shape { height, width, .. } = shape;
    format!("their colours are equally bright, so keep the colours with ⟨resize 3x{height}x{width}⟩")
}
