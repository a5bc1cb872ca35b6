//! Pictures in the two formats and all colour types, at other sizes, and broken.

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba,
};
use image::{GrayAlphaImage, ImageBuffer, RgbaImage};
use tempfile::TempDir;
use wgrad::Result;
use wgrad::internals::data::{Rendering, read_picture};
use wgrad::internals::program::shape::Shape;

use crate::{assert_data_error, assert_not_found};

fn shape(channels: usize, height: usize, width: usize) -> Shape {
    Shape::image(channels, height, width)
}

/// A picture file that lives as long as this.
struct File {
    _folder: TempDir,
    path: PathBuf,
}

impl File {
    fn new(name: &str, bytes: &[u8]) -> File {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        File { _folder: folder, path }
    }

    fn read(&self, shape: Shape, invert: bool) -> Result<Vec<u8>> {
        read_picture(&self.path, &shape, &Rendering::default(), invert)
    }
}

fn png(picture: impl Into<DynamicImage>) -> File {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    File::new("picture.png", &bytes.into_inner())
}

#[test]
fn an_exact_size_is_left_untouched() {
    let picture = GrayImage::from_fn(3, 2, |x, y| Luma([(10 * x + 100 * y) as u8]));
    let file = png(picture);
    assert_eq!(file.read(shape(1, 2, 3), false).unwrap(), [0, 10, 20, 100, 110, 120]);
    assert_eq!(file.read(shape(1, 2, 3), true).unwrap(), [255, 245, 235, 155, 145, 135]);
    let planes = [0, 10, 20, 100, 110, 120].repeat(3);
    assert_eq!(file.read(shape(3, 2, 3), false).unwrap(), planes);
}

#[test]
fn colours_follow_the_shape() {
    let file = png(RgbImage::from_fn(2, 1, |x, _| if x == 0 { Rgb([255, 0, 0]) } else { Rgb([1, 2, 3]) }));
    assert_eq!(file.read(shape(3, 1, 2), false).unwrap(), [255, 1, 0, 2, 0, 3]);
    assert_eq!(file.read(shape(4, 1, 2), false).unwrap(), [255, 1, 0, 2, 0, 3, 255, 255]);
    // Red by Rec. 601, 0.299 · 255, as in Pillow, and by Rec. 709, 0.2126 · 255, as in earlier versions.
    assert_eq!(file.read(shape(1, 1, 2), false).unwrap()[0], 76);
    let former = read_picture(&file.path, &shape(1, 1, 2), &Rendering::FORMER, false).unwrap();
    assert_eq!(former[0], 54);
    assert_eq!(file.read(shape(2, 1, 2), false).unwrap()[2..], [255, 255]);
    let deep = ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(2, 1, |x, _| Luma([x as u16 * 65_535]));
    assert_eq!(png(deep).read(shape(1, 1, 2), false).unwrap(), [0, 255]);
}

#[test]
fn transparency_is_black() {
    let file = png(GrayAlphaImage::from_fn(3, 1, |x, _| LumaA([200, [0, 128, 255][x as usize]])));
    assert_eq!(file.read(shape(1, 1, 3), false).unwrap(), [0, 100, 200]);
    let file = png(RgbaImage::from_fn(2, 1, |x, _| Rgba([255, 100, 0, 255 * x as u8])));
    assert_eq!(file.read(shape(3, 1, 2), false).unwrap(), [0, 255, 0, 100, 0, 0]);
    assert_eq!(file.read(shape(4, 1, 2), false).unwrap(), [255, 255, 100, 100, 0, 0, 0, 255]);
    // Black ink on a transparent ground, inverted: white ink on black.
    let ink = png(RgbaImage::from_fn(2, 1, |x, _| Rgba([0, 0, 0, 255 * x as u8])));
    assert_eq!(ink.read(shape(1, 1, 2), true).unwrap(), [0, 255]);
}

