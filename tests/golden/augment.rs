//! Augmented samples of PyTorch's `grid_sample`, by `augment.py`.

use wgrad::internals::kernel::consts;
use wgrad::internals::kernel::{Call, Slice, SliceMut, Step};
use wgrad::internals::table::GATHER_BATCH;

#[path = "augment_values.rs"]
mod values;

const CHANNELS: usize = 2;
const WIDTH: usize = 4;
const PLANE: usize = 5 * WIDTH;
const VALUES: usize = CHANNELS * PLANE;
const SAMPLES: usize = 6;

#[test]
fn changed_samples_are_those_of_grid_sample() {
    let byte = |sample: usize, value: usize| ((sample * 37 + value * 59 + 11) % 256) as u8;
    let words: Vec<u32> = (0..SAMPLES * VALUES / 4)
        .map(|at| u32::from_le_bytes([0, 1, 2, 3].map(|i| byte(at * 4 / VALUES, at * 4 % VALUES + i))))
        .collect();
    let consts = consts! {
        BATCH: SAMPLES, FIRST: 0usize, VALUES: VALUES, WORDS: VALUES / 4, PLANE: PLANE, WIDTH: WIDTH, CHANNELS: CHANNELS,
        SAMPLES: SAMPLES, CHUNK_FIRST: 0usize, CHUNK_LENGTH: SAMPLES, AUGMENT: true, SHIFT: 1.5f32,
        ROTATE: 0.75f32, SCALE: 0.25f32, SHEAR: 0.5f32, FLIP: true, CUT_OUT: 2usize, BRIGHTNESS: 0.125f32,
        CONTRAST: 0.5f32,
    };
    let step = Step { seed: 5, epoch: 2, samples: SAMPLES as u32, ..Step::default() };
    let (labels, order) = ([0; SAMPLES], [0, 1, 2, 3, 4, 5]);
    let normaliser = [1.0 / 64.0, 1.0 / 128.0, -0.5, 0.25];
    let (mut x, mut y) = (vec![f64::NAN; SAMPLES * VALUES], vec![0; SAMPLES]);
    let reads = [Slice::Uint(&words), Slice::Uint(&labels), Slice::Uint(&order), Slice::Real(&normaliser)];
    let mut writes = [SliceMut::Real(&mut x), SliceMut::Uint(&mut y)];
    (GATHER_BATCH.oracle)(Call { consts: &consts, step: &step }, &reads, &mut writes);
    assert_eq!(values::CHANGED.len(), x.len());
    for (at, (found, expected)) in x.iter().zip(values::CHANGED).enumerate() {
        // Both are f64, on values of a few units.
        assert!((found - expected).abs() < 1e-12, "value {at}: {found} instead of {expected}");
    }
}
