//! Families: kernels that are versions of one contract.

/// A contract that several kernels fulfil: they share a twin and differ in which machine they are fast on.
///
/// Rewrites recognise what a dispatch computes by it, and a custom kernel may take the place of any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// C = A·B, with an epilogue.
    Matmul,
    /// A convolution, or the gradient of its input.
    Conv,
    /// The gradient of a convolution's weights.
    ConvWeights,
    /// All gradients of a dense layer, and the watch over them.
    WeightGradient,
    /// A first dense layer that gathers its samples itself.
    PixelDense,
    /// All gradients of such a layer.
    PixelGradient,
}

impl Family {
    /// The name that a command line gives it.
    pub fn name(self) -> &'static str {
        match self {
            Family::Matmul => "matmul",
            Family::Conv => "conv",
            Family::ConvWeights => "conv_weights",
            Family::WeightGradient => "weight_gradient",
            Family::PixelDense => "gather_dense",
            Family::PixelGradient => "gather_dense_gradient",
        }
    }
}
