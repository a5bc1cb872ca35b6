//! Data in other formats: `wgrad data`, training with augmentation, and `eval`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answers::png;
use crate::place::{Place, halves};

/// A place with three class folders of ten 8×8 pictures each.
///
/// `links` is bright on the left, `rechts!` on the right, `oben und unten` in stripes; 24 pictures are for training
/// and 6 held out. Ten pictures each, 24 to train on and 6 held out.
fn pictures() -> Place {
    let place = Place::new();
    for at in 0..10u8 {
        let shine = 150 + at * 10;
        let file = |class: &str| format!("Meine Bilder/{class}/Bild {at}.png");
        place.write(&file("links"), png(8, 8, |x, _| if x < 4 { shine } else { 0 }));
        place.write(&file("rechts!"), png(8, 8, |x, _| if x >= 4 { shine } else { 0 }));
        place.write(&file("oben und unten"), png(8, 8, |_, y| if y % 4 < 2 { shine } else { 0 }));
    }
    place
}

const FOLDER: &str = "Meine Bilder";

#[test]
fn pictures_are_trained_on_measured_and_predicted_by_class_names() {
    let place = pictures();
    let train = ["train", FOLDER, "--epochs", "30", "--batch-size", "8", "--device", "cpu"];
    let ran = place.run(&[&train[..], &["--augment", "rotate 5, shift 0.5"]].concat()).ok();
    assert!(ran.err.contains("24 images of 1×8×8 to train on, 6 held out, 3 classes"), "{}", ran.err);
    assert!(ran.err.contains("augmented: shift 0.5, rotate 5"), "{}", ran.err);
    let run = "runs/meine-bilder-001";
    let recipe = String::from_utf8(place.read(&format!("{run}/recipe.toml"))).unwrap();
    assert!(recipe.contains("augment = \"shift 0.5, rotate 5\""), "{recipe}");

    let said = place.run(&["eval", run, "--device", "cpu"]).ok().out;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0].split("   ").next(), Some("held-out accuracy  100.00 %"), "{said}");
    for line in [
        "class             images  precision     recall         F1",
        "links                  2    100.0 %    100.0 %    100.0 %",
        "oben und unten         2    100.0 %    100.0 %    100.0 %",
        "mean                   6    100.0 %    100.0 %    100.0 %",
        " 1 oben und unten   .   2   .",
    ] {
        assert!(lines.contains(&line), "“{line}” is not in {said}");
    }
    let predicted =
        place.run(&["predict", run, "Meine Bilder/rechts!/Bild 3.png", "--device", "cpu"]).ok().out;
    assert!(predicted.starts_with("Meine Bilder/rechts!/Bild 3.png: rechts!   (rechts! "), "{predicted}");
    // The same pictures at twice the size, in a set of their own, are brought to the network's size.
    for class in ["links", "oben und unten", "rechts!"] {
        for (at, part) in ["train", "test"].iter().enumerate() {
            let file = format!("groß/{part}/{class}/{at}.png");
            place.write(
                &file,
                png(16, 16, |x, y| {
                    let shines = match class {
                        "links" => x < 8,
                        "rechts!" => x >= 8,
                        _ => y % 8 < 4,
                    };
                    if shines { 200 } else { 0 }
                }),
            );
        }
    }
    let other = place.run(&["eval", run, "groß", "--device", "cpu", "--json"]).ok().json();
    assert_eq!((&other["samples"], &other["held_out_accuracy"]), (&3.into(), &1.0.into()));
    place.run(&["explain", run, "--device", "cpu"]).ok();
}

#[test]
fn runs_with_augmentation_repeat_and_measure_samples_without_it() {
    let place = Place::new();
    let train = |augment: &str, seed: &str| {
        let arguments =
            ["train", "--epochs", "1", "--device", "cpu", "--seed", seed, "--augment", augment, "--json"];
        place.run(&arguments).ok().json()
    };
    let all = "shift 1, rotate 10, scale 0.1, shear 0.1, cutout 2, brightness 0.1, contrast 0.1";
    let (once, again, other) = (train(all, "1"), train(all, "1"), train(all, "2"));
    assert_eq!(once["held_out_loss"], again["held_out_loss"]);
    assert_eq!(once["train_loss"], again["train_loss"]);
    assert_ne!(once["train_loss"], other["train_loss"]);
    assert_ne!(once["train_loss"], train("none", "1")["train_loss"]);
    // eval measures without augmentation, as training did after the last epoch.
    let measured = place.run(&["eval", "runs/digits-001", "--device", "cpu", "--json"]).ok().json();
    let close = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-6;
    assert!(close(&measured["held_out_loss"], &once["held_out_loss"]), "{measured} {once}");
    // A recipe with augmentation repeats the run.
    let recipe =
        place.run(&["train", "runs/digits-001/recipe.toml", "--device", "cpu", "--json"]).ok().json();
    assert_eq!(recipe["train_loss"], once["train_loss"]);
}

