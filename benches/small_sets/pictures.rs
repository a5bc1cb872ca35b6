//! Generated pictures: shapes, textures and photo-like composites.

use std::fs;
use std::path::Path;

use image::{Rgb, RgbImage};

/// Height and width of a picture, in pixels.
pub const SIDE: u32 = 48;

/// A generated set of pictures.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// Its name.
    pub name: &'static str,
    classes: &'static [&'static str],
    draw: fn(usize, &mut Random) -> RgbImage,
}

/// All sets.
pub const SETS: [Set; 3] = [
    Set { name: "shapes", classes: &["disc", "ring", "square", "triangle"], draw: shape },
    Set { name: "textures", classes: &["checks", "dots", "stripes", "waves"], draw: texture },
    Set { name: "composites", classes: &["boat", "house", "tree"], draw: composite },
];

impl Set {
    /// Writes `train` pictures and `test` held-out ones, a folder for each class.
    pub fn write(&self, folder: &Path, train: usize, test: usize, seed: u64) -> image::ImageResult<()> {
        let mut random = Random(seed);
        for (part, pictures) in [("train", train), ("test", test)] {
            for at in 0..pictures {
                let class = at % self.classes.len();
                let place = folder.join(part).join(self.classes[class]);
                fs::create_dir_all(&place)?;
                (self.draw)(class, &mut random).save(place.join(format!("{at:04}.png")))?;
            }
        }
        Ok(())
    }
}

/// SplitMix64, so that a seed gives the same pictures in every version.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    fn between(&mut self, low: f32, high: f32) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let unit = ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 24) as f32;
        low + unit * (high - low)
    }

    fn colour(&mut self) -> [f32; 3] {
        [0; 3].map(|_| self.between(20.0, 235.0))
    }
}

/// A picture by the colour of each pixel, with noise.
fn painted(random: &mut Random, noise: f32, colour: impl Fn(f32, f32) -> [f32; 3]) -> RgbImage {
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        Rgb(colour(x as f32, y as f32).map(|value| (value + random.between(-noise, noise)) as u8))
    })
}

/// Coordinates around a centre, turned and scaled.
fn turned(x: f32, y: f32, centre: (f32, f32), angle: f32, scale: f32) -> (f32, f32) {
    let (x, y) = ((x - centre.0) / scale, (y - centre.1) / scale);
    (x * angle.cos() - y * angle.sin(), x * angle.sin() + y * angle.cos())
}

fn shape(class: usize, random: &mut Random) -> RgbImage {
    let (front, back, slope) = (random.colour(), random.colour(), random.between(-1.0, 1.0));
    let centre = (random.between(14.0, 34.0), random.between(14.0, 34.0));
    let (angle, scale) = (random.between(0.0, 6.3), random.between(7.0, 13.0));
    painted(random, 25.0, |x, y| {
        let (u, v) = turned(x, y, centre, angle, scale);
        let radius = u.hypot(v);
        let inside = match class {
            0 => radius < 1.0,
            1 => radius < 1.0 && radius > 0.55,
            2 => u.abs().max(v.abs()) < 0.85,
            _ => v > -0.55 && v < 1.1 - 1.9 * u.abs(),
        };
        if inside { front } else { back.map(|value| value + slope * (x - 24.0)) }
    })
}

fn texture(class: usize, random: &mut Random) -> RgbImage {
    let (one, two) = (random.colour(), random.colour());
    let (angle, scale) = (random.between(0.0, 6.3), random.between(1.2, 2.4));
    let phase = (random.between(0.0, 40.0), random.between(0.0, 40.0));
    painted(random, 35.0, |x, y| {
        let (u, v) = turned(x, y, phase, angle, scale);
        let blend = match class {
            0 => u.sin() * v.sin(),
            1 => 2.0 * (u.cos() + v.cos() - 0.8),
            2 => u.sin(),
            _ => (u + 1.5 * (0.7 * v).sin()).sin(),
        };
        let blend = (0.5 + blend).clamp(0.0, 1.0);
        [0, 1, 2].map(|channel| one[channel] * blend + two[channel] * (1.0 - blend))
    })
}

/// An object between sky and ground, with other things about.
fn composite(class: usize, random: &mut Random) -> RgbImage {
    let (sky, ground, main, second) = (random.colour(), random.colour(), random.colour(), random.colour());
    let (horizon, light) = (random.between(18.0, 34.0), random.between(0.6, 1.2));
    let centre = (random.between(15.0, 33.0), random.between(20.0, 30.0));
    let (angle, scale) = (random.between(-0.15, 0.15), random.between(9.0, 15.0));
    let others = [0; 4].map(|_| {
        let place = (random.between(0.0, 48.0), random.between(0.0, 48.0));
        (place, random.between(2.0, 5.0), random.colour())
    });
    painted(random, 15.0, |x, y| {
        let (u, v) = turned(x, y, centre, angle, scale);
        let parts = match class {
            0 => (
                v > 0.5 && v < 1.0 && u.abs() < 1.6 - v,
                v < 0.4 && v > -1.0 && u > 0.0 && u < 0.7 * (v + 1.0),
            ),
            1 => (v > 0.0 && v < 1.0 && u.abs() < 0.8, v <= 0.0 && v > -0.9 && u.abs() < v + 0.95),
            _ => (
                v > 0.2 && v < 1.0 && u.abs() < 0.15,
                u.hypot(v + 0.3) < 0.6 + 0.06 * (9.0 * u.atan2(v)).sin(),
            ),
        };
        let near = others.iter().find(|(at, size, _)| (x - at.0).hypot(y - at.1) < *size);
        let colour = match (parts, near) {
            ((true, _), _) => main,
            ((_, true), _) => second,
            (_, Some((_, _, colour))) => *colour,
            _ if y < horizon => sky.map(|value| value + y),
            _ => ground,
        };
        colour.map(|value| value * light)
    })
}
