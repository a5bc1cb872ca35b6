//! Text from outside that would move the cursor, set the title, turn the line or hide: none of it reaches the terminal.

use std::fs;

use serde_json::{Value, json};

use crate::place::{Place, Ran};
use crate::state_dict::{Saved, file};

/// What a terminal obeys or hides, and a line that would pass for one of the program's.
const EVIL: &str =
    "a\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}2J\nforged: \u{202e}x\u{200b}\u{2028}y\u{feff}\u{e0041}\r";

/// Whether a terminal shows a character and does nothing else; joiners stay in the words that need them.
fn is_harmless(letter: char) -> bool {
    let hidden = matches!(
        letter,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
    );
    letter == '\n' || !letter.is_control() && !hidden
}

/// Checks that all output is harmless, and that no line of it is forged.
#[track_caller]
fn harmless(ran: Ran, what: &str) -> Ran {
    for text in [&ran.out, &ran.err] {
        assert!(text.chars().all(is_harmless), "{what}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{what}: {text}");
        assert!(!text.contains("panicked"), "{what}: {text}");
    }
    assert!(ran.out.len() + ran.err.len() < 20_000, "{what}: it is long");
    ran
}

/// Like [`harmless`], for output that repeats the text: it is there, escaped.
#[track_caller]
fn escaped(ran: Ran, what: &str) -> Ran {
    let ran = harmless(ran, what);
    let all = ran.out.clone() + &ran.err;
    assert!(all.contains(r"\x1b[2J") || all.contains(r"\u001b[2J"), "{what}: {all}");
    ran
}

/// The flags of a command, with a value.
fn flags(place: &Place, command: &str) -> Vec<String> {
    let help = place.run(&[command, "--help"]).ok().out;
    let lines =
        help.lines().filter(|line| line.contains("--") && line.contains('<') && line.starts_with(' '));
    let flag = |line: &str| Some(line.split("--").nth(1)?.split([' ', '[', '=']).next()?.to_owned());
    lines.filter_map(flag).map(|name| format!("--{name}")).collect()
}

#[test]
fn words_of_the_command_line_are_repeated_escaped() {
    let place = Place::new();
    for arguments in [
        &[EVIL][..],
        &["train", EVIL],
        &["train", &format!("--{EVIL}")],
        &["train", "--network", EVIL],
        &["train", "--network", &format!("dense 10 {EVIL}, relu")],
        &["train", "--seed", EVIL],
        &["train", "--optimiser", &format!("sgd momentum {EVIL}")],
        &["train", "--json", "--network", EVIL],
        &["train", "--resume", EVIL],
        &["train", "--init-from", EVIL, "--device", "cpu"],
        &["train", &format!("{EVIL}.toml")],
        &["lr-find", EVIL],
        &["runs", "--out", EVIL],
        &["runs", "diff", EVIL, EVIL],
        &["resume-check", EVIL],
        &["eval", EVIL],
        &["predict", EVIL, EVIL],
        &["import", EVIL, "--network", "dense 2", "--classes", "a,b", "--shape", "1x8x8"],
        &["import", "x", "--network", EVIL, "--classes", "a,b", "--shape", "1x8x8"],
        &["import", "x", "--network", "dense 2", "--classes", EVIL, "--shape", "1x8x8"],
        &["import", "x", "--network", "dense 2", "--classes", &format!("a,{EVIL}"), "--shape", "1x8x8"],
        &["import", "x", "--network", "dense 2", "--classes", "a,b", "--shape", EVIL],
        &["import", "x", "--network", "dense 2", "--classes", "a,b", "--shape", "1x8x8", "--std", EVIL],
        &["summary", EVIL],
        &["explain", EVIL],
        &["data", EVIL],
        &["data", "preview", EVIL, "--augment", "flip"],
        &["lesson", EVIL],
        &["lesson", "hint", EVIL],
        &["lesson", "images", "--data", EVIL],
        &["doctor", EVIL],
        &["bench", "--device", "cpu", EVIL],
        &["bench", "--device", "cpu", "--json", &format!("none/{EVIL}")],
    ] {
        escaped(place.run(arguments), &arguments.join(" "));
    }
}

