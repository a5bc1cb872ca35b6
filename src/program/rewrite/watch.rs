//! Takes the norm of all gradients from the squares that their kernels write.
//!
//! ```text
//! before   weight_gradient → dW, db, own squares    …    gradient_parts all gradients → squares    guard squares
//! after    weight_gradient → dW, db, its part of the watched squares     …                guard watched squares
//! ```
//!
//! It applies where every gradient of the parameters is written by such a kernel.

use std::collections::HashMap;

use super::draft::{Draft, each};
use crate::kernel::{Const, Element, Family, Kernel};
use crate::program::{Dispatch, Program, Role, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, _: &Choice) -> Program {
    each(program, join)
}

/// Whether a dispatch writes the squares and non-finite counts of its gradients.
fn watches(dispatch: &Dispatch) -> bool {
    dispatch.kernel.is_a(Family::WeightGradient) || dispatch.kernel.is_a(Family::GatherDenseGradient)
}

fn join(draft: &mut Draft) {
    let Some(all) = find(draft, &table::GRADIENT_PARTS) else { return };
    let guard = find(draft, &table::GUARD);
    let read_elsewhere =
        draft.all(all)[0].writes().any(|view| draft.readers(view.buf) != Vec::from_iter(guard));
    let writes_gradients = |at: &usize| {
        let mut written = draft.all(*at).iter().flat_map(Dispatch::writes);
        written.any(|view| draft.role(view.buf) == Role::Gradients)
    };
    let writers: Vec<usize> = (0..all).filter(writes_gradients).collect();
    let watched = writers.iter().all(|at| draft.at(*at).is_some_and(watches));
    if read_elsewhere || writers.is_empty() || !watched {
        return;
    }
    let watched = share_out(draft, &writers);
    draft.remove(all);
    if let Some(at) = guard {
        let mut guard = draft.all(at)[0].clone();
        guard.bind("sums", watched.squares);
        guard.bind("non_finite", watched.non_finite);
        guard.consts.set("PARTS", Const::from(watched.squares.len));
        draft.replace(at, vec![guard]);
    }
}

/// The position of the only dispatch of a kernel.
fn find(draft: &Draft, kernel: &'static Kernel) -> Option<usize> {
    draft.positions().find(|at| draft.at(*at).is_some_and(|found| found.kernel.is(kernel)))
}

/// The squares and non-finite counts of all gradients.
struct Watched {
    squares: View,
    non_finite: View,
}

/// Gives each gradient its part of two buffers.
///
/// All batches of a step write the same part, and the last one has the finished sums.
fn share_out(draft: &mut Draft, writers: &[usize]) -> Watched {
    let mut starts: HashMap<usize, usize> = HashMap::new();
    let mut len = 0;
    for at in writers {
        let found = &draft.all(*at)[0];
        let count = found.view("sums").len;
        starts.entry(found.view("dweight").start).or_insert_with(|| {
            len += count;
            len - count
        });
    }
    let program = draft.program();
    let squares = program.declare("watched squares", Element::Real, len, Role::Guard);
    let non_finite = program.declare("watched non_finite", Element::Uint, len, Role::Guard);
    for at in writers {
        let mut found = draft.all(*at)[0].clone();
        let (start, count) = (starts[&found.view("dweight").start], found.view("sums").len);
        found.bind("sums", View { start, len: count, ..squares });
        found.bind("non_finite", View { start, len: count, ..non_finite });
        draft.replace(*at, vec![found]);
    }
    Watched { squares, non_finite }
}
