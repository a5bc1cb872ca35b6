//! Layers that work on images: convolution and pooling.

use wgrad::data::ImageShape;
use wgrad::loss::Loss;

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
];

#[test]
fn gradients_through_images_are_the_derivatives_of_the_loss() {
    let of = |network: &&str| {
        let shape = ImageShape { channels: 2, height: 5, width: 6 };
        check(Small { shape, ..Small::new(network, Loss::CrossEntropy) })
    };
    let problems: Vec<String> = NETWORKS.iter().flat_map(of).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
