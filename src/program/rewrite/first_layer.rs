//! Gathering samples into a first dense layer and its gradients, which then unpack the pixels themselves.
//!
//! ```text
//! before   gather_batch images → x, labels    matmul x, W → y          matmul dy, x → dW   column_sums dy → db
//! after                                       pixel_dense images, W    pixel_gradient dy, images → dW, db
//!                                               → y, labels              (and their squares)
//! ```
//!
//! Where all images are in one binding, nothing augments them, nobody else reads x, and the choice has kernels
//! that take such sizes.

use super::draft::{Draft, each};
use super::gradients::{BiasGradient, parts};
use crate::cpu::pixels::{dense_constants, sizes};
use crate::kernel::{Activation, Const, Consts, Epilogue, Family};
use crate::program::{Dispatch, Program, View};
use crate::table;
use crate::table::choice::{Choice, PixelKernels};

pub(super) fn rewrite(program: Program, choice: &Choice) -> Program {
    let Some(kernels) = choice.pixels() else { return program };
    each(program, |draft| draft.positions().for_each(|at| take_in(draft, at, kernels)))
}

/// What takes the gathered samples: the positions of the weighted sums and of the gradients, if there are any.
struct FirstLayer {
    sums: usize,
    gradients: Option<BiasGradient>,
}

fn take_in(draft: &mut Draft, at: usize, kernels: PixelKernels) {
    let Some(gather) = draft.at(at).filter(|found| found.kernel.is(&table::GATHER_BATCH)) else { return };
    let whole = gather.consts.uint("CHUNK_LENGTH") == gather.consts.uint("SAMPLES");
    if !whole || gather.consts.flag("AUGMENT") {
        return;
    }
    let (gather, x) = (gather.clone(), gather.view("x"));
    let Some(layer) = first_layer(draft, at, x) else { return };
    let sums = draft.edit(layer.sums).clone();
    let sizes = layer_sizes(&gather.consts, sums.consts.uint("N"));
    if !kernels.fit(&sizes) {
        return;
    }
    let from = |names: &[&str]| names.iter().map(|name| gather.view(name)).collect::<Vec<View>>();
    let mut args = from(&["images", "labels", "order", "normaliser"]);
    args.extend([sums.view("b"), sums.view("extra"), sums.view("c"), gather.view("y")]);
    let consts = dense_constants(sizes.clone(), Activation::chosen(&sums.consts));
    let dense = Dispatch::new(kernels.dense, consts, args, "weighted sums of pixels").of_layer(&sums.layer);
    draft.replace(layer.sums, vec![dense]);
    if let Some(gradients) = layer.gradients {
        let product = draft.edit(gradients.product).clone();
        let consts = kernels.gradient_constants(sizes, product.consts.flag("ADD"));
        let mut args = vec![product.view("a")];
        args.extend(from(&["images", "order", "normaliser"]));
        args.extend([product.view("c"), gradients.to]);
        args.extend(parts(draft, consts.uint("PARTS")));
        let gradient = Dispatch::new(kernels.gradient, consts, args, "weight and bias gradient");
        draft.replace(gradients.product, vec![gradient.of_layer(&product.layer)]);
        draft.remove(gradients.sums);
    }
    draft.remove(at);
    draft.program().observed.lose(x);
}

/// The dense layer that alone reads what is gathered, and learns from it where it does.
fn first_layer(draft: &Draft, gather: usize, x: View) -> Option<FirstLayer> {
    if draft.writer(x.buf) != Some(gather) {
        return None;
    }
    let readers = draft.readers(x.buf);
    let (sums, gradients) = match readers.as_slice() {
        [sums] => (*sums, None),
        [sums, product] => (*sums, Some(BiasGradient::beside(draft, *product)?)),
        _ => return None,
    };
    let layer = draft.at(sums).filter(|found| found.kernel.is_a(Family::Matmul) && found.view("a") == x)?;
    let is = |name: &str, flag: bool| layer.consts.flag(name) == flag;
    let with_bias = layer.consts.has("EPILOGUE", Const::Uint(Epilogue::Bias as u32));
    let forward = with_bias && is("TRANSPOSE_A", false) && is("TRANSPOSE_B", true) && is("ADD", false);
    forward.then_some(FirstLayer { sums, gradients })
}

/// The sizes of a dense layer that takes what a dispatch gathers.
fn layer_sizes(gather: &Consts, outputs: usize) -> Consts {
    let [batch, first, channels, plane, samples] =
        ["BATCH", "FIRST", "CHANNELS", "PLANE", "SAMPLES"].map(|name| gather.uint(name));
    sizes(batch, first, [channels, plane], samples, outputs)
}
