//! PNG files of every kind, made byte by byte.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use std::io::Write;

/// The bytes in front of all chunks.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Colour types with their channels and their bit depths.
pub const KINDS: [(u8, usize, &[u8]); 5] =
    [(0, 1, &[1, 2, 4, 8, 16]), (2, 3, &[8, 16]), (3, 1, &[1, 2, 4, 8]), (4, 2, &[8, 16]), (6, 4, &[8, 16])];

/// First column and row, and distances between columns and rows, of each pass of an interlaced picture.
const PASSES: [[u32; 4]; 7] =
    [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/// A picture of random pixels.
pub fn random(rng: &mut ChaCha8Rng, (colour, channels, depth): (u8, usize, u8), interlaced: bool) -> Vec<u8> {
    let (width, height): (u32, u32) = (rng.random_range(1..20), rng.random_range(1..20));
    let mut bytes = SIGNATURE.to_vec();
    let header =
        [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, u8::from(interlaced)]];
    chunk(&mut bytes, b"IHDR", &header.concat());
    if rng.random_range(0..8) == 0 {
        chunk(&mut bytes, b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0]);
    }
    if rng.random_range(0..4) == 0 {
        chunk(&mut bytes, b"gAMA", &45_455u32.to_be_bytes());
    }
    if rng.random_range(0..4) == 0 {
        // One entry in little-endian order: the orientation.
        let turned = [rng.random_range(1..9), 0, 0, 0];
        let exif = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &turned[..], &[0; 4]].concat();
        chunk(&mut bytes, b"eXIf", &exif);
    }
    if colour == 3 {
        let mut palette = vec![0; 3 << depth];
        rng.fill_bytes(&mut palette);
        chunk(&mut bytes, b"PLTE", &palette);
    }
    if rng.random() {
        match colour {
            0 => chunk(&mut bytes, b"tRNS", &[0, rng.random_range(0..2)]),
            2 => chunk(&mut bytes, b"tRNS", &[0, 1, 0, 2, 0, 3]),
            3 => chunk(&mut bytes, b"tRNS", &[0, 128][..rng.random_range(1..=2)]),
            _ => {}
        }
    }
    let rows = rows(rng, [width, height], channels * usize::from(depth), interlaced);
    let packed = packed(&rows);
    let cut = rng.random_range(0..=packed.len());
    chunk(&mut bytes, b"IDAT", &packed[..cut]);
    chunk(&mut bytes, b"IDAT", &packed[cut..]);
    chunk(&mut bytes, b"IEND", &[]);
    bytes
}

/// Random rows of every pass, each with its filter in front.
fn rows(rng: &mut ChaCha8Rng, [width, height]: [u32; 2], bits: usize, interlaced: bool) -> Vec<u8> {
    let passes = if interlaced { &PASSES[..] } else { &[[0, 0, 1, 1]] };
    let mut rows = Vec::new();
    for [column, row, columns, lines] in passes {
        let across = width.saturating_sub(*column).div_ceil(*columns) as usize;
        let down = height.saturating_sub(*row).div_ceil(*lines);
        for _ in 0..if across == 0 { 0 } else { down } {
            let mut line = vec![0; 1 + (across * bits).div_ceil(8)];
            rng.fill_bytes(&mut line);
            line[0] = rng.random_range(0..5);
            rows.extend(line);
        }
    }
    rows
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn chunk(bytes: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(kind);
    bytes.extend(data);
    bytes.extend(sum(&[kind, data].concat()));
}

fn sum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// Makes the checksum of every chunk right, as far as the lengths of chunks lead to them.
pub fn repair(bytes: &mut [u8]) {
    let mut at = SIGNATURE.len();
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let end = (at + 8).saturating_add(u32::from_be_bytes(*length) as usize);
        let Some(data) = bytes.get(at + 4..end) else { return };
        let right = sum(data);
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&right);
        at = end + 4;
    }
}
