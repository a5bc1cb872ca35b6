//! Run directories with damaged files: each is read file by file, by one of the program's commands, and resumed.
//!
//! Half of them keep their checksums: what is read of them must be what the run wrote, or an error. In the other half
//! nothing is checked, as in files of earlier versions, so that the readers behind the checksums are reached.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;
use wgrad::internals::data;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::train::recipe::{self, Recipe};
use wgrad::internals::train::run::checkpoint::{self, Checkpoint};
use wgrad::internals::train::run::{
    Lock, RECIPE, RunDir, RunRecord, Status, Weights, read_kernel, read_text,
};
use wgrad::internals::train::running::{Every, RunOptions, Silent};
use wgrad::internals::train::session::Session;
use wgrad::internals::verify::custom::{CustomKernelFile, ShaderText};
use wgrad::{Error, Model, Result};

use crate::app::cli::{Cli, Command};
use crate::app::commands;
use crate::damage::{Files, damaged, files_of, is_sealed, put};
use crate::files::{Folder, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx};
use crate::run::Run;
use crate::silence;

/// The epochs of the run.
const EPOCHS: usize = 3;
/// The kernel of which the run keeps a version.
const KERNEL: &str = "matmul";
/// One in this many runs is resumed by the program: it catches signals anew each time, which takes memory for good.
const BY_THE_PROGRAM: u64 = 16;

/// A run that was killed before its end, and what it must end with.
struct Killed {
    place: TempDir,
    _data: Folder,
    files: Files,
    besides: usize,
    record: RunRecord,
    checkpoints: Vec<Checkpoint>,
    /// The model of the finished run.
    model: Model,
    commands: Vec<Command>,
    resume: Command,
}

/// Tries run directories.
pub fn runs(run: Run) {
    let killed = Killed::new();
    silence::begin();
    // The input is the seed of the damage.
    let make = |rng: &mut ChaCha8Rng| rng.next_u64().to_le_bytes().to_vec();
    run.reading(killed.besides).over(make, |seed| {
        let seed = u64::from_le_bytes(seed.try_into().expect("8 bytes"));
        killed.try_one(&mut ChaCha8Rng::seed_from_u64(seed), seed)
    });
    silence::end();
}

impl Killed {
    fn new() -> Killed {
        let place = tempfile::tempdir().expect("a temporary folder");
        let data = small_data();
        let run = trained(place.path(), &data);
        let model = Model::load(&run).expect("it was trained");
        let all = checkpoint::list(&run).expect("it has checkpoints");
        // Without its last checkpoint it is as killed before its end; the record of a killed run says that it runs.
        fs::remove_file(&all[0].1).expect("it is there");
        let running = RunRecord { status: Status::Running, ..RunRecord::load(&run).expect("a record") };
        fs::write(run.join("run.json"), running.to_json()).expect("it is written");
        let paths = all[1..].iter().map(|(_, path)| path.clone());
        let paths = paths.chain([run.join(checkpoint::FOLDER).join(checkpoint::BEST)]);
        let checkpoints = paths.map(|path| Checkpoint::load(&path).expect("a checkpoint")).collect();
        let files = files_of(&run);
        put(&place.path().join("good"), &files);
        let run = run.to_str().expect("a path");
        let good = place.path().join("good");
        let good = good.to_str().expect("a path");
        let out = place.path().join("runs");
        let command =
            |words: &[&str]| Cli::try_parse_from([&["wgrad"], words].concat()).expect("a command").command;
        let commands = vec![
            command(&["runs", "--out", out.to_str().expect("a path")]),
            command(&["runs", "diff", run, good]),
            command(&["summary", run, "--device", "cpu"]),
            command(&["eval", run, "--device", "cpu"]),
            command(&["explain", run, "--device", "cpu"]),
            command(&["resume-check", run, "--device", "cpu", "--steps", "4"]),
        ];
        let resume = command(&["train", "--resume", run, "--device", "cpu", "--epochs", "3"]);
        Killed {
            besides: 3 * files.values().map(Vec::len).sum::<usize>(),
            record: running,
            checkpoints,
            model,
            commands,
            resume,
            files,
            _data: data,
            place,
        }
    }

    fn run(&self) -> PathBuf {
        self.place.path().join("runs/digits-001")
    }

    fn try_one(&self, rng: &mut ChaCha8Rng, seed: u64) -> Result<()> {
        let (files, sealed) = damaged(rng, &self.files);
        let run = self.run();
        put(&run, &files);
        let all_sealed = sealed && {
            let mut named = files.iter().filter(|(name, _)| {
                name.contains("json") && !name.contains("jsonl") || name.contains("safetensors")
            });
            named.all(|(_, bytes)| bytes.is_empty() || is_sealed(bytes))
        };
        self.read(&run, all_sealed);
        let command = &self.commands[(seed / BY_THE_PROGRAM) as usize % self.commands.len()];
        let result = perform(command);
        assert!(!all_sealed || !matches!(result, Err(Error::Check(_))), "{result:?}");
        let resumed = if seed.is_multiple_of(BY_THE_PROGRAM) { perform(&self.resume) } else { resumed(&run) };
        if all_sealed && resumed.is_ok() {
            assert!(Model::load(&run)? == self.model, "the resumed run ended with another model");
        }
        resumed
    }

