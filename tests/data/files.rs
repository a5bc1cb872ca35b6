//! Small IDX files to read, and to break.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

pub const TRAIN_IMAGES: &str = "train-images-idx3-ubyte";
pub const TRAIN_LABELS: &str = "train-labels-idx1-ubyte";
pub const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
pub const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

/// The bytes of an IDX file.
pub fn idx(element: u8, dimensions: &[u32], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, element, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend_from_slice(payload);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with a good data set: 2×3 images, 4 with labels 0 to 2 to train on and 2 held out.
pub struct Folder(TempDir);

impl Folder {
    pub fn empty() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub fn good() -> Folder {
        let pixels: Vec<u8> = (0..24).map(|value| value * 10).collect();
        Folder::empty()
            .with(TRAIN_IMAGES, &idx(8, &[4, 2, 3], &pixels))
            .with(TRAIN_LABELS, &idx(8, &[4], &[0, 2, 1, 0]))
            .with(TEST_IMAGES, &idx(8, &[2, 2, 3], &pixels[..12]))
            .with(TEST_LABELS, &idx(8, &[2], &[1, 2]))
    }

    pub fn with(self, name: &str, bytes: &[u8]) -> Folder {
        fs::write(self.file(name), bytes).unwrap();
        self
    }

    pub fn without(self, name: &str) -> Folder {
        fs::remove_file(self.file(name)).unwrap();
        self
    }

    pub fn renamed(self, from: &str, to: &str) -> Folder {
        fs::rename(self.file(from), self.file(to)).unwrap();
        self
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub fn load(&self) -> wgrad::error::Result<wgrad::data::Dataset> {
        wgrad::data::load(self.path().to_str().unwrap())
    }
}
