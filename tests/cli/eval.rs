//! `wgrad eval` on a folder of one's own, and validation parts that are folders.

use crate::answers::png;
use crate::place::Place;

/// Three classes of 8×8 pictures by their brightness, in which a network of one layer is never wrong.
fn write(place: &Place, folder: &str, classes: &[&str], count: usize) {
    for class in classes {
        let shine = match *class {
            "night" => 20,
            "dusk" => 110,
            _ => 220,
        };
        for at in 0..count {
            let file = format!("{folder}/{class}/{at}.png");
            place.write(&file, png(8, 8, |x, y| shine + ((x * 7 + y * 3 + at as u32) % 20) as u8));
        }
    }
}

const CLASSES: [&str; 3] = ["day", "dusk", "night"];

/// A place with a run on `sky`, of 60 pictures.
fn sky() -> Place {
    let place = Place::new();
    write(&place, "sky", &CLASSES, 20);
    let train = ["train", "sky", "--network", "dense 16, relu, dense 3", "--epochs", "40", "-b", "8"];
    place.run(&[&train[..], &["--device", "cpu", "--quiet"]].concat()).ok();
    place
}

fn eval(place: &Place, more: &[&str]) -> serde_json::Value {
    place.run(&[&["eval", "runs/sky-001", "--device", "cpu", "--json"], more].concat()).ok().json()
}

#[test]
fn a_folder_is_measured_whole_and_its_classes_are_matched_by_name() {
    let place = sky();
    write(&place, "mine", &CLASSES, 10);
    let measured = eval(&place, &["mine"]);
    assert_eq!((&measured["samples"], &measured["held_out_accuracy"]), (&30.into(), &1.0.into()));
    assert_eq!(measured["held_out"], false);
    // One picture a class.
    write(&place, "one", &CLASSES, 1);
    assert_eq!(eval(&place, &["one"])["samples"], 3);
    // Some of the classes, so in another order: the others are named.
    write(&place, "some", &["night", "day"], 4);
    std::fs::create_dir(place.path("some/dusk")).unwrap();
    let measured = eval(&place, &["some"]);
    assert_eq!((&measured["samples"], &measured["held_out_accuracy"]), (&8.into(), &1.0.into()));
    let samples = |class: usize| measured["classes"][class]["samples"].clone();
    assert_eq!([samples(0), samples(1), samples(2)], [4, 0, 4]);
    let said = place.run(&["eval", "runs/sky-001", "some", "--device", "cpu"]).ok();
    assert!(
        said.err.contains("1 of 3 classes have no picture in the measured part (“dusk”)"),
        "{}",
        said.err
    );
    // Of parts the test is measured, else the validation part.
    write(&place, "parts/train", &CLASSES, 9);
    write(&place, "parts/valid", &CLASSES, 2);
    assert_eq!(eval(&place, &["parts"])["samples"], 6);
    write(&place, "parts/test", &CLASSES, 3);
    assert_eq!(eval(&place, &["parts"])["samples"], 9);
}

#[test]
fn what_is_measured_of_a_folder_and_what_is_not_is_said() {
    let place = sky();
    let says = |folder: &str, words: &[&str]| {
        let said = place.run(&["eval", "runs/sky-001", folder, "--device", "cpu"]).ok().err;
        words.iter().for_each(|word| assert!(said.contains(word), "“{word}” is not in {said}"));
        said
    };
    write(&place, "ds/test", &CLASSES, 2);
    assert!(!says("ds", &["data    ds: 6 images, all in ds/test"]).contains("is measured"));
    write(&place, "ds/train", &CLASSES, 1);
    says("ds", &["6 images, all in ds/test", "only test is measured: train with its 3 pictures is not"]);
    write(&place, "ds/val", &["day"], 1);
    place.write("ds/extra/day/0.png", png(8, 8, |_, _| 220));
    says(
        "ds",
        &[
            "only test is measured: train with its 3 pictures, val with its 1 picture, extra with its 1 picture are not",
        ],
    );
    std::fs::remove_dir_all(place.path("ds/test")).unwrap();
    says("ds", &["1 image, all in ds/val", "only val is measured: train with its 3 pictures, extra"]);
    (0..6).for_each(|at| std::fs::create_dir(place.path(&format!("ds/{at}"))).unwrap());
    says("ds", &["0 with its 0 pictures, 1 with", " and 3 other folders are not"]);
    write(&place, "mine", &CLASSES, 1);
    assert!(!says("mine", &["3 images, all in mine"]).contains("is measured"));
}

