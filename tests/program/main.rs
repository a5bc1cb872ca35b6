//! Programs without an adapter: their rules, lowering, limits of sizes, and that the choices of lowering (rewrites,
//! versions of kernels, chunks of data) don't change results.

mod augment;
mod choices;
mod dispatches;
mod f16;
mod layers;
mod rewrites;
mod rules;
mod sharing;
mod sizes;
#[path = "../common/small.rs"]
mod small;
