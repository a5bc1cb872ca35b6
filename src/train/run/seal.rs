//! Checksums within files: `"checksum":"…"` is the SHA-256 of the file with 64 zeros in their place.
//!
//! A file without one was written by an earlier version. A program that changes a file and keeps the checksum makes it
//! a broken one; without the key the file is read as it is.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::data::files::hex;

/// The key of a checksum.
pub(super) const KEY: &str = "checksum";
/// The digits of a checksum, in hexadecimal.
const DIGITS: usize = 64;
/// The value until the checksum is known.
pub(super) const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What a checksum says about its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    /// The file is as it was written.
    Whole,
    /// The file is not as it was written.
    Broken,
    /// The file has no checksum.
    None,
}

/// A checksum under way.
#[derive(Debug)]
pub(super) struct Sum {
    hash: Sha256,
    /// The checksum that the file has.
    expected: Option<Result<String, ()>>,
}

impl Sum {
    /// Begins with the text that holds the checksum: a whole file of JSON, or the header in front of tensors.
    ///
    /// `before` are the bytes before it.
    pub fn of(before: &[u8], text: &[u8]) -> Sum {
        let mut hash = Sha256::new();
        hash.update(before);
        match digits(text) {
            Some(Ok(at)) => {
                hash.update(&text[..at.start]);
                hash.update(BLANK);
                hash.update(&text[at.end..]);
                let found = String::from_utf8_lossy(&text[at]).into_owned();
                Sum { hash, expected: Some(Ok(found)) }
            }
            other => Sum { hash, expected: other.map(|_| Err(())) },
        }
    }

    /// Whether there is a checksum to compare with.
    pub fn is_expected(&self) -> bool {
        self.expected.is_some()
    }

    /// Adds the bytes that follow.
    pub fn add(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// The checksum as text.
    pub fn finish(self) -> String {
        hex(self.hash.finalize())
    }

    /// Compares it with the one that the file has.
    pub fn compare(self) -> Seal {
        match self.expected.clone() {
            None => Seal::None,
            Some(Ok(expected)) if expected == self.finish() => Seal::Whole,
            Some(_) => Seal::Broken,
        }
    }
}

/// What the checksum in a whole text says.
pub(super) fn check(text: &[u8]) -> Seal {
    Sum::of(&[], text).compare()
}

/// Enters the checksum of a whole text, which has [`BLANK`] in its place.
pub(super) fn enter(text: &mut [u8]) {
    let sum = Sum::of(&[], text).finish();
    put(text, &sum);
}

/// Puts a checksum into its place.
pub(super) fn put(text: &mut [u8], sum: &str) {
    if let Some(Ok(at)) = digits(text) {
        text[at].copy_from_slice(sum.as_bytes());
    }
}

/// The place of the digits. An error is a key that has no 64 digits behind it.
///
/// In a string of JSON, quotes have a backslash in front, so nothing else looks like the key.
fn digits(text: &[u8]) -> Option<Result<Range<usize>, ()>> {
    let key = format!("\"{KEY}\":").into_bytes();
    let mut at = text.windows(key.len()).position(|bytes| bytes == key)? + key.len();
    at += usize::from(text.get(at) == Some(&b' '));
    let digits = at + 1..at + 1 + DIGITS;
    let quoted = text.get(at) == Some(&b'"') && text.get(digits.end) == Some(&b'"');
    let sound = quoted && text[digits.clone()].iter().all(u8::is_ascii_hexdigit);
    Some(if sound { Ok(digits) } else { Err(()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_of_a_byte_is_noticed_but_one_that_only_hides_the_checksum() {
        let mut text = format!("{{ \"a\": 1, \"{KEY}\": \"{BLANK}\", \"b\": \"x\" }}\n").into_bytes();
        enter(&mut text);
        assert_eq!(check(&text), Seal::Whole);
        let key = format!("\"{KEY}\":");
        let at = String::from_utf8(text.clone()).unwrap().find(&key).unwrap();
        for changed in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[changed] ^= 1 << bit;
                let hidden = (at..at + key.len()).contains(&changed);
                assert_eq!(check(&other), if hidden { Seal::None } else { Seal::Broken }, "{changed}");
            }
        }
        assert_eq!(check(b"{}"), Seal::None);
        assert_eq!(check(format!("{{\"{KEY}\": 7}}").as_bytes()), Seal::Broken);
    }
}