#[test]
fn a_class_that_the_network_does_not_know_is_named() {
    let place = sky();
    write(&place, "more", &["day", "dawn", "night"], 2);
    let words =
        ["“dawn” of more is no class of the network", "it knows “day”, “dusk”, “night”", "leave it out"];
    place.refuses(3, &["eval", "runs/sky-001", "more", "--device", "cpu"], &words);
    write(&place, "near", &["day", "Night"], 2);
    place.refuses(
        3,
        &["eval", "runs/sky-001", "near", "--device", "cpu"],
        &["“Night”", "did you mean “night”?"],
    );
    std::fs::create_dir_all(place.path("none/day")).unwrap();
    place.refuses(3, &["eval", "runs/sky-001", "none", "--device", "cpu"], &["no pictures in class folders"]);
    write(&place, "alone/train", &CLASSES, 2);
    let words = ["class folders in train", "no folder test or val", "name train itself"];
    place.refuses(3, &["eval", "runs/sky-001", "alone", "--device", "cpu"], &words);
}

/// A network has seen most of the folder that it was trained on.
#[test]
fn of_the_folder_trained_on_the_held_out_part_is_measured() {
    let place = sky();
    for folder in ["sky", "./sky", "runs/../sky/"] {
        let measured = eval(&place, &[folder]);
        assert_eq!((&measured["samples"], &measured["held_out"]), (&12.into(), &true.into()), "{folder}");
        let said = place.run(&["eval", "runs/sky-001", folder, "--device", "cpu"]).ok().err;
        assert!(said.contains("the held-out part of the data that the network was trained on"), "{said}");
    }
    assert_eq!(eval(&place, &[])["samples"], 12);
}

#[test]
fn eval_inverts_and_takes_another_ground_as_predict_does() {
    let place = sky();
    for (at, class) in CLASSES.iter().enumerate() {
        let shine = [35, 145, 235][at];
        place.write(
            &format!("negative/{class}/0.png"),
            png(8, 8, |x, y| shine - ((x * 7 + y * 3) % 20) as u8),
        );
    }
    let plain = place.run(&["eval", "runs/sky-001", "negative", "--device", "cpu", "--json"]).ok();
    assert!(plain.json()["held_out_accuracy"].as_f64().unwrap() < 0.5, "{}", plain.out);
    assert_eq!(eval(&place, &["negative", "--invert"])["held_out_accuracy"], 1.0);
    // Images that are no pictures are inverted too.
    let digits = Place::trained();
    let eval = |more: &[&str]| {
        let eval = ["eval", "runs/digits-001", "--device", "cpu", "--json"];
        digits.run(&[&eval, more].concat()).ok()
    };
    let (plain, inverted) = (eval(&[]).json(), eval(&["--invert"]));
    assert_ne!(plain["held_out_loss"], inverted.json()["held_out_loss"]);
    assert!(inverted.err.contains("much brighter or darker than those trained on: leave --invert out"));
    digits.refuses(
        2,
        &["eval", "runs/digits-001", "--background", "white", "--device", "cpu"],
        &["--background is for folders of pictures", "leave it out"],
    );
    // The margin of tall pictures is black, or what is asked for.
    place.write("tall/day/0.png", png(4, 8, |_, _| 220)).write("tall/night/0.png", png(4, 8, |_, _| 30));
    let loss = |more: &[&str]| {
        let eval = ["eval", "runs/sky-001", "tall", "--device", "cpu", "--json"];
        place.run(&[&eval, more].concat()).ok().json()["held_out_loss"].clone()
    };
    assert_ne!(loss(&[]), loss(&["--background", "white"]));
    assert_ne!(loss(&[]), loss(&["--fit", "stretch"]));
}

