//! Pictures, good ones and damaged ones, read as `predict` and `train` read them.

use std::fs;

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, Luma, Rgb, RgbImage};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wgrad::internals::data::{LevelRange, Reading, Rendering, read_picture};
use wgrad::internals::program::shape::Shape;

use crate::files::{Folder, png as plain_png};
use crate::mutation::{mutate, one_of};
use crate::png::{self, KINDS, repair};
use crate::run::Run;

/// The memory that a picture to predict may take: far more than those of a data set.
pub const ONE_PICTURE: usize = 512 << 20;

/// A good picture of every kind that is read.
pub struct Pictures(Vec<Vec<u8>>);

impl Pictures {
    pub fn new(seed: u64) -> Pictures {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut all: Vec<Vec<u8>> = vec![
            include_bytes!("pictures/progressive.jpg").to_vec(),
            include_bytes!("pictures/progressive-grey.jpg").to_vec(),
            include_bytes!("pictures/cmyk.jpg").to_vec(),
            include_bytes!("pictures/turned.jpg").to_vec(),
        ];
        let grey = GrayImage::from_fn(13, 9, |x, y| Luma([(x * 17 + y * y) as u8]));
        let colour = RgbImage::from_fn(24, 16, |x, y| Rgb([(x * 9) as u8, (y * 13) as u8, (x * y) as u8]));
        for quality in [5, 75, 100] {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            JpegEncoder::new_with_quality(&mut one, quality).encode_image(&grey).expect("it is encoded");
            JpegEncoder::new_with_quality(&mut two, quality).encode_image(&colour).expect("it is encoded");
            all.extend([one, two]);
        }
        for (colour, channels, depths) in KINDS {
            for depth in depths {
                for interlaced in [false, true, false, true] {
                    all.push(png::random(&mut rng, (colour, channels, *depth), interlaced));
                }
            }
        }
        Pictures(all)
    }

    /// A picture that is maybe damaged; for half of the damaged PNG files the checksums of chunks are made right.
    fn one(&self, rng: &mut ChaCha8Rng) -> Vec<u8> {
        let good = self.0.choose(rng).expect("there are pictures");
        let mut bytes = if rng.random_range(0..4) == 0 { resized(rng, good) } else { mutate(rng, good) };
        if rng.random() {
            repair(&mut bytes);
        }
        bytes
    }
}

/// A picture whose header tells another size or kind.
fn resized(rng: &mut ChaCha8Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    if good.starts_with(b"\x89PNG") {
        let side = |rng: &mut ChaCha8Rng| match rng.random_range(0..3) {
            0 => rng.random_range(0..40),
            1 => rng.random_range(0..20_000),
            _ => rng.next_u32(),
        };
        for at in [16, 20] {
            let side = side(rng).to_be_bytes();
            if rng.random() {
                bytes[at..at + 4].copy_from_slice(&side);
            }
        }
        if rng.random() {
            bytes[24] = *[1, 2, 4, 8, 16].choose(rng).expect("some");
            bytes[25] = rng.random_range(0..8);
            bytes[28] = rng.random_range(0..3);
        }
        return bytes;
    }
    let is_frame = |pair: &[u8]| pair[0] == 0xff && (0xc0..0xc4).contains(&pair[1]);
    let frame = bytes.windows(2).position(is_frame).expect("a JPEG file has a frame");
    match rng.random_range(0..4) {
        0 => bytes[frame + 1] = rng.random_range(0xc0..0xd0),
        1 => bytes[frame + 9] = rng.random_range(0..6),
        _ => rng.fill_bytes(&mut bytes[frame + 5..frame + 9]),
    }
    bytes
}

/// Reads single pictures, as `predict` does.
pub fn to_predict(run: Run, pictures: &Pictures) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("picture");
    // The first byte decides how the picture is read.
    let make = |rng: &mut ChaCha8Rng| [vec![rng.random()], pictures.one(rng)].concat();
    run.within(ONE_PICTURE).over(make, |bytes| {
        fs::write(&path, &bytes[1..]).expect("it is written");
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(bytes[0]));
        let mut side = || *[1, 2, 7, 28, 100].choose(&mut rng).expect("some");
        let (height, width) = (side(), side());
        let shape = Shape::image(rng.random_range(1..=4), height, width);
        let levels = match rng.random_range(0..3) {
            0 => LevelRange::FULL,
            1 => LevelRange { low: 0, high: 1 },
            _ => LevelRange { low: 1000, high: 40_000 },
        };
        let rendering = Rendering { levels, margin: rng.random(), ..Rendering::default() }.on(rng.random());
        let image = read_picture(&path, &shape, &rendering, rng.random());
        if let Ok(image) = &image {
            assert_eq!(image.len(), shape.len());
        }
        image
    });
}

/// Reads PNG files with one changed bit: each is read as the good one, or refused.
pub fn changed(run: Run, pictures: &Pictures) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("picture");
    let shape = Shape::image(4, 9, 9);
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("it is written");
        read_picture(&path, &shape, &Rendering::default(), false)
    };
    let all: Vec<(&Vec<u8>, Vec<u8>)> = pictures
        .0
        .iter()
        .filter(|bytes| bytes.starts_with(b"\x89PNG"))
        .map(|bytes| (bytes, read(bytes).expect("a good picture")))
        .collect();
    let make = |rng: &mut ChaCha8Rng| rng.next_u64().to_le_bytes().to_vec();
    run.within(ONE_PICTURE).over(make, |seed| {
        let seed = u64::from_le_bytes(seed.try_into().expect("8 bytes")) as usize;
        let (good, seen) = &all[seed % all.len()];
        let bit = seed / all.len() % (8 * good.len());
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let image = read(&bytes);
        assert!(image.is_err() || image.as_ref() == Ok(seen), "bit {bit} changes what is seen");
        image
    });
}

/// Reads a folder of pictures, as `train` does.
pub fn to_train(run: Run, pictures: &Pictures) {
    let mut folder = Folder::empty();
    for (at, name) in ["a/1.png", "a/2.png", "b/1.png", "b/2.png"].into_iter().enumerate() {
        folder = folder.with(name, &plain_png(4, 3, &[50 * at as u8 + 9]));
    }
    let file = folder.file("b/3.png");
    let make = |rng: &mut ChaCha8Rng| [vec![rng.random()], pictures.one(rng)].concat();
    run.reading(16_384).over(make, |bytes| {
        fs::write(&file, &bytes[1..]).expect("it is written");
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(bytes[0]));
        let sizes = ["3x4", "1x5x5", "2x1x9", "3x8x8", "4x2x2", "16x16"];
        let reading = Reading {
            resize: (rng.random_range(0..8) > 0).then(|| one_of(&mut rng, &sizes).parse().expect("a size")),
            skip_bad: rng.random_range(0..4) == 0,
            background: one_of(&mut rng, &["auto", "white", "#123456", "77"]).parse().expect("a colour"),
            levels: one_of(&mut rng, &["auto", "full", "0-1", "500-60000"]).parse().expect("levels"),
            options: Default::default(),
            grey: one_of(&mut rng, &["rec601", "rec709"]).parse().expect("a grey"),
            transpose: None,
            rendering: None,
        };
        let set = folder.load_with(&reading);
        if let Ok(set) = &set {
            for part in [&set.train, &set.held_out] {
                assert_eq!(part.pixels.len(), part.labels.len() * set.train.shape.len());
            }
        }
        set
    });
}
