//! A small last layer and its loss in one dispatch.

use super::{Gradient, Recorder, Tensor};
use crate::consts;
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::kernel::{Const, Consts};
use crate::program::{Dispatch, View};

impl Recorder {
    /// Records softmax cross-entropy of `output`, for which `sizes` are the loss's constants, together with
    /// the dense layer that has just given it; false where it isn't one, or there is no kernel for it.
    pub(crate) fn dense_loss(
        &mut self,
        sizes: Consts,
        output: Tensor,
        labels: View,
        gradient: Gradient,
        metrics: View,
    ) -> bool {
        let Some(kernel) = self.versions.dense_loss().filter(|_| self.fuse && !gradient.add) else {
            return false;
        };
        let Some(layer) = self.program.steps.last().filter(|last| gives(last, output)) else { return false };
        let [batch, classes, slots, pitch, first] =
            ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST"].map(|name| sizes.uint(name));
        let consts = consts! {
            BATCH: batch, INPUTS: layer.consts.uint("K"), CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
        };
        if (kernel.requires)(&consts).is_err() {
            return false;
        }
        let [x, weight, bias, logits] = layer.args[..] else { return false };
        let label = format!("{}, loss and its gradient", layer.label);
        let args = vec![x, weight, bias, labels, logits, gradient.view, metrics];
        self.program.steps.pop();
        self.program.steps.push(Dispatch::new(kernel, consts, args, label));
        true
    }
}

/// Whether a dispatch is the weighted sums of a dense layer without an activation, and these its output.
fn gives(last: &Dispatch, output: Tensor) -> bool {
    let is = |name: &str, value: Const| last.consts.iter().any(|pair| pair == (name, value));
    last.kernel.twin_name == "cpu::matmul::matmul"
        && last.args[3] == output.value
        && is("EPILOGUE", Const::Uint(Epilogue::Bias as u32))
        && is("ACTIVATION", Activation::Identity.consts().0)
        && is("TRANSPOSE_B", Const::Flag(true))
}
