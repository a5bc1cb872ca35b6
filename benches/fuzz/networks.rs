//! Texts of networks.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use wgrad::internals::network::Network;
use wgrad::internals::program::shape::Shape;

use crate::mutation::{mutate, words};
use crate::run::Run;

/// Words of networks.
pub const VOCABULARY: &[&str] = &[
    "dense",
    " ",
    "10",
    ",",
    ", ",
    "relu",
    "leaky-relu",
    "0.1",
    "conv",
    "3x3",
    "maxpool",
    "flatten",
    "softmax",
    "dropout",
    "-",
    "1e9",
    "99999999999999999999",
    "é",
    "(",
    "{",
    "}",
    "residual",
    "batchnorm",
    "init",
    "normal",
    "globalavgpool",
    "stride",
    "pad",
    "\n",
    "64",
    "same",
    "2",
];

pub fn networks(run: Run) {
    let make = |rng: &mut ChaCha8Rng| {
        match rng.random_range(0..2) {
        0 => words(rng, VOCABULARY).into_bytes(),
        _ => mutate(
            rng,
            b"conv 8 3x3, relu, maxpool 2, residual { conv 8 1x1, batchnorm }, dense 32 init normal 0.1, dense 10",
        ),
    }
    };
    run.over(make, |bytes| {
        let network: Network = String::from_utf8_lossy(bytes).parse()?;
        // Shapes are computed before anything is built from them.
        network.shapes(&Shape::image(1, 28, 28))
    });
}
