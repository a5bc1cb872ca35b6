//! When a checkpoint is due.

use crate::text::shorten;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How often a checkpoint is saved.
///
/// The text form is a number of steps, as in `500`, or a time, as in `30s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Every {
    /// After every this many steps of the run.
    Steps(usize),
    /// When this much time has passed since the last one.
    Time(Duration),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Every, String> {
        let wrong = || {
            format!(
                "“{text}” is neither a number of steps, as in 500, nor a time, as in 30s, 2m or 1h",
                text = shorten(text)
            )
        };
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
        let seconds = match &text[digits.len()..] {
            "" => return usize::try_from(number).map(Every::Steps).map_err(|_| wrong()),
            "s" => Some(number),
            "m" => number.checked_mul(60),
            "h" => number.checked_mul(3600),
            _ => None,
        };
        seconds.map(|seconds| Every::Time(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

impl Every {
    /// Steps from `steps` on until a checkpoint is due.
    pub fn steps_from(self, steps: usize) -> usize {
        match self {
            Every::Steps(every) => every - steps % every,
            Every::Time(_) => usize::MAX,
        }
    }

    /// Whether a checkpoint is due by the time since the last one.
    pub fn is_over(self, saved: Instant) -> bool {
        matches!(self, Every::Time(time) if saved.elapsed() >= time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_times_are_read_and_nothing_else() {
        let seconds = |seconds| Ok(Every::Time(Duration::from_secs(seconds)));
        assert_eq!("500".parse(), Ok(Every::Steps(500)));
        assert_eq!("30s".parse(), seconds(30));
        assert_eq!("2m".parse(), seconds(120));
        assert_eq!("1h".parse(), seconds(3600));
        for wrong in
            ["", "0", "0s", "m", "-1", "1.5m", "2d", "2 m", "99999999999999999999", "9999999999999999999h"]
        {
            assert!(wrong.parse::<Every>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn steps_are_counted_to_the_next_checkpoint() {
        assert_eq!(
            [0, 1, 499, 500, 501].map(|steps| Every::Steps(500).steps_from(steps)),
            [500, 499, 1, 500, 499]
        );
    }
}
