//! Cases of kernels over whole arenas: norms, clipping, updates, the EMA.

use super::case::Case;
use crate::kernel::consts;
use crate::kernel::{Consts, Step};

/// Whether the cases of this kernel are here.
pub fn is_update(name: &str) -> bool {
    const NAMES: [&str; 16] = [
        "sgd",
        "sgd_momentum",
        "ada_grad",
        "rms_prop",
        "rms_prop_momentum",
        "rms_prop_centred",
        "adam",
        "lion",
        "muon_momentum",
        "frobenius_normalise",
        "newton_schulz",
        "muon",
        "square_sums",
        "clip_norm",
        "clip_value",
        "ema",
    ];
    NAMES.contains(&name)
}

/// Values of DECAYED, DECAY and DECOUPLED for an arena of `length` words: the first two thirds decay.
fn decays(length: usize) -> [(usize, f32, bool); 3] {
    let decayed = length / 3 * 2 / 64 * 64;
    [(0, 0.0, false), (decayed, 0.25, false), (decayed, 0.25, true)]
}

/// Every choice of constants for an arena of this length, the most common first.
pub fn consts(name: &str, length: usize) -> Vec<Consts> {
    let partials = (length / 512).clamp(1, 1_024);
    let decayed = |of: &dyn Fn(usize, f32, bool) -> Consts| {
        decays(length).map(|(decayed, decay, decoupled)| of(decayed, decay, decoupled)).to_vec()
    };
    match name {
        "sgd" => decayed(&|decayed, decay, _| consts! { LENGTH: length, DECAYED: decayed, DECAY: decay }),
        "sgd_momentum" => momentum(length),
        "ada_grad" => decayed(&|decayed, decay, decoupled| {
            consts! { LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled, EPSILON: 1e-10f32 }
        }),
        "rms_prop" | "rms_prop_momentum" | "rms_prop_centred" => decayed(&|decayed, decay, decoupled| {
            consts! {
                LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled,
                SMOOTHING: 0.99f32, EPSILON: 1e-8f32,
            }
        }),
        "adam" => decayed(&|decayed, decay, decoupled| {
            consts! {
                LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled,
                BETA1: 0.9f32, BETA2: 0.999f32, EPSILON: 1e-8f32,
            }
        }),
        "lion" => decayed(&|decayed, decay, decoupled| {
            consts! {
                LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled,
                BETA1: 0.9f32, BETA2: 0.99f32,
            }
        }),
        "muon_momentum" | "ema" => vec![consts! { LENGTH: length }],
        "frobenius_normalise" => vec![consts! { LENGTH: length, PARTIALS: 64usize }],
        "square_sums" => vec![consts! { LENGTH: length, PARTIALS: partials }],
        "newton_schulz" => vec![consts! { LENGTH: length, P: -4.775f32, Q: 2.0315f32 }],
        "muon" => vec![consts! { LENGTH: length, SCALE: 1.6f32, DECAY: 0.25f32 }],
        "clip_norm" => vec![consts! { LENGTH: length, MOST: 0.5f32 }],
        "clip_value" => vec![consts! { LENGTH: length, MOST: 0.5f32 }],
        _ => panic!("kernel {name} has no cases; add them in src/verify/cases/updates.rs"),
    }
}

fn momentum(length: usize) -> Vec<Consts> {
    let choices = [(0.0f32, false), (0.25, false), (0.0, true)];
    let all = decays(length).into_iter().zip(choices);
    let of = |((decayed, decay, decoupled), (dampening, nesterov)): ((usize, f32, bool), (f32, bool))| {
        consts! {
            LENGTH: length, DECAYED: decayed, DECAY: decay, DECOUPLED: decoupled,
            DAMPENING: dampening, NESTEROV: nesterov,
        }
    };
    all.map(of).collect()
}

/// As many words as the padding, some parameters, and more than a workgroup's.
///
/// The first step and a later one.
pub fn cases(name: &str) -> Vec<Case> {
    let step = |index| Step {
        index,
        slot: 2,
        learning_rate: 0.1,
        momentum: 0.9,
        mean_correction: 3.69,
        square_correction: 334.0,
        ema_decay: 0.75,
        ..Step::default()
    };
    let mut all = Vec::new();
    // All choices for one length only, because each case is a pipeline.
    all.extend(consts(name, 64).into_iter().take(1).map(|consts| Case { consts, step: step(0) }));
    all.extend(consts(name, 1_792).into_iter().map(|consts| Case { consts, step: step(3) }));
    all.extend(consts(name, 100_032).into_iter().rev().take(1).map(|consts| Case { consts, step: step(0) }));
    // Kernels for any length.
    if matches!(name, "frobenius_normalise" | "newton_schulz" | "muon" | "square_sums") {
        let odd = [1, 1_757].into_iter().flat_map(|length| consts(name, length));
        all.extend(odd.map(|consts| Case { consts, step: step(1) }));
    }
    all
}
