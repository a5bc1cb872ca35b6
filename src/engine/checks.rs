//! Bounds checks in shaders.

/// Whether shaders check that reads and writes stay in bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// Checks as in a browser; the parity tests use them.
    On,
    /// Checks at the end of the buffer instead of the end of the view.
    ///
    /// A write past the end of a view then shows in the words behind it; with [`Checks::On`] it would be dropped.
    Wide,
    /// No checks, for speed: the same kernels have passed the tests with checks on.
    Off,
}
