//! Small files of each format to read, and to break.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use wgrad::internals::data::{Background, Fit, Grey, Levels, PictureOptions, Reading};

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

/// The defaults of reading, which constants begin with.
pub const READING: Reading = Reading {
    resize: None,
    skip_bad: false,
    background: Background::Auto,
    levels: Levels::Auto,
    options: PictureOptions { invert: false, fit: Fit::Pad },
    grey: Grey::Rec601,
    transpose: None,
    rendering: None,
};

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
        fs::create_dir_all(self.file(name).parent().unwrap()).unwrap();
        fs::write(self.file(name), bytes).unwrap();
        self
    }

    /// An empty folder in it.
    pub fn with_folder(self, name: &str) -> Folder {
        fs::create_dir_all(self.file(name)).unwrap();
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

    pub fn load_with(&self, reading: &Reading) -> wgrad::Result<wgrad::internals::data::Dataset> {
        wgrad::internals::data::load_with(self.path().to_str().unwrap(), reading)
    }

    pub fn load(&self) -> wgrad::Result<wgrad::internals::data::Dataset> {
        wgrad::internals::data::load(self.path().to_str().unwrap())
    }
}

/// Bytes of a CIFAR-10 record.
pub const RECORD: usize = 3073;

/// A record of CIFAR-10's binary format, whose red plane begins with `first`.
pub fn record(label: u8, first: u8) -> Vec<u8> {
    let mut bytes = vec![label, first];
    bytes.resize(RECORD, 7);
    bytes
}

/// A small set in CIFAR-10's binary format: 3 and 1 images to train on, 2 held out, 3 classes.
pub fn cifar() -> Folder {
    Folder::empty()
        .with("data_batch_1.bin", &[record(0, 10), record(2, 20), record(1, 30)].concat())
        .with("data_batch_2.bin", &record(2, 40))
        .with("test_batch.bin", &[record(1, 50), record(0, 60)].concat())
        .with("batches.meta.txt", b"airplane\nautomobile\nbird\n\n")
}

/// A picture of one colour as a PNG file: grey, or RGB by three values.
pub fn png(width: u32, height: u32, colour: &[u8]) -> Vec<u8> {
    let picture: image::DynamicImage = match *colour {
        [grey] => image::GrayImage::from_pixel(width, height, image::Luma([grey])).into(),
        [r, g, b] => image::RgbImage::from_pixel(width, height, image::Rgb([r, g, b])).into(),
        [r, g, b, a] => image::RgbaImage::from_pixel(width, height, image::Rgba([r, g, b, a])).into(),
        _ => panic!("{} channels", colour.len()),
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Class folders `cat` and `dog` of 10 and 5 grey pictures of 3×2 pixels; the pictures of a class
/// differ in their grey: 1, 2 and so on, for dogs from 101.
pub fn pets() -> Folder {
    let mut folder = Folder::empty();
    for (class, count, first) in [("cat", 10, 1), ("dog", 5, 101)] {
        for at in 0..count {
            folder = folder.with(&format!("{class}/{at}.png"), &png(3, 2, &[first + at]));
        }
    }
    folder
}
