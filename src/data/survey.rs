//! What all pictures of a data set show together: the ground for them, and what reading lost.

use std::array;
use std::collections::HashSet;
use std::path::Path;

use super::fitting::Seen;
use super::histogram::Kept;
use super::outline::{GROUNDS, Outline};
use super::rendering::{BLACK, Background, Colour, LevelRange, Rendering, WHITE};
use crate::program::shape::Shape;
use crate::text::shown;

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
///
/// Where black and white both hide parts of many, one of them will do if it leaves the drawings different; else it is
/// a grey, nearer to what covers more, which is seen with less contrast.
fn best_ground<'a>(all: impl Iterator<Item = &'a Seen> + Clone) -> Option<(Colour, String)> {
    let inks = all.clone().filter_map(|seen| seen.ink);
    let drawings = inks.clone().count();
    let mean = inks.map(usize::from).sum::<usize>().checked_div(drawings)?;
    let outlines: Vec<Outline> = all.filter_map(|seen| seen.outline).collect();
    let hidden: [usize; GROUNDS.len()] = array::from_fn(|at| hidden(&outlines, at));
    let tells_apart = |at| tells_apart(&outlines, at);
    let [dark, bright, ..] = hidden;
    let many = |count: usize| count * FEW_OF > drawings;
    let grey = (2..GROUNDS.len())
        .filter(|at| 2 * hidden[*at] < dark.min(bright))
        .min_by_key(|at| (hidden[*at], usize::from(GROUNDS[*at][0]).abs_diff(mean)));
    let tell = "which tell them apart";
    Some(match (many(dark), many(bright), grey) {
        (true, true, _) if !tells_apart(0) && tells_apart(1) => {
            (WHITE, format!("{dark} of the drawings have dark parts, {tell}"))
        }
        (true, true, _) if tells_apart(0) && !tells_apart(1) => {
            (BLACK, format!("{bright} of the drawings have bright parts, {tell}"))
        }
        (true, true, Some(grey)) => {
            let because = format!("{dark} of the drawings have dark parts and {bright} have bright ones");
            (GROUNDS[grey], because)
        }
        (true, _, _) if dark > bright => (WHITE, format!("{dark} of the drawings have dark parts")),
        (_, true, _) if bright > dark => (BLACK, format!("{bright} of the drawings have bright parts")),
        _ if mean < 128 => (WHITE, format!("the drawings are rather dark (a grey of {mean} of 255)")),
        _ => (BLACK, format!("the drawings are rather bright (a grey of {mean} of 255)")),
    })
}

/// The number of drawings of which a ground hides parts.
fn hidden(outlines: &[Outline], at: usize) -> usize {
    outlines.iter().filter(|outline| outline.hides(at)).count()
}

/// Whether a ground shows something of nearly all drawings, and leaves three in four of those different that can be.
fn tells_apart(outlines: &[Outline], at: usize) -> bool {
    let looks = |at: usize| {
        let looks: HashSet<u64> = outlines.iter().map(|outline| outline.look(at)).collect();
        looks.len()
    };
    let most = (0..GROUNDS.len()).map(looks).max().unwrap_or_default();
    let blank = outlines.iter().filter(|outline| outline.is_blank(at)).count();
    blank * FEW_OF <= outlines.len() && looks(at) * 4 >= most * 3
}

/// A sentence about parts of drawings that the ground hides, if another would show them.
fn unseen<'a>(
    all: impl Iterator<Item = (&'a Path, &'a Seen)> + Clone,
    rendering: &Rendering,
) -> Option<String> {
    let (best, _) = best_ground(all.clone().map(|(_, seen)| seen))?;
    let at = GROUNDS.iter().position(|ground| *ground == best)?;
    let outlines: Vec<Outline> = all.clone().filter_map(|(_, seen)| seen.outline).collect();
    let (count, better) = (hidden(&outlines, Outline::HERE), hidden(&outlines, at));
    let tells_more = tells_apart(&outlines, at) && !tells_apart(&outlines, Outline::HERE);
    let shows_more = 2 * better < count || tells_more;
    let hides = |seen: &Seen| seen.outline.is_some_and(|outline| outline.hides(Outline::HERE));
    let (path, _) = all.clone().find(|(_, seen)| hides(seen))?;
    (best != rendering.ground && count * FEW_OF > outlines.len() && shows_more).then(|| {
        format!(
            "{count} of {} pictures have parts that can't be told from their ground, {} (as {}): ⟨background {}⟩ shows \
             what they differ in",
            all.count(),
            name(rendering.ground),
            shown(path),
            Background::Colour(best)
        )
    })
}

/// A ground in a sentence.
fn name(ground: Colour) -> String {
    match Background::Colour(ground).to_string() {
        grey if GROUNDS[2..].contains(&ground) => format!("grey ({grey})"),
        colour => colour,
    }
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
        unseen(all.clone(), rendering),
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
