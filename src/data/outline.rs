//! The outlines of drawings with transparent parts: on which grounds they can be seen.

use super::rendering::{BLACK, Colour, WHITE};

/// The grounds to choose from: black, white, and greys for drawings with dark and bright parts.
pub(super) const GROUNDS: [Colour; 5] = [BLACK, WHITE, [128; 3], [64; 3], [192; 3]];
/// What differs less from the ground than this is hardly seen, in steps of 255.
const HIDDEN: u8 = 48;
/// A ground that hides more of an outline than the best one does, by this fraction, hides a part of the drawing.
const PART: f32 = 0.01;

/// The fractions of the outline of a drawing that can't be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    /// On each of [`GROUNDS`].
    on: [f32; GROUNDS.len()],
    /// On the ground of the picture.
    here: f32,
}

impl Outline {
    /// Looks at neighbouring pixels of `colours` colours and alpha: at the more opaque one where alpha differs.
    ///
    /// None when alpha is the same everywhere.
    pub fn of(values: &[u8], width: usize, colours: usize, ground: &Colour) -> Option<Outline> {
        let stored = colours + 1;
        let pixel = |at: usize| &values[at * stored..][..stored];
        let (mut all, mut here, mut on) = (0, 0, [0; GROUNDS.len()]);
        let mut look = |one: &[u8], other: &[u8]| {
            let steps = u64::from(one[colours].abs_diff(other[colours]));
            if steps == 0 {
                return;
            }
            let inner = if one[colours] > other[colours] { one } else { other };
            let hidden = |ground: &Colour| {
                let near = |(value, ground): (&u8, &u8)| value.abs_diff(*ground) < HIDDEN;
                if inner[..colours].iter().zip(ground).all(near) { steps } else { 0 }
            };
            all += steps;
            here += hidden(ground);
            on.iter_mut().zip(&GROUNDS).for_each(|(on, ground)| *on += hidden(ground));
        };
        let pixels = values.len() / stored;
        for at in 0..pixels {
            if (at + 1) % width != 0 {
                look(pixel(at), pixel(at + 1));
            }
            if at + width < pixels {
                look(pixel(at), pixel(at + width));
            }
        }
        let fraction = |part: u64| part as f32 / all as f32;
        (all > 0).then(|| Outline { on: on.map(fraction), here: fraction(here) })
    }

    /// For each of [`GROUNDS`], whether it hides a part of the drawing that another shows.
    pub fn hidden(&self) -> [bool; GROUNDS.len()] {
        self.on.map(|hidden| self.is_part(hidden))
    }

    /// Whether the ground of the picture does so.
    pub fn hidden_here(&self) -> bool {
        self.is_part(self.here)
    }

    fn is_part(&self, hidden: f32) -> bool {
        hidden > self.on.iter().fold(1.0, |least: f32, on| least.min(*on)) + PART
    }
}
