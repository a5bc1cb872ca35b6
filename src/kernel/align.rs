//! Where the views that a kernel binds may start.

/// Words between possible starts of a view: WebGPU binds storage on multiples of 256 bytes.
pub const ALIGN: usize = 64;

/// `len` rounded up so that another view may follow it.
pub const fn aligned(len: usize) -> usize {
    len.next_multiple_of(ALIGN)
}
