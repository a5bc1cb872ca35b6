//! Random files and texts for everything that the program reads: no panic, no more than seconds, and no more memory
//! than 64 MiB and 4 times the bytes to be read.
//!
//!     cargo bench --bench fuzz -- --inputs 100000 --seed 1
//!
//! Files are written to the folder for temporary ones: with `TMPDIR=/dev/shm` in front no disk is
//! written to. An input that takes too long is printed, and the program ends.

#[path = "../tests/data/files.rs"]
#[allow(dead_code)]
mod files;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use files::{Folder, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, cifar, gzip, pets, png};
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use wgrad::Error;
use wgrad::internals::data;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::network::Network;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::train::recipe::{Recipe, parse_toml};
use wgrad::internals::train::run::checkpoint::Checkpoint;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::session::Session;

/// The system's allocator, with counts of the bytes in use and of their maximum.
struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work; sizes are only counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(USED.fetch_add(layout.size(), Relaxed) + layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// The longest time of one input: far more than any needs, so that only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The input that is being parsed, with its start and its parser's name.
static UNDER_WAY: Mutex<Option<(Instant, String, Vec<u8>)>> = Mutex::new(None);

fn under_way(what: Option<(Instant, String, Vec<u8>)>) {
    *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Ends the program when an input takes longer than [`PATIENCE`], from another thread.
fn watch() {
    thread::spawn(|| {
        loop {
            thread::sleep(PATIENCE / 10);
            let guard = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, what, bytes)) = guard.as_ref().filter(|one| one.0.elapsed() > PATIENCE) {
                eprintln!("{what} takes {:?}: {bytes:?}", since.elapsed());
                std::process::exit(1);
            }
        }
    });
}

/// Runs random inputs through one parser.
struct Run {
    name: &'static str,
    inputs: usize,
    rng: ChaCha8Rng,
    accepted: usize,
    most: usize,
    slowest: Duration,
}

impl Run {
    fn new(name: &'static str, inputs: usize, seed: u64) -> Run {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Run { name, inputs, rng, accepted: 0, most: 0, slowest: Duration::ZERO }
    }

    /// Calls `parse` with every input, which reads `besides` further bytes.
    fn over<T>(
        mut self,
        besides: usize,
        make: impl Fn(&mut ChaCha8Rng) -> Vec<u8>,
        mut parse: impl FnMut(&[u8]) -> Result<T, Error>,
    ) {
        for at in 0..self.inputs {
            let bytes = make(&mut self.rng);
            let name = self.name;
            under_way(Some((Instant::now(), format!("{name}, input {at}"), bytes.clone())));
            let (before, started) = (USED.load(Relaxed), Instant::now());
            MOST.store(before, Relaxed);
            let result = parse(&bytes);
            let took = MOST.load(Relaxed).saturating_sub(before);
            under_way(None);
            assert!(
                took <= 4 * (bytes.len() + besides) + (64 << 20),
                "{name}, input {at}: {took} bytes: {bytes:?}"
            );
            self.slowest = self.slowest.max(started.elapsed());
            self.most = self.most.max(took);
            match result {
                Ok(_) => self.accepted += 1,
                Err(error) => {
                    let sentence = error.to_string();
                    assert!(
                        !sentence.is_empty() && sentence.len() < 1 << 20,
                        "{name}, input {at}: {sentence}"
                    );
                }
            }
        }
        assert!(self.inputs < 1000 || self.accepted > 0, "{}: no input got past the first check", self.name);
        println!(
            "{:<14} {:>8} inputs  {:>8} accepted  at most {:>9} bytes  slowest {:>6.1} ms",
            self.name,
            self.inputs,
            self.accepted,
            self.most,
            self.slowest.as_secs_f64() * 1e3
        );
    }
}

/// A good input with bytes changed, parts doubled, moved or removed, and maybe cut short.
fn mutate(rng: &mut ChaCha8Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..rng.random_range(0..6) {
        let from = rng.random_range(0..=bytes.len());
        let to = rng.random_range(from..=bytes.len().min(from + 24));
        match rng.random_range(0..6) {
            0 | 1 if from < bytes.len() => bytes[from] = rng.random(),
            2 if from < bytes.len() => bytes[from] ^= 1 << rng.random_range(0..8),
            3 => {
                let piece = bytes[from..to].to_vec();
                let place = rng.random_range(0..=bytes.len());
                bytes.splice(place..place, piece);
            }
            4 => drop(bytes.drain(from..to)),
            5 => {
                let digits = rng.next_u64().to_string();
                bytes.splice(from..to, digits.bytes());
            }
            _ => {}
        }
    }
    if rng.random_range(0..4) == 0 {
        bytes.truncate(rng.random_range(0..=bytes.len()));
    }
    bytes
}

