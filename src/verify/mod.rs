//! Proofs that a shader computes what its twin says.
//!
//! [`cases`] lists shapes and numbers for every kernel; [`diff`] compares what an engine makes of them with
//! the twin, within the bound that f32 arithmetic allows; [`custom`] does so for a reader's own kernel and
//! puts it in the place of ours; [`experimental`] proves what is tried out before a run may use it.
//!
//! May depend on everything up to `data`. Read `cases/mod.rs` first.

pub mod cases;
pub mod custom;
pub mod diff;
pub mod experimental;
