//! What messages advise is taken by the command that they are about.
//!
//! Each row provokes a message, finds its advice in it, and follows it. A mark of a setting in the library that is neither
//! in a row nor listed with a reason fails the test, so that new advice gets a row.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{
    DynamicImage, GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};

use crate::answers::png;
use crate::place::{Place, Ran, idx};
use crate::state_dict::{Saved, file};

/// Where a mark of a setting is in the library: the file, and the key.
type Mark = (&'static str, &'static str);

/// A message with advice.
struct Row {
    /// The command that prints the message.
    command: &'static str,
    /// The advice, as it is printed.
    says: &'static str,
    /// The command with the advice taken; flags that `command` lacks must be in `says`.
    followed: &'static str,
    /// The marks that are shown by it.
    marks: &'static [Mark],
}

const fn row(
    command: &'static str,
    says: &'static str,
    followed: &'static str,
    marks: &'static [Mark],
) -> Row {
    Row { command, says, followed, marks }
}

/// Rows on data of [`place`]. Every command runs on the CPU engine.
const ROWS: &[Row] = &[
    row("train mixed", "--resize 32x32", "train mixed --resize 32x32", &[("data/images.rs", "resize")]),
    row("lr-find mixed", "--resize 32x32", "lr-find mixed --resize 32x32", &[]),
    row("data mixed", "--resize 32x32", "data mixed --resize 32x32", &[]),
    row(
        "data preview mixed --augment flip",
        "--resize 32x32",
        "data preview mixed --augment flip --resize 32x32",
        &[],
    ),
    row("lesson images --data mixed", "--resize 32x32", "lesson images --data mixed --resize 32x32", &[]),
    row("train coloured", "--resize 3x8x8", "train coloured --resize 3x8x8", &[]),
    row("train bad", "--skip-bad", "train bad --skip-bad", &[("data/rendered.rs", "skip_bad")]),
    row("lr-find bad", "--skip-bad", "lr-find bad --skip-bad", &[]),
    row("data bad", "--skip-bad", "data bad --skip-bad", &[]),
    row("data preview bad --augment flip", "--skip-bad", "data preview bad --augment flip --skip-bad", &[]),
    row("lesson images --data bad", "--skip-bad", "lesson images --data bad --skip-bad", &[]),
    row("eval runs/good-001 bad", "--skip-bad", "eval runs/good-001 bad --skip-bad", &[]),
    row(
        "train clear --resize 3x8x8",
        "--background 128 changes it",
        "train clear --resize 3x8x8 --background 128",
        &[("data/survey.rs", "background")],
    ),
    row(
        "lr-find clear --resize 3x8x8",
        "--background 128 changes it",
        "lr-find clear --resize 3x8x8 --background 128",
        &[],
    ),
    row(
        "train deep",
        "--levels full changes it",
        "train deep --levels full",
        &[("data/histogram.rs", "levels"), ("data/survey.rs", "levels")],
    ),
    row("lr-find deep", "--levels full changes it", "lr-find deep --levels full", &[]),
    row(
        "train opaque",
        "--resize 1x8x8 leaves it out",
        "train opaque --resize 1x8x8",
        &[("data/inspection.rs", "resize")],
    ),
    row(
        "train opaque --background white",
        "with --resize 1x8x8 they are composed onto it",
        "train opaque --background white --resize 1x8x8",
        &[("data/rendered.rs", "background"), ("data/rendered.rs", "resize")],
    ),
    row(
        "data thin --resize 4x4",
        "use a larger --resize",
        "data thin --resize 64x64",
        &[("data/survey.rs", "resize")],
    ),
    row(
        "train letters",
        "--transpose swaps them back",
        "train letters --transpose",
        &[("data/folder.rs", "transpose")],
    ),
    row("data letters", "--transpose swaps them back", "data letters --transpose", &[]),
    row("lr-find letters", "--transpose swaps them back", "lr-find letters --transpose", &[]),
    row(
        "data preview letters --augment flip",
        "--transpose swaps them back",
        "data preview letters --augment flip --transpose",
        &[],
    ),
    row(
        "eval runs/good-001 letters --invert",
        "--transpose swaps them back",
        "eval runs/good-001 letters --invert --transpose",
        &[],
    ),
    row(
        "train parts",
        "--validation 0.1",
        "train parts --validation 0.1",
        &[("data/images.rs", "validation")],
    ),
    row(
        "train digits --batch-size 100000",
        "use --batch-size 1437 or smaller",
        "train digits --batch-size 1437",
        &[("train/session.rs", "batch_size")],
    ),
    row(
        "train digits --accumulate 1000",
        "use --accumulate 45 or smaller",
        "train digits --accumulate 45",
        &[("train/session.rs", "accumulate")],
    ),
    row(
        "train digits --stop-early \"validation-loss patience 3\"",
        "add --validation 0.1",
        "train digits --stop-early \"validation-loss patience 3\" --validation 0.1",
        &[("train/session.rs", "validation")],
    ),
    row(
        "train digits --optimiser adam --momentum 0.5",
        "--optimiser \"sgd momentum 0.5\"",
        "train digits --optimiser \"sgd momentum 0.5\"",
        &[("train/recipe/overrides.rs", "momentum"), ("train/recipe/overrides.rs", "optimiser")],
    ),
    row(
        "train digits --loss mse --label-smoothing 0.1",
        "are for --loss cross-entropy",
        "train digits --loss cross-entropy --label-smoothing 0.1",
        &[
            ("network/lower/training.rs", "label_smoothing"),
            ("network/lower/training.rs", "class_weights"),
            ("network/lower/training.rs", "loss"),
        ],
    ),
    row(
        "train digits --precision f16 --rewrites none",
        "--precision f16 is made by the rewrite f16, which --rewrites leaves out: name f16 there",
        "train digits --precision f16 --rewrites f16",
        &[("train/recipe/rewrites.rs", "precision"), ("train/recipe/rewrites.rs", "rewrites")],
    ),
    row(
        "train digits --learning-rate 1e9",
        "or --on-nan rollback",
        "train digits --learning-rate 1e9 --on-nan rollback",
        &[("train/running/ending.rs", "on_nan")],
    ),
    row(
        "train digits --network \"dense 9, batchnorm, dense 10\" --batch-size 1",
        "use another --batch-size",
        "train digits --network \"dense 9, batchnorm, dense 10\" --batch-size 7",
        &[("network/layers/norm.rs", "batch_size")],
    ),
    row(
        "train digits --network \"dense 10, softmax\"",
        "leave it out of --network",
        "train digits --network \"dense 10\"",
        &[("network/loss/logits.rs", "network")],
    ),
    row(
        "train digits --class-weights 1,2",
        "--class-weights, but the data have 10 classes: give one for each",
        "train digits --class-weights 1,2,1,1,1,1,1,1,1,1",
        &[("network/loss/weights.rs", "class_weights")],
    ),
    row(
        "train digits --validation 0.00001",
        "would be empty, so use a larger one",
        "train digits --validation 0.1",
        &[("data/split.rs", "validation")],
    ),
    row(
        "lr-find --from 1 --to 0.1",
        "--from 1 and --to 0.1 are no range",
        "lr-find --from 0.1 --to 1",
        &[("train/lr_find.rs", "from"), ("train/lr_find.rs", "to")],
    ),
    row(
        "lr-find --steps 1",
        "--steps is 1, but it takes a whole number from",
        "lr-find --steps 100",
        &[("train/lr_find.rs", "steps")],
    ),
    row("train good --kernel sgd=x.wgsl", "use an adapter (--device gpu)", "train good", &[]),
    row(
        "train --resume runs/good-001",
        "extend it with more --epochs",
        "train --resume runs/good-001 --epochs 3",
        &[],
    ),
    row("runs --out none", "name the folder of the runs with --out", "runs --out runs", &[]),
    row(
        "eval runs/good-001 --mistakes 0",
        "--mistakes is 0; it is a whole number from 1",
        "eval runs/good-001 --mistakes 1",
        &[],
    ),
    row(
        "predict runs/good-001 flat.png",
        "another --background or --invert",
        "predict runs/good-001 flat.png --background white --invert",
        &[],
    ),
    row(
        "predict runs/good-001 wide.png",
        "--fit crop takes the middle, --fit stretch",
        "predict runs/good-001 wide.png --fit crop",
        &[],
    ),
    row("predict runs/good-001 white.png", "add --invert", "predict runs/good-001 white.png --invert", &[]),
    row(
        "predict runs/good-001 good --save-input x.png",
        "so name a folder",
        "predict runs/good-001 good --save-input x",
        &[],
    ),
    row(
        "explain runs/good-001 --sample 999",
        "--sample 999 is outside the held-out part",
        "explain runs/good-001 --sample 0",
        &[],
    ),
    row(
        "summary \"dense 5\" --input 1,8",
        "as in --input 1,28,28",
        "summary \"dense 5\" --input 1,28,28",
        &[],
    ),
    row(
        "import torch.safetensors --network \"dense 3\" --classes a,b,c --shape 3x6x6",
        "so write the network that it was trained with",
        "import torch.safetensors --network \"dense 5, relu, dense 3\" --classes a,b,c --shape 1x2x2",
        &[("train/run/weights/foreign.rs", "network")],
    ),
    row(
        "import torch.safetensors --network \"dense 5, relu, dense 3\" --classes a,b,c --force",
        "name the shape of one image with --shape",
        "import torch.safetensors --network \"dense 5, relu, dense 3\" --classes a,b,c --force --shape 1x2x2",
        &[],
    ),
    row(
        "import torch.safetensors --network \"dense 5, relu, dense 3\" --classes a,b,c --shape 1x2x2",
        "replace it with --force",
        "import torch.safetensors --network \"dense 5, relu, dense 3\" --classes a,b,c --shape 1x2x2 --force",
        &[],
    ),
    row(
        "data preview good --augment flip --samples 0",
        "--samples and --epochs are whole numbers from 1",
        "data preview good --augment flip --samples 1",
        &[],
    ),
    row(
        "lesson similarity --input 1,2",
        "give them as --goal",
        "lesson similarity --input 1,2 --goal 1",
        &[("teach/lessons/similarity.rs", "goal"), ("teach/lessons/similarity.rs", "input")],
    ),
];

