//! Matrices in memory, cut into pieces for threads, and their product.

use std::marker::PhantomData;
use std::ops::Range;

use gemm::Parallelism;

#[cfg(target_arch = "x86_64")]
use super::panels::multiply as by_panels;

/// A matrix that is read.
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    pub values: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    /// From one row to the next.
    pub down: usize,
    /// From one column to the next.
    pub along: usize,
}

impl<'a> MatrixView<'a> {
    /// Stored row after row.
    pub fn rows(values: &'a [f32], rows: usize, columns: usize) -> MatrixView<'a> {
        MatrixView::strided(values, (rows, columns), (columns, 1))
    }

    /// Stored column after column.
    pub fn columns(values: &'a [f32], rows: usize, columns: usize) -> MatrixView<'a> {
        MatrixView::strided(values, (rows, columns), (1, rows))
    }

    /// Rows and columns, and the distances from one row and one column to the next.
    pub fn strided(
        values: &'a [f32],
        (rows, columns): (usize, usize),
        (down, along): (usize, usize),
    ) -> MatrixView<'a> {
        assert!(
            rows > 0 && columns > 0 && (rows - 1) * down + (columns - 1) * along < values.len(),
            "every element of a matrix is in its memory"
        );
        MatrixView { values, rows, columns, down, along }
    }

    /// Some of its rows, all of their columns.
    pub fn only_rows(&self, range: Range<usize>) -> MatrixView<'a> {
        let values = &self.values[range.start * self.down..];
        MatrixView::strided(values, (range.len(), self.columns), (self.down, self.along))
    }

    /// Some of its columns, over all rows.
    pub fn only_columns(&self, range: Range<usize>) -> MatrixView<'a> {
        let values = &self.values[range.start * self.along..];
        MatrixView::strided(values, (self.rows, range.len()), (self.down, self.along))
    }
}

/// A rectangle of a matrix stored row after row, to write. Rectangles cut from one another share
/// no element, so that each may go to a thread of its own.
pub struct Rectangle<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    /// From one row to the next.
    down: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: a rectangle is the only way to its elements, like the mutable slice that it came from.
unsafe impl Send for Rectangle<'_> {}

impl<'a> Rectangle<'a> {
    /// A whole matrix.
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize) -> Rectangle<'a> {
        assert!(rows > 0 && columns > 0 && rows * columns <= values.len());
        Rectangle { first: values.as_mut_ptr(), rows, columns, down: columns, memory: PhantomData }
    }

    /// The rows above `row`, and the others.
    pub fn cut_rows(self, row: usize) -> (Rectangle<'a>, Rectangle<'a>) {
        assert!(row > 0 && row < self.rows);
        // SAFETY: `row` is one of this rectangle's rows, so its first element is within the memory.
        let first = unsafe { self.first.add(row * self.down) };
        (Rectangle { rows: row, ..self }, Rectangle { first, rows: self.rows - row, ..self })
    }

    /// The columns left of `column`, and the others.
    pub fn cut_columns(self, column: usize) -> (Rectangle<'a>, Rectangle<'a>) {
        assert!(column > 0 && column < self.columns);
        // SAFETY: `column` is one of this rectangle's columns, so its first element is within the memory.
        let first = unsafe { self.first.add(column) };
        (Rectangle { columns: column, ..self }, Rectangle { first, columns: self.columns - column, ..self })
    }

    /// One row of the rectangle.
    pub fn row(&mut self, row: usize) -> &mut [f32] {
        assert!(row < self.rows);
        // SAFETY: the row's elements are within the memory, and nobody else reaches them while
        // this rectangle is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.down), self.columns) }
    }

    /// Where a tile of it begins, and the distance from one row to the next.
    pub fn tile(&mut self, rows: Range<usize>, columns: Range<usize>) -> (*mut f32, usize) {
        assert!(rows.end <= self.rows && columns.end <= self.columns);
        // SAFETY: the tile is within the rectangle, and so its first element within the memory.
        (unsafe { self.first.add(rows.start * self.down + columns.start) }, self.down)
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }
}

/// Terms of a sum that are added up at once. Left to itself, `gemm` decides by the sizes of a
/// piece, and then the same sum could come out differently in pieces of another number.
const DEPTH: usize = 512;

/// Elements of a product below which `gemm` adds up rows times columns in another order, which must
/// not depend on the pieces.
pub const LEAST_ELEMENTS: usize = 512;

/// C = A·B or, with `add`, C += A·B, on this thread.
pub fn product(a: MatrixView, b: MatrixView, c: &mut Rectangle, add: bool) {
    assert!(a.rows == c.rows && b.columns == c.columns && a.columns == b.rows);
    let depth = a.columns.div_ceil(a.columns.div_ceil(DEPTH));
    for start in (0..a.columns).step_by(depth) {
        let range = start..(start + depth).min(a.columns);
        let (a, b, add) = (a.only_columns(range.clone()), b.only_rows(range), add || start > 0);
        // What has few terms or elements is not worth panels, and `gemm` does without them as well.
        if is_thin(a, b) || !by_panels(a, b, c, add) {
            multiply(a, b, c, add);
        }
    }
}

/// Of other processors the crate's micro kernels are not called directly.
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
    // SAFETY: the elements of A and B are within their slices, as `Matrix::strided` has checked,
    // those of C in memory that it borrows mutably, which therefore overlaps neither A nor B; and
    // `product` has checked that the three sizes fit.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            c.first,
            1,
            c.down as isize,
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
