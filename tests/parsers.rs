//! Random bytes: reading a folder with any file ends with a whole data set or a sentence, and takes
//! at most 64 MiB and 4 times the bytes of the folder.
//!
//! Memory is counted over the whole process, so this is a program of its own with a single test.

#[path = "data/files.rs"]
#[allow(dead_code)]
mod files;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use files::{Folder, RECORD, cifar, pets, png};
use image::codecs::jpeg::JpegEncoder;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use wgrad::Error;
use wgrad::internals::data::{Dataset, Reading};

/// The system's allocator, counting the bytes in use and the most there were.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; sizes are only counted on the way.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(USED.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Bytes of all files below a folder.
fn size(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { size(&path) } else { fs::metadata(&path).unwrap().len() as usize })
        .sum()
}

/// Reads a folder and checks that the result is whole or a sentence, and the memory it took.
fn read(folder: &Folder, reading: &Reading) -> Result<(), TestCaseError> {
    let bound = 4 * size(folder.path()) + (64 << 20);
    let before = USED.load(Relaxed);
    MOST.store(before, Relaxed);
    let result = folder.load_with(reading);
    let took = MOST.load(Relaxed) - before;
    prop_assert!(took <= bound, "{} bytes of {} allowed", took, bound);
    match result {
        Ok(set) => whole(&set),
        Err(Error::Data(sentence) | Error::NotFound(sentence)) => {
            prop_assert!(!sentence.contains('\n') && !sentence.contains(". "), "{}", sentence);
            Ok(())
        }
        Err(other) => Err(TestCaseError::fail(format!("{other:?}"))),
    }
}

fn whole(set: &Dataset) -> Result<(), TestCaseError> {
    for part in [&set.train, &set.held_out] {
        prop_assert!(!part.is_empty());
        prop_assert_eq!(part.shape, set.train.shape);
        prop_assert_eq!(part.pixels.len(), part.len() * part.shape.len());
        prop_assert!(part.labels.iter().all(|label| (*label as usize) < set.classes.len()));
    }
    Ok(())
}

/// A good file with bytes changed and its end moved.
fn mutated(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (changes, prop::option::weighted(0.3, any::<prop::sample::Index>())).prop_map(move |(changes, cut)| {
        let mut bytes = good.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
        bytes
    })
}

/// A PNG file whose first chunk says something else, with the right checksum.
fn claiming(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let side = prop_oneof![0u32..40, 1u32..20_000, any::<u32>()];
    (side.clone(), side, prop::sample::select(vec![1u8, 2, 4, 8, 16]), 0u8..8).prop_map(
        move |(width, height, depth, colour)| {
            let mut bytes = good.clone();
            bytes[16..20].copy_from_slice(&width.to_be_bytes());
            bytes[20..24].copy_from_slice(&height.to_be_bytes());
            (bytes[24], bytes[25]) = (depth, colour);
            let mut crc = flate2::Crc::new();
            crc.update(&bytes[12..29]);
            bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
            bytes
        },
    )
}

/// A JPEG file whose frame has another size, and is maybe said to be progressive.
fn resized(good: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    (any::<u16>(), any::<u16>(), prop::sample::select(vec![0xc0u8, 0xc1, 0xc2])).prop_map(
        move |(height, width, marker)| {
            let mut bytes = good.clone();
            let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
            bytes[frame + 1] = marker;
            bytes[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
            bytes[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
            bytes
        },
    )
}

fn jpeg() -> Vec<u8> {
    let picture =
        image::RgbImage::from_fn(24, 16, |x, y| image::Rgb([(x * 9) as u8, (y * 13) as u8, (x * y) as u8]));
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes).encode_image(&picture).unwrap();
    bytes
}

/// The name of one of CIFAR-10's files, and bytes for it.
fn cifar_file() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let names =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_4.bin", "test_batch.bin", "batches.meta.txt"];
    let records = (0..4usize, any::<u8>(), any::<u8>()).prop_map(|(count, label, value)| {
        let mut bytes = vec![value; count * RECORD];
        bytes.chunks_mut(RECORD).for_each(|record| record[0] = label % 8);
        bytes
    });
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        records.prop_flat_map(|records| mutated([records, vec![0]].concat())),
        "[a-c\n\r \\x00-\\x1f]{0,30}".prop_map(String::into_bytes),
    ];
    (prop::sample::select(names.to_vec()), bytes)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// A black picture of 32 million grey pixels, in a file of a few kilobytes.
fn large_and_grey() -> Vec<u8> {
    let (width, height) = (8000u32, 4000u32);
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::fast());
    rows.write_all(&vec![0; (1 + width as usize / 8) * height as usize]).unwrap();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[1, 0, 0, 0, 0]].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", rows.finish().unwrap()), (b"IEND", vec![])] {
        bytes.extend((data.len() as u32).to_be_bytes());
        let chunk = [&kind[..], &data].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        bytes.extend(chunk);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

#[test]
fn any_bytes_end_in_data_or_a_sentence_within_the_memory() {
    let strict = Reading::default();
    // Memory that a library keeps for good is not a parser's.
    read(&pets(), &strict).unwrap();
    runner(300)
        .run(&cifar_file(), |(name, bytes)| read(&cifar().with(name, &bytes), &strict))
        .unwrap_or_else(|error| panic!("CIFAR-10: {error}"));
    // Converted to four channels it is four times as large.
    for size in ["1x2x3", "3x2x3", "4x2x3"] {
        let reading = Reading { resize: Some(size.parse().expect("a size")), ..Reading::default() };
        read(&pets().with("cat/x.png", &large_and_grey()), &reading)
            .unwrap_or_else(|error| panic!("{size}: {error}"));
    }
    let picture = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        mutated(png(3, 2, &[9])),
        mutated(jpeg()),
        claiming(png(3, 2, &[9, 8, 7])),
        resized(jpeg()),
    ];
    let name = prop::sample::select(vec![
        "cat/x.png",
        "dog/y",
        "x/0.jpg",
        "test/cat/a.png",
        "train/cat/z.png",
        "z.png",
    ]);
    let readings = (any::<bool>(), any::<bool>()).prop_map(|(resize, skip_bad)| Reading {
        resize: resize.then(|| "2x3".parse().expect("a size")),
        skip_bad,
        ..Reading::default()
    });
    runner(600)
        .run(&(name, picture, readings), |(name, bytes, reading)| read(&pets().with(name, &bytes), &reading))
        .unwrap_or_else(|error| panic!("pictures: {error}"));
}
