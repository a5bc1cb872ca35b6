//! Layers that don't fit their input are refused by name, with what they get and what they need.

use wgrad::Error;
use wgrad::internals::network::Network;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::program::shape::Shape;

use crate::small::Small;

/// Checks that lowering refuses a network with a sentence that has all of these in it.
pub fn refused(network: &str, parts: &[&str]) {
    let shape = Shape::image(6, 5, 4);
    let text = match network.parse::<Network>() {
        Err(error @ Error::Usage(_)) => error.to_string(),
        Ok(network) => match (Small { network, shape, ..Small::new("dense 3", Loss::Mse) }).lower() {
            Err(Error::Setting { key: "network", problem }) => problem,
            other => panic!("{other:?}"),
        },
        other => panic!("{network}: {other:?}"),
    };
    parts.iter().for_each(|part| assert!(text.contains(part), "“{text}” does not say “{part}”"));
}

#[test]
fn convolutions_that_do_not_fit_are_refused() {
    refused(
        "conv 8 3x5, dense 3",
        &["layer 1 “conv 8 3x5”", "gets 6×5×4", "3×5 pixels", "has 5×4", "more pad"],
    );
    refused("conv 8 3 dilation 4, dense 3", &["covers 9×9"]);
    refused("conv 8 3x3 groups 4, dense 3", &["4 groups do not divide the 6 channels"]);
    refused("conv 8 3x3 groups 3, dense 3", &["3 groups do not divide the 8 outputs"]);
    refused("flatten, conv 8 1x1, dense 3", &["layer 2", "gets 120", "channels × height × width"]);
    refused("conv 70000 1x1, dense 3", &["sum of 70000 terms", "60000"]);
    refused("conv 8, dense 3", &["as in “conv 16 3x3”"]);
    refused("conv 8 3y3, dense 3", &["“3y3” is no size of a kernel"]);
    refused("conv 8 0x3, dense 3", &["“0x3” is no size of a kernel"]);
    refused("conv 8 3x3 stride 0, dense 3", &["“0” is no stride"]);
    refused("conv 8 3x3 padding 1, dense 3", &["no “padding”", "stride, pad, dilation"]);
    refused("conv 8 3x3 init kaiming, dense 3", &["no initialiser “kaiming”", "kaiming-uniform"]);
    refused("dense 3 init normal", &["init normal takes a number"]);
    refused("dense 3 init uniform -1", &["“-1” is no number for init uniform"]);
}

#[test]
fn poolings_that_leave_nothing_are_refused() {
    refused(
        "maxpool 2, maxpool 2, maxpool 2, dense 3",
        &["layer 3 “maxpool 2”", "gets 6×1×1", "nothing is left"],
    );
    refused("avgpool 5, dense 3", &["window of 5×5", "image of 5×4"]);
    refused("maxpool 2 pad 2, dense 3", &["a pad of 2 is more than half its window of 2"]);
    refused("dense 4, globalavgpool, dense 3", &["globalavgpool needs channels"]);
    refused("globalavgpool 2, dense 3", &["globalavgpool takes no “2”"]);
    refused("maxpool, dense 3", &["size of a window is missing"]);
}

#[test]
fn the_text_form_is_read_back_as_it_is_written() {
    for text in [
        "conv 16 3x3, relu, maxpool 2, conv 32 3x3 stride 2 pad 1, relu, flatten, dense 10",
        "conv 4 3x5 stride 2x1 pad 1x0 dilation 1x3 groups 2 no-bias init kaiming-normal",
        "conv 4 1x1 init constant 0.5 bias-init zeros, dense 4 init xavier-uniform bias-init normal 0.1",
        "batchnorm, batchnorm momentum 0.2 eps 0.001, layernorm, layernorm eps 0.5, dropout 0.25, gelu, silu",
        "residual { conv 4 3x3 pad 1, relu, residual { relu, dense 3 } }, residual { tanh }, dense 3",
        "maxpool 3x2 stride 1 pad 1, avgpool 2, avgpool 3 stride 2 pad 1x0, globalavgpool",
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
    }
    let short: Network = "conv 4 3 stride 2x2".parse().unwrap();
    assert_eq!(short.to_string(), "conv 4 3x3 stride 2");
}

#[test]
fn a_batch_of_one_has_no_mean() {
    let lowered = |network: &str, batch, samples| {
        let parts = vec![wgrad::internals::network::lower::Part {
            name: wgrad::internals::network::lower::TRAIN,
            samples,
        }];
        Small { batch, parts, ..Small::new(network, Loss::Mse) }.lower()
    };
    for (batch, samples) in [(1, 7), (6, 7)] {
        match lowered("dense 4, batchnorm, dense 3", batch, samples) {
            Err(Error::Setting { problem: text, .. }) => {
                for part in ["layer 2 “batchnorm” gets 4", "one sample", "⟨batch_size⟩"] {
                    assert!(text.contains(part), "“{text}” does not say “{part}”");
                }
            }
            other => panic!("{other:?}"),
        }
    }
    lowered("dense 4, batchnorm, dense 3", 6, 8).unwrap();
    // An image has a value per pixel, and a sample's own mean needs no batch.
    lowered("batchnorm, dense 4, layernorm, dense 3", 1, 7).unwrap();
    assert!(lowered("residual { dense 12, batchnorm, dense 12 }, dense 3", 6, 7).is_err());
}

#[test]
fn blocks_norms_and_dropouts_that_do_not_fit_are_refused() {
    refused(
        "residual { conv 6 2x2 }, dense 3",
        &["layer 1 “residual", "makes 6×4×3 of 6×5×4", "1×1 convolution"],
    );
    refused("residual { flatten }, dense 3", &["makes 120 of 6×5×4"]);
    refused("residual { conv 4 9x9 }, dense 3", &["in its body, layer 1 “conv 4 9x9” gets 6×5×4"]);
    refused("residual conv 4 3x3, dense 3", &["in braces"]);
    refused("residual { conv 4 3x3, dense 3", &["“{” without its “}”"]);
    refused("relu }, dense 3", &["“}” without its “{”"]);
    refused(&format!("{}relu{}, dense 3", "residual { ".repeat(17), " }".repeat(17)), &["at most 16 deep"]);
    refused("dropout 1, dense 3", &["“1” is no probability from 0 to below 1"]);
    refused("dropout 0.1 0.2, dense 3", &["not also “0.2”"]);
    refused("batchnorm eps 0, dense 3", &["“0” is no eps"]);
    refused("layernorm momentum 0.1, dense 3", &["layernorm takes no “momentum”; it takes eps"]);
}
