//! Verification: every shader is compared with its twin.
//!
//! [`cases`] lists shapes and numbers for every kernel. [`diff`] compares the results of an engine with those of the
//! twin, within the bound that f32 arithmetic allows. [`custom`] checks a custom kernel and lets it replace a built-in
//! one. [`experimental`] proves an experimental kernel before a run may use it.
//!
//! May depend on everything up to `data`. Read `cases/mod.rs` first.

pub mod cases;
pub mod custom;
pub mod diff;
pub mod experimental;
