//! The product of two matrices: by panels where they are worth it, else by the `gemm` crate.

use gemm::Parallelism;

use super::matrix::{MatrixView, Rectangle};
#[cfg(target_arch = "x86_64")]
use super::panels::multiply as by_panels;

/// Terms of a sum that are added up at once.
///
/// Without it `gemm` decides by the sizes of a piece, and sums would depend on the number of pieces.
const DEPTH: usize = 512;

/// Elements of a product below which `gemm` adds up in another order.
///
/// The order must not depend on the pieces.
pub const LEAST_ELEMENTS: usize = 512;

/// C = A·B or, with `add`, C += A·B, on this thread.
pub fn product(a: MatrixView, b: MatrixView, c: &mut Rectangle, add: bool) {
    assert!(a.rows == c.rows() && b.columns == c.columns() && a.columns == b.rows);
    let depth = a.columns.div_ceil(a.columns.div_ceil(DEPTH));
    for start in (0..a.columns).step_by(depth) {
        let range = start..(start + depth).min(a.columns);
        let (a, b, add) = (a.only_columns(range.clone()), b.only_rows(range), add || start > 0);
        // Few terms or elements are not worth panels; `gemm` doesn't pack them either.
        if is_thin(a, b) || !by_panels(a, b, c, add) {
            multiply(a, b, c, add);
        }
    }
}

/// On other processors the crate's micro kernels are not called directly.
#[cfg(not(target_arch = "x86_64"))]
fn by_panels(_: MatrixView, _: MatrixView, _: &mut Rectangle, _: bool) -> bool {
    false
}

/// Whether `gemm` has a function for a product of this form that allocates nothing.
fn is_thin(a: MatrixView, b: MatrixView) -> bool {
    let dots = a.along == 1 && b.down == 1;
    let few = a.columns <= 2 || a.rows * b.columns < LEAST_ELEMENTS / 2 && dots;
    few || a.rows == 1 && (dots || b.along == 1) || b.columns == 1 && dots
}

/// The same product by the `gemm` crate.
fn multiply(a: MatrixView, b: MatrixView, c: &mut Rectangle, add: bool) {
    let (first, down) = c.tile(0..c.rows(), 0..c.columns());
    // SAFETY: the elements of A and B are within their slices, as `MatrixView::strided` has checked,
    // those of C in memory that it borrows mutably, which therefore overlaps neither A nor B; and
    // `product` has checked that the three sizes fit.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            first,
            1,
            down as isize,
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
            Parallelism::None,
        );
    }
}
