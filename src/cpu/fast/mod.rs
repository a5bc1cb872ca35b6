//! Fast functions of the CPU engine, for training without a GPU: well-kept crates
//! and all cores in place of the twins' plain loops. Each is held to its twin by
//! the same cases as the shader, see `tests/parity.rs`.

pub mod conv;
pub mod matmul;
pub mod pool;
pub mod sgd;
pub mod sums;

use gemm::Parallelism;

use super::activation::Activation;

/// A matrix in memory.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// From one row to the next.
    down: usize,
    /// From one column to the next.
    along: usize,
}

impl<'a> Matrix<'a> {
    /// Stored row after row.
    fn rows(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix { values, rows, columns, down: columns, along: 1 }
    }

    /// Stored column after column.
    fn columns(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        Matrix { values, rows, columns, down: 1, along: rows }
    }

    /// Whether every element is in `values`.
    fn fits(&self) -> bool {
        self.rows > 0
            && self.columns > 0
            && (self.rows - 1) * self.down + (self.columns - 1) * self.along < self.values.len()
    }
}

/// C = A·B or, with `add`, C += A·B, on this thread. C is stored row after row.
fn product(a: Matrix, b: Matrix, c: &mut [f32], add: bool) {
    product_on(a, b, c, add, Parallelism::None);
}

fn product_on(a: Matrix, b: Matrix, c: &mut [f32], add: bool, threads: Parallelism) {
    assert!(a.fits() && b.fits() && a.columns == b.rows && c.len() >= a.rows * b.columns);
    // SAFETY: the three pointers and their strides stay within slices whose
    // lengths the assertion above has checked; C overlaps neither A nor B
    // because it is borrowed mutably.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
            a.values.as_ptr(),
            a.along as isize,
            a.down as isize,
            b.values.as_ptr(),
            b.along as isize,
            b.down as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

/// An activation in f32.
fn apply(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::Identity => x,
        Activation::Relu => x.max(0.0),
        Activation::LeakyRelu(slope) => {
            if x > 0.0 {
                x
            } else {
                slope * x
            }
        }
        _ => activation.apply(x.into()) as f32,
    }
}

/// Its derivative, from the output.
fn slope(activation: Activation, y: f32) -> f32 {
    match activation {
        Activation::Identity => 1.0,
        Activation::Relu => {
            if y > 0.0 {
                1.0
            } else {
                0.0
            }
        }
        Activation::LeakyRelu(slope) => {
            if y > 0.0 {
                1.0
            } else {
                slope
            }
        }
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
        // Never in an epilogue.
        Activation::Gelu | Activation::Silu => activation.slope(y.into()) as f32,
    }
}
