//! Checkpoint files: complete ones are read back, damaged ones are refused.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wgrad::Error;
use wgrad::internals::engine::Data;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::checkpoint::{self, Checkpoint, FOLDER, RunState};
use wgrad::internals::train::run::{RunDir, RunRecord};
use wgrad::internals::train::schedule::Plateau;
use wgrad::internals::train::stopping::StoppingState;
use wgrad::internals::train::trainer::{NamedTensor, Position, Snapshot, Sum};

fn example() -> Checkpoint {
    let position = Position {
        epoch: 3,
        step: 4,
        steps: 18,
        so_far: Sum { samples: 128, loss: 0.1 + 0.2, correct: 101.0 },
        factor: 0.25,
        plateau: Plateau { best: Some(2.0 / 3.0), waited: 1, factor: 0.1 },
    };
    let tensor = |name: &str, shape: &[usize], data| NamedTensor {
        name: name.to_owned(),
        shape: shape.to_vec(),
        data,
    };
    let tensors = vec![
        tensor("0.weight", &[2, 3], Data::Real(vec![-0.0, 1e-45, f32::MAX, 1.0 / 3.0, 5.0, 6.0])),
        tensor("velocities", &[2], Data::Real(vec![7.0, 8.0])),
        tensor("counts", &[1], Data::Uint(vec![u32::MAX])),
    ];
    let state = RunState {
        seconds: 1.5,
        rollbacks: 2,
        best: Some(1.0 / 3.0),
        stopping: StoppingState { best: Some(0.1 + 0.2), best_epoch: 2, waited: 1 },
    };
    let recipe = Recipe { seed: u64::MAX, ..Recipe::defaults_for("digits", 64, 10, 1437) };
    Checkpoint::new(Snapshot { position, tensors }, state, &recipe, "sha256:0")
}

fn saved(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("checkpoint.safetensors");
    example().save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

#[track_caller]
fn assert_refused(path: &Path, words: &[&str]) {
    let error = Checkpoint::load(path).map(|_| ()).expect_err("this should have been refused");
    assert!(matches!(error, Error::Data(_)), "{error:?}");
    let message = error.to_string();
    assert!(message.len() < 1_000 && !message.contains('\n') && !message.contains(". "), "{message}");
    for word in words {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
}

#[test]
fn a_checkpoint_comes_back_bit_for_bit_and_makes_equal_files() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = saved(folder.path());
    let loaded = Checkpoint::load(&path).unwrap();
    assert_eq!(loaded, example());
    assert_eq!(loaded.snapshot.difference(&example().snapshot), None);
    loaded.save(&path).unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bytes) = saved(folder.path());
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    // Cut at every byte, and a large file at a hundred positions.
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        assert_refused(&path, &[]);
    }
    assert!(header < bytes.len());
    let mut large = example();
    large.snapshot.tensors[1].data = Data::Real(vec![1.0; 100_000]);
    large.snapshot.tensors[1].shape = vec![100_000];
    large.save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for part in 0..100 {
        fs::write(&path, &bytes[..bytes.len() * part / 100]).unwrap();
        assert_refused(&path, &[]);
    }
}

/// The example with another header, at its path.
fn with_header(folder: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let (path, bytes) = saved(folder);
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..][..size]).unwrap();
    // As an earlier version wrote it, so that more than the checksum is asked.
    header["__metadata__"].as_object_mut().unwrap().remove("checksum").expect("it has a checksum");
    change(&mut header);
    let header = header.to_string();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&length[..], header.as_bytes(), &bytes[8 + size..]].concat()).unwrap();
    path
}

#[track_caller]
fn assert_header_refused(change: impl FnOnce(&mut Value), words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    assert_refused(&with_header(folder.path(), change), words);
}

#[test]
fn a_checkpoint_with_the_former_key_rate_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = with_header(folder.path(), |header| {
        let place = &mut header["__metadata__"]["place"];
        let earlier = place.as_str().unwrap().replace("\"factor\":0.25", "\"rate\":0.25");
        assert_ne!(*place, json!(earlier));
        *place = json!(earlier);
    });
    assert_eq!(Checkpoint::load(&path).unwrap(), example());
}

