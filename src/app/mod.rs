//! The program: its command line, and a file per command.
//!
//! May depend on everything; nothing depends on it. Read `cli/mod.rs` first.

pub mod cli;
pub mod commands;
mod shortened;
mod wrapped;
