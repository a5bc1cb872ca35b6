//! The list of all rewrites.

use super::{activations, f16, first_layer, gradients, last_layer, slices, watch};
use crate::program::Program;
use crate::table::choice::Choice;

/// A rewrite.
pub struct Rewrite {
    /// Its name in a list of rewrites.
    pub name: &'static str,
    /// Its effect, for a table.
    pub about: &'static str,
    pub(super) apply: fn(Program, &Choice) -> Program,
}

/// All rewrites, in the order of application.
///
/// Rewrites that join several dispatches of a layer come before those that change single ones, which no rewrite
/// recognises as part of a layer afterwards. `activations` is first, because others join dispatches with epilogues.
/// `first-layer` comes before `gradients`, which would take the gradients that it needs. `watch` is last, when the
/// writers of all gradients are known.
pub static ALL: [Rewrite; 7] = [
    Rewrite {
        name: "activations",
        about: "puts an activation into the epilogue of the layer in front of it",
        apply: activations::rewrite,
    },
    Rewrite {
        name: "first-layer",
        about: "gathers the samples in a first dense layer and in its gradients",
        apply: first_layer::rewrite,
    },
    Rewrite {
        name: "gradients",
        about: "joins a dense layer's gradients, with their squares and non-finite counts",
        apply: gradients::rewrite,
    },
    Rewrite {
        name: "last-layer",
        about: "joins a small last layer, its loss and the gradient of its input",
        apply: last_layer::rewrite,
    },
    Rewrite {
        name: "f16",
        about: "computes products of dense layers from f16 copies, with the precision f16",
        apply: f16::rewrite,
    },
    Rewrite {
        name: "slices",
        about: "cuts a long product with a small result into slices",
        apply: slices::rewrite,
    },
    Rewrite {
        name: "watch",
        about: "takes the norm of all gradients from the squares that their kernels write",
        apply: watch::rewrite,
    },
];
