//! Settings of augmentation, as text and as the constants of `gather_batch`.

use std::fmt;
use std::str::FromStr;

use super::Const;
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// The augmentation of training samples, drawn anew in every epoch.
///
/// A network is then less able to memorise its samples. A 0 turns a change off.
///
/// Its text form is `shift 2, rotate 10, flip`, or `none`. Shifting, rotating, scaling and
/// shearing are one step: every pixel of the result is interpolated bilinearly at a position in the image, which is
/// black outside.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augmentation {
    /// Pixels, 0 to 512: right or left by up to this much, and up or down.
    pub shift: f32,
    /// Degrees, 0 to 180: either way by up to this much, about the middle.
    pub rotate: f32,
    /// 0 to 0.9: smaller or larger by up to this fraction.
    pub scale: f32,
    /// Pixels, 0 to 2: each row is moved against the one above by up to this much, either way.
    pub shear: f32,
    /// Left and right are swapped with probability 1/2.
    pub flip: bool,
    /// Pixels, 0 to 512: the side of a square, anywhere in the image, that becomes 0 after normalisation.
    ///
    /// With the default normalisation, 0 is the mean of the train part.
    pub cut_out: u32,
    /// 0 to 1: all values are raised or lowered by up to this fraction of the way from black to white.
    pub brightness: f32,
    /// 0 to 1: normalised values are multiplied by 1 ± up to this much.
    pub contrast: f32,
}

/// The changes by name, with the value that each takes.
const CHANGES: &[(&str, &str)] = &[
    ("shift", "pixels from 0 to 512, as in “shift 2”"),
    ("rotate", "degrees from 0 to 180, as in “rotate 10”"),
    ("scale", "a fraction from 0 to 0.9, as in “scale 0.1”"),
    ("shear", "pixels per row from 0 to 2, as in “shear 0.1”"),
    ("flip", "nothing, as in “flip”"),
    ("cutout", "a whole number of pixels from 0 to 512, as in “cutout 8”"),
    ("brightness", "a fraction from 0 to 1, as in “brightness 0.2”"),
    ("contrast", "a fraction from 0 to 1, as in “contrast 0.2”"),
];

/// The text of no augmentation.
const NONE: &str = "none";

impl Augmentation {
    /// Whether no change is turned on.
    pub fn is_none(&self) -> bool {
        *self == Augmentation::default()
    }

    /// The augmentation constants of `gather_batch`, in its order.
    pub fn consts(&self) -> [(&'static str, Const); 9] {
        [
            ("AUGMENT", (!self.is_none()).into()),
            ("SHIFT", self.shift.into()),
            ("ROTATE", self.rotate.to_radians().into()),
            ("SCALE", self.scale.into()),
            ("SHEAR", self.shear.into()),
            ("FLIP", self.flip.into()),
            ("CUT_OUT", Const::Uint(self.cut_out)),
            ("BRIGHTNESS", self.brightness.into()),
            ("CONTRAST", self.contrast.into()),
        ]
    }

    /// Reads one change, such as `shift 2`.
    fn set(&mut self, change: &str) -> Result<(), String> {
        let mut words = change.split_whitespace();
        let name = words.next().ok_or("there is nothing between two commas")?;
        let value: Vec<&str> = words.collect();
        let Some((_, takes)) = CHANGES.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = CHANGES.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "there is no “{}”{}; there are {}",
                shorten(name),
                suggestion(name, &names),
                names.join(", ")
            ));
        };
        let wrong = || format!("“{}” takes {takes}", shorten(change));
        if name == "flip" {
            self.flip = true;
            return if value.is_empty() { Ok(()) } else { Err(wrong()) };
        }
        let [value] = value[..] else { return Err(wrong()) };
        if name == "cutout" {
            self.cut_out = value.parse().ok().filter(|side| *side <= 512).ok_or_else(wrong)?;
            return Ok(());
        }
        let (place, most) = match name {
            "shift" => (&mut self.shift, 512.0),
            "rotate" => (&mut self.rotate, 180.0),
            "scale" => (&mut self.scale, 0.9),
            "shear" => (&mut self.shear, 2.0),
            "brightness" => (&mut self.brightness, 1.0),
            _ => (&mut self.contrast, 1.0),
        };
        *place = value.parse().ok().filter(|value| (0.0..=most).contains(value)).ok_or_else(wrong)?;
        Ok(())
    }
}

impl FromStr for Augmentation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Augmentation> {
        let mut all = Augmentation::default();
        if text.trim() == NONE {
            return Ok(all);
        }
        let mut seen: Vec<&str> = Vec::new();
        for change in text.split(',').map(str::trim) {
            let name = change.split_whitespace().next().unwrap_or_default();
            let read = if seen.contains(&name) {
                Err(format!("“{}” is there twice", shorten(name)))
            } else {
                all.set(change)
            };
            read.map_err(|problem| Error::Usage(format!("⟨augment⟩: {problem}")))?;
            seen.push(name);
        }
        Ok(all)
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let number = |name: &str, value: f32| (value != 0.0).then(|| format!("{name} {value}"));
        let changes = [
            number("shift", self.shift),
            number("rotate", self.rotate),
            number("scale", self.scale),
            number("shear", self.shear),
            self.flip.then(|| "flip".to_owned()),
            (self.cut_out > 0).then(|| format!("cutout {}", self.cut_out)),
            number("brightness", self.brightness),
            number("contrast", self.contrast),
        ];
        let changes: Vec<String> = changes.into_iter().flatten().collect();
        f.write_str(if changes.is_empty() { NONE } else { "" })?;
        f.write_str(&changes.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_changes_are_each_others_inverse() {
        let all = "shift 2.5, rotate 10, scale 0.1, shear 0.25, flip, cutout 8, brightness 0.2, contrast 0.3";
        for text in [all, "none", "flip", "cutout 4", "rotate 180"] {
            assert_eq!(text.parse::<Augmentation>().unwrap().to_string(), text);
        }
        assert_eq!("shift 0, rotate 0".parse::<Augmentation>().unwrap().to_string(), "none");
        assert!(" none ".parse::<Augmentation>().unwrap().is_none());
    }

    #[test]
    fn unknown_changes_are_refused_with_the_known_ones() {
        for (text, words) in [
            ("shfit 2", "there is no “shfit”, did you mean “shift”?; there are shift, rotate"),
            ("", "nothing between two commas"),
            ("shift 2,", "nothing between two commas"),
            ("shift", "“shift” takes pixels from 0 to 512"),
            ("shift 2 3", "“shift 2 3” takes"),
            ("shift -1", "“shift -1” takes"),
            ("rotate 181", "degrees from 0 to 180"),
            ("rotate nan", "“rotate nan” takes"),
            ("scale 1", "from 0 to 0.9"),
            ("shear inf", "from 0 to 2"),
            ("flip 0.5", "“flip 0.5” takes nothing"),
            ("cutout 1.5", "a whole number of pixels"),
            ("brightness 2", "from 0 to 1"),
            ("contrast x", "from 0 to 1"),
            ("flip, flip", "“flip” is there twice"),
            ("none, flip", "there is no “none”"),
        ] {
            let error = text.parse::<Augmentation>().unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(words), "{text}: {error}");
        }
    }
}
