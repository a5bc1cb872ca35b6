//! Trains the default recipe on small generated picture sets, and prints its held-out accuracy.
//!
//!     cargo bench --bench small_sets -- --device cpu --pictures 60,200 --seeds 3
//!
//! `--keep FOLDER` leaves the pictures there, for `benches/peers/small_sets.py`. What follows `--train` goes to
//! `wgrad train`, to compare other settings.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

#[path = "../common/program.rs"]
mod program;

mod pictures;

use pictures::{SETS, SIDE, Set};
use program::program;

/// Held-out pictures of each set.
const TEST: usize = 300;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (own, train) = match arguments.iter().position(|argument| argument == "--train") {
        Some(at) => (&arguments[..at], &arguments[at + 1..]),
        None => (&arguments[..], &[][..]),
    };
    let option = |name: &str, default: &str| {
        let at = own.iter().position(|argument| argument == name);
        at.and_then(|at| own.get(at + 1)).map_or(default, String::as_str).to_owned()
    };
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let folder = match option("--keep", "").as_str() {
        "" => temporary.path().to_owned(),
        kept => PathBuf::from(kept),
    };
    let (device, pictures) = (option("--device", "cpu"), option("--pictures", "60,200,1000"));
    let seeds: u64 = option("--seeds", "3").parse().expect("--seeds takes a number");
    println!("{SIDE}×{SIDE} pixels, {TEST} held out, {seeds} seeds, mean ± standard deviation");
    for set in SETS {
        for pictures in pictures.split(',') {
            let pictures: usize = pictures.parse().expect("--pictures takes numbers");
            let runs: Vec<(f64, f64)> =
                (0..seeds).map(|seed| run(&set, pictures, seed, &folder, &device, train)).collect();
            let (accuracy, deviation) = mean(runs.iter().map(|run| run.0));
            let (seconds, _) = mean(runs.iter().map(|run| run.1));
            println!("{:<11} {pictures:>5}  {accuracy:5.1} ± {deviation:4.1} %  {seconds:6.1} s", set.name);
        }
    }
}

/// The held-out accuracy in percent, and the seconds, of a run.
fn run(set: &Set, pictures: usize, seed: u64, folder: &Path, device: &str, train: &[String]) -> (f64, f64) {
    let data = folder.join(format!("{}-{pictures}-{seed}", set.name));
    set.write(&data, pictures, TEST, 1000 * seed + pictures as u64).expect("pictures are written");
    let began = Instant::now();
    let (shown, seed, out) = (data.display().to_string(), seed.to_string(), folder.join("runs"));
    let arguments = ["train", &shown, "--quiet", "--json", "--device", device, "--seed", &seed];
    let ran = program(folder, &arguments)
        .arg("--out")
        .arg(out)
        .args(train)
        .stdout(Stdio::piped())
        .output()
        .expect("the program starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let text = String::from_utf8_lossy(&ran.stdout);
    let accuracy = text.rsplit("\"held_out_accuracy\":").next().and_then(|rest| {
        let end = rest.find([',', '}'])?;
        rest[..end].trim().parse::<f64>().ok()
    });
    (100.0 * accuracy.expect("a run tells its held-out accuracy"), began.elapsed().as_secs_f64())
}

/// The mean and the standard deviation of a few numbers.
fn mean(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let squares = values.map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}
