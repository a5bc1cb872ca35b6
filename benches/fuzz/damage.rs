//! Damage to the files of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::seq::IteratorRandom;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::mutation::{mutate, renumber};

/// Files by their paths within a folder.
pub type Files = BTreeMap<String, Vec<u8>>;

/// The key of the checksum in a file, and one that means nothing.
const KEY: &[u8] = b"\"checksum\":";
const NO_KEY: &[u8] = b"\"checkzum\":";

/// All files of a folder.
pub fn files_of(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is within").to_str().expect("a name");
                files.insert(name.to_owned(), fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

/// Makes a folder hold these files and no others.
pub fn put(folder: &Path, files: &Files) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("it is made");
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it is made");
        fs::write(path, bytes).expect("it is written");
    }
}

/// Whether a file has a checksum.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.windows(KEY.len()).any(|part| part == KEY)
}

/// Takes the checksum from a file, as from one of an earlier version.
fn unseal(bytes: &mut [u8]) {
    while let Some(at) = bytes.windows(KEY.len()).position(|part| part == KEY) {
        bytes[at..at + KEY.len()].copy_from_slice(NO_KEY);
    }
}

/// The same files, up to six of them damaged, and whether their checksums were left as they were.
pub fn damaged(rng: &mut ChaCha8Rng, good: &Files) -> (Files, bool) {
    let mut files = good.clone();
    let sealed: bool = rng.random();
    if !sealed {
        files.values_mut().for_each(|bytes| unseal(bytes));
    }
    for _ in 0..rng.random_range(1..=6) {
        let name = good.keys().choose(rng).expect("there are files");
        let Some(bytes) = files.get_mut(name) else { continue };
        match rng.random_range(0..16) {
            0 => drop(files.remove(name)),
            1 => bytes.clear(),
            2 => {
                let other = good.keys().choose(rng).expect("there are files");
                if let Some(other) = files.get(other).cloned() {
                    files.insert(name.clone(), other);
                }
            }
            3 => bytes.truncate(rng.random_range(0..=bytes.len())),
            4 => {
                let from = rng.random_range(0..=bytes.len());
                let to = bytes.len().min(from + 512);
                bytes[from..to].fill(0);
            }
            5 => {
                let length = bytes.len().min(rng.random_range(0..256));
                bytes.resize(length, 0);
                rng.fill_bytes(bytes);
            }
            6..10 => *bytes = mutate(rng, bytes),
            _ => change(rng, bytes),
        }
    }
    (files, sealed)
}

/// Changes numbers and pieces of the text of a file, such that it may still be read.
fn change(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
    // The header of a file of tensors is behind its length.
    let header = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length) as usize);
    let header = header.filter(|length| *length <= bytes.len() - 8);
    let mut text = header.map_or(bytes.clone(), |length| bytes[8..8 + length].to_vec());
    for _ in 0..rng.random_range(1..=3) {
        if rng.random_range(0..6) == 0 {
            leave_out(rng, &mut text);
        } else {
            renumber(rng, &mut text);
        }
    }
    *bytes = match header {
        None => text,
        Some(length) => [&(text.len() as u64).to_le_bytes()[..], &text, &bytes[8 + length..]].concat(),
    };
}

/// Leaves out what stands between two commas, or doubles it.
fn leave_out(rng: &mut ChaCha8Rng, text: &mut Vec<u8>) {
    let commas: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b',').collect();
    let Some(at) = (1..commas.len()).choose(rng) else { return };
    let part = commas[at - 1]..commas[at];
    if rng.random() {
        drop(text.drain(part));
    } else {
        let (place, part) = (part.start, text[part].to_vec());
        text.splice(place..place, part);
    }
}
