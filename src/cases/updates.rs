//! Cases of the kernels that update a whole arena.

use super::Case;
use crate::consts;
use crate::kernel::{Consts, Step};

/// Whether a kernel of this name has its cases here.
pub fn is_update(name: &str) -> bool {
    matches!(name, "sgd" | "sgd_momentum")
}

/// Every choice of constants for an arena of so many words, the commonest first.
pub fn consts(name: &str, length: usize) -> Vec<Consts> {
    // The first two thirds decay, up to the border of a parameter.
    let decayed = length / 3 * 2 / 64 * 64;
    match name {
        "sgd" => [(0, 0.0f32), (decayed, 0.25)]
            .map(|(decayed, decay)| consts! { LENGTH: length, DECAYED: decayed, DECAY: decay })
            .to_vec(),
        "sgd_momentum" => [
            (0, 0.0f32, false, 0.0f32, false),
            (decayed, 0.25, false, 0.25, false),
            (decayed, 0.25, true, 0.0, true),
            (length, 0.25, false, 0.0, true),
        ]
        .map(|(decayed, decay, decoupled, dampening, nesterov)| {
            consts! {
                LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled,
                DAMPENING: dampening, NESTEROV: nesterov,
            }
        })
        .to_vec(),
        _ => panic!("kernel {name} has no cases; add them in src/cases/updates.rs"),
    }
}

/// A padding's worth, some parameters, and more than a workgroup's; the first step and a later one.
pub fn cases(name: &str) -> Vec<Case> {
    let step = |index| Step { index, learning_rate: 0.1, momentum: 0.9, ..Step::default() };
    let mut all = Vec::new();
    for (length, index) in [(64, 0), (1_792, 3), (100_032, 0)] {
        all.extend(consts(name, length).into_iter().map(|consts| Case { consts, step: step(index) }));
    }
    all
}
