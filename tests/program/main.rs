//! Programs without an adapter: the rules they are held to, what lowering
//! makes of a network, how sizes are limited, and that the choices lowering
//! has (rewrites, versions of kernels, chunks of data) do not change results.

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
