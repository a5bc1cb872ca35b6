//! Layers that work on images: convolution and pooling.

use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Part, TRAIN};
use wgrad::internals::program::shape::Shape;

use crate::check;
use crate::small::Small;

/// Networks for three classes on images of two channels, 5 by 6.
const NETWORKS: &[&str] = &[
    "conv 3 3x3, flatten, dense 3",
    "conv 3 3x3 pad 1, relu, dense 3",
    "conv 4 2x3 stride 2x1 pad 1x0 no-bias, tanh, dense 3",
    "conv 4 2x2 dilation 2x3, sigmoid, conv 3 2x2 pad 1 dilation 2, leaky-relu 0.2, dense 3",
    // Groups, down to every channel for itself.
    "conv 4 3x3 groups 2, tanh, conv 4 2x2 groups 4, relu, dense 3",
    // The activation in front is in the epilogue of the input gradient.
    "conv 3 2x2, tanh, conv 4 3x3 stride 2 pad 1, sigmoid, conv 3 2x2 stride 3 pad 2, dense 3",
    "maxpool 2, dense 3",
    "conv 3 2x2, maxpool 2, dense 3",
    "conv 3 2x2 pad 1, tanh, maxpool 3 stride 2 pad 1, dense 3",
    "conv 3 2x2, relu, maxpool 2x3 stride 1, conv 2 2x2, dense 3",
    "conv 3 2x2, avgpool 2, dense 3",
    "conv 3 2x2, sigmoid, avgpool 3x2 stride 2 pad 1, tanh, dense 3",
    "conv 4 2x2, tanh, globalavgpool, dense 3",
    "conv 3 1x1, relu, globalavgpool",
    "batchnorm, conv 3 2x2, dense 3",
    // A bias in front of a mean would have no gradient.
    "conv 3 2x2 no-bias, batchnorm, relu, dense 3",
    "conv 3 2x2 no-bias, tanh, batchnorm eps 0.01, maxpool 2, dense 4, leaky-relu 0.5, batchnorm eps 0.1, sigmoid, dense 3",
    "conv 3 2x2, layernorm, tanh, dense 4, layernorm eps 0.1, dense 3",
    "layernorm, conv 2 3x3, tanh, layernorm, dense 3",
    "dropout 0.3, conv 3 2x2, relu, dropout, dense 5, tanh, dropout 0.2, dense 3",
    "conv 3 2x2, gelu, dense 4, silu, dense 3",
    "dense 4, tanh, gelu, dense 3, silu",
    "conv 3 2x2, residual { conv 3 3x3 pad 1, relu, conv 3 1x1 }, tanh, dense 3",
    "residual { conv 4 3x3 pad 1, tanh }, dense 3",
    "conv 3 2x2, relu, residual { conv 4 3x3 stride 2 pad 1 no-bias, batchnorm }, sigmoid, dense 3",
    "dense 4, tanh, residual { dense 5, residual { dense 5, sigmoid }, tanh, dense 4, relu }, dense 3",
    "conv 2 2x2, residual { maxpool 3 stride 1 pad 1 }, residual { gelu }, dense 3",
];

#[test]
fn gradients_through_images_are_the_derivatives_of_the_loss() {
    let of = |network: &&str| {
        let shape = Shape::image(2, 5, 6);
        // Seven would leave a last batch of one, of which there is no mean.
        let parts = vec![Part { name: TRAIN, samples: 8 }];
        check(Small { shape, parts, ..Small::new(network, Loss::CrossEntropy) })
    };
    let problems: Vec<String> = NETWORKS.iter().flat_map(of).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
