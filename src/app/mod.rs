//! The program: its command line, and one file for each command.
//!
//! May depend on everything; nothing depends on it. Read `cli/mod.rs` first.

pub mod cli;
pub mod commands;
