//! All pictures of a folder, read and rendered in the same way.

use std::path::PathBuf;

use rayon::prelude::*;

use super::dataset::About;
use super::fitting::Seen;
use super::gate::Gate;
use super::histogram::Histogram;
use super::picture::{self, Fitted};
use super::reading::Reading;
use super::rendering::{Background, Levels, Rendering};
use super::survey;
use crate::error::{Error, Result};
use crate::program::shape::Shape;
use crate::text::shown;

/// A picture that was found.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub path: PathBuf,
    pub class: usize,
}

/// A picture that has been read.
pub(super) struct Read {
    pub path: PathBuf,
    pub class: usize,
    pub shape: Shape,
    /// C·H·W bytes; none when it is larger than an image may be.
    pub values: Vec<u8>,
    pub seen: Seen,
}

/// Reads pictures, several at once, and keeps their order. Values of 16 bits are counted if levels are to be chosen.
///
/// # Errors
/// [`Error::Data`] for a picture that can't be read, unless those are skipped.
pub(super) fn read(
    pictures: &[Picture],
    reading: &Reading,
    histogram: &Histogram,
    about: &mut About,
) -> Result<Vec<Read>> {
    let rendering = reading.rendering();
    let histogram = Some(histogram).filter(|_| chooses_levels(reading));
    let gate = Gate::for_half();
    let each: Vec<Result<Read>> = pictures
        .par_iter()
        .map(|Picture { path, class }| {
            let read = || picture::read(path, reading.resize, &rendering, histogram);
            let Fitted { shape, values, seen } = gate.pass(picture::cost(path), read)?;
            Ok(Read { path: path.clone(), class: *class, shape, values, seen })
        })
        .collect();
    let mut good = Vec::with_capacity(each.len());
    for read in each {
        match read {
            Ok(read) => good.push(read),
            Err(error) if reading.skip_bad => about.skipped.push(error.marked().to_owned()),
            Err(error) => {
                let problem = error.marked();
                return Err(Error::Data(format!("{problem}, or leave such files out with ⟨skip_bad⟩")));
            }
        }
    }
    Ok(good)
}

fn chooses_levels(reading: &Reading) -> bool {
    reading.rendering.is_none() && reading.levels == Levels::Auto
}

/// Chooses levels and ground in place of `auto`, and reads the pictures again that they change.
///
/// Notes say what was chosen, and what pictures have lost.
///
/// # Errors
/// [`Error::Data`] for a picture that can't be read again.
pub(super) fn render(
    mut all: Vec<&mut Read>,
    shape: &Shape,
    reading: &Reading,
    histogram: Histogram,
    about: &mut About,
) -> Result<()> {
    let mut rendering = reading.rendering();
    about.notes.extend(without_effect(shape, reading));
    (about.background, about.levels) = (reading.background, reading.levels);
    if chooses_levels(reading)
        && let Some((levels, note)) = histogram.levels()
    {
        about.levels = Levels::Range(levels);
        about.notes.extend(note);
        if levels != rendering.levels {
            rendering.levels = levels;
            read_again(&mut all, reading, &rendering, |seen| seen.kept.is_some())?;
        }
    }
    if reading.rendering.is_none() && reading.background == Background::Auto {
        match survey::ground(all.iter().map(|read| &read.seen)) {
            Some((ground, note)) => {
                about.background = Background::Colour(ground);
                about.notes.push(note);
                if ground != rendering.ground {
                    rendering = rendering.on(ground);
                    read_again(&mut all, reading, &rendering, |seen| seen.composed || seen.margin)?;
                }
            }
            // For pictures to come: these have nothing that shows the ground.
            None => rendering.ground = survey::paper(all.iter().map(|read| &read.seen)),
        }
    }
    let seen = all.iter().map(|read| (read.path.as_path(), &read.seen));
    about.notes.extend(survey::losses(seen, shape, &rendering));
    about.rendering = rendering;
    Ok(())
}

/// A sentence about a ground that is given for images that keep their alpha.
fn without_effect(shape: &Shape, reading: &Reading) -> Option<String> {
    let Shape { channels, height, width, .. } = *shape;
    let keeps_alpha = reading.background != Background::Auto && channels % 2 == 0;
    keeps_alpha.then(|| {
        format!(
            "the pictures keep their alpha channel, so ⟨background {}⟩ is for margins alone: with ⟨resize {}x{height}x{width}⟩ \
             they are composed onto it",
            reading.background,
            channels - 1
        )
    })
}

/// Reads those pictures again, several at once, that were seen to be affected.
fn read_again(
    all: &mut [&mut Read],
    reading: &Reading,
    rendering: &Rendering,
    affected: impl Fn(&Seen) -> bool + Sync,
) -> Result<()> {
    let gate = Gate::for_half();
    all.par_iter_mut().filter(|read| affected(&read.seen)).try_for_each(|read| {
        let again = || picture::read(&read.path, reading.resize, rendering, None);
        let again = gate.pass(picture::cost(&read.path), again)?;
        if again.shape != read.shape {
            let changed = "changed while it was read, so begin again when the folder is complete";
            return Err(Error::Data(format!("{} {changed}", shown(&read.path))));
        }
        (read.values, read.seen) = (again.values, again.seen);
        Ok(())
    })
}
