//! Products by the micro kernels of the `gemm` crate. The crate allocates for every product; here
//! panels are packed into memory that each thread keeps.
//!
//! A micro kernel computes a tile of C: as many rows as it has registers for and a few vectors of columns. It reads B in
//! panels as wide as a tile, row after row, and A row by row or in panels as high as a tile. Every sum is in the order
//! of its terms, whatever the tiles and panels are.

use std::ops::Range;

use gemm_f32::microkernel::{avx512f, fma};
use pulp::x86::{V3, V4};

use super::matrix::{MatrixView, Rectangle};
use super::{scratch, vectorised};

/// A micro kernel of `gemm`.
///
/// Its arguments: columns and rows of the tile, terms of its sums; pointers to C, B and A; the strides of C's rows and
/// columns, of B's rows, of A's columns and rows; two factors, the mode of C (0: overwritten, 1: added to), three flags
/// for complex numbers, and the pointer to prefetch from.
type MicroKernel = unsafe fn(
    usize,
    usize,
    usize,
    *mut f32,
    *const f32,
    *const f32,
    isize,
    isize,
    isize,
    isize,
    isize,
    f32,
    f32,
    u8,
    bool,
    bool,
    bool,
    *const f32,
);

/// The micro kernels for one width of vectors.
#[derive(Clone, Copy)]
struct MicroKernels {
    /// Numbers of a vector.
    lanes: usize,
    /// Columns of the largest tile.
    wide: usize,
    /// Rows of the largest tile.
    high: usize,
    /// The micro kernel for this number of vectors and rows.
    kernel: fn(usize, usize) -> MicroKernel,
    /// Packs A into panels as high as a tile.
    pack: fn(MatrixView, &mut [f32]),
}

impl MicroKernels {
    /// For the widest vectors of this machine.
    fn widest() -> Option<MicroKernels> {
        MicroKernels::of_512_bits().or_else(MicroKernels::of_256_bits)
    }

    fn of_512_bits() -> Option<MicroKernels> {
        use avx512f::f32::{MR_DIV_N, NR, UKR};
        V4::is_available().then_some(MicroKernels {
            lanes: 16,
            wide: 16 * MR_DIV_N,
            high: NR,
            kernel: |vectors, rows| UKR[vectors - 1][rows - 1],
            pack: pack_rows::<NR>,
        })
    }

    fn of_256_bits() -> Option<MicroKernels> {
        use fma::f32::{MR_DIV_N, NR, UKR};
        V3::is_available().then_some(MicroKernels {
            lanes: 8,
            wide: 8 * MR_DIV_N,
            high: NR,
            kernel: |vectors, rows| UKR[vectors - 1][rows - 1],
            pack: pack_rows::<NR>,
        })
    }
}

/// Numbers of B in panels at a time: half a mebibyte, which stays in a core's second-level cache.
const BLOCK: usize = 1 << 17;

/// Numbers of a cache line, to which panels are aligned.
const LINE: usize = 16;

/// C = A·B or C += A·B; false, and nothing is done, on a processor without these vectors.
pub fn multiply(a: MatrixView, b: MatrixView, c: &mut Rectangle, add: bool) -> bool {
    let tiles = MicroKernels::widest();
    tiles.map(|tiles| by_tiles(tiles, a, b, c, add)).is_some()
}

fn by_tiles(tiles: MicroKernels, a: MatrixView, b: MatrixView, c: &mut Rectangle, add: bool) {
    assert!(a.rows == c.rows() && b.columns == c.columns() && a.columns == b.rows);
    let MicroKernels { lanes, wide, high, .. } = tiles;
    let depth = a.columns;
    // A factor that is read often enough is worth packing; B is read in whole vectors.
    let packs_a = a.along != 1 && b.columns > 2 * wide;
    let packs_b = b.along != 1 || !b.columns.is_multiple_of(lanes) || a.rows > 8 * high;
    let block = (BLOCK / depth / wide).max(1) * wide;
    let len_a = if packs_a { a.rows.next_multiple_of(high) * depth } else { 0 }.next_multiple_of(LINE);
    let len_b = if packs_b { block.min(b.columns.next_multiple_of(wide)) * depth } else { 0 };
    scratch(len_a + len_b + LINE, |memory| {
        let (packed_a, packed_b) = on_a_line(memory).split_at_mut(len_a);
        let left = if packs_a {
            (tiles.pack)(a, packed_a);
            Ordered { values: packed_a, tile: high * depth, term: high, row: 1 }
        } else {
            Ordered { values: a.values, tile: high * a.down, term: a.along, row: a.down }
        };
        for first in (0..b.columns).step_by(block) {
            let b = b.only_columns(first..(first + block).min(b.columns));
            let right = if packs_b {
                pack_columns(b, wide, packed_b);
                Ordered { values: packed_b, tile: wide * depth, term: wide, row: 1 }
            } else {
                Ordered { values: b.values, tile: wide, term: b.down, row: 1 }
            };
            each_tile(tiles, (&left, a.rows), (&right, first..first + b.columns), depth, c, add);
        }
    });
}

/// A matrix as micro kernels read it.
struct Ordered<'a> {
    values: &'a [f32],
    /// The stride from tile to tile.
    tile: usize,
    /// The stride from term to term of the sums.
    term: usize,
    /// The stride of the rows of A.
    row: usize,
}