/// Marks that are no advice, or advice that takes a fault of a device or a run of minutes, with the reason.
const OTHERS: &[(&str, &str, &str)] = &[
    ("data/download/connection.rs", "from", "takes a server; tests/cli/get.rs has it"),
    ("data/download/transfer.rs", "from", "takes a server; tests/cli/get.rs has it"),
    ("data/locate.rs", "download", "takes the publisher's server; tests/cli/get.rs has the command"),
    ("data/grey.rs", "grey", "names a value that can't be read"),
    ("data/inspection.rs", "background", "names what decides, with --resize"),
    ("data/inspection.rs", "levels", "names what decides, with --resize"),
    ("data/normaliser.rs", "normalise", "names a value that can't be read"),
    ("data/rendering.rs", "background", "names a value that can't be read"),
    ("data/rendering.rs", "levels", "names a value that can't be read"),
    ("engine/adapter.rs", "device", "takes a machine without adapters; the adapter's tests have it"),
    ("engine/device.rs", "batch_size", "takes a device that fails"),
    ("engine/device.rs", "device", "takes a device that fails"),
    ("engine/device.rs", "network", "takes a device that fails"),
    ("engine/pipelines.rs", "device", "takes a device that fails"),
    ("kernel/augmentation.rs", "augment", "names a value that can't be read"),
    ("network/loss/mod.rs", "loss", "names a value that can't be read"),
    ("network/loss/mod.rs", "network", "names a layer, with the layer to take"),
    ("network/lower/sizes.rs", "accumulate", "as in network/layers/norm.rs"),
    ("network/lower/sizes.rs", "batch_size", "takes a batch that no device holds"),
    ("network/mod.rs", "network", "names a layer that can't be read"),
    ("network/optimiser/text.rs", "optimiser", "names a value that can't be read"),
    ("teach/lessons/hot_and_cold.rs", "weights", "names a vector of the wrong length"),
    ("teach/lessons/neuron.rs", "input", "names a vector of the wrong length"),
    ("teach/lessons/neuron.rs", "weights", "names a vector of the wrong length"),
    ("teach/lessons/odd_even.rs", "input", "names a vector of the wrong length"),
    ("teach/lessons/one_correction.rs", "weights", "names a vector of the wrong length"),
    ("teach/lessons/options.rs", "iterations", "names a number that is too large"),
    ("teach/lessons/options.rs", "step", "names a number that is too small"),
    ("teach/lessons/several_outputs.rs", "input", "names a vector of the wrong length"),
    ("teach/lessons/several_outputs.rs", "weights", "names a vector of the wrong length"),
    ("teach/lessons/similarity.rs", "weights", "names a vector of the wrong length"),
    ("train/coach/findings.rs", "augment", "the coach; taken below"),
    ("train/coach/findings.rs", "epochs", "the coach; taken below"),
    ("train/coach/findings.rs", "clip_norm", "the coach; taken below"),
    ("train/coach/findings.rs", "learning_rate", "the coach; taken below"),
    ("train/coach/findings.rs", "schedule", "the coach; taken below"),
    ("train/coach/findings.rs", "stop_early", "the coach; taken below"),
    ("train/coach/small.rs", "augment", "the coach; taken below"),
    ("train/coach/small.rs", "epochs", "the coach; taken below"),
    ("train/coach/small.rs", "network", "the coach; taken below"),
    ("train/coach/small.rs", "validation", "the coach; taken below"),
    ("train/plan.rs", "batch_size", "takes a machine without memory; the tests of memory have it"),
    ("train/plan.rs", "network", "takes a machine without memory; the tests of memory have it"),
    ("train/recipe/on_nan.rs", "on_nan", "names a value that can't be read"),
    ("train/run/mod.rs", "out", "in refusals.rs"),
    ("train/schedule/mod.rs", "schedule", "names a value that doesn't fit"),
    ("train/schedule/text.rs", "schedule", "names a value that can't be read"),
    ("train/session.rs", "device", "takes a device without f16"),
    ("train/session.rs", "kernel", "for programs that use the library"),
    ("train/session.rs", "precision", "takes a device without f16"),
    ("tune/mod.rs", "tuning", "takes a device without the variant; the tests of tuning have it"),
    ("verify/custom/replace.rs", "experimental", "takes cooperative matrices"),
    ("verify/custom/replace.rs", "kernel", "takes an adapter: tests/check"),
    ("verify/custom/replace.rs", "precision", "takes an adapter: tests/check"),
    ("verify/custom/replace.rs", "rewrites", "takes an adapter: tests/check"),
    ("verify/experimental/mod.rs", "batch_size", "takes cooperative matrices"),
    ("verify/experimental/mod.rs", "device", "takes cooperative matrices"),
    ("verify/experimental/mod.rs", "experimental", "takes cooperative matrices"),
    ("verify/experimental/mod.rs", "precision", "takes cooperative matrices"),
    ("verify/experimental/proof.rs", "experimental", "takes cooperative matrices"),
];