/// Words of a language in random order.
fn words(rng: &mut ChaCha8Rng, vocabulary: &[&str]) -> Vec<u8> {
    let count = rng.random_range(0..20);
    let text: String = (0..count).map(|_| *vocabulary.choose(rng).expect("it has words")).collect();
    text.into_bytes()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, default: &str| -> u64 {
        let at = arguments.iter().position(|argument| argument == name);
        let value = at.and_then(|at| arguments.get(at + 1)).map_or(default, String::as_str);
        value.parse().expect("options take numbers")
    };
    let (inputs, seed) = (option("--inputs", "100000") as usize, option("--seed", "1"));
    watch();
    let run = |name| Run::new(name, inputs, seed);
    networks(run("network text"));
    recipes(run("recipe"));
    safetensors(&run);
    folder(run("IDX"), &Folder::good(), &[TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS], &[]);
    let batches = ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin", "batches.meta.txt"];
    folder(run("CIFAR-10"), &cifar(), &batches, &[]);
    let pictures = ["cat/1.png", "dog/3.png", "cat/new.jpg", "bird/1.png"];
    folder(run("image folder"), &pets(), &pictures, &png(3, 2, &[9, 8, 7]));
}

fn networks(run: Run) {
    let vocabulary = [
        "dense",
        " ",
        "10",
        ",",
        ", ",
        "relu",
        "leaky-relu",
        "0.1",
        "conv",
        "3x3",
        "maxpool",
        "flatten",
        "softmax",
        "dropout",
        "-",
        "1e9",
        "99999999999999999999",
        "é",
        "(",
        "{",
        "}",
        "residual",
        "batchnorm",
        "init",
        "normal",
        "globalavgpool",
        "stride",
        "pad",
        "\n",
        "64",
        "same",
        "2",
    ];
    let make = |rng: &mut ChaCha8Rng| {
        match rng.random_range(0..2) {
        0 => words(rng, &vocabulary),
        _ => mutate(rng, b"conv 8 3x3, relu, maxpool 2, residual { conv 8 1x1, batchnorm }, dense 32 init normal 0.1, dense 10"),
    }
    };
    run.over(0, make, |bytes| {
        let network: Network = String::from_utf8_lossy(bytes).parse()?;
        // Shapes are computed before anything is built from them.
        network.shapes(&Shape::image(1, 28, 28))
    });
}

fn recipes(run: Run) {
    let good = Recipe::defaults_for("digits", 64, 10, 1437).to_toml();
    run.over(
        0,
        |rng| mutate(rng, good.as_bytes()),
        |bytes| parse_toml(&String::from_utf8_lossy(bytes), Path::new("recipe.toml")),
    );
}

/// A model and a checkpoint of a small run.
fn safetensors(run: &dyn Fn(&'static str) -> Run) {
    let digits = data::load("digits").expect("they are built in");
    let recipe = Recipe {
        network: "dense 3, relu, dense 10".parse().expect("a network"),
        ..Recipe::defaults_for("digits", 64, 10, digits.train.len())
    };
    let session = Session::new(recipe, digits, Device::Cpu { reason: None }).expect("a session");
    let mut trainer = session.start().expect("a trainer");
    let snapshot = trainer.snapshot().expect("a snapshot");
    let checkpoint = Checkpoint::new(snapshot, Default::default(), &session.recipe, "sha256:0");
    let model = Model {
        network: session.recipe.network.clone(),
        loss: session.recipe.loss,
        shape: session.dataset.train.shape,
        classes: session.dataset.classes.clone(),
        normaliser: session.normaliser.clone(),
        rendering: Default::default(),
        tones: None,
        parameters: trainer.parameters().expect("parameters"),
        data: "digits".to_owned(),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    model.save(&path).expect("it is written");
    let good = fs::read(&path).expect("it was written");
    run("model").over(
        0,
        |rng| mutate(rng, &good),
        |bytes| {
            fs::write(&path, bytes).expect("it is written");
            Model::load(&path)
        },
    );
    checkpoint.save(&path).expect("it is written");
    let good = fs::read(&path).expect("it was written");
    run("checkpoint").over(
        0,
        |rng| mutate(rng, &good),
        |bytes| {
            fs::write(&path, bytes).expect("it is written");
            Checkpoint::load(&path)
        },
    );
}

/// A folder with one random file; missing files are made from `new`.
fn folder(run: Run, folder: &Folder, names: &[&str], new: &[u8]) {
    let there: Vec<bool> = names.iter().map(|name| folder.file(name).is_file()).collect();
    let good: Vec<Vec<u8>> =
        names.iter().map(|name| fs::read(folder.file(name)).unwrap_or(new.to_vec())).collect();
    let besides: usize = good.iter().map(Vec::len).sum::<usize>() + 16_384;
    // The first byte chooses the file.
    let make = |rng: &mut ChaCha8Rng| {
        let at = rng.random_range(0..names.len());
        let mut bytes = mutate(rng, &good[at]);
        if names[at].ends_with("ubyte") && rng.random_range(0..4) == 0 {
            bytes = gzip(&bytes);
        }
        bytes.insert(0, at as u8);
        bytes
    };
    run.over(besides, make, |bytes| {
        let at = usize::from(bytes[0]);
        let file = folder.file(names[at]);
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("it is made");
        fs::write(&file, &bytes[1..]).expect("it is written");
        let result = folder.load();
        if there[at] {
            fs::write(&file, &good[at]).expect("it is written");
        } else {
            fs::remove_file(&file).expect("it was written");
            // A folder without pictures would be refused whatever comes next; of a full one this does nothing.
            let _ = fs::remove_dir(file.parent().expect("it is in a folder"));
        }
        result
    });
}
