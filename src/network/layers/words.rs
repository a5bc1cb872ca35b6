//! Words of a layer's text form: sizes, numbers, initialisers.

use std::fmt;
use std::str::SplitWhitespace;

use crate::program::init::{Fans, Init, Initialiser};
use crate::text::shorten;

/// The words of a layer that are still to be read.
pub type Words<'a> = SplitWhitespace<'a>;

/// The largest size along a side: no image is larger, and products of sizes don't overflow.
const MOST: usize = 1 << 20;

/// A number per side, height first: `3x3`, or `3` for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The number along the height.
    pub y: usize,
    /// The number along the width.
    pub x: usize,
}

impl Pair {
    /// The same along both sides.
    pub const fn both(size: usize) -> Pair {
        Pair { y: size, x: size }
    }

    /// Reads the next word, whose numbers are at least `least`.
    ///
    /// # Errors
    /// The problem, as part of a sentence in which the word is called `what`.
    pub fn parse(words: &mut Words, what: &str, least: usize) -> Result<Pair, String> {
        let text = words.next().ok_or_else(|| format!("{what} is missing: a number, or two as in 3x3"))?;
        let number = |text: &str| text.parse().ok().filter(|size| (least..=MOST).contains(size));
        let pair = match text.split_once('x') {
            Some((y, x)) => number(y).zip(number(x)).map(|(y, x)| Pair { y, x }),
            None => number(text).map(Pair::both),
        };
        pair.ok_or_else(|| {
            format!("“{text}” is no {what}: a number from {least}, or two as in 3x3", text = shorten(text))
        })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.y == self.x { write!(f, "{}", self.y) } else { write!(f, "{}x{}", self.y, self.x) }
    }
}

/// Reads the next word as a number for which `fits` holds.
///
/// # Errors
/// The problem, as part of a sentence in which the number is called `what`.
pub fn number(words: &mut Words, what: &str, fits: impl Fn(f32) -> bool) -> Result<f32, String> {
    let text = words.next().ok_or_else(|| format!("{what} is missing its number"))?;
    text.parse()
        .ok()
        .filter(|value| fits(*value))
        .ok_or_else(|| format!("“{text}” is no {what}", text = shorten(text)))
}

/// The initialisers of a layer; none for PyTorch's default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Inits {
    /// The initialiser of the weights.
    pub weight: Option<Init>,
    /// The initialiser of the biases.
    pub bias: Option<Init>,
}

impl Inits {
    /// The words that [`Inits::parse`] understands.
    pub const TAKES: &str = "“init …” and “bias-init …”";

    /// Reads `init …` or `bias-init …`, and says whether `word` begins one.
    ///
    /// # Errors
    /// As [`Init::parse`].
    pub fn parse(&mut self, word: &str, words: &mut Words) -> Result<bool, String> {
        match word {
            "init" => self.weight = Some(Init::parse(words)?),
            "bias-init" => self.bias = Some(Init::parse(words)?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The initialiser of weights with these fans.
    pub fn weight(&self, fans: Fans) -> Initialiser {
        self.weight.map_or(fans.default(), |init| init.resolve(fans))
    }

    /// The initialiser of biases beside weights with these fans.
    pub fn bias(&self, fans: Fans) -> Initialiser {
        self.bias.map_or(fans.default(), |init| init.resolve(fans))
    }
}

impl fmt::Display for Inits {
    /// The text form, with a space in front of each part.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(init) = self.weight {
            write!(f, " init {init}")?;
        }
        self.bias.map_or(Ok(()), |init| write!(f, " bias-init {init}"))
    }
}
