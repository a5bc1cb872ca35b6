//! wgrad trains neural networks with hand-written WGSL compute shaders, on any
//! GPU that wgpu reaches, and proves every shader against a plain Rust twin.
//!
//! A network is lowered once to a [`Program`](program::Program): a list of kernel dispatches over named buffers. The GPU engine and the
//! CPU engine run the same Program; training, checking, timing and explaining are things done to it.
//!
//! # Train a network
//!
//! ```
//! use wgrad::{Dataset, Device, EpochReport, Observer, Recipe, Session};
//!
//! struct Print;
//!
//! impl Observer for Print {
//!     fn epoch(&mut self, report: &EpochReport) {
//!         println!("epoch {}: held-out accuracy {:.3}", report.epoch, report.held_out.accuracy);
//!     }
//! }
//!
//! // 1,437 handwritten digits to learn from and 360 that training never sees.
//! let digits = Dataset::load("digits")?;
//! let recipe = Recipe { epochs: 10, ..Recipe::for_data(&digits) };
//! // The best adapter of this machine, or the CPU engine when none answers.
//! let session = Session::new(recipe, digits, Device::choose("auto")?)?;
//! let trained = session.train(&mut Print)?;
//! let path = std::env::temp_dir().join("digits.safetensors");
//! trained.model.save(&path)?;
//! # assert!(trained.epoch.unwrap().held_out_accuracy > 0.9);
//! # std::fs::remove_file(path).unwrap();
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! # Use a model
//!
//! ```no_run
//! use wgrad::{Device, Model};
//!
//! let model = Model::load("digits.safetensors")?;
//! let picture = model.read_picture("seven.png", false)?;
//! for prediction in model.classifier(&Device::choose("auto")?)?.predict(&[picture])? {
//!     println!("{} {:?}", prediction.name(), prediction.ranked());
//! }
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! # What is stable
//!
//! The names at the root, and the files that wgrad writes: recipes, run directories, checkpoints and models are read by
//! every later version. The [`internals`] may change with every version; so may what is reached through them, such
//! as the fields of a [`Program`](program::Program).
//!
//! # Read the code
//!
//! `examples/` first, then five files that show the whole idea: [`network`], [`program::record`], one layer
//! ([`network::layers::dense`]), its shader (`shaders/matmul_naive.wgsl`) and its twin
//! ([`cpu::matmul`]). The rooms, from the ground up; each depends on those above it only:
//!
//! - [`kernel`]: what a kernel is: a contract with a shader and a twin.
//! - [`cpu`]: the twins, with their error bounds in f32.
//! - [`table`]: all kernels, a row each, and the choice among several versions.
//! - [`program`]: the list of dispatches: recorded, checked, rewritten into a faster one.
//! - [`network`]: layers, losses and optimisers, and how a network is lowered to a Program.
//! - [`engine`]: the engines that run a Program, on the GPU or the CPU.
//! - [`data`]: data sets: read, split, normalised, augmented.
//! - [`verify`]: shaders compared with their twins; custom kernels.
//! - [`report`]: pages, charts, contact sheets, confusion matrices.
//! - [`tune`]: the fastest version of each kernel on an adapter, measured once.
//! - [`train`]: recipe, session, trainer, the run to the last epoch, and the trained model.
//! - [`teach`]: lessons, exercises, and one step of one sample number by number.
//! - [`bench`](mod@internals::bench): the CPU against the GPU.

#![warn(missing_docs)]

/// The rooms of wgrad, which the names at the root come from. They are free to change with every version; the names at
/// the root are not.
// Under `#[path]` the rooms stay beside this file.
#[path = ""]
#[allow(missing_docs)]
pub mod internals {
    pub mod bench;
    pub mod cpu;
    #[warn(missing_docs)]
    pub mod data;
    #[warn(missing_docs)]
    pub mod engine;
    #[warn(missing_docs)]
    pub mod error;
    pub mod kernel;
    #[warn(missing_docs)]
    pub mod memory;
    #[warn(missing_docs)]
    pub mod network;
    #[warn(missing_docs)]
    pub mod program;
    pub mod report;
    pub mod table;
    pub mod teach;
    #[warn(missing_docs)]
    pub mod text;
    #[warn(missing_docs)]
    pub mod train;
    pub mod tune;
    pub mod verify;
}

// Within the crate a room is called by its own name.
use internals::{
    cpu, data, engine, error, kernel, memory, network, program, report, table, teach, text, train, tune,
    verify,
};

#[doc(inline)]
pub use data::{Dataset, Samples};
#[doc(inline)]
pub use engine::adapter::Device;
#[doc(inline)]
pub use error::{DeviceFault, Error, Result};
#[doc(inline)]
pub use network::Network;
#[doc(inline)]
pub use program::shape::Shape;
#[doc(inline)]
pub use train::classifier::{Classifier, Prediction};
#[doc(inline)]
pub use train::recipe::Recipe;
#[doc(inline)]
pub use train::run::model::Model;
#[doc(inline)]
pub use train::running::{Ended, EpochReport, Observer, Trained};
#[doc(inline)]
pub use train::session::Session;
#[doc(inline)]
pub use train::trainer::{Progress, Trainer};

/// The code of `docs/embedding.md` compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../docs/embedding.md")]
struct Embedding;