#[test]
fn every_flag_of_training_takes_any_text_harmlessly() {
    let place = Place::new();
    let flags = flags(&place, "train");
    assert!(flags.len() > 30, "{flags:?}");
    for flag in flags {
        // A device would be looked for among the adapters.
        let base = ["train", "--fast-dev-run", "--device", "cpu"];
        let base = if flag == "--device" { &base[..2] } else { &base[..] };
        for text in [EVIL.to_owned(), "9".repeat(100_000), EVIL.repeat(900)] {
            let arguments = [base, &[&flag, &text]].concat();
            harmless(place.run(&arguments), &flag);
        }
    }
}

#[test]
fn layers_take_any_word_harmlessly() {
    let place = Place::new();
    for layer in [
        "dense X",
        "dense 10 X",
        "dense 10 init X",
        "dense 10 init uniform X",
        "conv X",
        "conv 4 X",
        "conv 4 3 X",
        "maxpool X",
        "maxpool 2 X",
        "maxpool 2 stride X",
        "batchnorm X",
        "layernorm X",
        "dropout X",
        "dropout 0.5 X",
        "leaky-relu X",
        "leaky-relu 0.1 X",
        "relu X",
        "flatten X",
        "residual X",
        "residual (X)",
        "X",
    ] {
        for text in [EVIL.replace(char::is_whitespace, ""), "9".repeat(50_000), "x".repeat(50_000)] {
            let network = format!("{}, dense 10", layer.replace('X', &text));
            harmless(place.run(&["summary", &network]), layer);
            harmless(place.run(&["train", "--network", &network, "--device", "cpu"]), layer);
        }
    }
}

#[test]
fn variables_of_the_environment_are_repeated_escaped() {
    let place = Place::new();
    for (name, arguments) in [
        ("WGRAD_DATA", &["train", "mnist"][..]),
        ("WGPU_ADAPTER_NAME", &["train", "--device", "gpu", "--epochs", "1"]),
        ("WGPU_BACKEND", &["train", "--device", "gpu", "--epochs", "1"]),
    ] {
        harmless(Ran::of(place.command(arguments).env(name, EVIL)), name);
    }
    let ran = Ran::of(place.command(&["train", "mnist"]).env("WGRAD_DATA", EVIL));
    escaped(ran, "WGRAD_DATA").failed(3, &["MNIST was not found"]);
}

#[test]
fn recipes_are_repeated_escaped() {
    let place = Place::new();
    let quoted = serde_json::to_string(EVIL).unwrap();
    let name = "recipe.toml";
    for text in [
        format!("network = {quoted}"),
        format!("{quoted} = 1"),
        format!("data = {quoted}"),
        format!("optimiser = {quoted}"),
        format!("epochs = {quoted}"),
        format!("network = [\"dense 10\", {quoted}]"),
        format!("kernel = [{quoted}]"),
        format!("loss = {quoted}\ndata = \"digits\""),
        EVIL.to_owned(),
        format!("a = {EVIL}"),
        format!("seed = {}", "9".repeat(50_000)),
    ] {
        place.write(name, &text);
        harmless(place.run(&["train", name, "--device", "cpu"]), &text);
    }
}

#[test]
fn brackets_of_a_text_are_shown_and_are_no_setting() {
    let place = Place::new();
    for text in ["⟨network⟩", "⟨batch_size 32⟩"] {
        let ran = place.run(&["train", text]);
        ran.failed(2, &[&format!("there is no data set or folder “{text}”")]);
        let ran = place.run(&["train", "--network", text]);
        ran.failed(2, &[&format!("“{text}”")]);
        place.write("recipe.toml", format!("network = \"{text}\""));
        place.run(&["train", "recipe.toml"]).failed(2, &[&format!("“{text}”")]);
        let ran = place.run(&[&format!("--{text}")]);
        assert!(ran.err.contains(&format!("'--{text}'")), "{}", ran.err);
    }
}