fn bytes(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Data of two classes, each with a fault of its own, and a run on `good`.
fn place() -> Place {
    let place = Place::new();
    for (class, at) in ["a", "b"].into_iter().flat_map(|class| (0..8u8).map(move |at| (class, at))) {
        let shine = |x: u32, y: u32| if (x < 4) == (class == "a") { 90 + at + y as u8 } else { 9 * at };
        let write = |set: &str, bytes: Vec<u8>| {
            place.write(&format!("{set}/{class}/{at}.png"), bytes);
        };
        write("good", png(8, 8, shine));
        write("bad", png(8, 8, shine));
        write("mixed", png(8, 8 + u32::from(at % 2), shine));
        write("parts/train", png(8, 8, shine));
        write("parts/val", png(8, 8, shine));
        let coloured = RgbImage::from_fn(8, 8, |x, y| Rgb([shine(x, y), 0, 0]));
        write("coloured", if at == 3 { bytes(coloured) } else { png(8, 8, shine) });
        write("clear", bytes(RgbaImage::from_fn(8, 8, |x, y| Rgba([0, 0, 0, shine(x, y)]))));
        write("opaque", bytes(GrayAlphaImage::from_fn(8, 8, |x, y| LumaA([shine(x, y), 255]))));
        let deep = ImageBuffer::from_fn(8, 8, |x, y| Luma([1000 + u16::from(shine(x, y)) * 3]));
        write("deep", bytes(DynamicImage::ImageLuma16(deep)));
        let line = |x: u32, _| if x == 7 * u32::from(at) { 255 } else { 0 };
        write("thin", png(64, 64, line));
    }
    for (part, count) in [("train", 8u8), ("test", 4)] {
        let file = |kind: &str| format!("letters/emnist-letters-{part}-{kind}-ubyte");
        let pixels: Vec<u8> =
            (0..count).flat_map(|at| (0..64).map(move |pixel| (at % 2 + 1) * pixel + at)).collect();
        let labels: Vec<u8> = (0..count).map(|at| at % 2).collect();
        place.write(&file("images-idx3"), idx(&[count.into(), 8, 8], &pixels));
        place.write(&file("labels-idx1"), idx(&[count.into()], &labels));
    }
    place.write("letters/emnist-letters-mapping.txt", "0 97\n1 98\n");
    place.write("bad/a/x.png", "none");
    place
        .write("flat.png", png(8, 8, |_, _| 0))
        .write("wide.png", png(32, 8, |x, _| if x < 9 { 90 } else { 0 }));
    place.write("white.png", png(8, 8, |x, y| if x < 4 { 255 } else { 250 - y as u8 }));
    let tensors = [("fc1", &[5, 4][..]), ("fc2", &[3, 5])].map(|(name, shape)| {
        Saved::new(&format!("{name}.weight"), shape, &vec![0.5; shape.iter().product()])
    });
    let biases = [("fc1", 5), ("fc2", 3)]
        .map(|(name, size)| Saved::new(&format!("{name}.bias"), &[size], &vec![0.0; size]));
    place.write("torch.safetensors", file(&[tensors, biases].concat(), None));
    let network =
        ["train", "good", "--network", "dense 4, relu, dense 2", "--epochs", "2", "--device", "cpu"];
    place.run(&network).ok();
    place
}

/// The words of a command line, in which quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let pieces = line.split('"').enumerate();
    pieces
        .flat_map(|(at, piece)| match at % 2 {
            1 => vec![piece.to_owned()],
            _ => piece.split_whitespace().map(str::to_owned).collect(),
        })
        .collect()
}

