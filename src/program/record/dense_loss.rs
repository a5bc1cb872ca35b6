//! A small last layer and its loss in one dispatch.

use super::{Gradient, Recorder, Tensor};
use crate::consts;
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::kernel::{Const, Consts};
use crate::program::{Dispatch, View};

impl Recorder {
    /// Notes the input and the output of a dense layer whose weighted sums have just been recorded.
    pub(crate) fn note_dense(&mut self, x: Tensor, y: Tensor) {
        self.last_dense = Some([x, y]);
    }

    /// Whether the loss has computed the input gradient of the dense layer with this output.
    pub(crate) fn is_carried_back(&self, y: Tensor) -> bool {
        self.carried_back == Some(y.value.buf)
    }

    /// Records softmax cross-entropy of `output`, for which `sizes` are the loss's constants, together with
    /// the dense layer that has just given it and the gradient of that layer's input; false where it isn't
    /// one, its input are the data, or there is no kernel for it.
    ///
    /// Where nothing is trained, nobody reads the gradients; but on a GPU one dispatch more would cost more.
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
        let Some([x, _]) = self.last_dense.filter(|[x, y]| y.value == output.value && x.needs_gradient)
        else {
            return false;
        };
        let consts = constants(&sizes, x);
        if (kernel.requires)(&consts).is_err() {
            return false;
        }
        let [_, weight, bias, logits] = layer.args[..] else { return false };
        let label = format!("{}, loss and its gradients", layer.label);
        let dx = self.gradient(x);
        assert!(!dx.add, "nothing behind the last layer has written a gradient");
        let args = vec![x.value, weight, bias, labels, logits, gradient.view, metrics, dx.view];
        self.program.steps.pop();
        self.program.steps.push(Dispatch::new(kernel, consts, args, label));
        self.carried_back = Some(output.value.buf);
        true
    }
}

/// The constants of the loss, and those of the layer with this input.
fn constants(loss: &Consts, x: Tensor) -> Consts {
    let [batch, classes, slots, pitch, first] =
        ["BATCH", "CLASSES", "SLOTS", "PITCH", "FIRST"].map(|name| loss.uint(name));
    let (kind, leak) = x.made_by.consts();
    consts! {
        BATCH: batch, INPUTS: x.columns(), CLASSES: classes, SLOTS: slots, PITCH: pitch, FIRST: first,
        ACTIVATION: kind, LEAK: leak,
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
