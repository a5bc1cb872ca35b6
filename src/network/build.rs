//! A network written in Rust, layer by layer.

use super::Network;
use crate::kernel::Activation;
use crate::network::layers::conv::Conv;
use crate::network::layers::norm::Norm;
use crate::network::layers::pool::{Pool, Reduction};
use crate::network::layers::words::Pair;
use crate::network::layers::{Layer, Residual};

/// ```
/// use wgrad::Network;
/// let block = Network::new().conv(8, 1).relu();
/// let network = Network::new().conv(8, 3).batch_norm().relu().max_pool(2).residual(block).dense(10);
/// let text = "conv 8 3x3, batchnorm, relu, maxpool 2, residual { conv 8 1x1, relu }, dense 10";
/// assert_eq!(network, text.parse()?);
/// # Ok::<(), wgrad::Error>(())
/// ```
impl Network {
    /// A network without layers.
    #[allow(clippy::new_without_default, reason = "a network without layers is only a beginning")]
    pub fn new() -> Network {
        Network { layers: Vec::new() }
    }

    /// Adds any layer, such as one with more settings than a method here has.
    pub fn with(mut self, layer: Layer) -> Network {
        self.layers.push(layer);
        self
    }

    /// Adds a dense layer with `outputs` outputs.
    pub fn dense(self, outputs: usize) -> Network {
        self.with(Layer::dense(outputs))
    }

    /// Adds a convolution with a square kernel, stride 1 and no padding.
    pub fn conv(self, outputs: usize, kernel: usize) -> Network {
        self.with(Layer::Conv(Conv::new(outputs, Pair::both(kernel))))
    }

    /// Adds max pooling over square windows side by side.
    pub fn max_pool(self, window: usize) -> Network {
        self.with(Layer::Pool(Pool::new(Reduction::Maximum, Pair::both(window))))
    }

    /// Adds average pooling over square windows side by side.
    pub fn average_pool(self, window: usize) -> Network {
        self.with(Layer::Pool(Pool::new(Reduction::Mean, Pair::both(window))))
    }

    /// Adds batch normalisation with PyTorch's defaults.
    pub fn batch_norm(self) -> Network {
        self.with(Layer::Norm(Norm::BATCH))
    }

    /// Adds layer normalisation with PyTorch's defaults.
    pub fn layer_norm(self) -> Network {
        self.with(Layer::Norm(Norm::SAMPLE))
    }

    /// Adds relu.
    pub fn relu(self) -> Network {
        self.with(Layer::Activation(Activation::Relu))
    }

    /// Adds dropout of this probability.
    pub fn dropout(self, probability: f32) -> Network {
        self.with(Layer::Dropout(probability))
    }

    /// Adds a residual block around these layers.
    pub fn residual(self, body: Network) -> Network {
        self.with(Layer::Residual(Residual { body: body.layers }))
    }
}