/// A picture of one grey.
fn picture(value: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::GrayImage::from_fn(3, 3, |x, _| image::Luma([value.wrapping_add(80 * x as u8)]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
#[cfg(unix)]
fn names_of_files_and_folders_are_shown_escaped_and_kept_exact_in_json() {
    let place = Place::new();
    let root = format!("pictures {EVIL}");
    let same = format!("same {EVIL}");
    for (kind, class) in ["می\u{200c}خواهم", "👩\u{200d}🚀", "a\u{200b}b"].into_iter().enumerate()
    {
        for at in 0..4 {
            place.write(&format!("{root}/{class}/{EVIL}{at}.png"), picture(10 * at + 60 * kind as u8));
            place.write(&format!("{same}/{class}/{EVIL}{at}.png"), picture(10 * at));
        }
    }
    escaped(place.run(&["data", &same]), "pictures that are the same in all classes");
    let train = ["train", &same, "--device", "cpu"];
    escaped(place.run(&train), "training on them").failed(3, &["nothing to learn"]);
    let ran = escaped(place.run(&["data", &root]), "data").ok();
    assert!(ran.out.contains("می\u{200c}خواهم") && ran.out.contains("👩\u{200d}🚀"), "{}", ran.out);
    let ran = escaped(place.run(&["data", &root, "--json"]), "data --json").ok();
    assert_eq!(ran.json()["data"], root.as_str());
    assert_eq!(ran.json()["classes"][0]["class"], "a\u{200b}b");

    let out = format!("out {EVIL}");
    let train = ["train", &root, "--out", &out, "--epochs", "1", "--device", "cpu"];
    let ran = escaped(place.run(&train), "train").ok();
    // What it advises is the same path to a shell.
    let word = ran.err.split("wgrad predict ").nth(1).unwrap().split(" PICTURE.png").next().unwrap();
    let mut shell = std::process::Command::new("bash");
    let said = shell.args(["-c", &format!("printf %s {word}")]).output().unwrap();
    let run = String::from_utf8(said.stdout).unwrap();
    assert!(run.starts_with(&out) && place.path(&run).is_dir(), "{word}");

    let file = format!("{root}/a\u{200b}b/{EVIL}1.png");
    let ran = escaped(place.run(&["predict", &run, &file, "--device", "cpu"]), "predict").ok();
    assert!(ran.out.contains(r"a\u{200b}b"), "{}", ran.out);
    let ran = escaped(place.run(&["predict", &run, &file, "--device", "cpu", "--json"]), "predict").ok();
    assert_eq!(ran.json()[0]["file"], file.as_str());
    for arguments in [
        &["eval", &run, "--device", "cpu", "--mistakes", "3", "--out", &format!("{EVIL}.png")][..],
        &["eval", &run, "--device", "cpu", "--json"],
        &["explain", &run, "--device", "cpu"],
        &["explain", &run, "--device", "cpu", "--json"],
        &["summary", &run],
        &["runs", "--out", &out],
        &["runs", "diff", &run, &run],
        &["resume-check", &run, "--steps", "2"],
        &["train", "--resume", &run],
        &["train", "--resume", &run, "--epochs", "2", "--json"],
        &["data", "preview", &root, "--out", &format!("{EVIL}.png")],
        &["lesson", "start", EVIL],
    ] {
        harmless(place.run(arguments), &arguments.join(" "));
    }
    place.write(&file, "no picture");
    let ran = escaped(place.run(&["data", &root]), "a damaged picture");
    ran.failed(3, &["neither a PNG nor a JPEG"]);
    escaped(place.run(&["data", &root, "--skip-bad"]), "a skipped picture").ok();
}

/// A safetensors file with other metadata, without its checksum.
fn with_metadata(file: &[u8], change: impl Fn(&mut Value)) -> Vec<u8> {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&file[8..][..length]).unwrap();
    let metadata = &mut header["__metadata__"];
    metadata.as_object_mut().unwrap().shift_remove("checksum");
    change(metadata);
    let mut text = header.to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    [&(text.len() as u64).to_le_bytes(), &text[..], &file[8 + length..]].concat()
}

#[test]
fn records_models_and_checkpoints_are_shown_escaped() {
    let place = Place::trained();
    let run = "runs/digits-001";
    let record = place.json(&format!("{run}/run.json"));
    let keys: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
    let evil_names: Vec<String> = (0..10).map(|at| format!("{EVIL}{at}")).collect();
    for key in keys {
        let mut changed = record.clone();
        changed.as_object_mut().unwrap().shift_remove("checksum");
        changed[&key] = EVIL.into();
        place.write(&format!("{run}/run.json"), changed.to_string());
        for arguments in [
            &["runs"][..],
            &["runs", "diff", run, run],
            &["explain", run, "--device", "cpu"],
            &["train", "--resume", run, "--epochs", "3"],
        ] {
            harmless(place.run(arguments), &format!("{key}: {arguments:?}"));
        }
    }
    place.write(&format!("{run}/run.json"), record.to_string());

    let model = format!("{run}/model.safetensors");
    let whole = place.read(&model);
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&whole[8..][..length]).unwrap();
    place.write("seven.png", picture(7));
    for key in header["__metadata__"].as_object().unwrap().keys() {
        for value in [json!(EVIL), json!(json!(evil_names).to_string())] {
            place.write(&model, with_metadata(&whole, |metadata| metadata[key] = value.clone()));
            for arguments in [
                &["predict", run, "seven.png", "--device", "cpu"][..],
                &["eval", run, "--device", "cpu"],
                &["summary", run],
                &["explain", run, "--device", "cpu"],
                &["train", "--init-from", run, "--fast-dev-run", "--device", "cpu"],
            ] {
                harmless(place.run(arguments), &format!("{key}: {arguments:?}"));
            }
        }
    }
    // Class names of a model are shown escaped, and exact as JSON.
    let named = |metadata: &mut Value| metadata["classes"] = json!(evil_names).to_string().into();
    place.write(&model, with_metadata(&whole, named));
    fs::write(place.path("eight.png"), image_of(8, 8)).unwrap();
    let predict = ["predict", run, "eight.png", "--device", "cpu"];
    escaped(place.run(&predict), "class names of a model").ok();
    let ran = escaped(place.run(&[&predict[..], &["--json"]].concat()), "as JSON").ok();
    let class = ran.json()[0]["class"].as_str().unwrap().to_owned();
    assert!(evil_names.contains(&class), "{class:?}");
    place.write(&model, &whole);

    let checkpoints = format!("{run}/checkpoints");
    let newest =
        fs::read_dir(place.path(&checkpoints)).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let whole = fs::read(&newest).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&whole[8..][..length]).unwrap();
    for key in header["__metadata__"].as_object().unwrap().keys() {
        fs::write(&newest, with_metadata(&whole, |metadata| metadata[key] = EVIL.into())).unwrap();
        for arguments in [
            &["train", "--resume", run, "--epochs", "3"][..],
            &["resume-check", run],
            &["runs", "diff", run, run],
            &["train", "--init-from", newest.to_str().unwrap(), "--fast-dev-run", "--device", "cpu"],
        ] {
            harmless(place.run(arguments), &format!("{key}: {arguments:?}"));
        }
    }
}

