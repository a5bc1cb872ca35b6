//! How much a GPU watches over what shaders read and write.

/// Whether shaders carry checks against reads and writes out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// As in a browser; the parity tests run so.
    On,
    /// As on, and every binding reaches past its view to the end of the buffer:
    /// a write past the end of a view is then seen in the words behind it,
    /// where the checks would have dropped it without a word.
    Wide,
    /// For speed, after the same kernels have passed the tests with checks on.
    Off,
}
