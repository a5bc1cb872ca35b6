//! wgrad trains neural networks with hand-written WGSL compute shaders, on any
//! GPU that wgpu reaches, and proves every shader against a plain Rust twin.
//!
//! A network is lowered once to a [`program::Program`]: a list of kernel
//! dispatches over named buffers. The GPU engine and the CPU engine run the
//! same Program; training, checking, timing and explaining are things done to it.
//!
//! # Train a network
//!
//! ```
//! use wgrad::{data, engine::adapter::choose, lower::HELD_OUT, recipe::Recipe, session::Session};
//!
//! // 1,437 handwritten digits to learn from and 360 that training never sees.
//! let digits = data::load("digits")?;
//! let recipe = Recipe {
//!     network: "dense 32, relu, dense 10".parse()?,
//!     epochs: 10,
//!     ..Recipe::defaults_for("digits", 64, 10, digits.train.len())
//! };
//! // The best adapter of this machine, or the CPU engine when none answers.
//! let session = Session::new(recipe, digits, choose("auto")?)?;
//! let mut trainer = session.start()?;
//! for epoch in 1..=session.recipe.epochs {
//!     let train = trainer.epoch(epoch, &mut |_| {})?;
//!     println!("epoch {epoch}: loss {:.4}", train.loss);
//! }
//! let held_out = trainer.measure(HELD_OUT)?;
//! assert!(held_out.accuracy > 0.9, "{held_out:?}");
//! # Ok::<(), wgrad::error::Error>(())
//! ```
//!
//! # Read the code
//!
//! Five files show the whole idea: [`network`], [`record`], one layer
//! ([`layers::dense`]), its shader (`shaders/matmul_naive.wgsl`) and its twin
//! ([`cpu::matmul`]). From there:
//!
//! - [`kernel`] and [`kernels`]: what a kernel is, and all of them.
//! - [`cpu`]: the twins, and how far f32 may be from them.
//! - [`program`] and [`lower`]: the list of dispatches, and how a network becomes one.
//! - [`optimiser`], [`schedule`]: how gradients become new weights, and how fast.
//! - [`engine`]: what runs it.
//! - [`cases`] and [`diff`]: how shader and twin are compared.
//! - [`tuning`]: which version of a kernel is fastest on an adapter, measured once.
//! - [`precision`], [`experimental`]: products of halves, and what is tried out with them.
//! - [`own`]: a reader's own version of a kernel, checked and put in place of ours.
//! - [`lessons`]: the ideas one by one, on the same kernels.
//! - [`data`], [`session`], [`train`], [`model`], [`run`]: images in, a trained network out.
//! - [`checkpoint`]: a run at one moment, to go on from.
//! - [`coach`]: what a run's numbers warrant saying, and what to try.
//! - [`confusion`], [`sheet`]: what a trained network takes for what, in numbers and in pictures.
//! - [`profile`]: what each dispatch of a step takes.
//! - [`mod@bench`]: the CPU against the GPU.
//! - [`explain`]: one step of one sample, number by number.

pub mod bench;
pub mod cases;
pub mod checkpoint;
pub mod coach;
pub mod confusion;
pub mod cpu;
pub mod data;
pub mod diff;
pub mod engine;
pub mod error;
pub mod exercises;
pub mod experimental;
pub mod explain;
pub mod files;
pub mod init;
pub mod kernel;
pub mod kernels;
pub mod layers;
pub mod lessons;
pub mod loss;
pub mod lower;
pub mod lr_find;
pub mod model;
pub mod network;
pub mod optimiser;
pub mod own;
pub mod params;
pub mod precision;
pub mod profile;
pub mod program;
pub mod recipe;
pub mod record;
pub mod rng;
pub mod run;
pub mod schedule;
pub mod session;
pub mod sheet;
pub mod stopping;
mod tensors;
pub mod train;
pub mod tuning;
