//! Lets a first dense layer and its gradients gather their samples, and unpack the pixels.
//!
//! ```text
//! before   gather_batch images → x, labels    matmul x, W → y          matmul dy, x → dW   column_sums dy → db
//! after                                       gather_dense images, W    gather_dense_gradient dy, images → dW, db
//!                                               → y, labels              (and their squares)
//! ```
//!
//! It applies where all images are in one binding, nothing augments them, nothing else reads x, and the choice has
//! kernels for the sizes.

use super::dense::{DenseGradients, is_weighted_sums};
use super::draft::{Draft, each};
use super::gradients::parts;
use crate::cpu::gather_dense::{dense_constants, sizes};
use crate::kernel::{Activation, Consts};
use crate::program::{Dispatch, Program, View};
use crate::table;
use crate::table::choice::{Choice, GatherDenseKernels};

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    let Some(kernels) = choice.gather_dense() else { return program };
    each(program, |draft| draft.positions().for_each(|at| take_in(draft, at, kernels)))
}

/// The layer that reads the gathered samples.
struct FirstLayer {
    /// The position of the weighted sums.
    at: usize,
    sums: Dispatch,
    /// The position of the gradients' product, and the gradients, where the layer learns.
    gradients: Option<(usize, DenseGradients)>,
}

fn take_in(draft: &mut Draft, at: usize, kernels: GatherDenseKernels) {
    let Some(gather) = draft.at(at).filter(|found| found.kernel.is(&table::GATHER_BATCH)) else { return };
    let whole = gather.consts.uint("CHUNK_LENGTH") == gather.consts.uint("SAMPLES");
    if !whole || gather.consts.flag("AUGMENT") {
        return;
    }
    let (gather, x) = (gather.clone(), gather.view("x"));
    let Some(layer) = first_layer(draft, at, x) else { return };
    let sums = layer.sums;
    let sizes = layer_sizes(&gather.consts, sums.consts.uint("N"));
    if !kernels.fit(&sizes) {
        return;
    }
    let from = |names: &[&str]| names.iter().map(|name| gather.view(name)).collect::<Vec<View>>();
    let mut args = from(&["images", "labels", "order", "normaliser"]);
    args.extend([sums.view("b"), sums.view("extra"), sums.view("c"), gather.view("batch_labels")]);
    let consts = dense_constants(sizes.clone(), Activation::chosen(&sums.consts));
    let dense = Dispatch::new(kernels.dense, consts, args, "weighted sums of pixels").of_layer(&sums.layer);
    draft.replace(layer.at, vec![dense]);
    if let Some((product, gradients)) = layer.gradients {
        let weight = gradients.weight;
        let consts = kernels.gradient_constants(sizes, weight.consts.flag("ADD"));
        let mut args = vec![weight.view("a")];
        args.extend(from(&["images", "order", "normaliser"]));
        args.extend([weight.view("c"), gradients.dbias]);
        args.extend(parts(draft, &weight.layer, consts.uint("PARTS")));
        let gradient = Dispatch::new(kernels.gradient, consts, args, "weight and bias gradient");
        draft.replace(product, vec![gradient.of_layer(&weight.layer)]);
        draft.remove(gradients.sums);
    }
    draft.remove(at);
    draft.program().observed.lose(x);
}

/// The dense layer, if it alone reads the gathered samples.
fn first_layer(draft: &Draft, gather: usize, x: View) -> Option<FirstLayer> {
    if draft.writer(x.buf) != Some(gather) {
        return None;
    }
    let (at, gradients) = match draft.readers(x.buf).as_slice() {
        [sums] => (*sums, None),
        [sums, product] => (*sums, Some((*product, DenseGradients::at(draft, *product)?))),
        _ => return None,
    };
    let sums = draft.at(at).filter(|found| is_weighted_sums(found) && found.view("a") == x)?;
    Some(FirstLayer { at, sums: sums.clone(), gradients })
}

/// The sizes of a dense layer that reads the samples of `gather`.
fn layer_sizes(gather: &Consts, outputs: usize) -> Consts {
    let [batch, first, channels, plane, samples] =
        ["BATCH", "FIRST", "CHANNELS", "PLANE", "SAMPLES"].map(|name| gather.uint(name));
    sizes(batch, first, [channels, plane], samples, outputs)
}
