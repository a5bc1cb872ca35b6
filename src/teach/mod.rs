//! Lessons, exercises, and one training step number by number.
//!
//! May depend on everything up to `train`. Read `lessons/mod.rs` first.

pub mod exercises;
pub mod explain;
pub mod lessons;
