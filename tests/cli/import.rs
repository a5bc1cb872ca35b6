//! `wgrad import`, and what a model that it makes is good for.

use crate::place::Place;
use crate::state_dict::{NAMED, NETWORK, NUMBERED, Saved, file, layers};

/// A place with the file of PyTorch's weights, as `torch.safetensors`.
fn place(names: [&str; 5]) -> Place {
    let place = Place::new();
    place.write("torch.safetensors", file(&layers(names), None));
    place
}

const IMPORT: [&str; 6] = ["import", "torch.safetensors", "--network", NETWORK, "--classes", "a,b,c"];

#[test]
fn an_imported_model_predicts_is_summarised_and_begins_runs() {
    let place = place(NAMED);
    let shaped =
        [&IMPORT[..], &["--shape", "3x6x6", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225"]]
            .concat();
    let ran = place.run(&shaped).ok();
    assert_eq!(
        ran.out,
        format!("model.safetensors: {NETWORK}; 311 parameters, 3 classes, images of 3×6×6\n")
    );
    for line in [
        "weights 12 taken over; names in the file are others",
        "conv1 → 0: weight, bias\n",
        "bn1 → 1: weight, bias, running_mean, running_var\n",
        "fc2 → 9: weight, bias\n",
    ] {
        assert!(ran.err.contains(line), "“{line}” is not in {}", ran.err);
    }
    assert!(!ran.err.contains("scaled to 0 to 1"), "{}", ran.err);

    // What golden/state_dict.py computes, as probabilities.
    place.write("image.png", picture(11));
    let predicted =
        place.run(&["predict", "model.safetensors", "image.png", "--device", "cpu", "--json"]).ok().json();
    let outputs: [f64; 3] = [0.09491709, 0.19382512, -0.17543819];
    let sum: f64 = outputs.iter().map(|output| output.exp()).sum();
    for (class, at) in [("b", 1), ("a", 0), ("c", 2)] {
        let all = predicted[0]["classes"].as_array().unwrap();
        let found = all.iter().find(|one| one["class"] == class).unwrap()["probability"].as_f64().unwrap();
        assert!((found - outputs[at].exp() / sum).abs() < 1e-5, "{class}: {found}");
    }
    let summary = place.run(&["summary", "model.safetensors", "--device", "cpu"]).ok().out;
    assert!(summary.contains("batchnorm") && summary.contains("311"), "{summary}");
    place.refuses(
        2,
        &["eval", "model.safetensors", "--device", "cpu"],
        &["imported without data", "name a data set"],
    );
    for (number, class) in (0..).zip(["a", "b", "c"]) {
        for at in 0..5 {
            place.write(&format!("photos/{class}/{at}.png"), picture(50 * number + at));
        }
    }
    let measured =
        place.run(&["eval", "model.safetensors", "photos", "--device", "cpu", "--json"]).ok().json();
    assert!(measured["held_out_accuracy"].as_f64().is_some(), "{measured}");
    let train = ["train", "photos", "--network", NETWORK, "--epochs", "1", "--device", "cpu", "--init-from"];
    for from in ["model.safetensors", "torch.safetensors"] {
        let ran = place.run(&[&train[..], &[from, "--fast-dev-run"]].concat());
        assert!(ran.ok().err.contains("weights 12 taken over"), "{from}");
    }
}

/// A PNG; that of 11 is the image of golden/state_dict.py.
fn picture(first: u32) -> Vec<u8> {
    let value = |channel: u32, x: u32, y: u32| ((37 * (36 * channel + 6 * y + x) + first) % 256) as u8;
    let image =
        image::RgbImage::from_fn(6, 6, |x, y| image::Rgb([0, 1, 2].map(|channel| value(channel, x, y))));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn classes_come_from_a_list_a_file_or_a_data_set() {
    let place = Place::new();
    let weight = Saved::new("0.weight", &[10, 64], &[0.5; 640]).to(safetensors::Dtype::F16);
    place.write("digits.safetensors", file(&[weight, Saved::new("0.bias", &[10], &[0.0; 10])], None));
    place.write("classes.txt", "\u{feff}zero\r\none\ntwo\n3\n4\n5\n6\n7\n8\nnine, or 9\n\n");
    let import = ["import", "digits.safetensors", "--network", "dense 10", "--out"];
    // The data set gives the shape as well, and is what eval measures on.
    let ran = place.run(&[&import[..], &["a.safetensors", "--classes", "digits"]].concat()).ok();
    assert!(ran.out.ends_with("10 classes, images of 1×8×8\n"), "{}", ran.out);
    for line in ["values were F16 in the file and became F32", "scaled to 0 to 1; if PyTorch normalised them"]
    {
        assert!(ran.err.contains(line), "“{line}” is not in {}", ran.err);
    }
    place.run(&["eval", "a.safetensors", "--device", "cpu"]).ok();
    let file = ["b.safetensors", "--classes", "classes.txt", "--shape", "1X8×8"];
    place.run(&[&import[..], &file].concat()).ok();
    let model = wgrad::Model::load(place.path("b.safetensors")).unwrap();
    assert_eq!((model.classes[0].as_str(), model.classes[9].as_str()), ("zero", "nine, or 9"));
    // Nothing that is there is replaced unasked.
    let before = place.read("a.safetensors");
    place.refuses(
        2,
        &[&import[..], &["a.safetensors", "--classes", "digits"]].concat(),
        &["a.safetensors exists already", "--force"],
    );
    let again = ["a.safetensors", "--classes", "classes.txt", "--shape", "1x8x8", "--force"];
    place.run(&[&import[..], &again].concat()).ok();
    assert_ne!(place.read("a.safetensors"), before);
}

#[test]
fn what_does_not_fit_is_one_sentence() {
    let place = place(NUMBERED);
    place.write("folder/x", "");
    let shaped = |more: &[&'static str]| [&IMPORT[..], &["--shape", "3x6x6"], more].concat();
    for (code, arguments, words) in [
        (2, IMPORT.to_vec(), ["name the shape", "--shape 1x28x28"]),
        (2, shaped(&["--mean", "0.1,0.2"]), ["--mean is “0.1,0.2”", "each of the 3 channels"]),
        (2, shaped(&["--std", "0"]), ["--std is “0”", "above 0"]),
        (2, shaped(&["--std", "1e-45"]), ["--std is “1e-45”", "from 1e-6 to 1e6"]),
        (2, shaped(&["--mean", "3e38"]), ["--mean is “3e38”", "from -1e6 to 1e6"]),
        (2, shaped(&["--loss", "hinge"]), ["there is no “hinge”", "--loss"]),
        (2, shaped(&["--grey", "red"]), ["--grey is “red”", "rec601"]),
        (2, shaped(&["--out", "folder"]), ["folder is no file", "--out"]),
    ] {
        place.refuses(code, &arguments, &words);
    }
    let with = |network: &'static str, classes: &'static str, shape: &'static str| {
        ["import", "torch.safetensors", "--network", network, "--classes", classes, "--shape", shape]
    };
    for (code, arguments, words) in [
        (2, with(NETWORK, "a,b", "3x6x6"), ["--network gives 3 values", "2 classes"]),
        (2, with(NETWORK, "a,b,a", "3x6x6"), ["--classes gives the name “a” twice", "rename"]),
        (2, with(NETWORK, "a,,b", "3x6x6"), ["--classes gives an empty name", "comma"]),
        (2, with(NETWORK, "abc", "3x6x6"), ["--classes is “abc”", "a data set"]),
        (2, with(NETWORK, "a,b,c", "6x6"), ["--shape is “6x6”", "1x28x28"]),
        (2, with("dense 3, cnov", "a,b,c", "3x6x6"), ["--network, layer 2", "conv"]),
        (3, with(NETWORK, "a,b,c", "3x8x8"), ["“7.weight” of shape 5×4", "--network needs 5×"]),
        (3, with("dense 3", "a,b,c", "3x6x6"), ["“0.weight” of shape 4×3×3×3", "needs 3×108"]),
    ] {
        place.refuses(code, &arguments, &words);
    }
    place.write("torch.pt", b"PK\x03\x04 saved by torch.save");
    let shape = ["--network", NETWORK, "--classes", "a,b,c", "--shape", "3x6x6"];
    for (file, words) in
        [("torch.pt", ["not a safetensors file", "save_file"]), ("none", ["none doesn't exist", "path"])]
    {
        place.refuses(3, &[&["import", file], &shape[..]].concat(), &words);
    }
    // Other commands say what to do with such a file.
    place.refuses(
        3,
        &["predict", "torch.safetensors", "torch.pt"],
        &["not one that wgrad wrote", "import it as a model"],
    );
}
