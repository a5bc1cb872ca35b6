//! The text form of a schedule.
//!
//! It is a name, then settings that differ from its defaults, as in `cosine warmup 100` or `step every 5 factor 0.5`.

use std::fmt;
use std::str::FromStr;

use super::{Curve, Schedule};
use crate::error::{Error, Result, suggestion};
use crate::text::shorten;

/// Names in the text form.
pub const NAMES: &[&str] = &["constant", "step", "exponential", "cosine", "one-cycle", "plateau"];

fn named(name: &str) -> Option<Curve> {
    Some(match name {
        "constant" => Curve::Constant,
        "step" => Curve::Step { every: 10.0, factor: 0.1 },
        "exponential" => Curve::Exponential { factor: 0.95 },
        "cosine" => Curve::Cosine { floor: 0.0 },
        "one-cycle" => Curve::OneCycle { up: 0.3, start: 25.0, end: 1e4 },
        "plateau" => Curve::Plateau { factor: 0.1, patience: 10 },
        _ => return None,
    })
}

/// A setting that is a number: name, value, allowed values, check.
type Setting<'a> = (&'static str, &'a mut f64, &'static str, fn(f64) -> bool);

impl Schedule {
    fn name(&self) -> &'static str {
        match self.shape {
            Curve::Constant => "constant",
            Curve::Step { .. } => "step",
            Curve::Exponential { .. } => "exponential",
            Curve::Cosine { .. } => "cosine",
            Curve::OneCycle { .. } => "one-cycle",
            Curve::Plateau { .. } => "plateau",
        }
    }

    fn settings(&mut self) -> Vec<Setting<'_>> {
        let fraction: fn(f64) -> bool = |x| x > 0.0 && x < 1.0;
        let factor = |value| ("factor", value, "a number between 0 and 1", fraction);
        let positive: fn(f64) -> bool = |x| x.is_finite() && x > 0.0;
        let above_one: fn(f64) -> bool = |x| x.is_finite() && x >= 1.0;
        match &mut self.shape {
            Curve::Constant => Vec::new(),
            Curve::Step { every, factor: value } => {
                vec![("every", every, "a number of epochs above 0", positive), factor(value)]
            }
            Curve::Exponential { factor: value } | Curve::Plateau { factor: value, .. } => {
                vec![factor(value)]
            }
            Curve::Cosine { floor } => {
                vec![("floor", floor, "a fraction from 0 to below 1", |x| (0.0..1.0).contains(&x))]
            }
            Curve::OneCycle { up, start, end } => vec![
                ("up", up, "a number between 0 and 1", fraction),
                ("start", start, "a number from 1", above_one),
                ("end", end, "a number from 1", above_one),
            ],
        }
    }

    /// The settings that are whole numbers of steps or epochs.
    fn counts(&mut self) -> Vec<(&'static str, &mut usize)> {
        let mut all = vec![("warmup", &mut self.warmup)];
        if let Curve::Plateau { patience, .. } = &mut self.shape {
            all.push(("patience", patience));
        }
        all
    }

    fn set(&mut self, word: &str, next: Option<&str>) -> Result<(), String> {
        let missing = || format!("{word} is followed by a number");
        if let Some((_, value, takes, fits)) = self.settings().into_iter().find(|one| one.0 == word) {
            let text = next.ok_or_else(missing)?;
            let number = text.parse().ok().filter(|number| fits(*number));
            *value = number.ok_or_else(|| format!("{word} is {}, but it takes {takes}", shorten(text)))?;
            return Ok(());
        }
        let whole = |least: usize| {
            let text = next.ok_or_else(missing)?;
            let number = text.parse().ok().filter(|number| *number >= least);
            number.ok_or_else(|| {
                format!("{word} is {}, but it takes a whole number from {least}", shorten(text))
            })
        };
        if word == "over" && self.is_spread() {
            self.over = Some(whole(1)?);
            return Ok(());
        }
        if let Some((_, value)) = self.counts().into_iter().find(|one| one.0 == word) {
            *value = whole(0)?;
            return Ok(());
        }
        let mut known: Vec<&str> = self.settings().iter().map(|one| one.0).collect();
        known.extend(self.counts().iter().map(|one| one.0));
        known.extend(self.is_spread().then_some("over"));
        let near = suggestion(word, &known);
        Err(format!("it takes no “{word}”{near}, but {}", known.join(", "), word = shorten(word)))
    }
}

impl FromStr for Schedule {
    type Err = Error;

    /// Reads a name, then settings that differ from its defaults. Examples are `cosine warmup 100` and `step every 5
    /// factor 0.5`.
    fn from_str(text: &str) -> Result<Schedule> {
        let problem =
            |what: String| Error::Usage(format!("⟨schedule⟩ “{text}”: {what}", text = shorten(text)));
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let Some(shape) = named(name) else {
            let near = suggestion(name, NAMES);
            return Err(problem(format!(
                "there is no “{name}”{near}; there are {}",
                NAMES.join(", "),
                name = shorten(name)
            )));
        };
        let mut schedule = Schedule { shape, warmup: 0, over: None };
        while let Some(word) = words.next() {
            schedule.set(word, words.next()).map_err(problem)?;
        }
        Ok(schedule)
    }
}

impl fmt::Display for Schedule {
    /// The text form that [`Schedule::from_str`] reads, without settings at their defaults.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (mut schedule, name) = (*self, self.name());
        let shape = named(name).unwrap_or(Curve::Constant);
        let mut usual = Schedule { shape, warmup: 0, over: None };
        f.write_str(name)?;
        for (given, usual) in schedule.settings().into_iter().zip(usual.settings()) {
            if given.1 != usual.1 {
                write!(f, " {} {}", given.0, given.1)?;
            }
        }
        for (given, usual) in schedule.counts().into_iter().zip(usual.counts()) {
            if given.1 != usual.1 {
                write!(f, " {} {}", given.0, given.1)?;
            }
        }
        self.over.map_or(Ok(()), |over| write!(f, " over {over}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_is_written_as_it_is_read() {
        for text in [
            "constant",
            "constant warmup 10",
            "step every 2.5 factor 0.5",
            "exponential factor 0.9 warmup 3",
            "cosine floor 0.01 over 500",
            "one-cycle up 0.2 start 10 end 100",
            "plateau factor 0.5 patience 3",
        ] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for name in NAMES {
            assert_eq!(name.parse::<Schedule>().unwrap().to_string(), *name);
        }
    }

    #[test]
    fn wrong_schedules_are_refused_with_a_sentence() {
        for (text, part) in [
            ("cosin", "did you mean “cosine”?"),
            ("cosine warm 3", "it takes no “warm”"),
            ("cosine warmup", "warmup is followed by a number"),
            ("cosine warmup -1", "warmup is -1, but it takes a whole number from 0"),
            ("step every 0", "every is 0, but it takes a number of epochs above 0"),
            ("exponential factor 1.5", "factor is 1.5, but it takes a number between 0 and 1"),
            ("plateau patience x", "patience is x"),
            ("constant over 5", "it takes no “over”"),
            ("one-cycle up nan", "up is nan"),
        ] {
            let error = text.parse::<Schedule>().expect_err(text);
            assert_eq!(error.exit_code(), 2, "{text}");
            assert!(error.to_string().contains(part), "“{text}”: {error}");
        }
    }
}
