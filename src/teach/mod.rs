//! What explains learning: lessons, exercises, and one step number by number.
//!
//! Depends on `train` and `report`, and everything below. Read `lessons/mod.rs` first.

pub mod exercises;
pub mod explain;
pub mod lessons;
