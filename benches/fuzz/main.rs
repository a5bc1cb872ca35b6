//! Random files and texts for everything that the program reads: no panic, no more than seconds, and no more memory
//! than 64 MiB and 4 times the bytes to be read (512 MiB for a picture to predict and for lowering a recipe).
//!
//!     cargo bench --bench fuzz -- --inputs 100000 --seed 1
//!
//! `--only NAME` takes the readers that have it in their names, `--from N` begins at an input. Files are written to the
//! folder for temporary ones: with `TMPDIR=/dev/shm` in front no disk is written to. An input that takes too long is
//! printed, and the program ends. Silent wraps of numbers become panics with
//! `CARGO_PROFILE_BENCH_OVERFLOW_CHECKS=true` in front, or with `--profile dev`.

#[allow(dead_code, unused_imports)]
#[path = "../../src/app/mod.rs"]
mod app;
mod counting;
mod damage;
#[path = "../../tests/data/files.rs"]
#[allow(dead_code)]
mod files;
mod folders;
mod mutation;
mod networks;
mod pictures;
mod png;
mod recipes;
mod run;
mod runs;
mod silence;
mod tensors;

use files::{TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS};
use pictures::Pictures;
use run::{Options, Run};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, default: &str| -> String {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(default.to_owned(), String::clone)
    };
    let number = |name, default| option(name, default).parse::<u64>().expect("options take numbers");
    let options = Options {
        inputs: number("--inputs", "100000") as usize,
        from: number("--from", "0") as usize,
        seed: number("--seed", "1"),
        only: option("--only", ""),
    };
    run::watch();
    // Inputs are small, and two threads would mostly wait for each other.
    rayon::ThreadPoolBuilder::new().num_threads(1).build_global().expect("nothing has used it yet");
    let run = |name| Run::new(name, &options);
    networks::networks(run("network text"));
    recipes::recipes(run("recipe"));
    tensors::models_and_checkpoints(run("model"), run("checkpoint"));
    runs::runs(run("run directory"));
    let labelled = [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS];
    folders::folder(run("IDX"), &files::Folder::good(), &labelled, &[]);
    let batches = ["data_batch_1.bin", "data_batch_2.bin", "test_batch.bin", "batches.meta.txt"];
    folders::folder(run("CIFAR-10"), &files::cifar(), &batches, &[]);
    let names = ["cat/1.png", "dog/3.png", "cat/new.jpg", "bird/1.png"];
    folders::folder(run("image folder"), &files::pets(), &names, &files::png(3, 2, &[9, 8, 7]));
    let pictures = Pictures::new(options.seed);
    pictures::to_predict(run("picture"), &pictures);
    pictures::changed(run("changed picture"), &pictures);
    pictures::to_train(run("picture of a set"), &pictures);
}
