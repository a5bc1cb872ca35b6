//! Augmentation, as `gather_batch.wgsl` computes it.
//!
//! It is a function of (seed, epoch, sample): a position in the image for each pixel of the result, and a function
//! of its value.

use std::ops::Range;

use super::EPS;
use crate::kernel::rng::{Purpose, random_stream, random_unit, random_words};
use crate::kernel::{Call, Consts};

/// The augmentation of one sample in one epoch.
#[derive(Clone, Debug)]
pub struct Change {
    width: i64,
    height: i64,
    /// The matrix from a position in the result to one in the image, both from the middle: columns, rows.
    matrix: [[f64; 2]; 2],
    /// The error of each entry of the matrix in f32.
    matrix_error: f64,
    /// The shift in columns and rows.
    moved: [f64; 2],
    flipped: bool,
    /// The first column and row of the cut-out square, and its side.
    cut: [i64; 2],
    side: i64,
    contrast: f64,
    /// A fraction of the way from black to white.
    brightness: f64,
}

/// A row of the result, see [`Change::line`].
pub struct SourceLine {
    pub first: [f64; 2],
    pub step: [f64; 2],
    /// Columns that are cut out.
    pub cut: Range<usize>,
}

/// How the bytes of one channel become numbers: byte · scale + shift.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub scale: f64,
    pub shift: f64,
}

impl Change {
    /// The augmentation of a sample, if the call augments.
    pub fn of(call: Call, sample: usize) -> Option<Change> {
        let k = call.consts;
        if !k.flag("AUGMENT") {
            return None;
        }
        let draw = |stream| {
            let purpose = random_stream(Purpose::Augment, stream);
            random_words(call.step.seed, purpose, call.step.epoch, sample as u32)
        };
        let (words, look, cut) = (draw(0), draw(1), draw(2));
        let (width, height) = (k.uint("WIDTH"), k.uint("PLANE") / k.uint("WIDTH"));
        let angle = k.float("ROTATE") * either_way(words[2]);
        let size = 1.0 + k.float("SCALE") * either_way(words[3]);
        let shear = k.float("SHEAR") * either_way(look[0]);
        let (sin, cos) = angle.sin_cos();
        // The middle of the square is any pixel: the upper 16 bits of a word as a fraction of the side.
        let side = k.uint("CUT_OUT") as i64;
        let first = |word: u32, length: usize| i64::from(((word >> 16) * length as u32) >> 16) - side / 2;
        Some(Change {
            width: width as i64,
            height: height as i64,
            matrix: [[size * cos, size * (cos * shear + sin)], [-size * sin, size * (cos - sin * shear)]],
            matrix_error: matrix_error(k, angle, size, shear),
            moved: [words[0], words[1]].map(|word| k.float("SHIFT") * either_way(word)),
            flipped: k.flag("FLIP") && look[3] >= 1 << 31,
            cut: [first(cut[0], width), first(cut[1], height)],
            side,
            contrast: 1.0 + k.float("CONTRAST") * either_way(look[2]),
            brightness: k.float("BRIGHTNESS") * either_way(look[1]),
        })
    }

    /// Value number `at` of a channel of the result; `byte` reads the image.
    pub fn apply(&self, at: usize, look: Look, byte: impl Fn(usize) -> f64) -> f64 {
        let (column, row) = (at as i64 % self.width, at as i64 / self.width);
        if self.cuts(column, row) {
            return 0.0;
        }
        let ([x, y], _) = self.source(column, row);
        let (c, r) = (x.floor(), y.floor());
        let mix = |a: f64, b: f64, part: f64| a + part * (b - a);
        let pixel = |column: i64, row: i64| self.pixel(c as i64 + column, r as i64 + row, &byte);
        let (upper, lower) = (mix(pixel(0, 0), pixel(1, 0), x - c), mix(pixel(0, 1), pixel(1, 1), x - c));
        let plain = mix(upper, lower, y - r) * look.scale + look.shift;
        plain * self.contrast + self.brightness * 255.0 * look.scale
    }

    /// A row of the result.
    ///
    /// It has the cut-out columns, the position of the first pixel in the image (column, row), and the distance from
    /// pixel to pixel there.
    pub fn line(&self, row: usize) -> SourceLine {
        let (first, _) = self.source(0, row as i64);
        let turn = if self.flipped { -1.0 } else { 1.0 };
        let column = |at: i64| at.clamp(0, self.width) as usize;
        let cut = if (self.cut[1]..self.cut[1] + self.side).contains(&(row as i64)) {
            column(self.cut[0])..column(self.cut[0] + self.side)
        } else {
            0..0
        };
        SourceLine { first, step: [turn * self.matrix[0][0], self.matrix[1][0]], cut }
    }

    /// The factor for an interpolated byte of a channel, and the number added to it.
    pub fn tone(&self, look: Look) -> [f64; 2] {
        let brightness = self.brightness * 255.0 * look.scale;
        [look.scale * self.contrast, look.shift * self.contrast + brightness]
    }

