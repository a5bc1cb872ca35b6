//! Elements of buffers, and slices of them that twins read and write.

use std::fmt;

use super::consts::Consts;

/// A number type of twins: f32 like the GPU, or f64 as the reference.
///
/// Twins compute in f64 whatever they store, so a type needs only two conversions.
pub trait Real: Copy + Default + Send + Sync + fmt::Debug + 'static {
    fn of(value: f64) -> Self;
    fn f64(self) -> f64;
}

impl Real for f32 {
    fn of(value: f64) -> f32 {
        value as f32
    }
    fn f64(self) -> f64 {
        self.into()
    }
}

impl Real for f64 {
    fn of(value: f64) -> f64 {
        value
    }
    fn f64(self) -> f64 {
        self
    }
}

/// The element type of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// f32 on the GPU.
    Real,
    /// u32.
    Uint,
}

/// How a kernel uses a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    /// Only writes.
    ///
    /// With a constant `ADD` that is true, adds to what is there.
    Write,
    /// Only writes, also where `ADD` is true.
    Set,
    /// Always reads what is there before it writes.
    Update,
}

impl Access {
    /// Whether a dispatch with these constants reads the content before.
    pub fn reads(self, consts: &Consts) -> bool {
        match self {
            Access::Read | Access::Update => true,
            Access::Write => consts.adds(),
            Access::Set => false,
        }
    }

    /// Whether it writes.
    pub fn writes(self) -> bool {
        self != Access::Read
    }
}

/// A view that a twin reads, as numbers or integers.
#[derive(Clone, Copy, Debug)]
pub enum Slice<'a, T> {
    Real(&'a [T]),
    Uint(&'a [u32]),
}

/// A view that a twin writes, as numbers or integers.
#[derive(Debug)]
pub enum SliceMut<'a, T> {
    Real(&'a mut [T]),
    Uint(&'a mut [u32]),
}

impl<'a, T> Slice<'a, T> {
    /// The numbers; the kernel table says which bindings hold them.
    pub fn real(&self) -> &'a [T] {
        match self {
            Slice::Real(values) => values,
            Slice::Uint(_) => panic!("the kernel table says integers, the twin wants numbers"),
        }
    }
    /// The integers.
    pub fn uint(&self) -> &'a [u32] {
        match self {
            Slice::Uint(values) => values,
            Slice::Real(_) => panic!("the kernel table says numbers, the twin wants integers"),
        }
    }
}

impl<T> SliceMut<'_, T> {
    /// The numbers; the kernel table says which bindings hold them.
    pub fn real(&mut self) -> &mut [T] {
        match self {
            SliceMut::Real(values) => values,
            SliceMut::Uint(_) => panic!("the kernel table says integers, the twin wants numbers"),
        }
    }
    /// The integers.
    pub fn uint(&mut self) -> &mut [u32] {
        match self {
            SliceMut::Uint(values) => values,
            SliceMut::Real(_) => panic!("the kernel table says numbers, the twin wants integers"),
        }
    }
}
