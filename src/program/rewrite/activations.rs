//! Moves activations into the epilogue of the layer in front of them, in both passes.
//!
//! ```text
//! before   matmul → z    activation z → y              … dy    activation_backward y, dy → dz
//! after    matmul → y    (with the activation)         … dz    (times activation'(y), by the writer of dy)
//! ```
//!
//! Convolutions, norms and sums can have an activation as well. In the backward pass the products, convolutions,
//! poolings and sums that write dy multiply by the derivative. Where several write dy and one of them can't multiply,
//! that one gets a dispatch behind it, whose result is added.

use super::dense::has_epilogue;
use super::draft::{Draft, each};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Element, Epilogue, Family};
use crate::program::{Dispatch, Program, View};
use crate::table;
use crate::table::choice::Choice;

pub(super) fn rewrite(program: Program, _: &Choice) -> Program {
    each(program, |draft| draft.positions().for_each(|at| take_in(draft, at)))
}

/// Moves the activation at a position into the dispatch that writes its input, if that can have one.
fn take_in(draft: &mut Draft, at: usize) {
    let Some(found) = draft.at(at).filter(|found| found.kernel.is(&table::ACTIVATION)) else { return };
    let activation = Activation::chosen(&found.consts);
    let (z, y) = (found.view("x"), found.view("y"));
    let Some(maker) = draft.writer(z.buf).filter(|maker| draft.at(*maker).is_some_and(takes_activation))
    else {
        return;
    };
    // Derivatives of the others need z.
    if !activation.derivative_is_in_output() || draft.readers(z.buf) != [at] {
        return;
    }
    let Some(mut made) = draft.at(maker).cloned() else { return };
    set_activation(&mut made, activation);
    made.rebind(z, y);
    let layer = made.layer.clone();
    draft.replace(maker, vec![made]);
    draft.remove(at);
    // The output keeps the layer's name.
    let name = draft.name(z.buf).to_owned();
    draft.program().bufs[y.buf.0].name = name;
    let dz = take_derivative_in(draft, activation, z, y);
    let observed = &mut draft.program().observed;
    observed.lose(z);
    observed.made_by(y, &layer, dz);
}

/// Whether a dispatch can apply an activation to its output, and applies none yet.
fn takes_activation(maker: &Dispatch) -> bool {
    let sums = maker.kernel.is_a(Family::Matmul) || maker.kernel.is_a(Family::Conv);
    let with_bias = sums && has_epilogue(maker, Epilogue::Bias);
    let takes = with_bias || maker.kernel.is(&table::NORMALISE) || maker.kernel.is(&table::ADD);
    takes && Activation::chosen(&maker.consts) == Activation::Identity
}

fn set_activation(dispatch: &mut Dispatch, activation: Activation) {
    let (kind, leak) = activation.consts();
    dispatch.consts.set("ACTIVATION", kind);
    dispatch.consts.set("LEAK", leak);
}

/// Lets the writers of dy, the gradient of y, write dz, the gradient of the weighted sums.
///
/// Returns dz; none where nothing is learned.
fn take_derivative_in(draft: &mut Draft, activation: Activation, z: View, y: View) -> Option<View> {
    let back = draft.writer(draft.gradient(z.buf)?)?;
    let through = draft.at(back).filter(|through| through.kernel.is(&table::ACTIVATION_BACKWARD))?;
    let (dy, dz) = (through.view("dy"), through.view("dx"));
    let writers = draft.writers(dy.buf);
    let takes = |draft: &Draft, at: usize| draft.at(at).is_some_and(takes_derivative);
    // A single writer that can't multiply leaves that to the dispatch that there is.
    let alone = writers.len() == 1 && !takes(draft, writers[0]);
    let several = writers.iter().any(|at| draft.at(*at).is_none());
    if alone || several || draft.readers(dy.buf) != [back] {
        return Some(dz);
    }
    for at in writers {
        let mut writer = draft.at(at).expect("one dispatch stands there").clone();
        if takes_derivative(&writer) {
            multiply_by_derivative(&mut writer, activation, y);
            writer.rebind(dy, dz);
            draft.replace(at, vec![writer]);
        } else {
            apart(draft, at, writer, activation, [y, dy, dz]);
        }
    }
    draft.remove(back);
    Some(dz)
}

/// Whether a dispatch that writes a gradient can multiply it by a derivative.
fn takes_derivative(writer: &Dispatch) -> bool {
    let sums = writer.kernel.is_a(Family::Matmul) || writer.kernel.is_a(Family::Conv);
    let plain = sums && has_epilogue(writer, Epilogue::Plain);
    let others = [&table::MAX_POOL_BACKWARD, &table::AVERAGE_POOL_BACKWARD, &table::ACTIVATION_BACKWARD];
    let takes = plain || others.iter().any(|kernel| writer.kernel.is(kernel));
    takes && Activation::chosen(&writer.consts) == Activation::Identity
}

/// Sets the derivative at y.
///
/// All kernels but products and convolutions bind y already.
fn multiply_by_derivative(writer: &mut Dispatch, activation: Activation, y: View) {
    set_activation(writer, activation);
    if writer.kernel.is_a(Family::Matmul) || writer.kernel.is_a(Family::Conv) {
        writer.consts.set("EPILOGUE", Const::Uint(Epilogue::Derivative as u32));
        writer.bind("extra", y);
    }
}

/// Lets a writer that can't multiply write a plain gradient, which a dispatch behind it turns into dz.
fn apart(draft: &mut Draft, at: usize, mut writer: Dispatch, activation: Activation, [y, dy, dz]: [View; 3]) {
    let plain = draft.scratch(&writer.layer, "plain gradient", Element::Real, dy.len);
    let add = writer.consts.flag("ADD");
    writer.consts.set("ADD", Const::from(false));
    writer.rebind(dy, plain);
    let (kind, leak) = activation.consts();
    let consts = consts! { LENGTH: y.len, ACTIVATION: kind, LEAK: leak, ADD: add };
    let what = "gradient through the activation";
    let through = Dispatch::new(&table::ACTIVATION_BACKWARD, consts, vec![y, plain, dz], what);
    let through = through.of_layer(&writer.layer);
    draft.replace(at, vec![writer, through]);
}
