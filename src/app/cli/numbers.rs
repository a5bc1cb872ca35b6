//! Numbers of flags. An error says what is allowed.

/// A whole number above 0.
pub fn from_one(text: &str) -> Result<usize, String> {
    whole(text).ok().filter(|number| *number > 0).ok_or("it takes a whole number from 1".to_owned())
}

/// A whole number. `-1` is passed on by clap, so that this error can say what is allowed.
pub fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a whole number, neither negative nor beyond 64 bits".to_owned())
}

/// A number. Its use has a check of its own.
pub fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a number, as in 0.5, -2 or 1e-3".to_owned())
}
