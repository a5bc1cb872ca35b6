//! Bad input: a sentence with cause and fix, and an exit code.

use std::fs;

use crate::checked::not_checked::not_checked;
use crate::place::{Place, Ran, halves, idx};

const NETWORK: &str = "--network";

/// Refused with exit code 2 by `train` on the CPU engine.
#[track_caller]
fn usage(arguments: &[&str], words: &[&str]) {
    Place::new().refuses(2, &[&["train", "--device", "cpu"], arguments].concat(), words);
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    usage(&[NETWORK, "dense 64, relu, dense 9"], &["gives 9 values", "10 classes", "“dense 10”"]);
    usage(&[NETWORK, "relu"], &["gives 64 values", "10 classes"]);
    usage(&[NETWORK, "dense 64, reluu, dense 10"], &["layer 2 “reluu”", "did you mean “relu”?"]);
    usage(&[NETWORK, ""], &["no layers", "dense 128"]);
    usage(&[NETWORK, "dense 10,"], &["layer 2", "nothing between two commas"]);
    for size in ["0", "-3", "1.5", "99999999999", "ten"] {
        usage(&[NETWORK, &format!("dense {size}, dense 10")], &["layer 1", size, "from 1 to"]);
    }
    // The layer, the shape that it gets, and what it would need.
    let wide = "dense 60000, dense 60000, dense 10";
    usage(&[NETWORK, wide], &["layer 2 “dense 60000” gets 60000", "60000 outputs", "1073741824 weights"]);
}

#[test]
fn huge_networks_are_refused_before_memory_is_allocated() {
    // 2.7 and 4.5 thousand million weights.
    let deep = |layers: usize| format!("{}dense 10", "dense 30000, ".repeat(layers));
    usage(&[NETWORK, &deep(6)], &["4502400010 parameters", "use fewer or narrower layers"]);
    usage(&[NETWORK, &format!("{}dense 10", "relu, ".repeat(10_000))], &["10001 layers", "10000"]);
    let arguments = ["train", "--device", "cpu", NETWORK];
    let place = Place::new();
    if cfg!(target_os = "linux") {
        let deep = deep(3);
        let words = ["the run needs 55", "MiB, the device offers", "use a smaller network"];
        place.run(&[&arguments[..], &[&deep]].concat()).failed(4, &words);
    } else {
        not_checked("that a run beyond the memory is refused", "only Linux tells how much is free");
    }
    assert!(place.files().is_empty(), "{:?}", place.files().keys());
}

#[test]
fn settings_out_of_range_are_refused() {
    usage(&["--epochs", "0"], &["--epochs", "is 0", "from 1"]);
    usage(&["--epochs", "1000001"], &["--epochs", "1000001", "from 1 to 1000000"]);
    usage(&["--batch-size", "0"], &["--batch-size", "is 0", "from 1"]);
    let all = "larger than the train part of 1437 samples: use --batch-size 1437 or smaller";
    usage(&["--batch-size", "1438"], &["a batch of 1438", all]);
    usage(&["--batch-size", "1000000000000"], &[all]);
    for rate in ["nan", "inf", "-1", "0", "-0", "1e39"] {
        usage(&["--learning-rate", rate], &["--learning-rate", "a number above 0"]);
    }
    for momentum in ["1", "-0.1", "nan"] {
        usage(&["--momentum", momentum], &["--momentum", "from 0 to below 1"]);
    }
    for validation in ["1", "-0.5", "nan"] {
        usage(&["--validation", validation], &["--validation", "from 0", "below 1"]);
    }
    usage(&["--validation", "0.0001"], &["0.0001 of 1437", "would be empty"]);
    usage(&["--batch-size", "1437", "--validation", "0.5"], &["larger than the train part of 718 samples"]);
}

#[test]
fn an_error_about_a_number_names_its_flag() {
    for (flag, value) in
        [("--epochs", "-1"), ("--batch-size", "-1"), ("--seed", "-1"), ("--seed", "x"), ("--lr", "x")]
    {
        let named = if flag == "--lr" { "--learning-rate" } else { flag };
        usage(&[flag, value], &[&format!("{named} is “{value}”, but it takes a")]);
    }
}

#[test]
fn unknown_names_are_refused_with_the_nearest() {
    usage(&["--loss", "mze"], &["“mze”", "did you mean “mse”?", "cross-entropy"]);
    usage(&["digit"], &["“digit”", "did you mean “digits”?"]);
    usage(
        &["./nowhere"],
        &["there is no data set or folder “./nowhere”", "name digits, mnist, fashion-mnist", "or a folder"],
    );
    let place = Place::new();
    place.write("file.txt", "hello");
    place.refuses(2, &["train", "file.txt"], &["file.txt is a file", ".toml"]);
    let command = place.run(&["trian"]);
    assert_eq!(command.code, Some(2));
    assert!(command.err.contains("trian") && command.err.contains("'train'"), "{}", command.err);
    place.refuses(3, &["train", "mnist"], &["MNIST was not found", "data/mnist", "WGRAD_DATA"]);
}