#[test]
fn names_of_tensors_in_a_file_of_another_program_are_shown_escaped() {
    let place = Place::new();
    let layer = |name: &str| {
        let weight = Saved::new(&format!("{name}.weight"), &[10, 64], &[0.5; 640]);
        [weight, Saved::new(&format!("{name}.bias"), &[10], &[0.0; 10])]
    };
    let import = ["import", "x", "--network", "dense 10", "--classes", "digits", "--force"];
    let train = ["train", "--network", "dense 10", "--init-from", "x", "--fast-dev-run", "--device", "cpu"];
    let other = [Saved::new(&format!("{EVIL}.{EVIL}"), &[2], &[0.0; 2])];
    for (tensors, fits) in [
        (layer(EVIL).to_vec(), true),
        ([&layer(EVIL)[..], &other].concat(), false),
        ([&layer("0")[..], &other].concat(), false),
        ([layer(EVIL), layer(&format!("{EVIL}a"))].concat(), false),
        (other.to_vec(), false),
    ] {
        place.write("x", file(&tensors, None));
        let ran = escaped(place.run(&import), "import");
        assert_eq!(ran.code, Some(if fits { 0 } else { 3 }), "{}", ran.err);
        harmless(place.run(&train), "train");
    }
}

/// A grey picture of this size.
fn image_of(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([(x * y) as u8]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
