//! Damaged files of a run: named, and continued from what is whole to the same bits; or refused with exit code 3.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::place::{Place, Ran};

const RUN: &str = "runs/digits-001";
/// Early stopping, validation and an event file: all kinds of files that a run has.
const TRAIN: &[&str] = &[
    "train",
    "--device",
    "cpu",
    "--network",
    "dense 10",
    "--epochs",
    "4",
    "--checkpoint-every",
    "20",
    "--keep",
    "4",
    "--validation",
    "0.2",
    "--stop-early",
    "validation-loss patience 9",
    "--tensorboard",
    "--quiet",
];

/// A run that was killed after its third epoch or so: without a model, and running by its record.
struct Killed {
    place: Place,
    files: BTreeMap<String, Vec<u8>>,
    /// The model and the metrics of the finished run.
    model: Vec<u8>,
    losses: Vec<u64>,
}

impl Killed {
    fn new() -> Killed {
        let place = Place::new();
        place.run(TRAIN).ok();
        let model = place.read(&format!("{RUN}/model.safetensors"));
        let losses = crate::kills::content(&place, RUN).0;
        // The last checkpoint is the end of the run; one before it is where a killed process left it.
        let (_, last) = wgrad::internals::train::run::checkpoint::list(&place.path(RUN)).unwrap().remove(0);
        fs::remove_file(last).unwrap();
        let files = place.files().into_iter().filter(|(name, _)| !name.ends_with('/')).collect();
        Killed { place, files, model, losses }
    }

    fn path(&self, name: &str) -> String {
        format!("{RUN}/{name}")
    }

    /// Puts all files back as they were, but for one.
    fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        fs::remove_dir_all(self.place.path(RUN)).unwrap();
        for (name, bytes) in &self.files {
            self.place.write(name, bytes);
        }
        let mut bytes = self.files[&self.path(name)].clone();
        change(&mut bytes);
        self.place.write(&self.path(name), bytes);
    }

    #[track_caller]
    fn resumes(&self) -> Ran {
        let ran = self.place.run(&["train", "--resume", RUN, "--keep", "4", "--checkpoint-every", "20"]).ok();
        assert!(self.place.read(&self.path("model.safetensors")) == self.model, "another model: {}", ran.err);
        ran
    }

    fn newest(&self) -> String {
        let checkpoints = self.files.keys().filter(|name| name.contains("/step-"));
        checkpoints.max().unwrap().strip_prefix(&format!("{RUN}/")).unwrap().to_owned()
    }
}

/// Changes one byte.
fn flip(at: usize) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| {
        let at = at % bytes.len();
        bytes[at] ^= 0x10;
    }
}

