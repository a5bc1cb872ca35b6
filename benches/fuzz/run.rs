//! Random inputs on their way through one reader, with time and memory watched.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use wgrad::Error;

use crate::{counting, silence};

/// The longest time of one input: far more than any needs, so that only a hang exceeds it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The memory that every reader may take, besides 4 times the bytes that it reads.
const MEMORY: usize = 64 << 20;

/// The input that is being read: its start, its reader with its number, and its bytes.
static UNDER_WAY: Mutex<Option<(Instant, String, Vec<u8>)>> = Mutex::new(None);

fn under_way(what: Option<(Instant, String, Vec<u8>)>) {
    *UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner) = what;
}

/// Ends the program when an input takes longer than [`PATIENCE`], from another thread, and names the input of a panic.
pub fn watch() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        silence::end();
        usual(panic);
        let guard = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, what, bytes)) = guard.as_ref() {
            eprintln!("{what}: {}", bytes.escape_ascii());
        }
    }));
    thread::spawn(|| {
        loop {
            thread::sleep(PATIENCE / 10);
            let guard = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, what, bytes)) = guard.as_ref().filter(|one| one.0.elapsed() > PATIENCE) {
                silence::end();
                eprintln!("{what} takes {:?}: {}", since.elapsed(), bytes.escape_ascii());
                std::process::exit(1);
            }
        }
    });
}

/// Which inputs are tried.
pub struct Options {
    /// The number of inputs for each reader.
    pub inputs: usize,
    /// The number of the first one that is read.
    pub from: usize,
    /// Decides the inputs.
    pub seed: u64,
    /// A part of the names of the readers that are tried.
    pub only: String,
}

/// Runs random inputs through one reader.
pub struct Run<'a> {
    name: &'static str,
    options: &'a Options,
    rng: ChaCha8Rng,
    /// Bytes that are read besides the input.
    besides: usize,
    memory: usize,
    accepted: usize,
    most: usize,
    slowest: Duration,
}

impl<'a> Run<'a> {
    pub fn new(name: &'static str, options: &'a Options) -> Run<'a> {
        let rng = ChaCha8Rng::seed_from_u64(options.seed);
        let (besides, memory, slowest) = (0, MEMORY, Duration::ZERO);
        Run { name, options, rng, besides, memory, accepted: 0, most: 0, slowest }
    }

    /// With every input, `besides` further bytes are read.
    pub fn reading(self, besides: usize) -> Run<'a> {
        Run { besides, ..self }
    }

    /// The reader may take as much memory, in place of 64 MiB.
    pub fn within(self, memory: usize) -> Run<'a> {
        Run { memory, ..self }
    }

    /// Calls `read` with every input.
    pub fn over<T>(
        mut self,
        make: impl Fn(&mut ChaCha8Rng) -> Vec<u8>,
        mut read: impl FnMut(&[u8]) -> Result<T, Error>,
    ) {
        let Options { inputs, from, ref only, .. } = *self.options;
        if !self.name.contains(only.as_str()) {
            return;
        }
        let begun = Instant::now();
        for at in 0..inputs {
            let bytes = make(&mut self.rng);
            if at >= from {
                self.one(at, bytes, &mut read);
            }
        }
        silence::end();
        let Run { name, accepted, most, .. } = self;
        assert!(inputs < from + 1000 || accepted > 0, "{name}: no input got past the first check");
        println!(
            "{name:<16} {:>8} inputs  {accepted:>8} accepted  at most {most:>9} bytes  slowest {:>6.1} ms  all {:>5.0} s",
            inputs.saturating_sub(from),
            self.slowest.as_secs_f64() * 1e3,
            begun.elapsed().as_secs_f64()
        );
    }

    fn one<T>(&mut self, at: usize, bytes: Vec<u8>, read: &mut impl FnMut(&[u8]) -> Result<T, Error>) {
        let name = self.name;
        under_way(Some((Instant::now(), format!("{name}, input {at}"), bytes.clone())));
        let (before, started) = (counting::begin(), Instant::now());
        let result = read(&bytes);
        let took = counting::most_since(before);
        assert!(
            took <= 4 * (bytes.len() + self.besides) + self.memory,
            "{name}, input {at}: {took} bytes of memory"
        );
        self.slowest = self.slowest.max(started.elapsed());
        self.most = self.most.max(took);
        match result {
            Ok(_) => self.accepted += 1,
            Err(error) => {
                let sentence = error.to_string();
                assert!(!sentence.is_empty() && sentence.len() < 1 << 20, "{name}, input {at}: {sentence}");
            }
        }
        under_way(None);
    }
}
