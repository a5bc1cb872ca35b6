//! Losses that take logits, and layers that change them.

use super::Loss;
use crate::kernel::Activation;
use crate::network::Network;
use crate::network::layers::Layer;

impl Loss {
    /// The layers behind the last dense layer that change the logits which this loss takes, first to last.
    ///
    /// Activations, softmax and dropout are such layers; the squared errors take any outputs. A network that ends in
    /// convolutions has none, as pooling behind an activation is usual there.
    pub fn changed_logits(self, network: &Network) -> Vec<&Layer> {
        let weighs =
            |layer: &&Layer| matches!(layer, Layer::Dense { .. } | Layer::Conv(_) | Layer::Residual(_));
        let behind = network.layers.iter().rev().take_while(|layer| !weighs(layer)).count();
        let (front, behind) = network.layers.split_at(network.layers.len() - behind);
        if !self.takes_logits() || !matches!(front.last(), Some(Layer::Dense { .. })) {
            return Vec::new();
        }
        let changes =
            |layer: &&Layer| matches!(layer, Layer::Activation(_) | Layer::Softmax | Layer::Dropout(_));
        behind.iter().filter(changes).collect()
    }

    /// A sentence about layers that change the logits, if there are some.
    pub fn warning(self, network: &Network) -> Option<String> {
        let changing = self.changed_logits(network);
        let names: Vec<String> = changing.iter().map(|layer| layer.to_string()).collect();
        match (changing.as_slice(), self) {
            ([], _) => None,
            ([Layer::Softmax], Loss::CrossEntropy)
            | ([Layer::Activation(Activation::Sigmoid)], Loss::Bce) => {
                Some(format!("the loss {self} applies {} itself: leave it out of ⟨network⟩", names[0]))
            }
            _ => Some(format!(
                "the loss {self} takes the outputs of the last dense layer as they are, and “{}” behind it changes \
                 them, so the network may not learn: leave that out of ⟨network⟩",
                names.join(", ")
            )),
        }
    }

    fn takes_logits(self) -> bool {
        matches!(self, Loss::CrossEntropy | Loss::Bce)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_and_dropout_between_the_last_dense_layer_and_a_loss_on_logits_are_named() {
        let warning = |loss: Loss, network: &str| loss.warning(&network.parse().unwrap());
        for (layers, named) in [
            ("dense 3, relu, dense 2, relu", "“relu”"),
            ("dense 2, tanh, dropout 0.5", "“tanh, dropout 0.5”"),
            ("dense 2, layernorm, gelu", "“gelu”"),
            ("conv 2 3x3, flatten, dense 2, flatten, sigmoid", "“sigmoid”"),
        ] {
            let said = warning(Loss::CrossEntropy, layers).unwrap();
            assert!(said.contains(named), "{said}");
            assert_eq!(warning(Loss::Mse, layers), None);
        }
        assert!(warning(Loss::CrossEntropy, "dense 2, softmax").unwrap().contains("applies softmax itself"));
        assert!(warning(Loss::Bce, "dense 1, sigmoid").unwrap().contains("applies sigmoid itself"));
        assert!(warning(Loss::Bce, "dense 2, softmax").unwrap().contains("“softmax”"));
        for fine in
            ["dense 2", "relu, dense 2, flatten", "conv 2 3x3, relu, globalavgpool", "dense 2, layernorm"]
        {
            assert_eq!(warning(Loss::CrossEntropy, fine), None, "{fine}");
        }
    }
}
