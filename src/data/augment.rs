//! Augmented samples as images.

use super::dataset::Samples;
use super::normaliser::Normaliser;
use crate::cpu::augment::{Change, Look};
use crate::kernel::rng::kernel_seed;
use crate::kernel::{Augmentation, Call, Step};

impl Samples {
    /// The sample at `at` as it is augmented in an epoch, as C·H·W bytes.
    ///
    /// The twin of `gather_batch` computes it. Its random numbers are a function of seed, epoch and `at`.
    pub fn augmented(
        &self,
        at: usize,
        augmentation: &Augmentation,
        normaliser: &Normaliser,
        (seed, epoch): (u64, u32),
    ) -> Vec<u8> {
        let image = self.image(at);
        let plane = self.shape.height * self.shape.width;
        let mut consts = crate::kernel::consts! { PLANE: plane, WIDTH: self.shape.width };
        consts.extend(augmentation.consts());
        let step = Step { seed: kernel_seed(seed), epoch, ..Step::default() };
        let Some(change) = Change::of(Call { consts: &consts, step: &step }, at) else {
            return image.to_vec();
        };
        let constants = normaliser.scale_and_shift();
        let (scale, shift) = constants.split_at(self.shape.channels);
        let byte = |value: usize| {
            let channel = value / plane;
            let look = Look { scale: scale[channel].into(), shift: shift[channel].into() };
            let number = change.apply(value % plane, look, |pixel| image[channel * plane + pixel].into());
            // A network takes values brighter than white; a byte doesn't hold them.
            ((number - look.shift) / look.scale).round().clamp(0.0, 255.0) as u8
        };
        (0..image.len()).map(byte).collect()
    }
}
