//! Fast functions of the CPU engine, with vectors and all cores in place of the twins' plain loops.
//!
//! Each is tested against its twin in the same cases as the shader, see `tests/parity.rs`. Results don't depend on the
//! number of threads: sums are cut at fixed positions. Scratch memory is kept from one step to the next.

pub mod arena;
mod augment;
mod bytes;
pub mod conv;
mod convolution;
pub mod dense_softmax_loss;
mod direct;
pub mod elementwise;
pub mod f16;
mod functions;
pub mod gather;
pub mod matmul;
mod matrix;
pub mod norm;
#[cfg(target_arch = "x86_64")]
mod panels;
pub mod pool;
mod product;
pub mod softmax;
pub mod sums;
mod tile;
pub mod updates;
pub mod weights;

use std::cell::RefCell;
use std::thread::LocalKey;

use crate::kernel::{Activation, Epilogue};
use functions::{apply, derivative, for_kind};

/// Runs loops compiled for the widest vectors of this machine, if they are inlined here.
///
/// Results are the same on every machine: no sum has another order, and no product and sum are fused.
fn vectorised<R>(loops: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(loops)
}

/// Unused scratch memory of a thread, the last returned last.
type SpareBuffers<T> = LocalKey<RefCell<Vec<Vec<T>>>>;

thread_local! {
    static NUMBERS: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    static OFFSETS: RefCell<Vec<Vec<usize>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with scratch memory of this thread, whose content is arbitrary.
///
/// The memory is kept, so that only the first step allocates.
fn scratch<R>(len: usize, then: impl FnOnce(&mut [f32]) -> R) -> R {
    lend(&NUMBERS, len, then)
}

/// The same for offsets, which are set to these.
fn offsets<R>(offsets: impl ExactSizeIterator<Item = usize>, then: impl FnOnce(&[usize]) -> R) -> R {
    lend(&OFFSETS, offsets.len(), |memory| {
        memory.iter_mut().zip(offsets).for_each(|(to, offset)| *to = offset);
        then(memory)
    })
}

fn lend<T: Clone + Default, R>(
    kept: &'static SpareBuffers<T>,
    len: usize,
    then: impl FnOnce(&mut [T]) -> R,
) -> R {
    let mut memory = kept.with_borrow_mut(Vec::pop).unwrap_or_default();
    if memory.len() < len {
        memory.resize(len, T::default());
    }
    let result = then(&mut memory[..len]);
    kept.with_borrow_mut(|kept| kept.push(memory));
    result
}

/// The epilogue of finished sums, each with an element of `extra`.
fn finish_row(epilogue: Epilogue, activation: Activation, extra: &[f32], sums: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || match epilogue {
            Epilogue::Plain => {}
            Epilogue::Bias => for_kind!(activation, kind => {
                for (sum, bias) in sums.iter_mut().zip(extra) {
                    *sum = apply(kind, *sum + bias);
                }
            }),
            Epilogue::Derivative => for_kind!(activation, kind => {
                for (sum, y) in sums.iter_mut().zip(extra) {
                    *sum *= derivative(kind, *y);
                }
            }),
        },
    );
}

/// The epilogue of finished sums with one bias.
fn finish_plane(activation: Activation, bias: f32, sums: &mut [f32]) {
    vectorised(
        #[inline(always)]
        || {
            for_kind!(activation, kind => {
                for sum in sums.iter_mut() {
                    *sum = apply(kind, *sum + bias);
                }
            });
        },
    );
}
