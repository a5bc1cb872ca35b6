//! The twins: a plain Rust function for every shader, and its error bound in f32.
//!
//! Twins are the plainest loops and don't imitate GPU threads. They compute in f64, and store as
//! [`Real`](crate::kernel::Real) says. A `*_bound` function follows the shader's arithmetic operation by
//! operation, with the accuracy that WGSL promises for each (WGSL, "Floating
//! point accuracy"): it holds for any order of the sums, with or without fused
//! multiply-add, and for either direction of rounding.
//!
//! [`fast`] has the functions that the CPU engine trains with; each is tested against its twin like a shader.
//!
//! May depend on `kernel` and `error`. Read `matmul.rs` first, beside `shaders/matmul_naive.wgsl`.

pub mod activation;
pub mod adaptive;
pub mod arena;
pub mod augment;
pub mod conv;
pub mod dense_softmax_loss;
pub mod dropout;
pub mod f16;
pub mod fast;
pub mod gather;
pub mod gather_dense;
pub mod guard;
pub mod hot_cold;
pub mod loss;
pub mod matmul;
pub mod muon;
pub mod norm;
pub mod pool;
pub mod sgd;
pub mod slices;
pub mod softmax;
pub mod sums;
pub mod tracked;
pub mod weights;

/// Relative error of one correctly rounded f32 operation, rounded either way:
/// WGSL does not fix the direction.
pub const EPS: f64 = f32::EPSILON as f64;

/// Results below this may be flushed to zero.
pub const TINY: f64 = f32::MIN_POSITIVE as f64;

/// Relative error of an f32 division: 2.5 ULP.
pub const DIVISION: f64 = 2.5 * EPS;

/// Relative error of `sqrt(x)`: that of `1 / inverseSqrt(x)`, 2 ULP and a division.
pub const SQRT: f64 = 2.0 * EPS + DIVISION;

/// Relative error of `exp(x)`: 3 + 2·|x| ULP.
pub fn exp_error(x: f64) -> f64 {
    (3.0 + 2.0 * x.abs()) * EPS
}

/// Absolute error of `log(x)` whose value is `log`: 2⁻²¹ near one, elsewhere 3 ULP.
pub fn log_error(log: f64) -> f64 {
    (3.0 * EPS * log.abs()).max(2f64.powi(-21))
}

/// Largest error of a sum of products in any order.
///
/// `size` is the sum of their absolute values.
pub fn sum_error(terms: usize, size: f64) -> f64 {
    // N products and N - 1 additions, and denormal products lost: γ of Higham, "Accuracy and
    // Stability of Numerical Algorithms", 3.1.
    let roundings = (terms + 1) as f64 * EPS;
    roundings / (1.0 - roundings) * size + terms as f64 * TINY
}
