//! Random inputs: good ones that are changed, and words in random order.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// A good input with bytes changed, parts doubled, moved or removed, and maybe cut short.
pub fn mutate(rng: &mut ChaCha8Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(0..6) {
        let from = rng.random_range(0..=bytes.len());
        let to = rng.random_range(from..=bytes.len().min(from + 24));
        match rng.random_range(0..6) {
            0 | 1 if from < bytes.len() => bytes[from] = rng.random(),
            2 if from < bytes.len() => bytes[from] ^= 1 << rng.random_range(0..8),
            3 => {
                let piece = bytes[from..to].to_vec();
                let place = rng.random_range(0..=bytes.len());
                bytes.splice(place..place, piece);
            }
            4 => drop(bytes.drain(from..to)),
            5 => {
                let digits = rng.next_u64().to_string();
                bytes.splice(from..to, digits.bytes());
            }
            _ => {}
        }
    }
    if rng.random_range(0..4) == 0 {
        bytes.truncate(rng.random_range(0..=bytes.len()));
    }
    bytes
}

/// Words of a language in random order.
pub fn words(rng: &mut ChaCha8Rng, vocabulary: &[&str]) -> String {
    let count = rng.random_range(0..20);
    (0..count).map(|_| one_of(rng, vocabulary)).collect()
}

pub fn one_of<'a>(rng: &mut ChaCha8Rng, all: &[&'a str]) -> &'a str {
    all.choose(rng).expect("there are some")
}

/// Numbers at the ends of their types, and what is no number.
const EXTREMES: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-0.0",
    "0.5",
    "1.0",
    "255",
    "65536",
    "1000000",
    "1000001",
    "2147483647",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e19",
    "1e300",
    "1e308",
    "1e309",
    "1e-320",
    "1e-45",
    "3.5e38",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "\"NaN\"",
];

/// An extreme number.
pub fn extreme(rng: &mut ChaCha8Rng) -> &'static str {
    one_of(rng, EXTREMES)
}

/// Puts an extreme value in the place of a number, or of one in a list.
pub fn renumber(rng: &mut ChaCha8Rng, text: &mut Vec<u8>) {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let from = rng.random_range(0..=text.len());
    let Some(start) = text[from..].iter().position(u8::is_ascii_digit) else { return };
    // The whole number, also where `from` was within it.
    let start = text[..from + start].iter().rposition(|byte| !is_part(byte)).map_or(0, |before| before + 1);
    let end =
        text[start..].iter().position(|byte| !is_part(byte)).map_or(text.len(), |length| start + length);
    text.splice(start..end, extreme(rng).bytes());
}
