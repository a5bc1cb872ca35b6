//! Numbers of flags, refused with what is allowed.

/// A whole number above 0.
pub fn from_one(text: &str) -> Result<usize, String> {
    whole(text).ok().filter(|number| *number > 0).ok_or("it takes a whole number from 1".to_owned())
}

/// A whole number; `-1` gets here as well, to be refused with what is allowed.
pub fn whole<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a whole number, neither negative nor beyond 64 bits".to_owned())
}

/// A number; which ones are allowed is said where it is used.
pub fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a number, as in 0.5, -2 or 1e-3".to_owned())
}
