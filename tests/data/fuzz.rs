//! Random bytes in IDX files: reading them ends with a whole data set or a sentence.

use std::fs;

use proptest::prelude::*;
use wgrad::internals::data::Dataset;

use crate::files::{Folder, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, gzip};

const FILES: [&str; 4] = [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS];

fn whole(set: &Dataset) -> Result<(), TestCaseError> {
    for part in [&set.train, &set.held_out] {
        prop_assert!(!part.is_empty());
        prop_assert_eq!(part.pixels.len(), part.len() * part.shape.len());
        prop_assert!(part.labels.iter().all(|label| (*label as usize) < set.classes.len()));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Random bytes seldom get past the first four, so these are sometimes given.
    #[test]
    fn random_bytes_never_panic(
        magic in prop::option::of((0x07u8..0x10, 0u8..6)),
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        name in prop::sample::select(&FILES[..]),
        packed in any::<bool>(),
    ) {
        let magic = magic.map_or(vec![], |(element, dimensions)| vec![0, 0, element, dimensions]);
        let bytes = [magic, bytes].concat();
        let bytes = if packed { gzip(&bytes) } else { bytes };
        match Folder::good().with(name, &bytes).load() {
            Ok(set) => whole(&set)?,
            Err(error) => prop_assert!(error.to_string().contains(name), "{}", error),
        }
    }

    /// A good file with bytes changed and its end moved.
    #[test]
    fn mutated_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        length in any::<prop::sample::Index>(),
        name in prop::sample::select(&FILES[..]),
        packed in any::<bool>(),
        cut in any::<bool>(),
    ) {
        let folder = Folder::good();
        let mut bytes = fs::read(folder.file(name)).unwrap();
        if packed {
            bytes = gzip(&bytes);
        }
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if cut {
            bytes.truncate(length.index(bytes.len()));
        }
        match folder.with(name, &bytes).load() {
            Ok(set) => whole(&set)?,
            Err(error) => prop_assert!(error.to_string().contains("-ubyte"), "{}", error),
        }
    }
}
