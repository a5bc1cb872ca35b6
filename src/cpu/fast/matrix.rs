//! Matrices in memory, cut into pieces for threads.

use std::marker::PhantomData;
use std::ops::Range;

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

    /// A matrix with these sizes and strides.
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
        // SAFETY: the row's elements are within the memory, and nothing else reaches them while
        // this rectangle is borrowed.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.down), self.columns) }
    }

    /// The pointer to a tile, and the stride of its rows.
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