#[test]
fn a_damaged_checkpoint_is_named_and_an_earlier_one_leads_to_the_same_bits() {
    let killed = Killed::new();
    let newest = killed.newest();
    let length = killed.files[&killed.path(&newest)].len();
    // In the length of the header, in the header, in its padding or first tensor, and among the last weights.
    for at in [2, 60, length / 3, length - 100] {
        killed.damage(&newest, flip(at));
        let ran = killed.resumes();
        assert!(ran.err.contains("skipped: ") && ran.err.contains(&newest), "{}", ran.err);
        assert_eq!(crate::kills::content(&killed.place, RUN).0, killed.losses);
    }
    // A block of zeros, as a lost page leaves it.
    killed.damage(&newest, |bytes| bytes[length / 2..][..4096].fill(0));
    assert!(killed.resumes().err.contains(&newest));
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_checkpoint_is_named_and_not_followed() {
    let killed = Killed::new();
    let newest = killed.newest();
    killed.damage(&newest, |_| {});
    let (path, elsewhere) = (killed.place.path(&killed.path(&newest)), killed.place.path("elsewhere"));
    fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let ran = killed.resumes();
    assert!(ran.err.contains(&newest) && ran.err.contains("is a link, not a checkpoint"), "{}", ran.err);
}

#[test]
fn weights_of_a_run_without_a_model_are_those_of_its_newest_whole_checkpoint_and_others_are_named() {
    let killed = Killed::new();
    let newest = killed.newest();
    killed.damage(&newest, flip(900));
    let _ = fs::remove_file(killed.place.path(&killed.path("model.safetensors")));
    let train =
        ["train", "digits", "--epochs", "1", "--device", "cpu", "--network", "dense 10", "--init-from"];
    let ran = killed.place.run(&[&train[..], &[RUN]].concat()).ok();
    assert!(ran.err.contains("skipped: ") && ran.err.contains(&newest), "{}", ran.err);
}

#[test]
fn a_checkpoint_is_resumed_from_within_its_run_directory_too() {
    let killed = Killed::new();
    let newest = killed.newest();
    let name = Path::new(&newest).file_name().unwrap().to_str().unwrap();
    for (folder, checkpoint) in [(RUN.to_owned(), &newest[..]), (format!("{RUN}/checkpoints"), name)] {
        killed.damage(&newest, |_| {});
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wgrad"));
        let output =
            command.current_dir(killed.place.path(&folder)).args(["train", "--resume", checkpoint]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(killed.place.read(&killed.path("model.safetensors")) == killed.model);
    }
}

#[test]
fn without_a_whole_checkpoint_what_is_left_is_said() {
    let killed = Killed::new();
    killed.damage(&killed.newest(), |_| {});
    for (name, bytes) in killed.files.iter().filter(|(name, _)| name.contains("/step-")) {
        let mut bytes = bytes.clone();
        flip(bytes.len() - 9)(&mut bytes);
        killed.place.write(name, bytes);
    }
    killed.place.refuses(
        3,
        &["train", "--resume", RUN],
        &["none of the ", "checkpoints of runs/digits-001 can be used", "--init-from"],
    );
    killed
        .place
        .run(&[
            "train",
            "digits",
            "--epochs",
            "1",
            "--device",
            "cpu",
            "--network",
            "dense 10",
            "--init-from",
            RUN,
        ])
        .ok();
}

#[test]
fn a_damaged_record_recipe_or_model_is_named_and_restored() {
    let killed = Killed::new();
    for (name, change) in [
        ("run.json", b"\"adapter\": \"CPU" as &[u8]),
        ("run.json", b"\"status\": \"done"),
        ("recipe.toml", b"= \"digits"),
    ] {
        killed.damage(name, |bytes| {
            let at = bytes.windows(change.len()).position(|window| window == change).unwrap();
            bytes[at + change.len() - 1] = b'\n';
            bytes[at + 1] = 0;
        });
        let ran = killed.resumes();
        assert!(ran.err.contains(name) && ran.err.contains("takes its place"), "{}", ran.err);
        killed.place.run(&["resume-check", RUN, "--steps", "2"]).ok();
    }
    // The best weights are those of the checkpoint, whatever model is there.
    killed.damage("model.safetensors", flip(5_000));
    killed.resumes();
    killed.damage("model.safetensors", |bytes| bytes.clear());
    killed.resumes();
}

#[test]
fn a_damaged_line_of_the_metrics_does_not_remove_those_behind_it() {
    let killed = Killed::new();
    let lines = String::from_utf8(killed.files[&killed.path("metrics.jsonl")].clone()).unwrap();
    let second = lines.lines().next().unwrap().len() + 1;
    for at in [3, second - 1, second + 5] {
        killed.damage("metrics.jsonl", flip(at));
        let ran = killed.resumes();
        assert!(ran.err.contains("metrics.jsonl is damaged"), "{}", ran.err);
        let after = String::from_utf8(killed.place.read(&killed.path("metrics.jsonl"))).unwrap();
        // All but the damaged lines up to the checkpoint are there, to the byte.
        let kept = lines.lines().filter(|line| after.contains(line)).count();
        assert!(kept >= lines.lines().count() - 4, "{after}");
        assert_eq!(after.lines().filter(|line| line.contains("\"epoch\",")).count(), 4, "{after}");
    }
    // The table and the event file are made of the lines.
    for name in ["metrics.csv", "events.out.tfevents.wgrad"] {
        killed.damage(name, flip(300));
        killed.resumes();
    }
    // Before a run is resumed, its numbers are still shown.
    killed.damage("metrics.jsonl", flip(second + 5));
    let diff = killed.place.run(&["runs", "diff", RUN, RUN]).ok();
    assert!(diff.err.contains("1 of the metrics lines"), "{}", diff.err);
}

#[test]
fn early_stopping_takes_its_best_weights_from_the_checkpoint() {
    let place = Place::new();
    let train = |out: &str, epochs: &str| {
        let rule = "train-loss patience 9 min-delta 0.3";
        let network = ["--network", "dense 10", "--device", "cpu", "--checkpoint-every", "9999"];
        place
            .run(&[&["train", "--out", out, "--epochs", epochs, "--stop-early", rule][..], &network].concat())
            .ok();
        place.read(&format!("{out}/digits-001/model.safetensors"))
    };
    let straight = train("straight", "7");
    train("runs", "4");
    // Another model of the same shape, as a later epoch or a stranger may have left it.
    place
        .run(&[
            "train",
            "--out",
            "other",
            "--seed",
            "9",
            "--epochs",
            "1",
            "--network",
            "dense 10",
            "--device",
            "cpu",
        ])
        .ok();
    fs::copy(
        place.path("other/digits-001/model.safetensors"),
        place.path(&format!("{RUN}/model.safetensors")),
    )
    .unwrap();
    place.run(&["train", "--resume", RUN, "--epochs", "7"]).ok();
    assert!(place.read(&format!("{RUN}/model.safetensors")) == straight);
    fs::remove_file(place.path(&format!("{RUN}/model.safetensors"))).unwrap();
    place.run(&["train", "--resume", RUN]).ok();
    assert!(place.read(&format!("{RUN}/model.safetensors")) == straight);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_in_the_place_of_one_is_refused_and_no_link_is_written_through() {
    use std::os::unix::fs::symlink;
    let place = Place::new();
    let train =
        ["train", "--epochs", "2", "--network", "dense 10", "--device", "cpu", "--checkpoint-every", "40"];
    place.run(&train).ok();
    let names = ["recipe.toml", "run.json", "metrics.jsonl", "metrics.csv", "model.safetensors", ".lock"];
    let target = place.path("target");
    for name in names {
        let path = place.path(&format!("{RUN}/{name}"));
        let before = fs::read(&path).unwrap_or_default();
        let put = |kind: &str| {
            let _ = fs::remove_file(&path);
            match kind {
                "link" => symlink(&target, &path).unwrap(),
                "folder" => fs::create_dir(&path).unwrap(),
                _ => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
            }
        };
        for kind in ["link", "pipe", "folder"] {
            fs::write(&target, "mine").unwrap();
            put(kind);
            let ran = place.run(&["train", "--resume", RUN, "--epochs", "3"]);
            assert!(matches!(ran.code, Some(1 | 3)), "{name} as a {kind}: {ran:?}");
            assert!(ran.err.contains(name), "{}", ran.err);
            assert_eq!(fs::read(&target).unwrap(), b"mine", "{name} as a {kind}");
            assert!(fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()), "{name} as a {kind}");
            for reading in [&["runs"][..], &["summary", RUN], &["eval", RUN], &["runs", "diff", RUN, RUN]] {
                let ran = place.run(reading);
                assert!(matches!(ran.code, Some(0 | 2 | 3)), "{name} as a {kind}: {ran:?}");
            }
            if kind == "folder" { fs::remove_dir(&path).unwrap() } else { fs::remove_file(&path).unwrap() }
        }
        if name != ".lock" {
            fs::write(&path, before).unwrap();
        }
    }
    place.run(&["train", "--resume", RUN, "--epochs", "3"]).ok();
    // The folder of checkpoints.
    let folder = place.path(&format!("{RUN}/checkpoints"));
    fs::rename(&folder, place.path("elsewhere")).unwrap();
    symlink(place.path("elsewhere"), &folder).unwrap();
    let before = place.files();
    place.run(&["train", "--resume", RUN, "--epochs", "4"]).failed(1, &["checkpoints", "it is a link"]);
    assert!(before.keys().eq(place.files().keys()));
    assert!(Path::new(&folder).exists());
}
