//! What pictures show survives reading: transparent grounds, 16-bit samples, and notes about what is lost.

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba,
    RgbaImage,
};
use wgrad::internals::data::{
    Background, Dataset, Grey, LevelRange, Levels, Reading, Rendering, load_as, load_with, read_picture,
};
use wgrad::internals::program::shape::Shape;

use crate::files::{Folder, cifar, pets, png};
use crate::{assert_sentence, assert_setting_error};

fn bytes(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Two classes of four pictures each: `picture` of the class and the number.
fn folder(picture: impl Fn(u32, u32) -> Vec<u8>) -> Folder {
    let mut folder = Folder::empty();
    for class in 0..2 {
        for at in 0..4 {
            folder = folder.with(&format!("{class}/{at}.png"), &picture(class, at));
        }
    }
    folder
}

/// A stroke of a colour on a transparent ground, of 6×6 pixels: a row or a column.
fn stroke(class: u32, at: u32, [red, green, blue]: [u8; 3]) -> Vec<u8> {
    let opaque = |x, y| if class == 0 { x == at + 1 } else { y == at + 1 };
    bytes(RgbaImage::from_fn(6, 6, |x, y| {
        if opaque(x, y) { Rgba([red, green, blue, 255]) } else { Rgba([0, 0, 0, 0]) }
    }))
}

fn to(size: &str) -> Reading {
    Reading { resize: Some(size.parse().unwrap()), ..Reading::default() }
}

fn pixels(set: &Dataset) -> Vec<u8> {
    [&set.train.pixels[..], &set.held_out.pixels[..]].concat()
}

/// The different values, in order.
fn values(set: &Dataset) -> Vec<u8> {
    let mut values = pixels(set);
    values.sort_unstable();
    values.dedup();
    values
}

/// Digests by wgrad at commit 0d019db, which had no choice of the grey.
#[test]
fn colours_become_grey_as_in_pillow_or_to_the_bytes_of_earlier_versions() {
    let colour = |class: u32, at: u32| {
        let value = |x: u32, y: u32| {
            [x * 40 + class * 13, y * 50 + at * 7, x * y * 9 + class * 100].map(|value| (value % 256) as u8)
        };
        bytes(RgbImage::from_fn(6, 6, |x, y| Rgb(value(x, y))))
    };
    let folder = folder(colour);
    let (former, coloured) = (
        "sha256:f8808b3bd259e3ea04abf69fe1a73fb4156699ebc61ee2e27d636d804e10f7a7",
        "sha256:e726713ee2df9ffc5b0297dca7f2bf9d0af6a918358c1c0a74f2cd11dd5310c6",
    );
    let read = |size: &str, grey| folder.load_with(&Reading { grey, ..to(size) }).unwrap();
    let set = read("1x6x6", Grey::Rec709);
    assert_eq!((set.digest.as_str(), set.about.rendering.grey), (former, Grey::Rec709));
    for grey in [Grey::Rec601, Grey::Rec709] {
        assert_eq!(read("3x6x6", grey).digest, coloured);
    }
    // Pillow 13.0.0 makes these of the third row of 0/1.png.
    let set = read("1x6x6", Grey::Rec601);
    let first = set.about.train_files.iter().position(|path| path.ends_with("0/1.png")).unwrap();
    assert_eq!(set.train.image(first)[12..18], [63, 77, 91, 105, 119, 133]);
    // A model's own grey is what measuring reads by.
    let shape = Shape::image(1, 6, 6);
    let of = |rendering| {
        load_as(folder.path().to_str().unwrap(), &shape, &rendering, &Reading::default()).unwrap().digest
    };
    assert_eq!((of(Rendering::FORMER), of(Rendering::default())), (former.to_owned(), set.digest));
    // Images that are no pictures hand it to the model that is trained on them.
    for (grey, reading) in
        [Grey::Rec601, Grey::Rec709].map(|grey| (grey, Reading { grey, ..Reading::default() }))
    {
        assert_eq!(load_with("digits", &reading).unwrap().about.rendering.grey, grey);
    }
}

/// The colour of a class.
type Ink<'a> = &'a dyn Fn(u32) -> [u8; 3];

#[test]
fn drawings_on_a_transparent_ground_stay_visible() {
    let mixed = |class| if class == 0 { [0; 3] } else { [255; 3] };
    let cases: [(Ink, &str, &[u8], &str); 5] = [
        (&|_| [0; 3], "white", &[0, 255], "onto white, because 8 of the drawings have dark parts"),
        (&|_| [255; 3], "black", &[0, 255], "onto black, because 8 of the drawings have bright parts"),
        (
            &|_| [60, 60, 60],
            "white",
            &[60, 255],
            "onto white, because the drawings are rather dark (a grey of 60",
        ),
        (&|_| [200, 200, 200], "black", &[0, 200], "onto black, because the drawings are rather bright"),
        (
            &mixed,
            "128",
            &[0, 128, 255],
            "onto grey (128), because 4 of the drawings have dark parts and 4 have bright ones",
        ),
    ];
    for (ink, chosen, expected, note) in cases {
        let folder = folder(|class, at| stroke(class, at, ink(class)));
        for size in ["1x6x6", "3x6x6"] {
            let set = folder.load_with(&to(size)).unwrap();
            assert_eq!(
                (values(&set), set.about.background.to_string()),
                (expected.to_vec(), chosen.to_owned())
            );
            assert_eq!(set.about.notes.len(), 1, "{:?}", set.about.notes);
            let words = ["8 of 8 pictures have transparent parts", note, "; ⟨background "];
            assert_sentence(&set.about.notes[0], &words);
            // The choice, given, reads the same, as does a model.
            let given = Reading { background: set.about.background, ..to(size) };
            let again = folder.load_with(&given).unwrap();
            assert_eq!((&again.digest, again.about.notes.len()), (&set.digest, 0));
            let path = folder.path().to_str().unwrap();
            let as_model =
                load_as(path, &set.train.shape, &set.about.rendering, &Reading::default()).unwrap();
            assert_eq!(as_model.digest, set.digest);
        }
        // Alpha that is kept as a channel is composed onto nothing.
        let kept = folder.load().unwrap();
        assert_eq!((kept.train.shape.channels, kept.about.notes.len()), (4, 0));
        assert_eq!(kept.about.background, Background::Auto);
    }
}

#[test]
fn every_kind_of_transparency_is_composed() {
    // Grey with alpha, and a palette or a colour that is said to be transparent.
    let grey = folder(|class, at| {
        let opaque = |x, y| u8::from(if class == 0 { x == at } else { y == at }) * 255;
        bytes(GrayAlphaImage::from_fn(6, 6, |x, y| LumaA([0, opaque(x, y)])))
    });
    let keyed = folder(|class, at| {
        let ink = |x, y| u8::from(if class == 0 { x == at } else { y == at });
        let plain = bytes(GrayImage::from_fn(6, 6, |x, y| Luma([ink(x, y)])));
        // The chunk tRNS, after the header: the value 0.
        let chunk = [&b"tRNS\0\0"[..]].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        [&plain[..33], &2u32.to_be_bytes(), &chunk, &crc.sum().to_be_bytes(), &plain[33..]].concat()
    });
    for folder in [grey, keyed] {
        let set = folder.load_with(&to("1x6x6")).unwrap();
        assert!(set.about.background.to_string() == "white" && values(&set).len() == 2, "{:?}", set.about);
        assert_eq!((set.inspect().nothing_to_learn, values(&set)[1]), (None, 255));
    }
}

#[test]
fn the_margin_has_the_ground_that_was_chosen() {
    let wide = |class: u32, at: u32| {
        bytes(RgbaImage::from_fn(8, 4, |x, y| {
            let ink = if class == 0 { x == at } else { y == at };
            Rgba([0, 0, 0, u8::from(ink) * 255])
        }))
    };
    let set = folder(wide).load_with(&to("1x8x8")).unwrap();
    assert!((0..set.train.len()).all(|at| set.train.image(at)[..16] == [255; 16]));
    // Opaque pictures have a black one as before, unless a ground is given.
    let opaque = folder(|_, at| bytes(GrayImage::from_pixel(8, 4, Luma([200 + at as u8]))));
    let set = opaque.load_with(&to("1x8x8")).unwrap();
    assert_eq!((set.train.image(0)[..16].to_vec(), set.about.background), (vec![0; 16], Background::Auto));
    let given = Reading { background: "#0000ff".parse().unwrap(), ..to("3x8x8") };
    let set = opaque.load_with(&given).unwrap();
    assert_eq!([0, 64, 128].map(|plane| set.train.image(0)[plane]), [0, 0, 255]);
    let given = Reading { background: "77".parse().unwrap(), ..to("1x8x8") };
    assert_eq!(opaque.load_with(&given).unwrap().train.image(0)[0], 77);
}

#[test]
fn bytes_of_opaque_pictures_of_8_bits_are_as_before() {
    let grey = folder(|class, at| {
        bytes(GrayImage::from_fn(3, 2, |x, y| Luma([(40 * x + 9 * y + class + at) as u8])))
    });
    let set = grey.load().unwrap();
    assert_eq!(&set.train.image(0)[..3], &[0, 40, 80].map(|value| value + set.train.image(0)[0]));
    assert_eq!((set.about.background, set.about.levels), (Background::Auto, Levels::Auto));
    assert!(set.about.notes.is_empty());
    // From the version before there was a ground.
    assert_eq!(
        pets().load_with(&to("1x4x4")).unwrap().digest,
        "sha256:717afdf8dc02a5ae5175161eea84ba62bdd8a353affebf6d70ba4f0d449f3247"
    );
    // An alpha that says nothing is noted.
    let alpha = folder(|class, at| png(2, 2, &[9, 8, (10 * class + at) as u8, 255])).load().unwrap();
    assert_eq!(alpha.train.shape.channels, 4);
    let notes = alpha.inspect().notes;
    assert!(
        notes.iter().any(|note| note.contains("255 throughout: ⟨resize 3x2x2⟩ leaves it out")),
        "{notes:?}"
    );
}

/// A picture of 16 bits, 8×8, with values from `low` to `high`; the class is the direction.
fn deep(class: u32, at: u32, low: u16, high: u16) -> ImageBuffer<Luma<u16>, Vec<u16>> {
    ImageBuffer::from_fn(8, 8, |x, y| {
        let step = (if class == 0 { x } else { y } + at) % 8;
        Luma([low + ((u32::from(high - low) * step) / 7) as u16])
    })
}

#[test]
fn few_of_16_bits_are_scaled_by_the_range_of_the_set() {
    for (low, high) in [(0, 4000), (1000, 1300), (0, 7), (30_000, 40_000)] {
        let folder = folder(|class, at| bytes(DynamicImage::ImageLuma16(deep(class, at, low, high))));
        let set = folder.load().unwrap();
        assert_eq!(set.about.levels, Levels::Range(LevelRange { low, high }));
        assert_eq!((values(&set).len(), values(&set)[0], values(&set)[7]), (8, 0, 255));
        let used = format!("use the values {low} to {high} of");
        let scaled = format!("scaled from {low} to {high}, so that bytes have 8 different values");
        assert_sentence(&set.about.notes[0], &["16-bit", &used, &scaled, "⟨levels full⟩"]);
        // A model reads them the same, one by one.
        let path = folder.path().to_str().unwrap();
        let as_model = load_as(path, &set.train.shape, &set.about.rendering, &Reading::default()).unwrap();
        assert_eq!((&as_model.digest, as_model.about.notes.len()), (&set.digest, 0));
        let first = read_picture(&set.about.train_files[0], &set.train.shape, &set.about.rendering, false);
        assert_eq!(first.unwrap(), set.train.image(0));
        // Full levels are the plain rounding of versions before.
        let full = Reading { levels: "full".parse().unwrap(), ..Reading::default() };
        let plain = load_as(path, &set.train.shape, &Rendering::default(), &Reading::default()).unwrap();
        assert_eq!(folder.load_with(&full).unwrap().digest, plain.digest);
    }
}

#[test]
fn plain_rounding_stays_where_it_loses_nothing_more() {
    let rounded = |picture: &dyn Fn(u32, u32) -> DynamicImage| {
        let set = folder(|class, at| bytes(picture(class, at))).load().unwrap();
        (set.about.levels.to_string(), set.about.notes.len())
    };
    let full = ("full".to_owned(), 0);
    assert_eq!(rounded(&|class, at| deep(class, at, 0, 60_000).into()), full);
    // What was 8 bits before.
    let eight = |class, at| {
        let mut picture = deep(class, at, 0, 7);
        picture.pixels_mut().for_each(|pixel| pixel.0[0] = (100 + pixel.0[0]) * 257);
        picture.into()
    };
    assert_eq!(rounded(&eight), full);
    // One hot pixel doesn't darken a set.
    let hot = |class: u32, at: u32| {
        let mut picture = ImageBuffer::from_fn(64, 64, |x, y| {
            Luma([(10 * (if class == 0 { x } else { y } % 20)) as u16 + at as u16])
        });
        if (class, at) == (0, 2) {
            picture.put_pixel(0, 0, Luma([u16::MAX]));
        }
        bytes(DynamicImage::ImageLuma16(picture))
    };
    let set = folder(hot).load().unwrap();
    assert_eq!(set.about.levels.to_string(), "0-193");
    assert_sentence(
        &set.about.notes[0],
        &["0 to 65535 of", "scaled from 0 to 193", "(1 of 32768 values lie outside and become 0 or 255)"],
    );
}

/// Strokes of a grey on a ground: rows or columns.
fn strokes(side: u32, class: u32, at: u32, ground: u16, ink: u16) -> ImageBuffer<Luma<u16>, Vec<u16>> {
    ImageBuffer::from_fn(side, side, |x, y| {
        let (along, across) = if class == 0 { (x, y) } else { (y, x) };
        let stroke = across == 3 + 2 * at && (4..20).contains(&along);
        Luma([if stroke { ink } else { ground }])
    })
}

#[test]
fn hot_and_dead_pixels_do_not_darken_a_set() {
    type Spoil<'a> = &'a dyn Fn(u32, u32) -> Vec<(u32, u32, u16)>;
    let hot: Spoil = &|class, at| vec![(1 + 3 * at, 2 + class, 65_535), (22 - at, 21 - 2 * class, 65_535)];
    let many: Spoil = &|class, at| {
        (0..12).map(|i| (2 * i, (5 * i + 7 * at + class) % 24, 30_000 + 1000 * i as u16)).collect()
    };
    let corner: Spoil = &|_, _| vec![(0, 0, 0), (1, 0, 65_535)];
    let two: Spoil = &|_, _| vec![(22, 22, 65_535), (22, 23, 65_535)];
    for (spoil, ground, ink) in [
        (hot, 40, 100),
        (hot, 1000, 1090),
        (hot, 60_000, 60_100),
        (many, 40, 100),
        (corner, 40, 160),
        (two, 40, 160),
        (corner, 300, 2000),
    ] {
        let picture = |class, at| {
            let mut picture = strokes(24, class, at, ground, ink);
            spoil(class, at).into_iter().for_each(|(x, y, value)| picture.put_pixel(x, y, Luma([value])));
            picture
        };
        let folder = folder(|class, at| bytes(DynamicImage::ImageLuma16(picture(class, at))));
        let set = folder.load().unwrap();
        let Levels::Range(levels) = set.about.levels else { panic!("{:?}", set.about) };
        let apart = levels.byte(ink) - levels.byte(ground);
        assert!(apart > 180 && set.inspect().nothing_to_learn.is_none(), "{ground}/{ink}: {levels:?}");
        assert_eq!(set.about.notes.len(), 1, "{:?}", set.about.notes);
        assert_sentence(&set.about.notes[0], &["values lie outside and become 0 or 255", "⟨levels full⟩"]);
    }
    // Thin bright strokes on a ground with noise are no hot pixels.
    let noisy = |class, at| {
        let mut picture = strokes(64, class, at, 0, 60_000);
        let noise = |x: u32, y: u32| ((x * 7919 + y * 104_729 + at * 31 + class) % 257) as u16;
        picture.enumerate_pixels_mut().for_each(|(x, y, pixel)| pixel.0[0] += noise(x, y));
        bytes(DynamicImage::ImageLuma16(picture))
    };
    assert_eq!(folder(noisy).load().unwrap().about.levels, Levels::Range(LevelRange::FULL));
}

#[test]
fn detail_that_no_levels_keep_is_said_to_be_lost() {
    // Ink that is little brighter than the gradient under it.
    let faint = |class, at| {
        let mut picture = strokes(24, class, at, 0, 100);
        picture.enumerate_pixels_mut().for_each(|(x, _, pixel)| pixel.0[0] += (x * 60_000 / 23) as u16);
        bytes(DynamicImage::ImageLuma16(picture))
    };
    let set = folder(faint).load().unwrap();
    let words =
        ["of 8 pictures", "lose differences", "below 257 of 65535", "different values become", "⟨levels⟩"];
    assert_eq!(set.about.notes.len(), 1, "{:?}", set.about.notes);
    assert_sentence(&set.about.notes[0], &words);
    // What full levels lose is the fault of the levels, not of labels.
    let spoilt = |class, at| {
        let mut picture = strokes(24, class, at, 40, 100);
        picture.put_pixel(0, 0, Luma([60_000 + 257 * at as u16]));
        bytes(DynamicImage::ImageLuma16(picture))
    };
    let full = Reading { levels: "full".parse().unwrap(), ..Reading::default() };
    let set = folder(spoilt).load_with(&full).unwrap();
    let notes = [set.about.notes.clone(), set.inspect().notes].concat();
    assert!(notes.iter().all(|note| !note.contains("labels") && !note.contains("train part")), "{notes:?}");
    assert_sentence(&notes[0], &["8 of 8 pictures lose differences", "3 different values become 2 bytes"]);
    assert_sentence(
        &notes[1],
        &["4 of 8 pictures have the pixels of another once they are read", "⟨levels⟩"],
    );
}

/// A black stroke on a transparent ground within an opaque white frame.
fn framed(class: u32, at: u32, frame: u32) -> Vec<u8> {
    bytes(RgbaImage::from_fn(32, 32, |x, y| {
        let (along, across) = if class == 0 { (x, y) } else { (y, x) };
        match [x, y, 31 - x, 31 - y].iter().any(|edge| *edge < frame) {
            true => Rgba([255; 4]),
            false => Rgba([0, 0, 0, u8::from(across == 9 + at && (10..14 + at).contains(&along)) * 255]),
        }
    }))
}

#[test]
fn a_bright_part_does_not_hide_the_drawing() {
    // Frames of few widths tell less than the drawings; those that are all different may be what is shown.
    type Width<'a> = &'a dyn Fn(u32, u32) -> u32;
    let cases: [(Width, &str, &str); 3] = [
        (&|_, _| 3, "white", "8 of the drawings have dark parts, which tell them apart"),
        (&|_, at| 2 + at, "white", "8 of the drawings have dark parts, which tell them apart"),
        (&|class, at| 1 + at + 4 * class, "192", "8 of the drawings have dark parts and 8 have bright ones"),
    ];
    for (frame, chosen, because) in cases {
        let folder = folder(|class, at| framed(class, at, frame(class, at)));
        let set = folder.load_with(&to("3x32x32")).unwrap();
        assert_eq!(set.about.background.to_string(), chosen);
        let found = [set.about.notes.clone(), set.inspect().notes].concat();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_sentence(&found[0], &["8 of 8 pictures have transparent parts", because]);
        // Where the ground is given, what it hides is said, and what would show it.
        for (given, hides) in
            [("black", true), ("white", chosen != "white"), ("128", false), ("#3060c0", false)]
        {
            let given = Reading { background: given.parse().unwrap(), ..to("3x32x32") };
            let set = folder.load_with(&given).unwrap();
            let notes = [set.about.notes.clone(), set.inspect().notes].concat();
            assert!(notes.iter().all(|note| !note.contains("labels")), "{notes:?}");
            let note = set.about.notes.first();
            assert_eq!(note.is_some(), hides, "{given:?}: {note:?}");
            if let Some(note) = note {
                let better = format!("⟨background {chosen}⟩ shows what they differ in");
                assert_sentence(note, &["8 of 8 pictures have parts", &better]);
            }
        }
    }
    // A few drawings with bright parts change nothing for the others.
    let mut folder = Folder::empty();
    for (class, at) in (0..2).flat_map(|class| (0..30).map(move |at| (class, at))) {
        let frame = if (class, at) == (0, 0) { 3 } else { 0 };
        folder = folder.with(&format!("{class}/{at}.png"), &framed(class, at % 12, frame));
    }
    let set = folder.load_with(&to("1x32x32")).unwrap();
    assert_eq!(set.about.background.to_string(), "white");
    assert_sentence(&set.about.notes[0], &["because 60 of the drawings have dark parts"]);
}

#[test]
fn drawings_with_parts_of_every_grey_get_a_ground_between() {
    let picture = |class, at: u32| {
        let inks = [0, 128, 255];
        bytes(RgbaImage::from_fn(12, 12, |x, y| {
            let (along, across) = if class == 0 { (x, y) } else { (y, x) };
            let ink = inks[(across / 4) as usize];
            let opaque = across % 4 == 1 && along > at;
            Rgba([ink, ink, ink, u8::from(opaque) * 255])
        }))
    };
    let set = folder(picture).load_with(&to("1x12x12")).unwrap();
    assert_eq!((set.about.background.to_string(), values(&set)), ("64".to_owned(), vec![0, 64, 128, 255]));
}

#[test]
fn transparent_pictures_of_16_bits_are_scaled_before_the_ground_is_chosen() {
    let picture = |class: u32, at: u32| {
        let opaque = |x, y| u16::from(if class == 0 { x == at } else { y == at }) * u16::MAX;
        let picture = ImageBuffer::from_fn(6, 6, |x, y| Rgba([3000 + x as u16, 3900, 4000, opaque(x, y)]));
        bytes(DynamicImage::ImageRgba16(picture))
    };
    let set = folder(picture).load_with(&to("1x6x6")).unwrap();
    let chosen = (set.about.levels.to_string(), set.about.background.to_string());
    assert_eq!(chosen, ("3000-4000".to_owned(), "black".to_owned()));
    assert!(values(&set).len() > 1 && set.about.notes.len() == 3, "{:?}", set.about.notes);
    assert_sentence(&set.about.notes[2], &["lose differences", "those below 4 of 65535"]);
}

#[test]
fn what_reading_loses_is_said() {
    let note = |picture: &dyn Fn(u32, u32) -> Vec<u8>, reading: Reading, words: &[&str]| {
        let notes = folder(picture).load_with(&reading).unwrap().about.notes;
        let found = notes.iter().find(|note| words.iter().all(|word| note.contains(word)));
        assert!(found.is_some(), "{words:?} are not in {notes:?}");
        assert_sentence(found.unwrap(), &["of 8 pictures"]);
    };
    let black = Reading { background: "black".parse().unwrap(), ..to("1x6x6") };
    note(
        &|class, at| stroke(class, at, [0; 3]),
        black,
        &["8 of 8", "one colour", "the ground, black", "⟨background⟩"],
    );
    let clear = |_, _| bytes(RgbaImage::from_fn(6, 6, |x, y| Rgba([200, (x * y) as u8, 0, 0])));
    note(&clear, to("1x6x6"), &["8 of 8", "one colour", "transparent throughout"]);
    // 100 · 0.299 and 50 · 0.587 + 6 · 0.114 are both 30.
    let equal = |_, at| {
        bytes(RgbImage::from_fn(6, 6, |x, _| if x == at { Rgb([100, 0, 0]) } else { Rgb([0, 50, 6]) }))
    };
    note(&equal, to("1x6x6"), &["one colour", "equally bright", "⟨resize 3x6x6⟩"]);
    let thin = |_, at| bytes(GrayImage::from_fn(900, 900, |x, _| Luma([u8::from(x == 100 * at + 50) * 255])));
    note(&thin, to("8x8"), &["8 of 8", "lose most of their contrast", "⟨resize⟩"]);
    let point =
        |_, at| bytes(GrayImage::from_fn(900, 900, |x, y| Luma([u8::from(x == at && y == at) * 255])));
    note(&point, to("8x8"), &["8 of 8", "one colour", "vanishes when they are resized to 8×8"]);
    let long = |_, at| bytes(GrayImage::from_fn(400, 20, |x, _| Luma([(x * at / 9) as u8])));
    note(&long, to("8x8"), &["8 of 8", "one pixel of their shorter side", "from 20×400 to 1×8"]);
    let kept = Reading { background: "white".parse().unwrap(), ..Reading::default() };
    let set = folder(|class, at| stroke(class, at, [0; 3])).load_with(&kept).unwrap();
    assert_sentence(&set.about.notes[0], &["keep their alpha channel", "⟨resize 3x6x6⟩"]);
}

#[test]
fn an_animation_is_said_to_be_one() {
    let animated = |class, at| {
        let plain = stroke(class, at, [1, 2, 3]);
        // The chunk acTL, after the header: one frame, played once. Its checksum is looked at by the decoder.
        let chunk = [&b"acTL"[..], &1u32.to_be_bytes(), &1u32.to_be_bytes()].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        [&plain[..33], &8u32.to_be_bytes(), &chunk, &crc.sum().to_be_bytes(), &plain[33..]].concat()
    };
    let notes = folder(animated).load().unwrap().about.notes;
    assert_sentence(&notes[0], &["8 of 8 pictures are animations", "the still image alone"]);
}

#[test]
fn drawings_on_paper_say_the_ground_for_pictures_to_come() {
    let drawn = |paper: u8| {
        folder(move |class, at| {
            let ink = move |x, y| if class == 0 { x == at } else { y == at };
            bytes(GrayImage::from_fn(8, 8, |x, y| {
                Luma([if ink(x + 1, y + 1) { 255 - paper } else { paper }])
            }))
        })
    };
    for (paper, ground) in [(255, "white"), (0, "black")] {
        let set = drawn(paper).load().unwrap();
        assert_eq!(Background::Colour(set.about.rendering.ground).to_string(), ground);
        assert_eq!((set.about.rendering.margin, set.about.background), ([0; 3], Background::Auto));
    }
}

#[test]
fn settings_of_pictures_are_refused_with_other_data() {
    let background = Reading { background: "white".parse().unwrap(), ..Reading::default() };
    let levels = Reading { levels: "full".parse().unwrap(), ..Reading::default() };
    assert_setting_error(load_with("digits", &background), "background", &["digits", "leave it out"]);
    assert_setting_error(cifar().load_with(&levels), "levels", &["folders of pictures"]);
}

#[test]
fn the_built_in_and_the_small_sets_are_clean() {
    let digits = wgrad::internals::data::load("digits").unwrap();
    assert_eq!(digits.inspect(), Default::default());
    let shape = Shape::image(1, 8, 8);
    assert_eq!(digits.train.shape, shape);
}
