//! What pictures show survives the way from file to class; where nothing is left to learn, a run is refused.

use std::io::Cursor;

use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, Rgba, RgbaImage};
use serde_json::Value;

use crate::answers::png;
use crate::place::{Place, idx};

fn bytes(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Dark columns and rows on a transparent ground, 10 pictures of 8×8 each.
fn transparent() -> Place {
    let place = Place::new();
    for (class, at) in (0..2).flat_map(|class| (0..10).map(move |at| (class, at))) {
        let ink = |x: u32, y: u32| if class == 0 { x == at % 7 } else { y == at % 7 } || x * y == at;
        let picture = RgbaImage::from_fn(8, 8, |x, y| Rgba([0, 0, 0, u8::from(ink(x, y)) * 255]));
        place.write(&format!("ink/{}/{at}.png", ["column", "row"][class]), bytes(picture));
    }
    place
}

/// The loss that `eval` measures, which must be that of training.
#[track_caller]
fn same_loss(place: &Place, run: &str) {
    let measured = place.run(&["eval", run, "--device", "cpu", "--json"]).ok().json();
    let last = &place.json(&format!("{run}/run.json"))["last"];
    let number = |value: &Value| value["held_out_loss"].as_f64().unwrap();
    assert!((number(&measured) - number(last)).abs() < 1e-6, "{measured} and {last}");
}

fn recipe(place: &Place, run: &str) -> String {
    String::from_utf8(place.read(&format!("{run}/recipe.toml"))).unwrap()
}

#[test]
fn dark_ink_on_a_transparent_ground_is_learned_and_read_the_same_ever_after() {
    let place = transparent();
    let train = ["train", "ink", "--resize", "1x8x8", "--epochs", "40", "-b", "4", "--device", "cpu"];
    let ran = place.run(&train).ok();
    let line = "20 of 20 pictures have transparent parts: composed onto white, because 20 of the drawings have dark parts; \
                --background 128 changes it";
    assert!(ran.err.contains(line), "{}", ran.err);
    let run = "runs/ink-001";
    assert!(recipe(&place, run).contains("background = \"white\"\n"), "{}", recipe(&place, run));
    same_loss(&place, run);
    let explained = place.run(&["explain", run, "--device", "cpu"]).ok();
    assert!(!explained.err.contains("has changed"), "{}", explained.err);
    let picture = ["predict", run, "ink/row/3.png", "--device", "cpu"];
    let predicted = place.run(&picture).ok();
    assert!(
        predicted.out.starts_with("ink/row/3.png: row ") && predicted.err.lines().count() < 2,
        "{predicted:?}"
    );
    let on_black = place.run(&[&picture[..], &["--background", "black"]].concat()).ok();
    assert!(on_black.err.contains("ink/row/3.png is of one colour once it is read"), "{}", on_black.err);
    // A run that is resumed reads what it began with.
    let resumed = place.run(&["train", "--resume", run, "--epochs", "41", "--device", "cpu"]).ok();
    assert!(resumed.err.contains("resume"), "{}", resumed.err);
    // On a ground of its own colour nothing is left of the ink, and that is not trained on.
    let before = place.files();
    let black = place.run(&[&train[..], &["--background", "black"]].concat());
    black.failed(3, &["the same pixels", "nothing to learn", "--background"]);
    assert!(black.err.contains("20 of 20 pictures show something in their files"), "{}", black.err);
    assert_eq!(before.len(), place.files().len());
    let shown = place.run(&["data", "ink", "--resize", "1x8x8", "--background", "black"]).ok();
    assert!(shown.err.contains("nothing to learn") && shown.out.contains("column"), "{shown:?}");
    place.refuses(
        2,
        &[&train[..], &["--background", "blakc"]].concat(),
        &["--background is “blakc”", "black"],
    );
}

#[test]
fn a_model_of_dark_ink_on_paper_knows_it_on_a_transparent_ground() {
    let place = transparent();
    for (class, at) in (0..2).flat_map(|class| (0..10).map(move |at| (class, at))) {
        let ink = |x: u32, y: u32| if class == 0 { x == at % 7 } else { y == at % 7 } || x * y == at;
        let picture = png(8, 8, |x, y| if ink(x, y) { 0 } else { 255 });
        for folder in ["paper", "copy"] {
            place.write(&format!("{folder}/{}/{at}.png", ["column", "row"][class]), &picture);
        }
    }
    place.run(&["train", "paper", "--epochs", "40", "-b", "4", "--device", "cpu"]).ok();
    let measured = |data| {
        place.run(&["eval", "runs/paper-001", data, "--device", "cpu", "--json"]).ok().json()["held_out_loss"]
            .clone()
    };
    assert_eq!(measured("ink"), measured("copy"));
}

#[test]
fn pictures_of_16_bits_keep_their_levels_ever_after() {
    let place = Place::new();
    for (class, at) in (0..2).flat_map(|class| (0..10).map(move |at| (class, at))) {
        let value = |x: u32, y: u32| 1000 + (30 * (if class == 0 { x } else { y }) + at) as u16;
        let picture = ImageBuffer::from_fn(8, 8, |x, y| Luma([value(x, y)]));
        place.write(
            &format!("cells/{}/{at}.png", ["a", "b"][class]),
            bytes(DynamicImage::ImageLuma16(picture)),
        );
    }
    let ran = place.run(&["train", "cells", "--epochs", "20", "-b", "4", "--device", "cpu"]).ok();
    assert!(ran.err.contains("scaled from 1000 to 1219, so that bytes have "), "{}", ran.err);
    assert!(ran.err.contains("--levels full changes it"), "{}", ran.err);
    assert!(recipe(&place, "runs/cells-001").contains("levels = \"1000-1219\"\n"));
    same_loss(&place, "runs/cells-001");
    let predicted = place.run(&["predict", "runs/cells-001", "cells/b/0.png", "--device", "cpu"]).ok();
    assert!(
        predicted.out.starts_with("cells/b/0.png: b ") && !predicted.err.contains("one colour"),
        "{predicted:?}"
    );
    let explained = place.run(&["explain", "runs/cells-001", "--device", "cpu"]).ok();
    assert!(!explained.err.contains("has changed"), "{}", explained.err);
}

/// IDX files of 2×2 images with these pixels and labels.
fn images(place: &Place, folder: &str, train: &[([u8; 4], u8)], held_out: &[([u8; 4], u8)]) {
    for (part, samples) in [("train", train), ("t10k", held_out)] {
        let (pixels, labels): (Vec<[u8; 4]>, Vec<u8>) = samples.iter().copied().unzip();
        let count = samples.len() as u32;
        place.write(&format!("{folder}/{part}-images-idx3-ubyte"), idx(&[count, 2, 2], &pixels.concat()));
        place.write(&format!("{folder}/{part}-labels-idx1-ubyte"), idx(&[count], &labels));
    }
}

#[test]
fn data_without_anything_to_learn_are_refused_before_training() {
    let place = Place::new();
    let varied = |at: u8| [at, 2, 3, 4];
    images(&place, "same", &[(varied(1), 0), (varied(1), 1), (varied(1), 1)], &[(varied(2), 0)]);
    images(&place, "one", &[(varied(1), 1), (varied(2), 1)], &[(varied(2), 1)]);
    images(&place, "alike", &[([1; 4], 0), ([2; 4], 0), ([1; 4], 1), ([2; 4], 1)], &[(varied(2), 1)]);
    for (data, words) in [
        ("same", &["same: all 3 pictures of the train part have the same pixels", "check the files"][..]),
        ("one", &["have the class “1”", "add pictures of another class"]),
        ("alike", &["have the same pixels in every class"]),
    ] {
        place.refuses(3, &["train", data, "--device", "cpu", "-b", "1"], words);
        place.refuses(3, &["lr-find", data, "--device", "cpu", "-b", "1"], words);
        let shown = place.run(&["data", data]).ok();
        assert!(words.iter().all(|word| shown.err.contains(word)), "{}", shown.err);
        let json = place.run(&["data", data, "--json"]).ok().json();
        assert!(
            json["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains(words[0]))
        );
    }
}

#[test]
fn samples_that_make_a_result_wrong_are_counted_before_training() {
    let place = Place::new();
    let varied = |at: u8| [at, 2, 3, 4];
    let train: Vec<([u8; 4], u8)> =
        (0..40).map(|at| (varied(at), at % 3)).chain([([9; 4], 0), (varied(5), 0)]).collect();
    images(&place, "some", &train, &[(varied(3), 0), (varied(200), 1)]);
    let ran = place
        .run(&["train", "some", "--epochs", "1", "--device", "cpu", "-b", "4", "--validation", "0.05"])
        .ok();
    for line in [
        "1 of 42 pictures of the train part are of one colour throughout (as sample 40)",
        "1 of 42 pictures of the train part have the pixels of a picture of another class (as sample 41 of “0” has",
        "1 of 2 pictures of the held-out part are in the train part too, to the last pixel (as sample 0 is sample 3)",
        "1 of 3 classes have no picture in the held-out part (“2”), so what they look like is not measured there",
        "1 of 3 classes have no picture in the validation part",
    ] {
        assert!(ran.err.contains(line), "“{line}” is not in {}", ran.err);
    }
    let clean = place.run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    assert_eq!(
        clean
            .err
            .lines()
            .skip_while(|line| !line.starts_with("data"))
            .nth(1)
            .and_then(|line| line.split(' ').next()),
        Some("network"),
        "{}",
        clean.err
    );
}

#[test]
fn colours_become_grey_as_the_recipe_says_and_as_before_for_one_of_an_earlier_run() {
    let place = Place::new();
    for (class, at) in (0..2u8).flat_map(|class| (0..10u8).map(move |at| (class, at))) {
        let value = |x: u32, y: u32| Rgba([x as u8 * 30, y as u8 * 30, 100 * class + 9 * at, 255]);
        place.write(&format!("photos/{class}/{at}.png"), bytes(RgbaImage::from_fn(8, 8, value)));
    }
    let train = ["train", "photos", "--resize", "1x8x8", "--epochs", "1", "-b", "4", "--device", "cpu"];
    place.run(&train).ok();
    place.run(&[&train[..], &["--grey", "rec709"]].concat()).ok();
    let digest = |run: &str| place.json(&format!("{run}/run.json"))["digest"].clone();
    let [today, former, earlier] = ["runs/photos-001", "runs/photos-002", "runs/photos-003"];
    assert!(
        digest(today).is_string() && digest(today) != digest(former),
        "{} {}",
        digest(today),
        digest(former)
    );
    assert!(recipe(&place, today).contains("grey = \"rec601\"\n"));
    // The recipe of a run without the key is that of an earlier version.
    let text = recipe(&place, former).replace("grey = \"rec709\"\n", "");
    assert!(!text.contains("grey"), "{text}");
    place.write("earlier.toml", text);
    place.run(&["train", "earlier.toml"]).ok();
    assert_eq!(digest(earlier), digest(former));
    for run in [today, former, earlier] {
        same_loss(&place, run);
        place.run(&["train", "--resume", run, "--epochs", "2"]).ok();
        same_loss(&place, run);
    }
    let metadata =
        |run: &str| String::from_utf8_lossy(&place.read(&format!("{run}/model.safetensors"))).into_owned();
    assert!(metadata(today).contains(r#""grey":"rec601""#) && !metadata(earlier).contains(r#""grey""#));
    let text = [&train[..], &["--grey", "red"]].concat();
    place.refuses(2, &text, &["--grey is “red”", "rec601"]);
}
