//! The commands eval, predict, summary, devices and doctor, and the help.

use serde_json::Value;
use wgrad::internals::train::run::model::Model;

use crate::place::Place;

/// A greyscale picture as a PNG file.
pub fn png(width: u32, height: u32, grey: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let picture = image::GrayImage::from_fn(width, height, |x, y| image::Luma([grey(x, y)]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn help_and_usage_name_every_command_and_exit_code() {
    let place = Place::new();
    let help = place.run(&["--help"]).ok();
    for word in [
        "train",
        "eval",
        "predict",
        "summary",
        "data",
        "devices",
        "doctor",
        "5 diverged",
        "wgrad train mnist",
    ] {
        assert!(help.out.contains(word), "“{word}” is not in {}", help.out);
    }
    assert_eq!(help.err, "");
    let train = place.run(&["train", "--help"]).ok();
    for flag in [
        "--network",
        "--epochs",
        "--batch-size",
        "--learning-rate",
        "--momentum",
        "--loss",
        "--seed",
        "--device",
        "--out",
        "--json",
        "--validation",
        "--augment",
        "--resize",
        "--skip-bad",
        "[DATA|RECIPE]",
    ] {
        assert!(train.out.contains(flag), "“{flag}” is not in {}", train.out);
    }
    let none = place.run(&[]);
    assert_eq!((none.code, none.out.as_str()), (Some(2), ""));
    assert!(none.err.contains("Usage: wgrad"), "{}", none.err);
    assert_eq!(place.run(&["--version"]).ok().out, format!("wgrad {}\n", env!("CARGO_PKG_VERSION")));
    let extra = place.run(&["train", "digits", "mnist"]);
    assert_eq!(extra.code, Some(2), "{}", extra.err);
    assert!(place.files().is_empty());
}

#[test]
fn eval_measures_the_loss_and_accuracy_of_training() {
    let place = Place::trained();
    let last = &place.json("runs/digits-001/run.json")["last"];
    let json = place.run(&["eval", "runs/digits-001", "--device", "cpu", "--json"]).ok().json();
    let close = |key: &str| {
        let [one, two] = [&json[key], &last[key]].map(|value| value.as_f64().unwrap());
        // The batches differ, so the sums are grouped differently.
        assert!((one - two).abs() < 1e-6 * two.abs(), "{key}: {one} and {two}");
    };
    close("held_out_loss");
    close("held_out_accuracy");
    assert_eq!((&json["samples"], &json["data"]), (&360.into(), &"digits".into()));
    let accuracy = json["held_out_accuracy"].as_f64().unwrap();
    // By the file as well as by the directory, and in words.
    let said =
        place.run(&["eval", "runs/digits-001/model.safetensors", "digits", "--device", "cpu"]).ok().out;
    assert!(said.contains(&format!("held-out accuracy  {:.2} %", accuracy * 100.0)), "{said}");
    let wrong = 360 - (accuracy * 360.0).round() as usize;
    assert!(said.contains(&format!("({wrong} of 360 images wrong)")), "{said}");
}

#[test]
fn predict_finds_the_class_of_a_picture() {
    let place = Place::new();
    place.run(&["train", "--epochs", "5", "--device", "cpu"]).ok();
    // The first held-out image of each class, as a picture of twice the size.
    let held_out = wgrad::internals::data::load("digits").unwrap().held_out;
    let mut files = Vec::new();
    for class in 0..10 {
        let at = held_out.labels.iter().position(|label| *label == class).unwrap();
        let pixels = held_out.image(at);
        files.push(format!("Ziffer {class}.png"));
        place.write(&files[class as usize], png(16, 16, |x, y| pixels[(y / 2 * 8 + x / 2) as usize]));
    }
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let arguments = [&["predict", "runs/digits-001"], &names[..], &["--device", "cpu", "--json"]].concat();
    let json = place.run(&arguments).ok().json();
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), 10);
    let right = (0..10).filter(|class| rows[*class]["class"] == class.to_string().as_str()).count();
    assert!(right >= 8, "{right} of 10 pictures are recognised");
    for (row, name) in rows.iter().zip(&names) {
        assert_eq!(row["file"], *name);
        let probabilities: Vec<f64> = row["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|class| class["probability"].as_f64().unwrap())
            .collect();
        assert_eq!(probabilities.len(), 10);
        let sum: f64 = probabilities.iter().sum();
        assert!(probabilities.is_sorted_by(|a, b| a >= b) && (sum - 1.0).abs() < 1e-6, "{sum}");
        assert_eq!(row["class"], row["classes"][0]["class"]);
    }
    let top = ["predict", "runs/digits-001", names[3], "--top", "2", "--device", "cpu", "--json"];
    assert_eq!(place.run(&top).ok().json()[0]["classes"].as_array().unwrap().len(), 2);
    let said = place.run(&["predict", "runs/digits-001", names[0], names[1], "--device", "cpu"]).ok().out;
    assert!(said.starts_with("Ziffer 0.png: ") && said.lines().count() == 2 && said.contains(" %"), "{said}");
}

#[test]
fn invert_swaps_dark_and_light() {
    let place = Place::trained();
    place.write("dark.png", png(8, 8, |x, _| (x * 30) as u8));
    place.write("light.png", png(8, 8, |x, _| 255 - (x * 30) as u8));
    let predict = |arguments: &[&str]| -> Value {
        let common = ["predict", "runs/digits-001", "--device", "cpu", "--json"];
        place.run(&[&common, arguments].concat()).ok().json()[0]["classes"].clone()
    };
    assert_eq!(predict(&["dark.png"]), predict(&["light.png", "--invert"]));
    assert_ne!(predict(&["dark.png"]), predict(&["light.png"]));
}

#[test]
fn summary_counts_parameters_operations_and_dispatches() {
    let place = Place::trained();
    let text = place.run(&["summary", "dense 128, relu, dense 10", "--device", "cpu"]).ok().out;
    // 784·128 + 128 and 128·10 + 10; 784·128 + 128·10.
    for word in [
        "1×28×28",
        "100,480",
        "1,290",
        "101,770",
        "101,632",
        "train: 7 dispatches",
        "sgd",
        "dense_softmax_loss",
    ] {
        assert!(text.contains(word), "“{word}” is not in {text}");
    }
    // The Program as it is recorded, what each rewrite makes of a step, and the Program that runs.
    for words in [
        "The plain Program",
        "train: 14 dispatches",
        "gradients      12 → 10",
        "The Program that runs",
        "train: 7 dispatches",
    ] {
        assert!(text.contains(words), "“{words}” is not in:\n{text}");
    }
    let plain = place
        .run(&["summary", "dense 128, relu, dense 10", "--device", "cpu", "--rewrites", "none"])
        .ok()
        .out;
    assert!(
        plain.matches("train: 14 dispatches").count() == 2 && plain.contains("watch         left out"),
        "{plain}"
    );
    place.refuses(
        2,
        &["summary", "dense 10", "--rewrites", "wach"],
        &["no rewrite “wach”", "did you mean “watch”"],
    );
    let run = place.run(&["summary", "runs/digits-001", "--device", "cpu"]).ok().out;
    // As it was trained: with its batch and its optimiser.
    let own = ["batch size 32,", "sgd_momentum"];
    for word in ["1×8×8", "4,160", "650", "4,810", "4,736", "gather_batch"].into_iter().chain(own) {
        assert!(run.contains(word), "“{word}” is not in {run}");
    }
    let coloured = place.run(&["summary", "dense 2", "--input", "3,2,2", "-b", "1"]).ok().out;
    assert!(coloured.contains("3×2×2") && coloured.contains("batch size 1,"), "{coloured}");
    // It runs nothing, so no memory limits it.
    let large = place.run(&["summary", "dense 30000, dense 30000, dense 30000, dense 10"]).ok().out;
    assert!(large.contains("1,823,910,010"), "{large}");
    for (arguments, word) in [
        (["--input", "1,2"], "channels, height and width"),
        (["--input", "9,1,1"], "1 to 4 channels"),
        (["--batch-size", "0"], "--batch-size is 0"),
        (["--batch-size", "200000"], "a batch of 200000 is too large"),
    ] {
        place.refuses(2, &[&["summary", "dense 10"], &arguments[..]].concat(), &[word]);
    }
}

#[test]
fn doctor_runs_every_kernel_on_the_cpu_engine() {
    let ran = Place::new().run(&["doctor", "--device", "cpu"]).ok();
    for kernel in wgrad::internals::table::ALL {
        let line = ran.out.lines().find(|line| line.split(' ').next() == Some(kernel.name));
        assert!(line.is_some_and(|line| line.ends_with(" s")), "{} has no line in {}", kernel.name, ran.out);
    }
    // The numbers of all lines are below each other.
    let ends: std::collections::BTreeSet<usize> =
        ran.out.lines().filter_map(|line| line.strip_suffix(" s").map(|line| line.chars().count())).collect();
    assert_eq!(ends.len(), 1, "{}", ran.out);
    assert!(ran.out.contains("every kernel computes on CPU engine what its twin computes"), "{}", ran.out);
}

#[test]
fn doctor_checks_only_the_named_kernels() {
    let place = Place::new();
    let ran = place.run(&["doctor", "--device", "cpu", "sgd", "matmul_cooperative"]).ok();
    let names: Vec<&str> = ran.out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["kernel", "sgd", "matmul_cooperative", "every"]);
    assert!(ran.out.contains("every kernel that was named computes on CPU engine"), "{}", ran.out);
    place.refuses(2, &["doctor", "--device", "cpu", "sgdd"], &["no kernel “sgdd”, did you mean “sgd”?"]);
}

#[test]
fn without_an_adapter_auto_is_the_cpu_engine_and_gpu_is_an_error() {
    let place = Place::new();
    let run = |arguments: &[&str]| {
        // No build of this program has a backend of that name.
        let mut command = place.command(arguments);
        crate::place::Ran::of(command.env("WGPU_BACKEND", "none"))
    };
    let auto = run(&["train", "--epochs", "1", "--json"]).ok();
    assert_eq!(auto.json()["adapter"], "CPU engine");
    assert!(auto.err.contains("CPU engine, because no graphics adapter answers"), "{}", auto.err);
    let gpu = run(&["train", "--epochs", "1", "--device", "gpu"]);
    gpu.failed(4, &["no graphics adapter answers", "WGPU_BACKEND=none", "./setup", "--device cpu"]);
    run(&["doctor", "--device", "gpu"]).failed(4, &["no graphics adapter answers"]);
    let devices = run(&["devices"]).ok().out;
    assert!(devices.contains("no adapter answers") && devices.contains("CPU engine"), "{devices}");
    assert!(!place.path("runs/digits-002").exists());
}

#[test]
fn weights_with_non_finite_outputs_are_an_error() {
    let place = Place::trained();
    let path = "runs/digits-001/model.safetensors";
    let mut model = Model::load(place.path(path)).unwrap();
    model.parameters.fill(3e38);
    model.save(place.path(path)).unwrap();
    // Brighter than the mean everywhere, so that no relu makes a zero of the infinities.
    place.write("a.png", png(8, 8, |_, _| 255));
    place.refuses(5, &["predict", "runs/digits-001", "a.png", "--device", "cpu"], &["a.png", "not finite"]);
    place.refuses(5, &["eval", "runs/digits-001", "--device", "cpu"], &["sample 0", "not finite"]);
}
