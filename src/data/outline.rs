//! The outlines of drawings with transparent parts: on which grounds they can be seen.

use super::rendering::{BLACK, Colour, WHITE};

/// The grounds to choose from: black, white, and greys for drawings with dark and bright parts.
pub(super) const GROUNDS: [Colour; 5] = [BLACK, WHITE, [128; 3], [64; 3], [192; 3]];
/// What differs less from the ground than this is hardly seen, in steps of 255.
const HIDDEN: u32 = 48;
/// A ground that hides more of an outline than the best one does, by this fraction, hides a part of the drawing.
const PART: f32 = 0.01;

/// How the drawing of a picture is seen on each of [`GROUNDS`], and on the picture's own ground as the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outline {
    /// The fraction of its outline that can't be seen.
    hidden: [f32; GROUNDS.len() + 1],
    /// A hash of what can be seen.
    looks: [u64; GROUNDS.len() + 1],
}

impl Outline {
    /// The place of the picture's own ground behind [`GROUNDS`].
    pub const HERE: usize = GROUNDS.len();

    /// Looks at all pixels of `colours` colours and alpha, and where alpha changes at the more opaque one.
    ///
    /// None when alpha is the same everywhere.
    pub fn of(values: &[u8], width: usize, colours: usize, ground: &Colour) -> Option<Outline> {
        let stored = colours + 1;
        let pixel = |at: usize| &values[at * stored..][..stored];
        let [black, white, middle, dark, bright] = GROUNDS;
        let grounds = [black, white, middle, dark, bright, *ground];
        let (mut all, mut hidden, mut looks) = (0, [0; GROUNDS.len() + 1], [0; GROUNDS.len() + 1]);
        let mut meet = |one: &[u8], other: &[u8]| {
            let steps = u64::from(one[colours].abs_diff(other[colours]));
            if steps > 0 {
                let inner = if one[colours] > other[colours] { one } else { other };
                all += steps;
                for (hidden, ground) in hidden.iter_mut().zip(&grounds) {
                    *hidden += if seen(&inner[..colours], 255, ground) == 0 { steps } else { 0 };
                }
            }
        };
        let pixels = values.len() / stored;
        for at in 0..pixels {
            if (at + 1) % width != 0 {
                meet(pixel(at), pixel(at + 1));
            }
            if at + width < pixels {
                meet(pixel(at), pixel(at + width));
            }
            for (look, ground) in looks.iter_mut().zip(&grounds) {
                let next = seen(&pixel(at)[..colours], pixel(at)[colours], ground);
                // FNV-1a, a pixel at a time.
                *look = (*look ^ next).wrapping_mul(0x100_0000_01b3);
            }
        }
        (all > 0).then(|| Outline { hidden: hidden.map(|part| part as f32 / all as f32), looks })
    }

    /// Whether a ground hides a part of the drawing that one of [`GROUNDS`] shows.
    pub fn hides(&self, at: usize) -> bool {
        let least = self.hidden[..GROUNDS.len()].iter().fold(1.0, |least: f32, hidden| least.min(*hidden));
        self.hidden[at] > least + PART
    }

    /// Whether nothing of the outline can be seen on a ground.
    pub fn is_blank(&self, at: usize) -> bool {
        self.hidden[at] > 1.0 - PART
    }

    /// A number that is the same for pictures which look the same on a ground.
    pub fn look(&self, at: usize) -> u64 {
        self.looks[at]
    }
}

/// A number for a pixel composed onto a ground; 0 when it can't be told from it.
fn seen(colours: &[u8], alpha: u8, ground: &Colour) -> u64 {
    let alpha = u32::from(alpha);
    let (mut number, mut hidden) = (1, true);
    for (value, ground) in colours.iter().zip(ground) {
        let composed = (u32::from(*value) * alpha + u32::from(*ground) * (255 - alpha)) / 255;
        hidden &= composed.abs_diff(u32::from(*ground)) < HIDDEN;
        number = number << 8 | u64::from(composed);
    }
    if hidden { 0 } else { number }
}
