//! The real binary in a fresh directory, on the CPU engine.
//!
//! Checked are exit codes, both streams, and every file that is left behind. Tests that need an adapter are in
//! `adapter`.

mod adapter;
mod advice;
mod answers;
mod bench;
#[path = "../common/checked.rs"]
mod checked;
#[path = "../common/mod.rs"]
mod common;
mod content;
mod data;
mod emnist;
mod eval;
mod experimental;
mod foreign;
#[cfg(feature = "download")]
mod get;
mod help;
mod import;
mod limits;
mod memory;
mod odd;
mod optimiser;
mod place;
mod precision;
mod predict;
mod profile;
mod recipes;
mod refusals;
mod shell;
#[path = "../common/state_dict.rs"]
mod state_dict;
mod streams;
#[cfg(target_os = "linux")]
mod terminal;
#[path = "../common/tiles.rs"]
mod tiles;
mod train;
mod tuning;
