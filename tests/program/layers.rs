//! Layers that do not fit what they get are refused by name, with what they get and what they need.

use wgrad::data::ImageShape;
use wgrad::error::Error;
use wgrad::loss::Loss;
use wgrad::network::Network;

use crate::small::Small;

/// Checks that lowering turns a network away with a sentence that has all of these in it.
pub fn refused(network: &str, parts: &[&str]) {
    let shape = ImageShape { channels: 6, height: 5, width: 4 };
    let text = match network.parse::<Network>() {
        Err(error @ Error::Usage(_)) => error.to_string(),
        Ok(network) => match (Small { network, shape, ..Small::new("dense 3", Loss::Mse) }).lower() {
            Err(Error::Usage(text)) => text,
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
    refused("conv 8 3 dilation 4, dense 3", &["reaches over 9×9"]);
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
        "maxpool 3x2 stride 1 pad 1, avgpool 2, avgpool 3 stride 2 pad 1x0, globalavgpool",
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
    }
    let short: Network = "conv 4 3 stride 2x2".parse().unwrap();
    assert_eq!(short.to_string(), "conv 4 3x3 stride 2");
}
