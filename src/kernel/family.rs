//! Families: kernels that are versions of one contract.

/// A contract of several kernels, which have one twin and are fast on different machines.
///
/// Rewrites recognise dispatches by their family, and a custom kernel may replace any version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// C = A·B, with an epilogue.
    Matmul,
    /// A convolution, or the gradient of its input.
    Conv,
    /// The weight gradient of a convolution.
    ConvWeights,
    /// Both gradients of a dense layer, and the watch over them.
    WeightGradient,
    /// A first dense layer that gathers its samples itself.
    GatherDense,
    /// Both gradients of such a layer.
    GatherDenseGradient,
}

impl Family {
    /// Its name, as text.
    pub fn name(self) -> &'static str {
        match self {
            Family::Matmul => "matmul",
            Family::Conv => "conv",
            Family::ConvWeights => "conv_weights",
            Family::WeightGradient => "weight_gradient",
            Family::GatherDense => "gather_dense",
            Family::GatherDenseGradient => "gather_dense_gradient",
        }
    }
}
