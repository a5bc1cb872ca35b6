//! The memory that training takes at its peak, compared with what it announced.
//!
//!     cargo bench --bench memory [-- WORD… --quick]
//!
//! Words choose among the runs: `-- conv cpu`. `--quick` leaves out the largest. A ratio outside of the range
//! ends the bench with exit code 1. Linux alone says how much a process has taken.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wgrad::internals::bench::training::NETWORKS;

#[path = "common/program.rs"]
mod program;

use program::program;

/// The smallest and the largest peak that is allowed, as a fraction of what was announced.
const RANGE: [f64; 2] = [0.7, 1.1];

/// Training takes two seconds, which an epoch of the large networks exceeds.
const TIME: [&str; 2] = ["--max-time", "2s"];

/// A set of random images: its name, and whether `--quick` has it.
const SETS: [(&str, bool); 2] = [("noise-28", true), ("noise-cifar", false)];

const WIDE: &str = "dense 2048, relu, dense 2048, relu, dense 2048, relu, dense 10";
const DEEP: &str =
    "conv 32 3x3, batchnorm, relu, maxpool 2x2, conv 64 3x3, relu, maxpool 2x2, flatten, dense 10";

/// Networks with other settings.
const RUNS: [(&str, &[&str]); 8] = [
    (NETWORKS[0].layers, &["--batch-size", "64"]),
    (NETWORKS[1].layers, &["--batch-size", "128"]),
    ("dense 512, relu, dense 256, relu, dense 10", &["--batch-size", "128"]),
    (WIDE, &["--optimiser", "sgd"]),
    (WIDE, &["--optimiser", "adam", "--ema", "0.99"]),
    (WIDE, &["--optimiser", "adam", "--validation", "0.1", "--stop-early", "validation-loss"]),
    (DEEP, &["--batch-size", "256"]),
    ("dense 64, relu, dense 10", &[]),
];

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let (flags, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let quickly = flags.iter().any(|flag| flag == "--quick");
    let wanted = |run: &str| words.iter().all(|word| run.contains(word.as_str()));
    let place = tempfile::tempdir().expect("a temporary folder");
    write_noise_28(&place.path().join(SETS[0].0));
    write_noise_cifar(&place.path().join(SETS[1].0));
    println!("{:>12} {:>12} {:>6}  run", "announced", "peak", "ratio");
    let mut outside = 0;
    for (set, quick) in SETS {
        for (network, settings) in RUNS {
            for device in ["cpu", "llvmpipe"] {
                let run = format!("{set} on {device}: {network} {}", settings.join(" "));
                if wanted(&run) && (quick || !quickly) {
                    let arguments =
                        [&["train", set, "--device", device, "--network", network], settings, &TIME].concat();
                    let [announced, peak] = measure(place.path(), &arguments);
                    let ratio = peak / announced;
                    let within = (RANGE[0]..=RANGE[1]).contains(&ratio);
                    outside += usize::from(!within);
                    let mark = if within { "" } else { "  outside" };
                    println!("{announced:>8.1} MiB {peak:>8.1} MiB {ratio:>6.2}  {run}{mark}");
                }
            }
        }
    }
    println!("{outside} outside of {} to {}", RANGE[0], RANGE[1]);
    if outside == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the program, and returns the MiB that it announced and those that it took.
fn measure(place: &Path, arguments: &[&str]) -> [f64; 2] {
    let log = place.join("log");
    let mut child = program(place, arguments)
        .stderr(fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("the program runs");
    let mut peak = 0.0f64;
    let status = loop {
        // The last value before the end counts.
        peak = peak.max(kibibytes(&format!("/proc/{}/status", child.id())) / 1024.0);
        if let Some(status) = child.try_wait().expect("it is ours") {
            break status;
        }
        sleep(Duration::from_millis(2));
    };
    let said = fs::read_to_string(&log).expect("its messages are text");
    assert!(status.success(), "{arguments:?}: {said}");
    let _ = fs::remove_dir_all(place.join("runs"));
    let line =
        said.lines().find_map(|line| line.strip_prefix("memory  about ")).expect("it announces memory");
    let announced = line.split(' ').next().and_then(|number| number.parse().ok()).expect("a number of MiB");
    [announced, peak]
}

/// The most memory that a process has taken.
fn kibibytes(status: &str) -> f64 {
    let status = fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

/// 60,000 images of 28×28 to train on, 10,000 held out, as IDX files.
fn write_noise_28(folder: &Path) {
    fs::create_dir(folder).expect("a folder");
    let file = |name: &str, dimensions: &[u32], bytes: &[u8]| {
        let mut file = fs::File::create(folder.join(name)).expect("a file");
        let sizes = dimensions.iter().flat_map(|size| size.to_be_bytes());
        let header: Vec<u8> = [0, 0, 8, dimensions.len() as u8].into_iter().chain(sizes).collect();
        file.write_all(&header).and_then(|()| file.write_all(bytes)).expect("room on the disk");
    };
    for (part, count) in [("train", 60_000), ("t10k", 10_000)] {
        file(&format!("{part}-images-idx3-ubyte"), &[count, 28, 28], &noise(count as usize * 784));
        let labels: Vec<u8> = (0..count).map(|at| (at % 10) as u8).collect();
        file(&format!("{part}-labels-idx1-ubyte"), &[count], &labels);
    }
}

/// 50,000 images of 3×32×32 to train on, 10,000 held out, as CIFAR-10 has them.
fn write_noise_cifar(folder: &Path) {
    const RECORD: usize = 1 + 3 * 32 * 32;
    fs::create_dir(folder).expect("a folder");
    for name in ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"]
    {
        let mut bytes = noise(10_000 * RECORD);
        bytes.chunks_exact_mut(RECORD).enumerate().for_each(|(at, record)| record[0] = (at % 10) as u8);
        fs::write(folder.join(format!("{name}.bin")), bytes).expect("room on the disk");
    }
    let names: Vec<String> = (0..10).map(|class| format!("class {class}")).collect();
    fs::write(folder.join("batches.meta.txt"), names.join("\n")).expect("room on the disk");
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    ChaCha8Rng::seed_from_u64(0).fill_bytes(&mut noise);
    noise
}