#[test]
fn eval_counts_each_class_and_draws_the_worst_mistakes() {
    let place = Place::trained();
    let json =
        ["eval", "runs/digits-001", "--device", "cpu", "--json", "--mistakes", "5", "--out", "worst.png"];
    let json = place.run(&json).ok().json();
    let number = |value: &Value| value.as_u64().unwrap();
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    let mut correct = 0;
    for pair in json["confusion"].as_array().unwrap() {
        *rows.entry(pair["class"].as_str().unwrap().to_owned()).or_default() += number(&pair["count"]);
        correct += if pair["class"] == pair["predicted"] { number(&pair["count"]) } else { 0 };
    }
    assert_eq!(rows.values().sum::<u64>(), 360);
    // The matrix and the accuracy that the loss kernel counted agree.
    let last = &place.json("runs/digits-001/run.json")["last"];
    for accuracy in [&json["held_out_accuracy"], &last["held_out_accuracy"]] {
        assert!(
            (correct as f64 / 360.0 - accuracy.as_f64().unwrap()).abs() < 1e-12,
            "{correct} and {accuracy}"
        );
    }
    for class in json["classes"].as_array().unwrap() {
        assert_eq!(number(&class["samples"]), rows[class["class"].as_str().unwrap()]);
        let [precision, recall, f1] = ["precision", "recall", "f1"].map(|key| class[key].as_f64().unwrap());
        assert!((f1 - 2.0 * precision * recall / (precision + recall)).abs() < 1e-12, "{class}");
    }
    let mistakes = json["mistakes"].as_array().unwrap();
    assert_eq!((mistakes.len(), &json["mistakes_file"]), (5, &"worst.png".into()));
    let held_out = wgrad::internals::data::load("digits").unwrap().held_out;
    for mistake in mistakes {
        let label = held_out.labels[number(&mistake["sample"]) as usize].to_string();
        assert!(mistake["class"] == label.as_str() && mistake["predicted"] != mistake["class"], "{mistake}");
    }
    let losses: Vec<f64> = mistakes.iter().map(|mistake| mistake["loss"].as_f64().unwrap()).collect();
    assert!(losses.is_sorted_by(|a, b| a >= b), "{losses:?}");
    // Three columns and two rows of 8×8 images enlarged to 64×64, with two lines of text.
    let sheet = image::load_from_memory(&place.read("worst.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (3 * 70 + 6, 2 * (64 + 36 + 6) + 6));
    let said = place.run(&["eval", "runs/digits-001", "--device", "cpu", "--mistakes", "999"]).ok();
    assert!(said.err.contains("there are only") && said.out.contains("in mistakes.png (green:"), "{said:?}");
    assert!(said.out.contains("rows: the true class, columns: the predicted one"), "{}", said.out);
}

#[test]
fn eval_shows_only_the_worst_of_many_classes_and_says_so() {
    let place = Place::new();
    for class in 0..25u8 {
        for at in 0..2u8 {
            let file = format!("viele/{}{class:02}/{at}.png", if class < 12 { "a" } else { "b" });
            place.write(&file, png(5, 5, |x, y| if x + 5 * y == u32::from(class) { 255 } else { at }));
        }
    }
    place.run(&["train", "viele", "--epochs", "1", "--device", "cpu"]).ok();
    let said = place.run(&["eval", "runs/viele-001", "--device", "cpu"]).ok().out;
    assert!(
        said.contains("(5 classes with a higher F1 are left out; the mean is over all, and --json has them)")
    );
    assert!(said.contains("the matrix of 25 × 25 classes is too wide to be shown"), "{said}");
    let json = place.run(&["eval", "runs/viele-001", "--device", "cpu", "--json"]).ok().json();
    assert_eq!(json["classes"].as_array().unwrap().len(), 25);
}

#[test]
fn data_describes_a_data_set() {
    let place = pictures();
    let said = place.run(&["data", FOLDER]).ok();
    assert_eq!(said.err, "");
    for line in [
        "data    Meine Bilder (pictures in class folders, 20 % of each held out)",
        "images  1×8×8 (channels × rows × columns)",
        "class                train    held out",
        "oben und unten           8           2",
        "all                     24           6",
    ] {
        assert!(said.out.lines().any(|found| found == line), "“{line}” is not in {}", said.out);
    }
    let json = place.run(&["data", "digits", "--json"]).ok().json();
    assert_eq!(
        (&json["train"], &json["held_out"], &json["shape"][1]),
        (&1437.into(), &360.into(), &8.into())
    );
    assert_eq!(json["digest"], wgrad::internals::data::load("digits").unwrap().digest);
    assert_eq!(json["classes"][9]["class"], "9");
    place.write("Meine Bilder/links/kaputt.png", "no picture").write("Meine Bilder/links/.hidden", "");
    place.refuses(3, &["data", FOLDER], &["kaputt.png", "neither a PNG nor a JPEG", "--skip-bad"]);
    let skipped = place.run(&["data", FOLDER, "--skip-bad"]).ok();
    assert!(
        skipped.err.contains("1 picture was skipped:\n") && skipped.err.contains("kaputt.png"),
        "{skipped:?}"
    );
    assert!(skipped.out.contains("links                    8           2"), "{}", skipped.out);
    assert!(place.run(&["data", FOLDER, "--skip-bad", "--resize", "3x4x6"]).ok().out.contains("3×4×6"));
    assert_eq!(place.run(&["data"]).code, Some(2));
}

#[test]
fn preview_draws_samples_beside_augmented_ones() {
    let place = pictures();
    let preview = ["data", "preview", FOLDER, "--augment", "rotate 90", "--samples", "4", "--epochs", "3"];
    place.run(&preview).ok();
    let sheet = image::load_from_memory(&place.read("preview.png")).unwrap().into_rgb8();
    // Names of up to 14 letters of 8 pixels are wider than the images.
    assert_eq!(sheet.dimensions(), (4 * (14 * 8 + 6) + 6, 4 * (64 + 18 + 6) + 6));
    // The first of each class, then the second of the first class: the left halves are bright.
    let grey = |x: u32, y: u32| sheet.get_pixel(x, y).0[0];
    let train = wgrad::internals::data::load(place.path(FOLDER).to_str().unwrap()).unwrap().train;
    assert_eq!([grey(6 + 16, 6 + 30), grey(6 + 48, 6 + 30)], [train.image(0)[0], 0]);
    let fourth = 6 + 3 * 88 + 30;
    assert_eq!([grey(6 + 16, fourth), grey(6 + 48, fourth)], [train.image(1)[0], 0]);
    let again = place.read("preview.png");
    place.run(&preview).ok();
    assert!(place.read("preview.png") == again);
    place.run(&[&preview[..], &["--seed", "1"]].concat()).ok();
    assert!(place.read("preview.png") != again);
    place.run(&["data", "preview", "digits", "--augment", "flip", "--out", "a b.png"]).ok();
    assert!(!place.read("a b.png").is_empty());
    let refused = |extra: &[&str], words: &[&str]| {
        place.refuses(2, &[&["data", "preview", "digits"], extra].concat(), words);
    };
    refused(&["--augment", "turn 3"], &["augment", "no “turn”"]);
    refused(&["--augment", "flip", "--samples", "0"], &["--samples", "from 1"]);
    refused(&["--augment", "flip", "--epochs", "1000000"], &["256 MiB", "fewer"]);
    place.refuses(
        1,
        &["data", "preview", "digits", "--augment", "flip", "--out", "no/such.png"],
        &["no/such.png"],
    );
}

#[test]
fn unusable_pictures_are_refused_before_training() {
    let place = pictures();
    let train = ["train", FOLDER, "--device", "cpu"];
    place.write("Meine Bilder/links/groß.png", png(9, 9, |_, _| 1));
    place.refuses(3, &train, &["groß.png is 1×9×9", "--resize 32x32"]);
    place.write("Meine Bilder/links/groß.png", "none");
    place.refuses(3, &train, &["groß.png", "neither a PNG nor a JPEG"]);
    place.refuses(2, &[&train[..], &["--resize", "0x3"]].concat(), &["resize is “0x3”", "as in 32x32"]);
    place.refuses(2, &["train", "--augment", "shift x", "--device", "cpu"], &["“shift x” takes pixels"]);
    place.refuses(2, &["train", "--skip-bad", "--device", "cpu"], &["--skip-bad", "digits"]);
    let ran = place.run(&[&train[..], &["--skip-bad", "--epochs", "1"]].concat()).ok();
    assert!(ran.err.contains("1 picture was skipped:"), "{}", ran.err);
    let recipe = String::from_utf8(place.read("runs/meine-bilder-001/recipe.toml")).unwrap();
    assert!(recipe.contains("skip_bad = true"), "{recipe}");
    // Measured again, the bad picture is left out again.
    let ran = place.run(&["eval", "runs/meine-bilder-001", "--device", "cpu"]).ok();
    assert!(ran.err.contains("groß.png"), "{}", ran.err);
    // Other classes of the same number are other data.
    halves(&place, "zwei", 6, &[0, 1]);
    place.run(&["train", "zwei", "--epochs", "1", "--device", "cpu"]).ok();
    for class in ["hell", "dunkel"] {
        for at in 0..2 {
            place.write(&format!("andere/{class}/{at}.png"), png(4, 4, |_, _| 1));
        }
    }
    place.refuses(
        3,
        &["eval", "runs/zwei-001", "andere", "--device", "cpu"],
        &["“dunkel”, “hell” of andere are no classes", "“0”, “1”"],
    );
}

#[test]
fn classes_in_any_script_are_drawn_and_those_without_letters_are_numbered() {
    let place = Place::new();
    for (class, shade) in [("кот", 40), ("\u{1f408}", 90)] {
        for at in 0..4 {
            place.write(&format!("pets/{class}/{at}.png"), png(8, 8, |x, y| shade + at + (x * y) as u8));
        }
    }
    let ran = place.run(&["data", "preview", "pets", "--augment", "flip", "--epochs", "1"]).ok();
    assert!(ran.err.contains("class 1 there is “\u{1f408}”: the font lacks a letter of it"), "{}", ran.err);
    assert!(!ran.err.contains("class 0"), "{}", ran.err);
    assert!(place.path("preview.png").is_file());
}
