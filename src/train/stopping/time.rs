//! The time limit of a run.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::text::shorten;

/// A limit on the time of training, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeLimit(pub Option<Duration>);

impl FromStr for TimeLimit {
    type Err = Error;

    /// Reads `none`, or a time as in `90s`, `10m` or `1h30m`.
    fn from_str(text: &str) -> Result<TimeLimit> {
        let problem = || {
            Error::Usage(format!(
                "time “{text}”: it is none, or whole numbers of hours, minutes and seconds as in 90s, 10m or 1h30m",
                text = shorten(text)
            ))
        };
        if text == "none" {
            return Ok(TimeLimit(None));
        }
        let mut seconds = 0u64;
        let mut rest = text;
        for (unit, size) in [('h', 3_600), ('m', 60), ('s', 1)] {
            if let Some((number, behind)) = rest.split_once(unit) {
                let number: u64 = number.parse().map_err(|_| problem())?;
                let more = number.checked_mul(size).and_then(|more| seconds.checked_add(more));
                seconds = more.filter(|all| *all < u64::from(u32::MAX)).ok_or_else(problem)?;
                rest = behind;
            }
        }
        match (rest, seconds) {
            ("", 1..) => Ok(TimeLimit(Some(Duration::from_secs(seconds)))),
            _ => Err(problem()),
        }
    }
}

impl fmt::Display for TimeLimit {
    /// The text form that [`TimeLimit::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(limit) = self.0 else { return f.write_str("none") };
        let seconds = limit.as_secs();
        for (number, unit) in [(seconds / 3_600, 'h'), (seconds / 60 % 60, 'm'), (seconds % 60, 's')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in ["none", "90s", "10m", "2h", "1h30m", "1h1s"] {
            let read: TimeLimit = text.parse().unwrap();
            assert_eq!(read.to_string().parse::<TimeLimit>().unwrap(), read);
        }
        assert_eq!("90s".parse::<TimeLimit>().unwrap(), TimeLimit(Some(Duration::from_secs(90))));
        assert_eq!("90s".parse::<TimeLimit>().unwrap().to_string(), "1m30s");
        for text in
            ["", "10", "0s", "m", "-1s", "1.5h", "10m5", "5s10m", "99999999999999999999h", "9999999999h"]
        {
            assert!(text.parse::<TimeLimit>().is_err(), "{text}");
        }
    }
}