#[test]
fn unusable_data_files_are_refused() {
    let labels = "set/train-labels-idx1-ubyte";
    let images = "set/train-images-idx3-ubyte";
    let refused = |name: &str, bytes: &[u8], words: &[&str]| {
        let place = Place::new();
        halves(&place, "set", 4, &[0, 1]);
        place.write(name, bytes);
        let words = [&[name.split_once('/').unwrap().1], words].concat();
        place.refuses(3, &["train", "set", "--device", "cpu"], &words);
    };
    refused(images, &[], &["ends within its header"]);
    refused(images, b"\x89PNG....", &["begins with the bytes", "IDX"]);
    refused(images, &idx(&[4, 4, 4], &[0; 60]), &["ends after 60 of the 64 bytes"]);
    refused(images, &idx(&[4, 4, 4], &[0; 65]), &["goes on after the 64 bytes"]);
    refused(images, &idx(&[4, 600, 1], &[0; 2400]), &["600", "512"]);
    refused(labels, &idx(&[3], &[0; 3]), &["3 labels for the 4 images"]);
    refused("set/t10k-labels-idx1-ubyte", &idx(&[2], &[0, 2]), &["label 2 at index 1", "end at 1"]);
    refused("set/t10k-images-idx3-ubyte", &idx(&[2, 5, 4], &[0; 40]), &["1×5×4", "1×4×4"]);
    let place = Place::new();
    halves(&place, "set", 4, &[0, 1]);
    fs::remove_file(place.path(labels)).unwrap();
    place.refuses(3, &["train", "set"], &["set has no train-labels-idx1-ubyte"]);
}

#[test]
fn unusable_models_and_runs_are_refused() {
    let place = Place::trained();
    let model = place.read("runs/digits-001/model.safetensors");
    let changed: Vec<u8> = [&model[..model.len() - 4], &f32::NAN.to_le_bytes()].concat();
    // As by an earlier version, which knew no checksum.
    let mut nan = changed.clone();
    let key = nan.windows(8).position(|bytes| bytes == b"checksum").unwrap();
    nan[key] = b'C';
    place.write("changed.safetensors", changed);
    place.write("cut.safetensors", &model[..model.len() / 2]).write("nan.safetensors", nan);
    place.write("text.safetensors", "hello").write("empty/run.json", "{}");
    place.write("foreign.safetensors", [&2u64.to_le_bytes()[..], b"{}"].concat());
    for (name, words) in [
        ("cut.safetensors", ["is damaged", "train again"]),
        ("changed.safetensors", ["is damaged", "checksum"]),
        ("nan.safetensors", ["NaN", "“2.bias”"]),
        ("text.safetensors", ["not a safetensors file", "5 bytes"]),
        ("foreign.safetensors", ["not one that wgrad wrote", "name a run directory"]),
        ("empty", ["no model.safetensors", "hasn't finished"]),
        ("nowhere", ["doesn't exist", "name a run directory"]),
    ] {
        place.refuses(3, &["eval", name, "--device", "cpu"], &[&[name], &words[..]].concat());
        place.refuses(3, &["predict", name, "x.png"], &words);
    }
    place.refuses(3, &["summary", "runs/nowhere"], &["runs/nowhere doesn't exist"]);
    halves(&place, "set", 4, &[0, 1]);
    let words = ["images of 1×4×4", "trained on images of 1×8×8"];
    place.refuses(3, &["eval", "runs/digits-001", "set", "--device", "cpu"], &words);
    // The path of the data is relative to the working directory, and the folder may be gone.
    place.run(&["train", "set", "--epochs", "1", "--device", "cpu"]).ok();
    fs::rename(place.path("set"), place.path("moved")).unwrap();
    place.refuses(
        3,
        &["eval", "runs/set-001", "--device", "cpu"],
        &["“set”", "can't be loaded", "name data"],
    );
    place.run(&["eval", "runs/set-001", "moved", "--device", "cpu"]).ok();
}

#[test]
fn unusable_pictures_are_refused() {
    let place = Place::trained();
    place.write("text.png", "hello").write("empty.png", "").write("folder/x", "");
    place.write("cut.png", [&crate::answers::png(8, 8, |_, _| 9)[..40]].concat());
    place.write("good.png", crate::answers::png(8, 8, |_, _| 9));
    for (name, word) in [
        ("text.png", "neither a PNG nor a JPEG"),
        ("empty.png", "empty.png is empty"),
        ("cut.png", "damaged or cut short"),
        ("folder", "no PNG or JPEG picture"),
        ("nowhere.png", "isn't there"),
    ] {
        place.refuses(3, &["predict", "runs/digits-001", name, "--device", "cpu"], &[name, word]);
    }
    let none = ["predict", "runs/digits-001", "good.png", "--top", "0"];
    place.refuses(2, &none, &["--top is 0"]);
}

#[test]
fn an_output_folder_that_can_not_be_written_is_refused() {
    let place = Place::new();
    place.write("file", "kept");
    let train = ["train", "--epochs", "1", "--device", "cpu", "--out"];
    let refused = |out: &str, words: &[&str]| place.refuses(1, &[&train[..], &[out]].concat(), words);
    refused("file", &["no run directory can be made in file", "is a file", "--out"]);
    refused("file/runs", &["no run directory can be made in file/runs", "is a file", "--out"]);
    refused(&format!("new/{}", "x".repeat(300)), &["no run directory", "--out"]);
}

#[test]
fn a_setting_is_shown_as_a_flag_by_the_commands_that_have_it_alone() {
    let place = Place::new();
    let layer = "layer 1 “dense 0”";
    place.refuses(2, &["train", "--network", "dense 0"], &[&format!("--network, {layer}")]);
    let ran = place.run(&["summary", "dense 0"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.starts_with(&format!("error: network, {layer}")), "{}", ran.err);
}

/// Paths need not be text.
#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_refused_like_any_other() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let place = Place::new();
    let path = OsStr::from_bytes(b"no \xff text");
    for before in [&["eval"][..], &["predict", "nowhere"], &["train", "--resume"]] {
        let ran = Ran::of(place.command(before).arg(path));
        assert_eq!(ran.code, Some(3), "{before:?}: {}", ran.err);
        assert!(ran.err.starts_with("error: "), "{before:?}: {}", ran.err);
    }
}