    /// The largest error of [`Change::apply`] in f32.
    ///
    /// Bilinear interpolation is continuous, and no steeper than the differences of the pixels around: so an error
    /// of the position, even across a border between pixels, counts times their difference.
    pub fn bound(&self, at: usize, look: Look, byte: impl Fn(usize) -> f64) -> f64 {
        let (column, row) = (at as i64 % self.width, at as i64 / self.width);
        if self.cuts(column, row) {
            return 0.0;
        }
        let ([x, y], [x_error, y_error]) = self.source(column, row);
        let (c, r) = (x.floor() as i64, y.floor() as i64);
        // Interpolation reads two by two pixels, in f32 maybe one further along.
        let around = (-1..=2).flat_map(|row| (-1..=2).map(move |column| (c + column, r + row)));
        let (mut least, mut most) = (f64::INFINITY, 0.0f64);
        for (column, row) in around {
            let value = self.pixel(column, row, &byte);
            (least, most) = (least.min(value), most.max(value));
        }
        // Three roundings for each of the two directions, and one of a fraction near 1.
        let mixed = (x_error + y_error) * (most - least) + 8.0 * EPS * most;
        let plain = most * look.scale.abs() + look.shift.abs();
        let plain_error = mixed * look.scale.abs() + 2.0 * EPS * plain;
        let brightness = (self.brightness * 255.0 * look.scale).abs();
        // The contrast and its product with x are rounded twice each, the brightness three times,
        // then their sum once.
        let contrast = 1.0 + (self.contrast - 1.0).abs();
        plain_error * contrast + 6.0 * EPS * (plain * contrast + brightness)
    }

    fn cuts(&self, column: i64, row: i64) -> bool {
        let inside = |at: i64, first: i64| (first..first + self.side).contains(&at);
        inside(column, self.cut[0]) && inside(row, self.cut[1])
    }

    /// The position in the image of a pixel of the result, and the error of each coordinate in f32.
    fn source(&self, column: i64, row: i64) -> ([f64; 2], [f64; 2]) {
        let middle = [(self.width - 1) as f64 / 2.0, (self.height - 1) as f64 / 2.0];
        let from = [column as f64 - middle[0] - self.moved[0], row as f64 - middle[1] - self.moved[1]];
        let from_error = [0, 1].map(|axis| match self.moved[axis] {
            // Multiples of 1/2 are exact.
            0.0 => 0.0,
            moved => EPS * (moved.abs() + from[axis].abs()),
        });
        let mut position = [0, 1].map(|axis| {
            let line = self.matrix[axis];
            line[0] * from[0] + line[1] * from[1] + middle[axis]
        });
        let error = [0, 1].map(|axis| {
            let line = self.matrix[axis];
            let terms = [0, 1].map(|i| {
                self.matrix_error * from[i].abs()
                    + line[i].abs() * from_error[i]
                    + self.rounding() * (line[i] * from[i]).abs()
            });
            terms[0] + terms[1] + self.rounding() * (position[axis].abs() + self.width as f64)
        });
        if self.flipped {
            position[0] = self.width as f64 - 1.0 - position[0];
        }
        (position, error)
    }

    /// Relative error of two operations on positions.
    ///
    /// 0 where all are multiples of 1/2.
    fn rounding(&self) -> f64 {
        let exact = self.matrix_error == 0.0 && self.moved == [0.0; 2];
        if exact { 0.0 } else { 2.0 * EPS }
    }

    /// The pixel of a channel at a position, black outside.
    fn pixel(&self, column: i64, row: i64, byte: &impl Fn(usize) -> f64) -> f64 {
        if (0..self.width).contains(&column) && (0..self.height).contains(&row) {
            byte((row * self.width + column) as usize)
        } else {
            0.0
        }
    }
}

/// A random word as a number from -1 to just below 1.
///
/// Exact in f32.
fn either_way(word: u32) -> f64 {
    2.0 * f64::from(random_unit(word)) - 1.0
}

/// The error of an entry of the matrix in f32: 0 without rotation, scale and shear.
fn matrix_error(k: &Consts, angle: f64, size: f64, shear: f64) -> f64 {
    if ["ROTATE", "SCALE", "SHEAR"].iter().all(|name| k.float(name) == 0.0) {
        return 0.0;
    }
    let shear = 1.0 + shear.abs();
    // cos · shear + sin: the two errors, and three roundings. Then the factor: rounded twice itself,
    // and once in its product.
    size * (turn_error(angle) * shear + 6.0 * EPS * shear)
}

/// The error of sine and cosine of an angle of at most π, as the shader computes them.
fn turn_error(angle: f64) -> f64 {
    if angle == 0.0 {
        return 0.0;
    }
    let (mut sin, mut cos) = (angle / 4.0).sin_cos();
    // The series end at terms below 3·10⁻⁸ for a quarter of π, a quarter of EPS. The errors of their first
    // steps shrink in the last, which leaves two roundings and half of another two; and the angle's own
    // relative rounding.
    let (mut sin_error, mut cos_error) = (5.0 * EPS * sin.abs(), 4.0 * EPS);
    for _ in 0..2 {
        let double = (2.0 * sin * cos).abs();
        // 2·s·c is rounded once, as doubling is exact; 1 - 2·s·s twice.
        let next = 2.0 * (sin.abs() * cos_error + cos.abs() * sin_error) + 2.0 * EPS * double;
        cos_error = 4.0 * sin.abs() * sin_error + EPS * (2.0 * sin * sin + 1.0);
        cos = 1.0 - 2.0 * sin * sin;
        (sin, sin_error) = (double, next);
    }
    sin_error.max(cos_error)
}
