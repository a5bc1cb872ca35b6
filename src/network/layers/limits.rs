//! Limits of layers.

/// The most weights of a layer: shaders index by u32, and no adapter has a larger buffer.
pub(super) const MOST_WEIGHTS: usize = 1 << 30;

/// The most terms of a sum within a window: some drivers stop a loop after 65,535 iterations.
pub(super) const MOST_TERMS: usize = 60_000;
