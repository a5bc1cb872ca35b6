//! Losses that take logits, and layers that change them.

use super::Loss;
use crate::kernel::Activation;
use crate::network::Network;
use crate::network::layers::Layer;

impl Loss {
    /// The layers behind the last layer with weights that keep this loss from learning, first to last.
    ///
    /// For losses on logits they are activations, softmax and dropout, whichever pooling lies between, also within a
    /// residual block at the end. The squared errors take any outputs: for them they are dropout and the activations
    /// that pass hardly any gradient below 0.
    pub fn changed_logits(self, network: &Network) -> Vec<&Layer> {
        self.changed(network).map_or_else(Vec::new, |(_, changing)| changing)
    }

    /// The last layer with weights, and the layers of [`changed_logits`](Self::changed_logits).
    fn changed(self, network: &Network) -> Option<(&Layer, Vec<&Layer>)> {
        let mut layers = unfolded(&network.layers);
        let last = layers.iter().rposition(|layer| matches!(layer, Layer::Dense { .. } | Layer::Conv(_)))?;
        let behind = layers.split_off(last + 1);
        Some((layers[last], behind.into_iter().filter(|layer| self.suffers_from(layer)).collect()))
    }

    fn suffers_from(self, layer: &Layer) -> bool {
        match layer {
            Layer::Dropout(_) => true,
            Layer::Activation(Activation::Relu | Activation::Gelu | Activation::Silu) => true,
            Layer::Activation(_) | Layer::Softmax => self.takes_logits(),
            _ => false,
        }
    }

    /// A sentence about layers that change the logits, if there are some.
    pub fn warning(self, network: &Network) -> Option<String> {
        let (weights, changing) = self.changed(network)?;
        let names: Vec<String> = changing.iter().map(|layer| layer.to_string()).collect();
        let named = names.join(", ");
        let cut_off = !changing.iter().any(|layer| matches!(layer, Layer::Dropout(_)));
        match (changing.as_slice(), self) {
            ([], _) => None,
            ([Layer::Softmax], Loss::CrossEntropy)
            | ([Layer::Activation(Activation::Sigmoid)], Loss::Bce) => {
                Some(format!("the loss {self} applies {named} itself: leave it out of ⟨network⟩"))
            }
            _ if self.takes_logits() => Some(format!(
                "the loss {self} takes the outputs of the last layer with weights, “{weights}”, as they are, and \
                 “{named}” behind it changes them, so the network may not learn: leave that out of ⟨network⟩"
            )),
            _ if cut_off => Some(format!(
                "“{named}” behind the last layer with weights, “{weights}”, cuts off its outputs below 0, where the loss \
                 {self} can hardly correct them, so a class may never be learned: leave that out of ⟨network⟩"
            )),
            _ => Some(format!(
                "“{named}” behind the last layer with weights, “{weights}”, changes the outputs that the loss {self} \
                 compares with their targets, so the network may not learn: leave that out of ⟨network⟩"
            )),
        }
    }

    fn takes_logits(self) -> bool {
        matches!(self, Loss::CrossEntropy | Loss::Bce)
    }
}

/// The layers in order, with those within residual blocks in place of the blocks.
fn unfolded(layers: &[Layer]) -> Vec<&Layer> {
    let each = layers.iter().map(|layer| match layer {
        Layer::Residual(block) => unfolded(&block.body),
        _ => vec![layer],
    });
    each.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(loss: Loss, network: &str) -> Option<String> {
        loss.warning(&network.parse().unwrap())
    }

    #[test]
    fn activations_and_dropout_between_the_last_weights_and_a_loss_on_logits_are_named() {
        for (layers, weights, named) in [
            ("dense 3, relu, dense 2, relu", "“dense 2”", "“relu”"),
            ("dense 2, tanh, dropout 0.5", "“dense 2”", "“tanh, dropout 0.5”"),
            ("dense 2, layernorm, gelu", "“dense 2”", "“gelu”"),
            ("conv 2 3x3, flatten, dense 2, flatten, sigmoid", "“dense 2”", "“sigmoid”"),
            ("conv 4 3x3, relu, conv 2 8x8, relu", "“conv 2 8x8”", "“relu”"),
            ("conv 2 8x8, flatten, tanh", "“conv 2 8x8”", "“tanh”"),
            ("conv 2 3x3, relu, globalavgpool", "“conv 2 3x3”", "“relu”"),
            ("conv 2 3x3, batchnorm, relu, maxpool 2, avgpool 2, flatten", "“conv 2 3x3”", "“relu”"),
            ("dense 2, residual { dense 2, relu }", "“dense 2”", "“relu”"),
            ("dense 2, residual { residual { dense 2 }, silu }, flatten", "“dense 2”", "“silu”"),
            ("residual { dense 2 }, leaky-relu", "“dense 2”", "“leaky-relu 0.01”"),
        ] {
            let said = warning(Loss::CrossEntropy, layers).unwrap();
            assert!(said.contains(named) && said.contains(weights), "{said}");
            assert!(warning(Loss::Bce, layers).is_some(), "{layers}");
        }
        assert!(warning(Loss::CrossEntropy, "dense 2, softmax").unwrap().contains("applies softmax itself"));
        assert!(
            warning(Loss::CrossEntropy, "conv 2 8x8, softmax").unwrap().contains("applies softmax itself")
        );
        assert!(warning(Loss::Bce, "dense 1, sigmoid").unwrap().contains("applies sigmoid itself"));
        assert!(warning(Loss::Bce, "dense 2, softmax").unwrap().contains("“softmax”"));
        for fine in [
            "dense 2",
            "relu, dense 2, flatten",
            "conv 2 3x3, globalavgpool",
            "dense 2, layernorm",
            "conv 4 3x3, relu, globalavgpool, dense 2",
            "dense 2, relu, residual { relu, dense 2 }",
        ] {
            assert_eq!(warning(Loss::CrossEntropy, fine), None, "{fine}");
        }
    }

    #[test]
    fn outputs_that_a_squared_error_can_not_correct_are_named() {
        for loss in [Loss::Mse, Loss::SquaredError] {
            for cut_off in
                ["dense 3, relu, dense 2, relu", "conv 2 8x8, gelu, flatten", "dense 2, silu, softmax"]
            {
                assert!(
                    warning(loss, cut_off).unwrap().contains("cuts off its outputs below 0"),
                    "{cut_off}"
                );
            }
            assert!(warning(loss, "dense 2, tanh, dropout 0.5").unwrap().contains("“dropout 0.5”"));
            for fine in [
                "dense 2, sigmoid",
                "dense 2, softmax",
                "dense 2, tanh",
                "relu, dense 2",
                "dense 2, leaky-relu",
            ] {
                assert_eq!(warning(loss, fine), None, "{fine}");
            }
        }
    }
}
