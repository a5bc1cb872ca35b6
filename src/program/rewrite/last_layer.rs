//! Joins a small last layer, its loss and the gradient of its input.
//!
//! ```text
//! before   matmul x, W → logits    softmax_loss logits → dlogits, metrics    matmul dlogits, W → dx
//! after    dense_softmax_loss x, W, labels → logits, dlogits, metrics, dx
//! ```
//!
//! It applies where nothing is trained too: computing gradients that nothing reads costs a GPU less than another
//! dispatch.

use super::dense::{derivative_of, is_input_gradient, is_weighted_sums};
use super::draft::{Draft, each};
use crate::kernel::consts;
use crate::kernel::{Activation, Consts, Element, Kernel};
use crate::program::{Buf, Dispatch, Program, Role, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    let Some(kernel) = choice.dense_softmax_loss() else { return program };
    each(program, |draft| draft.positions().for_each(|at| join(draft, at, kernel, choice)))
}

fn join(draft: &mut Draft, at: usize, kernel: &'static Kernel, choice: &Choice) {
    let Some(loss) = draft.at(at).filter(|found| found.kernel.is(&table::SOFTMAX_LOSS)).cloned() else {
        return;
    };
    let (logits, dlogits) = (loss.view("logits"), loss.view("dlogits"));
    let Some((sums, layer)) = last_layer(draft, at, logits) else { return };
    let x = layer.view("a");
    // `slices` takes long sums.
    if choice.slices(&layer.consts).is_some() || !learns(draft, x.buf) {
        return;
    }
    let back = draft.readers(dlogits.buf).into_iter().find_map(|at| {
        let found = draft.at(at).filter(|found| is_input_gradient(found, dlogits, layer.view("b")))?;
        Some((at, found.clone()))
    });
    if back.as_ref().is_some_and(|(_, back)| back.consts.flag("ADD")) {
        return;
    }
    let activation = back.as_ref().map_or_else(|| activation_of(draft, x), |(_, back)| derivative_of(back));
    let consts = constants(&loss.consts, layer.consts.uint("K"), activation);
    if (kernel.requires)(&consts).is_err() {
        return;
    }
    let dx = match &back {
        Some((_, back)) => back.view("c"),
        None => draft.scratch(&layer.layer, "input gradient", Element::Real, x.len),
    };
    let args = [x, layer.view("b"), layer.view("extra"), loss.view("labels"), logits, dlogits];
    let args = [&args[..], &[loss.view("metrics"), dx]].concat();
    let what = format!("{}, loss and its gradients", layer.what);
    draft.replace(at, vec![Dispatch::new(kernel, consts, args, what).of_layer(&layer.layer)]);
    draft.remove(sums);
    if let Some((back, _)) = back {
        draft.remove(back);
    }
}

/// The position of the dense layer without an activation whose logits only this loss reads, and the layer.
fn last_layer(draft: &Draft, loss: usize, logits: View) -> Option<(usize, Dispatch)> {
    let sums = draft.writer(logits.buf)?;
    let layer = draft.at(sums).filter(|found| is_weighted_sums(found))?;
    let bare = Activation::chosen(&layer.consts) == Activation::Identity;
    (bare && draft.readers(logits.buf) == [loss]).then(|| (sums, layer.clone()))
}

/// The activation in the epilogue of the dispatch that writes x.
///
/// Its derivative is computed even where no gradient of x is wanted, so that the kernel is the same as in training.
fn activation_of(draft: &Draft, x: View) -> Activation {
    let maker = draft.writer(x.buf).and_then(|at| draft.at(at));
    let in_epilogue = |maker: &&Dispatch| {
        !maker.kernel.is(&table::ACTIVATION) && maker.kernel.consts.contains(&"ACTIVATION")
    };
    maker.filter(in_epilogue).map_or(Activation::Identity, |maker| Activation::chosen(&maker.consts))
}

/// Whether the content of a buffer depends on a learned parameter.
///
/// Else nothing needs its gradient.
fn learns(draft: &Draft, buf: Buf) -> bool {
    let (mut open, mut seen) = (vec![buf], vec![buf]);
    while let Some(buf) = open.pop() {
        let writers = draft.writers(buf);
        if writers.is_empty() && draft.role(buf) == Role::Activations {
            // An engine's caller writes it, and it is no data.
            return true;
        }
        for writer in writers.into_iter().flat_map(|at| draft.all(at)) {
            for read in writer.reads().map(|view| view.buf) {
                match draft.role(read) {
                    // The EMA of the weights is among the optimiser state.
                    Role::Parameters | Role::Optimiser => return true,
                    Role::Activations if !seen.contains(&read) => {
                        open.push(read);
                        seen.push(read);
                    }
                    _ => {}
                }
            }
        }
    }
    false
}

/// The constants of the loss, and of a layer with this many inputs.
fn constants(loss: &Consts, inputs: usize, activation: Activation) -> Consts {
    let [batch, classes, slots, pitch, first] =
        ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST"].map(|name| loss.uint(name));
    let (kind, leak) = activation.consts();
    consts! {
        BATCH: batch, INPUTS: inputs, CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
        ACTIVATION: kind, LEAK: leak,
    }
}
