//! MNIST's IDX files, and the order in which an epoch goes through them.

use std::fs;

use crate::Result;

/// Images from 0 to 1, and their labels.
pub struct Part {
    pub size: [usize; 2],
    pub pixels: Vec<f32>,
    pub labels: Vec<i32>,
}

impl Part {
    pub fn read(folder: &str, name: &str) -> Result<Part> {
        let (sizes, pixels) = read(&format!("{folder}/{name}-images-idx3-ubyte"))?;
        let (_, labels) = read(&format!("{folder}/{name}-labels-idx1-ubyte"))?;
        Ok(Part {
            size: [sizes[1], sizes[2]],
            pixels: pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect(),
            labels: labels.iter().map(|&label| i32::from(label)).collect(),
        })
    }
}

/// Dimensions and elements of an IDX file of bytes.
fn read(path: &str) -> Result<(Vec<usize>, Vec<u8>)> {
    let data = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let short = || format!("{path} ends within its header");
    let dimensions = usize::from(*data.get(3).ok_or_else(short)?);
    let header = data.get(4..4 + 4 * dimensions).ok_or_else(short)?;
    let sizes =
        header.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]) as usize);
    Ok((sizes.collect(), data[4 + 4 * dimensions..].to_vec()))
}

/// Fisher and Yates' shuffle over SplitMix64: no crate for one shuffle an epoch.
pub struct Shuffle(u64);

impl Shuffle {
    pub fn new(seed: u64) -> Shuffle {
        Shuffle(seed)
    }

    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for at in (1..count).rev() {
            order.swap(at, (self.next() % (at as u64 + 1)) as usize);
        }
        order
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}
