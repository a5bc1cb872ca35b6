//! Kills runs at random moments, resumes them, and compares their results; then measures the time of a checkpoint.
//!
//!     cargo bench --bench kills -- --kills 1000 --device cpu
//!
//! `--device` takes what `wgrad train` does: `gpu`, or a part of an adapter's name.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wgrad::internals::data;
use wgrad::internals::engine::adapter::choose;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::checkpoint::{self, Checkpoint, RunState};
use wgrad::internals::train::run::{Epoch, Event, model, read_metrics};
use wgrad::internals::train::session::Session;

#[path = "common/kinds.rs"]
mod kinds;
#[path = "common/program.rs"]
mod program;

use kinds::{KINDS, Kind};
use program::program;

const SAVED: &[&str] = &["--epochs", "8", "--keep", "3", "--quiet", "--checkpoint-every"];

/// The steps between checkpoints: one, so that much of the time is spent writing. A run that rolls back must get away from
/// where it diverges.
fn every(options: &[&str]) -> &'static str {
    if options.contains(&"rollback") { "9" } else { "1" }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, default: &str| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(default, String::as_str).to_owned()
    };
    let kills: usize = option("--kills", "100").parse().expect("--kills takes a number");
    let device = option("--device", "cpu");
    let mut total = 0;
    for kind in &KINDS {
        let place = tempfile::tempdir().expect("a temporary folder");
        total += kill(place.path(), kind, kills.div_ceil(KINDS.len()), &device);
    }
    println!("{total} kills of {} kinds of runs on {device}: all ended with the same bits", KINDS.len());
    costs(&device);
}

/// Trains without a break, then begins runs, kills them at random, and lets them end. Returns the number of kills.
fn kill(place: &Path, (name, options): &Kind, wanted: usize, device: &str) -> usize {
    let train: Vec<&str> = [&["train", "--device", device], *options, SAVED, &[every(options)]].concat();
    let started = Instant::now();
    let straight = [&train[..], &["--out", "straight"]].concat();
    assert!(
        program(place, &straight).stderr(Stdio::null()).status().expect("the program runs").success(),
        "{name}"
    );
    let whole = started.elapsed();
    let expected = content(&place.join("straight/digits-001"));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut kills, mut runs, mut writing) = (0, 0, 0);
    while kills < wanted {
        runs += 1;
        let run = format!("runs/digits-{runs:03}");
        let mut arguments = train.clone();
        loop {
            let mut child =
                program(place, &arguments).stderr(Stdio::null()).spawn().expect("the program runs");
            let pause = whole.mul_f64(rng.random_range(0.0..1.1));
            sleep(pause);
            // For a process that has ended, this does nothing.
            child.kill().expect("the process is ours");
            let code = child.wait().expect("it ends").code();
            // 2 says that there was nothing left to do: it was killed when all was done.
            if matches!(code, Some(0 | 2)) {
                break;
            }
            assert_eq!(code, None, "{name}: {arguments:?} failed in {}", place.display());
            // A run that was killed before its first checkpoint can't be resumed.
            if checkpoint::list(&place.join(&run)).is_ok_and(|found| !found.is_empty()) {
                // A file that was being written still has a temporary name.
                writing += usize::from(has_unfinished(&place.join(&run)));
                kills += 1;
                arguments = vec![
                    "train",
                    "--resume",
                    &run,
                    "--checkpoint-every",
                    every(options),
                    "--keep",
                    "3",
                    "--quiet",
                ];
            } else {
                let _ = fs::remove_dir_all(place.join(&run));
                arguments.clone_from(&train);
            }
        }
        // A run may have been killed after its last checkpoint, with nothing left to train.
        assert!(content(&place.join(&run)) == expected, "{name}: {run} ended otherwise");
    }
    println!("{name}: {kills} kills ({writing} in the middle of writing a file) in {runs} runs");
    kills
}

/// The model of a run, and the numbers of every step and epoch: what a killed run must end with too.
fn content(run: &Path) -> (Vec<u8>, Vec<u64>, Vec<String>) {
    let (mut losses, mut epochs) = (Vec::new(), Vec::new());
    for event in read_metrics(run).expect("metrics").events {
        match event {
            Event::Steps(steps) => losses.extend(steps.losses.iter().map(|loss| loss.to_bits())),
            Event::Epoch(epoch) => {
                let timeless = Epoch { samples_per_second: 0.0, ..epoch };
                epochs.push(Event::Epoch(timeless).to_line());
            }
        }
    }
    (fs::read(run.join(model::FILE)).expect("a model"), losses, epochs)
}

/// Whether a run or its folder of checkpoints has an unfinished file.
fn has_unfinished(run: &Path) -> bool {
    [run.to_owned(), run.join("checkpoints")].iter().any(|folder| {
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        files.map(|file| file.file_name()).any(|name| name.to_string_lossy().ends_with(".tmp"))
    })
}

/// Seconds of one checkpoint, by the size of the network.
fn costs(device: &str) {
    let digits = data::load("digits").expect("they are built in");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for network in ["dense 64, relu, dense 10", "dense 512, relu, dense 512, relu, dense 10"] {
        let recipe = Recipe {
            network: network.parse().expect("a network"),
            ..Recipe::defaults_for("digits", 64, 10, digits.train.len())
        };
        let session =
            Session::new(recipe, digits.clone(), choose(device).expect("a device")).expect("a session");
        let mut trainer = session.start().expect("a trainer");
        let mut seconds: Vec<f64> = (0..21)
            .map(|at| {
                let started = Instant::now();
                let snapshot = trainer.snapshot().expect("a snapshot");
                let checkpoint = Checkpoint::new(snapshot, RunState::default(), &session.recipe, "sha256:0");
                checkpoint.save(&folder.path().join(format!("{}", at % 2))).expect("it is written");
                started.elapsed().as_secs_f64()
            })
            .collect();
        seconds.sort_by(f64::total_cmp);
        let bytes = fs::metadata(folder.path().join("0")).expect("it was written").len();
        println!(
            "a checkpoint of {network}: {bytes} bytes, {:.1} ms (median of 21; worst {:.1} ms), {:.3} % of 10 s",
            seconds[10] * 1e3,
            seconds[20] * 1e3,
            seconds[10] * 10.0
        );
    }
}
