//! Rewrites: from the plain Program, a dispatch for each operation, to a fast one that computes the same.
//!
//! Each rewrite is one function Program → Program in a file of its own, with a drawing of before and after.
//! It recognises dispatches by their kernels and families, never by text, and looks at nothing but the Program
//! and the choice of kernels. [`ALL`] lists them in the order in which they are applied; each can be left out.
//! In the end every dispatch gets the version of its kernel that the choice names, rewritten or not: see
//! `versions.rs`.
//!
//! Read `gradients.rs` first.

mod activations;
mod first_layer;
mod gradients;
mod half;
mod last_layer;
mod section;
mod set;
mod slices;
mod versions;
mod watch;

pub use set::Rewrites;

use super::Program;
use crate::table::choice::Choice;

/// A rewrite.
pub struct Rewrite {
    /// As a list of rewrites names it.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    apply: fn(Program, &Choice) -> Program,
}

/// All rewrites, in the order in which they are applied.
pub static ALL: [Rewrite; 7] = [
    Rewrite {
        name: "activations",
        about: "an activation into the epilogue of the layer in front of it",
        apply: activations::rewrite,
    },
    Rewrite {
        name: "first-layer",
        about: "gathering samples into a first dense layer and its gradients",
        apply: first_layer::rewrite,
    },
    Rewrite {
        name: "gradients",
        about: "the gradients of a dense layer's weights and bias, and the watch over them, into one",
        apply: gradients::rewrite,
    },
    Rewrite {
        name: "last-layer",
        about: "a small last layer, its loss and the gradient of its input into one",
        apply: last_layer::rewrite,
    },
    Rewrite {
        name: "half",
        about: "products of dense layers from copies in half precision, where that is asked for",
        apply: half::rewrite,
    },
    Rewrite { name: "slices", about: "a long product with a small result in slices", apply: slices::rewrite },
    Rewrite {
        name: "watch",
        about: "the watch over all gradients from the parts that their kernels keep",
        apply: watch::rewrite,
    },
];

/// Applies the rewrites that are wanted, one after the other, and then takes the version of every kernel that the
/// choice names.
pub fn rewrite(program: Program, choice: &Choice, wanted: &Rewrites) -> Program {
    let wanted = ALL.iter().filter(|rewrite| wanted.has(rewrite));
    let program = wanted.fold(program, |program, rewrite| (rewrite.apply)(program, choice));
    versions::rewrite(program, choice)
}