#[test]
fn wrong_metadata_are_refused() {
    let meta =
        |key: &'static str, value: Value| move |header: &mut Value| header["__metadata__"][key] = value;
    for key in ["format", "format_version", "seed", "digest", "network", "recipe", "place", "standing"] {
        let remove = |header: &mut Value| {
            header["__metadata__"].as_object_mut().unwrap().remove(key);
        };
        assert_header_refused(remove, &[key]);
        // Metadata are strings by the format itself.
        assert_header_refused(meta(key, json!(5)), &["header"]);
        assert_header_refused(meta(key, json!({ "a": 1 })), &["header"]);
    }
    for key in ["format_version", "seed"] {
        for wrong in ["", "x", "-1", "1.5", "99999999999999999999999"] {
            assert_header_refused(meta(key, json!(wrong)), &[key]);
        }
    }
    assert_header_refused(meta("format_version", json!("0")), &["older wgrad"]);
    assert_header_refused(meta("format_version", json!("2")), &["newer wgrad"]);
    assert_header_refused(meta("format", json!("wgrad")), &["not one that wgrad wrote"]);
    let place = |key: &str, value: Value| {
        let mut place = serde_json::to_value(example().snapshot.position).unwrap();
        place[key] = value;
        meta("place", json!(place.to_string()))
    };
    let wrong = [json!("x"), json!(-1), json!(1.5), json!(1e300), json!(null), json!([1]), json!({})];
    for key in ["epoch", "step", "steps", "so_far"] {
        for value in &wrong {
            assert_header_refused(place(key, value.clone()), &["place"]);
        }
    }
    assert_header_refused(place("epoch", json!(0)), &["epoch 0"]);
    assert_header_refused(place("epoch", json!(u64::MAX)), &["place"]);
    assert_header_refused(place("step", json!(19)), &["19 of 18 steps"]);
    // Numbers that no run reaches, and that would overflow.
    for (place, standing, words) in [
        ("\"steps\":18", "", "steps"),
        ("\"samples\":128", "", "sums"),
        ("\"waited\":1", "", "epochs without a better one"),
        ("", "\"waited\":1", "epochs without a better one"),
        ("", "\"seconds\":1.5", "after 1000"),
    ] {
        let number = if standing.contains("seconds") { "1e300".to_owned() } else { u64::MAX.to_string() };
        let change = |header: &mut Value| {
            for (key, was) in
                [("place", place), ("standing", standing)].iter().filter(|(_, was)| !was.is_empty())
            {
                let value = &mut header["__metadata__"][key];
                let (name, _) = was.split_once(':').unwrap();
                let changed = value.as_str().unwrap().replace(was, &format!("{name}:{number}"));
                assert_ne!(*value, json!(changed));
                *value = json!(changed);
            }
        };
        assert_header_refused(change, &["has a place in its metadata with", words]);
    }
    for factor in [json!(0.0), json!(-1.0), json!(2.0), json!(1e300), json!("x")] {
        assert_header_refused(place("factor", factor), &["place"]);
    }
    assert_header_refused(place("more", json!(1)), &["place", "more"]);
    assert_header_refused(meta("standing", json!("{\"seconds\": -1}")), &["seconds"]);
    assert_header_refused(meta("standing", json!("[".repeat(1 << 20))), &["standing"]);
    assert_header_refused(meta("place", json!("9".repeat(1 << 20))), &["place"]);
}

#[test]
fn wrong_tensors_are_refused() {
    let offsets = |from: u64, to: u64| {
        move |header: &mut Value| header["velocities"]["data_offsets"] = json!([from, to])
    };
    assert_header_refused(offsets(24, u64::MAX), &["header"]);
    assert_header_refused(offsets(0, 8), &["header"]);
    assert_header_refused(|header| header["velocities"]["shape"] = json!([u64::MAX, u64::MAX]), &["header"]);
    assert_header_refused(|header| header["velocities"]["shape"] = json!([1_u64 << 40]), &["header"]);
    assert_header_refused(|header| header["velocities"]["dtype"] = json!("BF16"), &["header"]);
    assert_header_refused(|header| header["velocities"]["dtype"] = json!("I32"), &["velocities", "I32"]);
    let mut non_finite = example();
    non_finite.snapshot.tensors[1].data = Data::Real(vec![7.0, f32::NAN]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nan");
    non_finite.save(&path).unwrap();
    assert_refused(&path, &["“velocities” has the value NaN at index 1"]);
}

#[test]
fn the_newest_readable_checkpoint_is_used_and_damaged_ones_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    assert!(checkpoint::newest(run).unwrap_err().to_string().contains("no checkpoint"));
    fs::create_dir(run.join(FOLDER)).unwrap();
    let saved = |steps: usize| {
        let mut checkpoint = example();
        checkpoint.snapshot.position.steps = steps;
        checkpoint.save(&checkpoint::path(run, steps)).unwrap();
    };
    [18, 900, 36, 1_000_000_000, 90].into_iter().for_each(saved);
    fs::write(run.join(FOLDER).join("step-x.safetensors"), "").unwrap();
    example().save(&run.join(FOLDER).join(checkpoint::BEST)).unwrap();
    let steps =
        |run: &Path| checkpoint::list(run).unwrap().iter().map(|(steps, _)| *steps).collect::<Vec<_>>();
    assert_eq!(steps(run), [1_000_000_000, 900, 90, 36, 18]);
    let (newest, problems) = checkpoint::newest(run).unwrap();
    assert_eq!((newest.snapshot.position.steps, problems.len()), (1_000_000_000, 0));
    fs::write(checkpoint::path(run, 1_000_000_000), "half").unwrap();
    let (newest, problems) = checkpoint::newest(run).unwrap();
    assert_eq!((newest.snapshot.position.steps, problems.len()), (900, 1));
    assert!(problems[0].to_string().contains("step-1000000000"), "{}", problems[0]);
    // A named checkpoint is used, or none.
    assert_eq!(checkpoint::newest(&checkpoint::path(run, 36)).unwrap().0.snapshot.position.steps, 36);
    assert!(checkpoint::newest(&checkpoint::path(run, 1_000_000_000)).is_err());
    // Those of a run directory are tidied when one is saved.
    let mut directory = RunDir::open(run).unwrap();
    let mut more = of_run("mine", 1_000_000_001);
    directory.save_checkpoint(&mut more, 2).unwrap();
    more.snapshot.position.steps += 1;
    directory.save_checkpoint(&mut more, 1).unwrap();
    assert_eq!(steps(run)[..2], [1_000_000_002, 1_000_000_000]);
    assert!(run.join(FOLDER).join(checkpoint::BEST).is_file());
}