fn run(place: &Place, line: &str) -> Ran {
    let mut words = words(line);
    let device = ["train", "lr-find", "eval", "explain", "lesson", "predict"].contains(&words[0].as_str());
    let has_epochs = words.iter().any(|word| word == "--epochs" || word == "--resume");
    words.extend(device.then(|| ["--device", "cpu"].map(str::to_owned)).into_iter().flatten());
    if words[0] == "train" && !has_epochs {
        words.extend(["--epochs", "1"].map(str::to_owned));
    }
    place.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The flags of a text.
fn flags(text: &str) -> BTreeSet<String> {
    let words =
        text.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'));
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

#[test]
fn advice_is_taken() {
    let place = place();
    for Row { command, says, followed, .. } in ROWS {
        let ran = run(&place, command);
        let said = ran.err.replace('\n', " ") + &ran.out;
        assert!(said.contains(says), "“{says}” is not what {command} says: {said}");
        let new: BTreeSet<String> = flags(followed).difference(&flags(command)).cloned().collect();
        assert!(new.is_subset(&flags(says)), "{followed} has flags that nobody advised: {new:?}");
        let ran = run(&place, followed);
        // A run that diverges has taken its settings.
        assert!(matches!(ran.code, Some(0 | 5)), "{followed}: {}", ran.err);
    }
}

#[test]
fn what_the_coach_advises_is_taken() {
    let place = place();
    for advice in [
        "--schedule \"constant warmup 100\"",
        "--schedule plateau",
        "--clip-norm 1",
        "--network cnn",
        "--augment \"shift 1\"",
        "--learning-rate 0.01",
        "--stop-early validation-loss --validation 0.2",
    ] {
        run(&place, &format!("train digits --epochs 3 {advice}")).ok();
    }
}

/// Whole commands in messages, run as they are printed.
#[test]
fn commands_in_messages_run() {
    let place = Place::trained();
    let advised = |ran: Ran, from: &str| {
        let at = ran.err.find(from).unwrap_or_else(|| panic!("“{from}” is not in {}", ran.err));
        let line = ran.err[at..].lines().next().unwrap().split([',', ';', ':']).next().unwrap();
        line.trim_start_matches("wgrad ").trim().to_owned()
    };
    let other = place.run(&["train", "--resume", "runs/digits-001", "--seed", "7"]);
    let line = advised(other, "wgrad train runs/");
    assert_eq!(line, "train runs/digits-001/recipe.toml --seed 7 --init-from runs/digits-001");
    let ran = run(&place, &line).ok();
    assert!(ran.err.contains("weights 4 taken over"), "{}", ran.err);
    let other = place.run(&["train", "--resume", "runs/digits-001", "--optimiser", "adamw"]);
    run(&place, &advised(other, "wgrad train runs/")).ok();
    // Another network has other weights.
    let other = place.run(&["train", "--resume", "runs/digits-001", "--network", "dense 5, relu, dense 10"]);
    assert!(other.err.contains("or begin a new run\n"), "{}", other.err);
    // Without a whole model its newest checkpoint has them.
    let model = place.path("runs/digits-001/model.safetensors");
    fs::write(&model, "none").unwrap();
    let line =
        advised(place.run(&["train", "--resume", "runs/digits-001", "--seed", "7"]), "wgrad train runs/");
    assert!(line.ends_with("--init-from runs/digits-001"), "{line}");
    let ran = run(&place, &line).ok();
    assert!(ran.err.contains("weights of the checkpoint after"), "{}", ran.err);
    let found = run(&place, "lr-find digits");
    let line = advised(found, "--learning-rate ");
    run(&place, &format!("train digits {line}")).ok();
    let none = run(&place, "runs --out nowhere");
    assert!(none.err.contains("(no such file or folder)") && !none.err.contains("os error"), "{}", none.err);
    run(&place, &advised(run(&place, "train"), "wgrad summary runs/")).ok();
}

/// A run of precision f16 is not to blame for rewrites that were asked for now.
#[test]
fn a_resumed_run_names_the_setting_that_differs() {
    let place = Place::new();
    run(&place, "train digits --precision f16 --epochs 1").ok();
    let other = place.run(&["train", "--resume", "runs/digits-001", "--rewrites", "none", "--epochs", "2"]);
    other.failed(2, &["rewrites was \"default\" and now is \"none\"", "leave it as it was"]);
    place.run(&["train", "--resume", "runs/digits-001", "--epochs", "2"]).ok();
}

/// The marks of settings in the messages of the library.
fn marks(folder: &Path, root: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            marks(&path, root, found);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if name.starts_with("app/")
            || name == "error.rs"
            || name.starts_with("text/")
            || name.ends_with("tests.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for piece in lines.flat_map(|line| line.split('⟨').skip(1)) {
            let key: String = piece.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            // Marks of keys that are put in have no key here.
            found.extend((!key.is_empty()).then(|| (name.clone(), key)));
        }
    }
}

#[test]
fn every_mark_of_a_setting_is_tried_or_has_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    marks(&root, &root, &mut found);
    assert!(found.len() > 50, "{found:?}");
    let tried = ROWS.iter().flat_map(|row| row.marks.iter().map(|(file, key)| (*file, *key)));
    let known: BTreeSet<(&str, &str)> =
        tried.chain(OTHERS.iter().map(|(file, key, _)| (*file, *key))).collect();
    let unknown: Vec<&(String, String)> =
        found.iter().filter(|(file, key)| !known.contains(&(file.as_str(), key.as_str()))).collect();
    assert!(unknown.is_empty(), "a row in tests/cli/advice.rs is missing for {unknown:?}");
    // Of rows, none is about a mark that there isn't any more.
    for (file, key) in ROWS.iter().flat_map(|row| row.marks) {
        assert!(found.contains(&((*file).to_owned(), (*key).to_owned())), "{file} has no mark of {key}");
    }
}
