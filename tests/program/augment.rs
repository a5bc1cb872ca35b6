//! The dispatches that augment samples.

use wgrad::internals::kernel::Const;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{HELD_OUT, Part, TRAIN, VALIDATION};

use crate::small::Small;

#[test]
fn only_training_augments_samples() {
    let mut small = Small::new("dense 3", Loss::CrossEntropy);
    small.parts = [TRAIN, VALIDATION, HELD_OUT].map(|name| Part { name, samples: 7 }).to_vec();
    let plain = small.lower().unwrap();
    small.augment = "shift 2".parse().unwrap();
    let lowered = small.lower().unwrap();
    let changes = |at: usize| {
        let dispatch = &lowered.program.steps[at];
        dispatch.consts.iter().any(|pair| pair == ("SHIFT", Const::from(2.0f32)))
    };
    let changed: Vec<usize> = (0..lowered.program.steps.len()).filter(|at| changes(*at)).collect();
    assert_eq!(changed, [lowered.program.section(TRAIN).start]);
    // Nothing else is another.
    assert_eq!(lowered.program.to_string(), plain.program.to_string());
}