    /// Reads every file. Those that have a checksum are what the run wrote.
    fn read(&self, run: &Path, sealed: bool) {
        let record = RunRecord::load(run);
        assert!(
            !sealed || record.is_err() || record.is_ok_and(|record| record == self.record),
            "another record"
        );
        Lock::is_taken(run);
        let _ = read_text(run, RECIPE);
        let _ = Weights::load(run);
        let model = Model::load(run);
        // The best weights so far are in the model of a run that was killed, and its end has others.
        assert!(!sealed || model.is_err() || model.is_ok_and(|model| model == self.model), "another model");
        for (_, path) in checkpoint::list(run).unwrap_or_default() {
            let read = Checkpoint::load(&path);
            let known = |checkpoint: Checkpoint| self.checkpoints.contains(&checkpoint);
            assert!(!sealed || read.is_err() || read.is_ok_and(known), "another checkpoint");
            let _ = Weights::load(&path);
        }
        if let Ok(Some(text)) = read_kernel(run, KERNEL) {
            let text = ShaderText { path: run.to_owned(), text };
            let file = CustomKernelFile::parse("matmul=custom.wgsl").expect("a kernel");
            let _ = (text.digest(), file.contract(&text));
        }
    }
}

/// What the program does with a command.
fn perform(command: &Command) -> Result<()> {
    match command {
        Command::Train(arguments) => commands::train::run(arguments),
        Command::Runs(arguments) => commands::runs::run(arguments),
        Command::ResumeCheck(arguments) => commands::resume::check::run(arguments),
        Command::Eval(arguments) => commands::eval::run(arguments),
        Command::Summary(arguments) => commands::summary::run(arguments),
        Command::Explain(arguments) => commands::explain::run(arguments),
        other => panic!("{other:?} reads no run"),
    }
}

/// Twelve pictures of 2×3 pixels in 3 classes to train on and 3 held out.
fn small_data() -> Folder {
    let pixels: Vec<u8> = (0..72u32).map(|value| (value * value * 7 % 251) as u8).collect();
    let labels: Vec<u8> = (0..12).map(|at| at % 3).collect();
    Folder::empty()
        .with(TRAIN_IMAGES, &idx(8, &[12, 2, 3], &pixels))
        .with(TRAIN_LABELS, &idx(8, &[12], &labels))
        .with(TEST_IMAGES, &idx(8, &[3, 2, 3], &pixels[18..36]))
        .with(TEST_LABELS, &idx(8, &[3], &[0, 1, 2]))
}

fn options() -> RunOptions {
    RunOptions { every: Every::Steps(2), keep: 9, tensorboard: true, ..RunOptions::default() }
}

/// A finished run of all kinds of files, with a kernel that it keeps.
fn trained(place: &Path, data: &Folder) -> PathBuf {
    let given = "network = \"dense 4, relu, dense 3\"\nepochs = 3\nbatch_size = 3\nvalidation = 0.25\ndevice = \"cpu\"\n\
                 optimiser = \"adam\"\nema = 0.9\nschedule = \"plateau patience 1\"\n\
                 stop_early = \"validation-loss patience 9\"\nmax_time = \"1h\"";
    let mut given = recipe::parse_toml(given, Path::new("it")).expect("a recipe");
    given.data = Some(data.path().to_str().expect("a path").to_owned());
    let recipe = Recipe::resolve(&given, 6, 3, 12).expect("a recipe");
    let dataset = data.load().expect("data");
    let session = Session::new(recipe, dataset, Device::Cpu { reason: None }).expect("a session");
    let lowered = session.lower().expect("a Program");
    let text = "@compute @workgroup_size(8) fn matmul() {}";
    let text = ShaderText { path: PathBuf::from("custom.wgsl"), text: text.to_owned() };
    let mut record = session.record(&lowered);
    record.kernels =
        vec![CustomKernelFile { name: KERNEL.to_owned(), path: text.path.clone(), sha256: text.digest() }];
    let directory = RunDir::create(&place.join("runs"), "digits").expect("a directory");
    directory.write_kernel(KERNEL, &text.text).expect("it is written");
    let path = directory.path().to_owned();
    let trainer = session.open(lowered.clone()).expect("a trainer");
    let run = session.run(trainer, &lowered, record, options()).expect("a run").in_directory(directory);
    run.begin(&mut Silent).expect("it trains");
    path
}

/// Goes on with a run to its end, as a program does.
fn resumed(run: &Path) -> Result<()> {
    let directory = RunDir::open(run)?;
    let (checkpoint, _) = checkpoint::newest(run)?;
    let given = recipe::parse_toml(&checkpoint.recipe, &run.join(RECIPE))?.of_any_version();
    let recipe = Recipe::resolve(&given, 6, 3, 9)?;
    let recipe = Recipe { epochs: recipe.epochs.min(EPOCHS), ..recipe };
    let dataset = data::load_again(&recipe.data, &given.reading())?;
    if (&dataset.digest, recipe.network.to_string()) != (&checkpoint.digest, checkpoint.network.clone()) {
        return Err(Error::Data("other data or another network".to_owned()));
    }
    let session = Session::new(recipe, dataset, Device::Cpu { reason: None })?;
    let lowered = session.lower()?;
    let mut trainer = session.open(lowered.clone())?;
    trainer.restore(&checkpoint.snapshot)?;
    let record = RunRecord::load(run).or_else(|error| checkpoint.record.clone().ok_or(error))?;
    // One checkpoint, at the end.
    let options = RunOptions { every: Every::Steps(EPOCHS * 9), ..options() };
    let run = session.run(trainer, &lowered, record, options)?.in_directory(directory);
    run.resume(checkpoint, &mut Silent).map(|_| ())
}
