//! Damages files of runs at random, resumes the runs, and looks at what becomes of them.
//!
//!     cargo bench --bench damage -- --damages 10000
//!
//! Each damage is one changed byte, a block of zeros or a block of noise in one file of a run that was killed near its
//! end. It must be harmless to the bit, or the file named and the run continued to the same bits, or refused with exit
//! code 3.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wgrad::internals::train::run::{Event, model, read_metrics};

#[path = "common/kinds.rs"]
mod kinds;
#[path = "common/program.rs"]
mod program;

use kinds::{KINDS, Kind};
use program::program;

const RUN: &str = "runs/digits-001";
/// Longer than any resumed run takes.
const HANGS: Duration = Duration::from_secs(60);

/// The fates of damaged runs, counted.
#[derive(Default)]
struct Count {
    harmless: usize,
    named: usize,
    refused: usize,
    /// Silent changes, panics, other exit codes and hangs.
    wrong: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments.iter().position(|argument| argument == "--damages");
    let damages: usize = at
        .and_then(|at| arguments.get(at + 1))
        .map_or(500, |number| number.parse().expect("--damages takes a number"));
    let mut all = Count::default();
    for (number, kind) in KINDS.iter().enumerate() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let killed = Killed::new(place.path(), kind);
        let mut rng = ChaCha8Rng::seed_from_u64(number as u64);
        for _ in 0..damages.div_ceil(KINDS.len()) {
            killed.try_one(&mut rng, &mut all);
        }
        println!("{}: done", kind.0);
    }
    let Count { harmless, named, refused, wrong } = all;
    println!(
        "{} damages: {harmless} harmless to the bit, {named} named and continued to the same bits, {refused} refused with \
         exit code 3, {wrong} wrong",
        harmless + named + refused + wrong
    );
    assert_eq!(wrong, 0, "damage did harm");
}

/// A run that was killed near its end, and what it must end with.
struct Killed<'a> {
    place: &'a Path,
    kind: &'a Kind,
    files: BTreeMap<PathBuf, Vec<u8>>,
    expected: Ended,
}

/// The end of a run: its model, and the rows of its metrics without times.
type Ended = (Vec<u8>, Vec<String>);

impl<'a> Killed<'a> {
    fn new(place: &'a Path, kind: &'a Kind) -> Killed<'a> {
        let saved =
            ["--epochs", "3", "--checkpoint-every", "20", "--keep", "2", "--device", "cpu", "--quiet"];
        let train = [&["train"], kind.1, &saved].concat();
        let ran = run(place, &train);
        assert_eq!(ran.code, Some(0), "{}: {}", kind.0, ran.err);
        let expected = ended(&place.join(RUN)).expect("a finished run");
        // Without the last checkpoint it is as killed before its end, with a record that says otherwise.
        let checkpoints =
            wgrad::internals::train::run::checkpoint::list(&place.join(RUN)).expect("checkpoints");
        fs::remove_file(&checkpoints[0].1).expect("it is there");
        let mut files = BTreeMap::new();
        for folder in [place.join(RUN), place.join(RUN).join("checkpoints")] {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_file() {
                    files.insert(path.clone(), fs::read(&path).expect("a file"));
                }
            }
        }
        Killed { place, kind, files, expected }
    }

    /// Damages one file at random, resumes the run, and counts what became of it.
    fn try_one(&self, rng: &mut ChaCha8Rng, count: &mut Count) {
        let (path, bytes) = self.files.iter().nth(rng.random_range(0..self.files.len())).expect("in range");
        let mut damaged = bytes.clone();
        let what = damage(&mut damaged, rng);
        let _ = fs::remove_dir_all(self.place.join(RUN));
        fs::create_dir_all(self.place.join(RUN).join("checkpoints")).expect("a folder");
        for (other, bytes) in &self.files {
            fs::write(other, if other == path { &damaged } else { bytes }).expect("it can be written");
        }
        let ran = run(self.place, &["train", "--resume", RUN, "--checkpoint-every", "20", "--quiet"]);
        let name = path.file_name().expect("a file").to_string_lossy();
        let named = ran.err.contains(&*name);
        let same = || ended(&self.place.join(RUN)).as_ref() == Some(&self.expected);
        // Lists of values per step are in the damaged lines alone, and rows are compared.
        match ran.code {
            Some(0) if same() && !named => count.harmless += 1,
            Some(0) if same() => count.named += 1,
            Some(3) => count.refused += 1,
            code => {
                count.wrong += 1;
                let kind = self.kind.0;
                println!("{kind}: {name}, {what}: exit code {code:?}, named: {named}\n{}", ran.err);
            }
        }
    }
}

/// Changes one byte, or a block.
fn damage(bytes: &mut [u8], rng: &mut ChaCha8Rng) -> String {
    if bytes.is_empty() {
        return "an empty file".to_owned();
    }
    let at = rng.random_range(0..bytes.len());
    if rng.random_bool(0.6) {
        let value = rng.random_range(1..=255u8);
        bytes[at] ^= value;
        return format!("byte {at} changed by {value:#04x}");
    }
    let length = *[4, 16, 512, 4096].get(rng.random_range(0..4)).expect("in range");
    let start = at / length * length;
    let end = (start + length).min(bytes.len());
    if rng.random_bool(0.5) {
        bytes[start..end].fill(0);
        format!("{length} zeros at {start}")
    } else {
        rng.fill_bytes(&mut bytes[start..end]);
        format!("{length} bytes of noise at {start}")
    }
}

/// The end of a run, if it has one.
fn ended(run: &Path) -> Option<Ended> {
    let events = read_metrics(run).ok()?.events.into_iter();
    let row = |event| match event {
        Event::Epoch(epoch) => Some(format!(
            "{} {} {} {} {} {} {:?}",
            epoch.epoch,
            epoch.step,
            epoch.train_loss,
            epoch.train_accuracy,
            epoch.held_out_loss,
            epoch.held_out_accuracy,
            epoch.validation
        )),
        // Steps are grouped by time.
        Event::Steps(_) => None,
    };
    Some((fs::read(run.join(model::FILE)).ok()?, events.filter_map(row).collect()))
}

struct Ran {
    /// None for a process that was stopped, because it hung.
    code: Option<i32>,
    err: String,
}

fn run(place: &Path, arguments: &[&str]) -> Ran {
    let log = place.join("stderr");
    let mut child = program(place, arguments)
        .stderr(fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("the program runs");
    let started = Instant::now();
    let code = loop {
        match child.try_wait().expect("it is ours") {
            Some(status) => break status.code(),
            None if started.elapsed() > HANGS => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    Ran { code, err: String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned() }
}
