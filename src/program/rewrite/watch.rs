//! The watch over all gradients from the parts that their kernels keep.
//!
//! ```text
//! before   weight_gradient → dW, db, squares 0    …    gradient_parts all gradients → squares    guard squares
//! after    weight_gradient → dW, db, squares[0]   …                                              guard squares
//! ```
//!
//! Where every gradient of the parameters is written by a kernel that watches it.

use std::collections::HashMap;

use super::draft::{Draft, each};
use crate::kernel::{Const, Element};
use crate::program::{Dispatch, Program, Role, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, _: &Choice) -> Program {
    each(program, join)
}

/// Whether a kernel leaves the squares and the flaws of the gradients that it writes.
fn watches(dispatch: &Dispatch) -> bool {
    !dispatch.kernel.is(&table::GRADIENT_PARTS)
        && ["dweight", "sums", "flaws"]
            .iter()
            .all(|name| dispatch.kernel.binds.iter().any(|bind| bind.name == *name))
}

fn join(draft: &mut Draft) {
    let by = |draft: &Draft, at: usize, kernel| draft.at(at).is_some_and(|found| found.kernel.is(kernel));
    let all = draft.positions().find(|at| by(draft, *at, &table::GRADIENT_PARTS));
    let Some(all) = all else { return };
    let writes_gradients = |draft: &Draft, at: &usize| {
        let writes = |found: &Dispatch| found.writes().any(|view| draft.role(view.buf) == Role::Gradients);
        draft.at(*at).is_some_and(writes)
    };
    let writers: Vec<usize> = (0..all).filter(|at| writes_gradients(draft, at)).collect();
    if writers.is_empty() || !writers.iter().all(|at| draft.at(*at).is_some_and(watches)) {
        return;
    }
    // A part for every gradient: each batch of a step writes the same, and the last one has the finished sums.
    let mut parts: HashMap<usize, usize> = HashMap::new();
    let mut len = 0;
    for at in &writers {
        let found = draft.edit(*at);
        let count = found.view("sums").len;
        parts.entry(found.view("dweight").start).or_insert_with(|| {
            len += count;
            len - count
        });
    }
    let program = draft.program();
    let squares = program.declare("watched squares", Element::Real, len, Role::Guard);
    let flaws = program.declare("watched flaws", Element::Uint, len, Role::Guard);
    for at in &writers {
        let found = draft.edit(*at);
        let (start, count) = (parts[&found.view("dweight").start], found.view("sums").len);
        found.bind("sums", View { start, len: count, ..squares });
        found.bind("flaws", View { start, len: count, ..flaws });
    }
    draft.remove(all);
    let guard = draft.positions().find(|at| by(draft, *at, &table::GUARD));
    if let Some(guard) = guard {
        let guard = draft.edit(guard);
        guard.bind("sums", squares);
        guard.bind("flaws", flaws);
        guard.consts.set("PARTS", Const::from(len));
    }
}