/// A checkpoint of the run with this id.
fn of_run(id: &str, steps: usize) -> Checkpoint {
    let mut checkpoint = example();
    checkpoint.snapshot.position.steps = steps;
    let recipe = Recipe::defaults_for("digits", 64, 10, 1437);
    let record = RunRecord { id: id.to_owned(), ..RunRecord::begin(&recipe, "sha256:0", 6) };
    Checkpoint { record: Some(record), ..checkpoint }
}

#[test]
fn only_checkpoints_of_the_run_are_counted_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    fs::create_dir(run.join(FOLDER)).unwrap();
    let mut directory = RunDir::open(run).unwrap();
    // Of another run, of none that is known, and of this run from a later time.
    let others =
        [(5, of_run("other", 5)), (7, example()), (900, of_run("mine", 900)), (999, of_run("other", 999))];
    for (steps, checkpoint) in &others {
        checkpoint.save(&checkpoint::path(run, *steps)).unwrap();
    }
    for steps in [1, 2, 3, 4, 6, 8, 9] {
        directory.save_checkpoint(&mut of_run("mine", steps), 2).unwrap();
        let found = checkpoint::list(run).unwrap();
        let own =
            found.iter().map(|(found, _)| *found).filter(|found| *found <= steps && ![5, 7].contains(found));
        let expected: Vec<usize> =
            [9, 8, 6, 4, 3, 2, 1].into_iter().filter(|at| *at <= steps).take(2).collect();
        assert_eq!(own.collect::<Vec<_>>(), expected);
        assert!(others.iter().all(|(steps, _)| found.iter().any(|(found, _)| found == steps)), "{found:?}");
    }
    // Going back removes later ones of the run, and sets others aside.
    let position = of_run("mine", 8).snapshot.position;
    directory.rewind(&position, None, "mine").unwrap();
    let steps = checkpoint::list(run).unwrap().into_iter().map(|(steps, _)| steps).collect::<Vec<_>>();
    assert_eq!(steps, [8, 7, 5]);
    let notes = directory.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("step-000000999.safetensors.set-aside"), "{notes:?}");
    assert_eq!(
        Checkpoint::load(&run.join(FOLDER).join("step-000000999.safetensors.set-aside")).unwrap(),
        others[3].1
    );
}

#[test]
fn a_checkpoint_is_saved_whatever_has_become_of_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    fs::create_dir(run.join(FOLDER)).unwrap();
    let mut directory = RunDir::open(run).unwrap();
    fs::create_dir(checkpoint::path(run, 18)).unwrap();
    directory.save_checkpoint(&mut of_run("mine", 18), 2).unwrap();
    let notes = directory.take_notes();
    assert!(notes.len() == 1 && notes[0].contains("step-000000018.safetensors.set-aside"), "{notes:?}");
    // Somebody's file, and the checkpoint of another run; its own it replaces.
    fs::write(checkpoint::path(run, 20), "precious").unwrap();
    of_run("other", 22).save(&checkpoint::path(run, 22)).unwrap();
    for (steps, aside) in [(20, true), (22, true), (22, false)] {
        directory.save_checkpoint(&mut of_run("mine", steps), 2).unwrap();
        assert_eq!(directory.take_notes().len(), usize::from(aside), "{steps}");
    }
    assert_eq!(fs::read(run.join(FOLDER).join("step-000000020.safetensors.set-aside")).unwrap(), b"precious");
    fs::remove_dir_all(run.join(FOLDER)).unwrap();
    directory.save_checkpoint(&mut of_run("mine", 36), 2).unwrap();
    assert!(directory.take_notes()[0].contains("was removed or replaced"));
    assert_eq!(checkpoint::newest(run).unwrap().0.snapshot.position.steps, 36);
    // Its folder was moved, and a file is where it was.
    fs::rename(run.join(FOLDER), run.join("moved")).unwrap();
    fs::write(run.join(FOLDER), "in the way").unwrap();
    directory.save_checkpoint(&mut of_run("mine", 54), 2).unwrap();
    assert_eq!(checkpoint::newest(run).unwrap().0.snapshot.position.steps, 54);
    assert_eq!(fs::read(run.join(format!("{FOLDER}.set-aside"))).unwrap(), b"in the way");
}