/// All rows of C, and some of its columns.
fn each_tile(
    tiles: MicroKernels,
    (a, all_rows): (&Ordered, usize),
    (b, all_columns): (&Ordered, Range<usize>),
    depth: usize,
    c: &mut Rectangle,
    add: bool,
) {
    let MicroKernels { lanes, wide, high, kernel, .. } = tiles;
    for (i, row) in (0..all_rows).step_by(high).enumerate() {
        for (j, column) in all_columns.clone().step_by(wide).enumerate() {
            let (rows, columns) = (high.min(all_rows - row), wide.min(all_columns.end - column));
            let (to, down) = c.tile(row..row + rows, column..column + columns);
            let (b_first, a_first) = (b.values[j * b.tile..].as_ptr(), a.values[i * a.tile..].as_ptr());
            // SAFETY: the processor has these vectors, as `Tiles` has checked. The tile of C is within
            // memory that is borrowed mutably. The rows of A that are read are within their slice. B is read in
            // whole vectors: panels are padded, and without panels the number of columns is a multiple of the
            // lanes.
            unsafe {
                kernel(columns.div_ceil(lanes), rows)(
                    columns,
                    rows,
                    depth,
                    to,
                    b_first,
                    a_first,
                    down as isize,
                    1,
                    b.term as isize,
                    a.term as isize,
                    a.row as isize,
                    1.0,
                    1.0,
                    u8::from(add),
                    false,
                    false,
                    false,
                    std::ptr::null(),
                );
            }
        }
    }
}

/// The memory from the next start of a cache line.
fn on_a_line(memory: &mut [f32]) -> &mut [f32] {
    let skipped = memory.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    &mut memory[skipped..]
}

/// Packs A into panels of `rows` rows, in each one column after the other.
fn pack_rows<const HIGH: usize>(a: MatrixView, panels: &mut [f32]) {
    for (row, panel) in (0..a.rows).step_by(HIGH).zip(panels.chunks_exact_mut(HIGH * a.columns)) {
        let rows = HIGH.min(a.rows - row);
        for (k, to) in panel.as_chunks_mut::<HIGH>().0.iter_mut().enumerate() {
            let from = &a.values[k * a.along + row * a.down..];
            match from.first_chunk::<HIGH>() {
                Some(from) if a.down == 1 && rows == HIGH => *to = *from,
                _ => (0..rows).for_each(|row| to[row] = from[row * a.down]),
            }
        }
    }
}

/// Packs B into panels of columns padded with zeros, in each one row after the other.
fn pack_columns(b: MatrixView, wide: usize, panels: &mut [f32]) {
    for (column, panel) in (0..b.columns).step_by(wide).zip(panels.chunks_exact_mut(wide * b.rows)) {
        let columns = wide.min(b.columns - column);
        if columns < wide {
            panel.fill(0.0);
        }
        let b = b.only_columns(column..column + columns);
        if b.along == 1 {
            for (k, to) in panel.chunks_exact_mut(wide).enumerate() {
                to[..columns].copy_from_slice(&b.values[k * b.down..][..columns]);
            }
        } else {
            vectorised(
                #[inline(always)]
                || turn_columns(b, wide, panel),
            );
        }
    }
}

/// Copies columns that aren't contiguous, as many at once as a cache line holds.
#[inline(always)]
fn turn_columns(b: MatrixView, wide: usize, panel: &mut [f32]) {
    let mut first = 0;
    while b.down == 1 && first + LINE <= b.columns {
        let mut columns = [&b.values[..0]; LINE];
        for (at, column) in columns.iter_mut().enumerate() {
            *column = &b.values[(first + at) * b.along..][..b.rows];
        }
        for (k, to) in panel.chunks_exact_mut(wide).enumerate() {
            let mut line = [0.0; LINE];
            for (number, column) in line.iter_mut().zip(&columns) {
                *number = column[k];
            }
            to[first..first + LINE].copy_from_slice(&line);
        }
        first += LINE;
    }
    for column in first..b.columns {
        let from = &b.values[column * b.along..];
        for (k, to) in panel.chunks_exact_mut(wide).enumerate() {
            to[column] = from[k * b.down];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_of_vectors_makes_the_sums_in_the_same_order() {
        let numbers = |len: usize| -> Vec<f32> { (0..len).map(|at| (at as f32 * 0.37).sin()).collect() };
        let known = [MicroKernels::of_512_bits(), MicroKernels::of_256_bits()];
        for (m, n, k) in [(1, 1, 1), (7, 65, 5), (64, 130, 33), (13, 200, 17), (100, 48, 300), (6, 64, 784)] {
            for [turned_a, turned_b] in [[false, true], [true, false], [false, false], [true, true]] {
                let (a, b) = (numbers(m * k), numbers(k * n));
                let matrix = |values, rows, columns, turned| {
                    if turned {
                        MatrixView::columns(values, rows, columns)
                    } else {
                        MatrixView::rows(values, rows, columns)
                    }
                };
                let [left, right] = [matrix(&a, m, k, turned_a), matrix(&b, k, n, turned_b)];
                let wanted: Vec<f32> = (0..m * n)
                    .map(|at| {
                        let (row, column) = (at / n, at % n);
                        (0..k).fold(0.0, |sum: f32, k| {
                            let a = left.values[row * left.down + k * left.along];
                            a.mul_add(right.values[k * right.down + column * right.along], sum)
                        })
                    })
                    .collect();
                for tiles in known.into_iter().flatten() {
                    let mut c = vec![0.5; m * n];
                    by_tiles(tiles, left, right, &mut Rectangle::new(&mut c, m, n), false);
                    assert!(c == wanted, "{m}×{n}×{k} {turned_a} {turned_b}, {} lanes", tiles.lanes);
                    by_tiles(tiles, left, right, &mut Rectangle::new(&mut c, m, n), true);
                    assert!(
                        c.iter().zip(&wanted).all(|(c, wanted)| *c == 2.0 * wanted),
                        "{m}×{n}×{k} {turned_a} {turned_b}, {} lanes, added",
                        tiles.lanes
                    );
                }
            }
        }
    }
}
