//! A network of burn's layers from the words of wgrad.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::Result;

/// burn draws the weights of both as wgrad does by default: uniform in ±1/√inputs.
#[derive(Module, Debug)]
pub struct Network {
    convolutional: Vec<Convolution>,
    dense: Vec<Linear>,
}

#[derive(Module, Debug)]
struct Convolution {
    conv: Conv2d,
    pool: MaxPool2d,
}

impl Network {
    /// Any number of “conv N SxS pad P, relu, maxpool M” and then of dense layers with relu between.
    pub fn parse(text: &str, device: &Device) -> Result<Network> {
        let layers: Vec<Vec<&str>> =
            text.split(',').map(|layer| layer.split_whitespace().collect()).collect();
        let (mut convolutional, mut dense) = (Vec::new(), Vec::new());
        let (mut channels, mut side, mut inputs) = (1, 28, None);
        let mut rest = &layers[..];
        while let Some(layer) = rest.first() {
            match (&layer[..], rest) {
                (["conv", outputs, size, "pad", pad], [_, relu, pool, behind @ ..])
                    if relu[..] == ["relu"] && pool[0] == "maxpool" =>
                {
                    let (outputs, pad): (usize, usize) = (outputs.parse()?, pad.parse()?);
                    let size: usize = size.split('x').next().unwrap_or_default().parse()?;
                    let window: usize = pool[1].parse()?;
                    let conv = Conv2dConfig::new([channels, outputs], [size, size])
                        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                        .init(device);
                    let pool = MaxPool2dConfig::new([window, window]).with_strides([window, window]).init();
                    convolutional.push(Convolution { conv, pool });
                    (channels, side) = (outputs, (side + 2 * pad - size + 1) / window);
                    rest = behind;
                }
                (["dense", outputs], [_, behind @ ..]) => {
                    let outputs = outputs.parse()?;
                    let inputs = inputs.replace(outputs).unwrap_or(channels * side * side);
                    dense.push(LinearConfig::new(inputs, outputs).init(device));
                    rest = behind.strip_prefix(&[vec!["relu"]]).unwrap_or(behind);
                }
                _ => return Err(format!("this peer knows no layer “{}” here", layer.join(" ")).into()),
            }
        }
        Ok(Network { convolutional, dense })
    }

    /// N × 1 × H × W to N × classes.
    pub fn forward(&self, mut images: Tensor<4>) -> Tensor<2> {
        for Convolution { conv, pool } in &self.convolutional {
            images = pool.forward(relu(conv.forward(images)));
        }
        let mut rows: Tensor<2> = images.flatten(1, 3);
        for (at, dense) in self.dense.iter().enumerate() {
            rows = dense.forward(if at > 0 { relu(rows) } else { rows });
        }
        rows
    }
}
