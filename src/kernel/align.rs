//! The alignment of views.

/// Views start on multiples of this many words: WebGPU binds storage on multiples of 256 bytes.
pub const ALIGN: usize = 64;

/// `len` rounded up to the alignment of the next view.
pub const fn aligned(len: usize) -> usize {
    len.next_multiple_of(ALIGN)
}