#[test]
fn a_run_without_bad_pictures_is_measured_without_them() {
    let place = Place::new();
    write(&place, "sky", &CLASSES, 10);
    place.write("sky/day/cloud.png", "none");
    let train = ["train", "sky", "--skip-bad", "--epochs", "1", "--device", "cpu", "--out", "r"];
    place.run(&train).ok();
    let ran = place.run(&["eval", "r/sky-001", "--device", "cpu"]).ok();
    assert!(ran.err.contains("1 picture was skipped:") && ran.err.contains("cloud.png"), "{}", ran.err);
    write(&place, "other", &CLASSES, 2);
    place.write("other/day/cloud.png", "none");
    let eval = ["eval", "r/sky-001", "other", "--device", "cpu"];
    place.refuses(3, &eval, &["cloud.png", "leave such files out with --skip-bad"]);
    place.run(&[&eval[..], &["--skip-bad"]].concat()).ok();
}

#[test]
fn a_folder_val_is_the_validation_part() {
    let place = Place::new();
    for (part, count) in [("train", 20), ("valid", 4), ("test", 3)] {
        write(&place, &format!("sky/{part}"), &CLASSES, count);
    }
    let train = ["train", "sky", "--epochs", "3", "--device", "cpu"];
    let early = ["--validation", "0.2", "--stop-early", "validation-loss patience 9"];
    let ran = place.run(&[&train[..], &early].concat()).ok();
    for said in [
        "60 images of 1×8×8 to train on, 9 held out",
        "valid with its 12 pictures is the validation part",
        "--validation 0.2 takes nothing out of the train part: the data have a validation part",
        "  validation ",
    ] {
        assert!(ran.err.contains(said), "“{said}” is not in {}", ran.err);
    }
    let recipe = String::from_utf8(place.read("runs/sky-001/recipe.toml")).unwrap();
    assert!(recipe.contains("validation = 0.0\n"), "{recipe}");
    let metrics = String::from_utf8(place.read("runs/sky-001/metrics.jsonl")).unwrap();
    assert!(metrics.contains("\"validation_accuracy\""), "{metrics}");
    // It is resumed with that part, and trained again from its recipe.
    let ran = place.run(&["train", "--resume", "runs/sky-001", "--epochs", "4"]).ok();
    assert!(ran.err.contains("epoch   4"), "{}", ran.err);
    place.run(&["train", "runs/sky-001/recipe.toml", "--device", "cpu"]).ok();
    place.run(&["explain", "runs/sky-001", "--device", "cpu", "--part", "train", "--sample", "59"]).ok();
    let json = place.run(&["data", "sky", "--json"]).ok().json();
    let counts = ["train", "held_out", "validation"].map(|part| json[part].clone());
    assert_eq!((counts, &json["classes"][0]["validation"]), ([60.into(), 9.into(), 12.into()], &4.into()));
    let said = place.run(&["data", "sky"]).ok().out;
    assert!(said.contains("class       train    held out  validation"), "{said}");
    // Without a test the pictures in val are held out.
    std::fs::remove_dir_all(place.path("sky/test")).unwrap();
    let ran = place.run(&train).ok();
    let said = "there is no folder test, so valid with its 12 pictures is held out; --validation 0.1 takes a validation part \
                out of train";
    assert!(
        ran.err.contains("60 images of 1×8×8 to train on, 12 held out") && ran.err.contains(said),
        "{}",
        ran.err
    );
    place.run(&[&train[..], &["--validation", "0.1"]].concat()).ok();
    write(&place, "sky/val", &CLASSES, 1);
    place.refuses(3, &train, &["val", "valid", "both named like a validation part"]);
}
