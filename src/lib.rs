//! wgrad trains neural networks with hand-written WGSL compute shaders, on any
//! GPU that wgpu reaches, and proves every shader against a plain Rust twin.
//!
//! A network is lowered once to a [`program::Program`]: a list of kernel
//! dispatches over named buffers. The GPU engine and the CPU engine run the
//! same Program; training, checking, timing and explaining are things done to it.
//!
//! Five files show the whole idea: [`network`], [`record`], one layer
//! ([`layers::dense`]), its shader (`shaders/matmul_naive.wgsl`) and its twin
//! ([`cpu::matmul`]). From there:
//!
//! - [`kernel`] and [`kernels`]: what a kernel is, and all of them.
//! - [`cpu`]: the twins, and how far f32 may be from them.
//! - [`program`] and [`lower`]: the list of dispatches, and how a network becomes one.
//! - [`engine`]: what runs it.
//! - [`cases`] and [`diff`]: how shader and twin are compared.
//! - [`data`], [`train`], [`model`], [`run`]: images in, a trained network out.
//! - [`explain`]: one step of one sample, number by number.

pub mod cases;
pub mod cpu;
pub mod data;
pub mod diff;
pub mod engine;
pub mod error;
pub mod explain;
pub mod files;
pub mod kernel;
pub mod kernels;
pub mod layers;
pub mod loss;
pub mod lower;
pub mod model;
pub mod network;
pub mod params;
pub mod program;
pub mod recipe;
pub mod record;
pub mod rng;
pub mod run;
pub mod train;
