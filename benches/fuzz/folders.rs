//! Folders of data with one damaged file.

use std::fs;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::files::{Folder, gzip};
use crate::mutation::mutate;
use crate::run::Run;

/// A folder with one random file; missing files are made from `new`.
pub fn folder(run: Run, folder: &Folder, names: &[&str], new: &[u8]) {
    let there: Vec<bool> = names.iter().map(|name| folder.file(name).is_file()).collect();
    let good: Vec<Vec<u8>> =
        names.iter().map(|name| fs::read(folder.file(name)).unwrap_or(new.to_vec())).collect();
    let besides: usize = good.iter().map(Vec::len).sum::<usize>() + 16_384;
    // The first byte chooses the file.
    let make = |rng: &mut ChaCha8Rng| {
        let at = rng.random_range(0..names.len());
        let mut bytes = mutate(rng, &good[at]);
        if names[at].ends_with("ubyte") && rng.random_range(0..4) == 0 {
            bytes = gzip(&bytes);
        }
        bytes.insert(0, at as u8);
        bytes
    };
    run.reading(besides).over(make, |bytes| {
        let at = usize::from(bytes[0]);
        let file = folder.file(names[at]);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("it is made");
        fs::write(&file, &bytes[1..]).expect("it is written");
        let result = folder.load();
        if there[at] {
            fs::write(&file, &good[at]).expect("it is written");
        } else {
            fs::remove_file(&file).expect("it was written");
            // A folder without pictures would be refused whatever comes next; of a full one this does nothing.
            let _ = fs::remove_dir(file.parent().expect("it is in a folder"));
        }
        result
    });
}