#[test]
fn other_sizes_are_fitted_and_centred() {
    // Twice as wide as high into a square: full width, half height, in the middle.
    let wide = png(GrayImage::from_pixel(40, 20, Luma([200])));
    let fitted = wide.read(shape(1, 8, 8), false).unwrap();
    let rows: Vec<&[u8]> = fitted.chunks(8).collect();
    for (y, row) in rows.iter().enumerate() {
        assert_eq!(*row, [if (2..6).contains(&y) { 200 } else { 0 }; 8]);
    }
    // Inverting comes before the margin, which stays black, and opaque for a shape with alpha.
    let inverted = wide.read(shape(2, 8, 8), true).unwrap();
    assert_eq!((inverted[0], inverted[3 * 8], inverted[64..].iter().min()), (0, 55, Some(&255)));
    // Higher than wide, enlarged, with an odd margin to the right.
    let high = png(GrayImage::from_pixel(1, 2, Luma([9])));
    assert_eq!(high.read(shape(1, 2, 4), false).unwrap(), [0, 9, 0, 0, 0, 9, 0, 0]);
    assert_eq!(high.read(shape(1, 4, 2), false).unwrap(), [9; 8]);
    // However thin, a line stays visible.
    let line = png(GrayImage::from_pixel(300, 1, Luma([255])));
    assert_eq!(line.read(shape(1, 3, 3), false).unwrap(), [0, 0, 0, 255, 255, 255, 0, 0, 0]);
}

#[test]
fn shrinking_averages_over_the_area() {
    // A fine chequered board turns grey; single pixels would be black or white.
    let board = png(GrayImage::from_fn(80, 80, |x, y| Luma([255 * ((x + y) % 2) as u8])));
    let grey = board.read(shape(1, 8, 8), false).unwrap();
    assert!(grey.iter().all(|value| (125..=130).contains(value)), "{grey:?}");
}

/// What Pillow 13.0.0 makes of the same pictures by `resize(size, Image.BILINEAR)`.
#[test]
fn other_sizes_are_pillows_bilinear_to_rounding() {
    let picture = |side| {
        png(GrayImage::from_fn(side, side, |x, y| Luma([((x * x * 31 + y * 47 + x * y * 13) % 256) as u8])))
    };
    let smaller = [
        89, 120, 136, 135, 105, 130, 119, 127, 112, 137, 123, 117, 119, 121, 123, 136, 116, 133, 128, 135,
        138, 131, 134, 136, 127,
    ];
    let larger = [
        0, 4, 18, 31, 71, 111, 124, 7, 11, 26, 40, 80, 121, 134, 27, 32, 49, 65, 108, 152, 166, 47, 53, 72,
        91, 136, 182, 197, 67, 74, 96, 117, 117, 119, 119, 87, 95, 119, 142, 98, 55, 40, 94, 102, 127, 151,
        92, 34, 14,
    ];
    for (from, to, expected) in [(13, 5, &smaller[..]), (3, 7, &larger[..])] {
        let values = picture(from).read(shape(1, to, to), false).unwrap();
        let near = values.iter().zip(expected).all(|(one, two)| one.abs_diff(*two) <= 1);
        assert!(near && values.len() == expected.len(), "{values:?}");
    }
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(picture).unwrap();
    bytes
}

#[test]
fn jpeg_is_known_by_its_content() {
    let picture = RgbImage::from_fn(16, 16, |x, _| if x < 8 { Rgb([200, 40, 40]) } else { Rgb([0, 0, 0]) });
    let values = File::new("photo.png", &jpeg(&picture)).read(shape(3, 16, 16), false).unwrap();
    for (index, expected) in [(0, 200), (15, 0), (256, 40), (512, 40)] {
        assert!(values[index].abs_diff(expected) < 12, "{} at {index}", values[index]);
    }
    let grey = DynamicImage::ImageRgb8(picture).into_luma8();
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes).encode_image(&grey).unwrap();
    let values = File::new("photo", &bytes).read(shape(1, 16, 16), false).unwrap();
    assert!(values[0].abs_diff(grey.get_pixel(0, 0).0[0]) < 12);
}

#[test]
fn exif_orientation_is_followed() {
    // Orientation 6: the camera was turned, show it turned a quarter to the right.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&[1, 2, 3, 4, 5, 6], 3, 2, ExtendedColorType::L8).unwrap();
    let file = File::new("turned.png", &bytes);
    assert_eq!(file.read(shape(1, 3, 2), false).unwrap(), [4, 1, 5, 2, 6, 3]);
}

