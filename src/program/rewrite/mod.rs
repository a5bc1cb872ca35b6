//! Rewrites from the plain Program, one dispatch per operation, to a fast one with the same results.
//!
//! Each rewrite is one function Program → Program in a file of its own, with a drawing of before and after.
//! It recognises dispatches by their kernels and families, never by text, and looks at nothing but the Program
//! and the choice of kernels. [`ALL`] lists them in the order of application; each can be left out. In the end every
//! dispatch gets the version of its kernel that the choice names: see `versions.rs`.
//!
//! Read `gradients.rs` first.

mod activations;
mod dense;
mod draft;
mod f16;
mod first_layer;
mod gradients;
mod last_layer;
mod list;
mod set;
mod slices;
mod versions;
mod watch;

pub use list::{ALL, Rewrite};
pub use set::Rewrites;

use super::Program;
use crate::table::choice::Choice;

/// Applies the wanted rewrites in order, then the choice's version of every kernel.
pub fn rewrite(program: Program, choice: &Choice, wanted: &Rewrites) -> Program {
    let wanted = ALL.iter().filter(|rewrite| wanted.has(rewrite));
    let program = wanted.fold(program, |program, rewrite| (rewrite.apply)(program, choice));
    versions::rewrite(program, choice)
}