#[test]
fn cut_short_pictures_are_refused() {
    let picture = RgbImage::from_fn(32, 24, |x, y| Rgb([(x * 8) as u8, (y * 10) as u8, (x * y) as u8]));
    let photo = jpeg(&picture);
    // A camera puts a preview, a JPEG of its own with its own end, into a segment near the
    // beginning.
    let length = (photo.len() + 2) as u16;
    let segment = [&[0xff, 0xe1][..], &length.to_be_bytes(), &photo].concat();
    let photo = [&photo[..2], &segment, &photo[2..]].concat();
    File::new("whole.jpg", &photo).read(shape(1, 28, 28), false).unwrap();
    for length in (3..photo.len()).step_by(19).chain([photo.len() - 1]) {
        let file = File::new("cut.jpg", &photo[..length]);
        assert_data_error(file.read(shape(1, 28, 28), false), &["cut.jpg", "JPEG", "cut short"]);
    }
    let whole = fs::read(png(picture).path).unwrap();
    // Without the checksum of the last pixels and the end marker, 16 bytes, all pixels are there.
    for length in (8..whole.len() - 16).step_by(19) {
        let file = File::new("cut.png", &whole[..length]);
        assert_data_error(file.read(shape(1, 28, 28), false), &["cut.png", "cut short"]);
    }
}

#[test]
fn a_damaged_chunk_that_changes_what_is_seen_is_refused() {
    let file = png(GrayImage::from_pixel(2, 2, Luma([7])));
    let good = fs::read(&file.path).unwrap();
    let turned = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    for (kind, data) in [(b"tRNS", &[0, 7][..]), (b"eXIf", turned), (b"tEXt", b"a\0b")] {
        let chunk = [kind, data].concat();
        let length = (data.len() as u32).to_be_bytes();
        let whole = [&good[..33], &length, &chunk, &crc32(&chunk).to_be_bytes(), &good[33..]].concat();
        let read = |bytes: &[u8]| File::new("picture.png", bytes).read(shape(1, 2, 2), false);
        let seen = read(&whole).unwrap();
        for at in 33..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            match read(&damaged) {
                Ok(again) => assert_eq!(again, seen, "{kind:?} at {at}"),
                refused => assert_data_error(refused, &["picture.png", "damaged"]),
            }
        }
        // What stands behind the end is no part of it.
        assert_eq!(read(&[&whole[..], &length, &[0x20; 99]].concat()).unwrap(), seen);
        // A damaged comment changes nothing, and the file is read.
        let mut damaged = whole.clone();
        damaged[42] ^= 0x10;
        assert_eq!(read(&damaged).is_ok(), kind == b"tEXt");
    }
}

#[test]
fn files_that_are_no_pictures_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let small = shape(1, 8, 8);
    let missing = folder.path().join("missing.png");
    assert_not_found(
        read_picture(&missing, &small, &Rendering::default(), false),
        &["missing.png", "isn't there"],
    );
    let itself = read_picture(folder.path(), &small, &Rendering::default(), false);
    assert_data_error(itself, &["is not a file", "PNG or JPEG"]);
    assert_data_error(File::new("odd.png", b"").read(small, false), &["odd.png", "is empty"]);
    for bytes in [&b"GIF89a"[..], b"not a picture", b"\xff\xd8", b"\x89PNG"] {
        assert_data_error(
            File::new("odd.png", bytes).read(small, false),
            &["odd.png", "neither a PNG nor a JPEG"],
        );
    }
}

#[test]
fn huge_pictures_are_refused_before_they_are_decoded() {
    // Headers alone, of a picture too wide and of one of 1 GiB.
    for (width, height) in [(20_000u32, 1u32), (16_384, 16_384)] {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes.extend(crc32(&bytes[12..]).to_be_bytes());
        bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        let file = File::new("bomb.png", &bytes);
        assert_data_error(file.read(shape(1, 8, 8), false), &["bomb.png", "16384", "512 MiB"]);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn impossible_shapes_are_refused() {
    let file = png(GrayImage::new(2, 2));
    for shape in [shape(0, 8, 8), shape(5, 8, 8), shape(1, 0, 8), shape(1, 8, 513)] {
        assert_data_error(file.read(shape, false), &[&shape.to_string(), "1 to 4 channels"]);
    }
}
