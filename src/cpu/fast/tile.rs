//! Sums of products that stay in registers: factors are read row by row from given offsets, without packing.
//!
//! Both functions are written once over `pulp`'s vectors and compiled for AVX-512, AVX2, NEON and
//! plain numbers; which one runs is decided on the machine.

use pulp::{Arch, Simd, WithSimd};

/// Columns are read and written in multiples of this: the lanes of the widest vectors.
pub const LANES: usize = 16;

/// Rows that [`Outer`] computes at once.
pub const ROWS: usize = 8;

/// `c[r, p] = Σ_k a[k, r] · b[starts[k] + p]`   a: (K, ROWS)  c: (ROWS, columns)
pub struct Outer<'a> {
    pub a: &'a [f32],
    pub b: &'a [f32],
    pub starts: &'a [usize],
    /// Its columns are a multiple of [`LANES`].
    pub c: &'a mut [f32],
}

impl Outer<'_> {
    pub fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let columns = self.c.len() / ROWS;
        // Three vectors to a row: 16 registers hold half as many rows.
        if S::REGISTER_COUNT >= 32 {
            outer::<S, ROWS>(simd, self.a, self.b, self.starts, self.c, columns);
        } else {
            let (upper, lower) = self.c.split_at_mut(columns * ROWS / 2);
            outer::<S, { ROWS / 2 }>(simd, self.a, self.b, self.starts, upper, columns);
            outer::<S, { ROWS / 2 }>(simd, &self.a[ROWS / 2..], self.b, self.starts, lower, columns);
        }
    }
}

#[inline(always)]
fn outer<S: Simd, const R: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    starts: &[usize],
    c: &mut [f32],
    columns: usize,
) {
    let lanes = size_of::<S::f32s>() / size_of::<f32>();
    let mut at = 0;
    while at < columns {
        // Three at a time, and the rest as evenly as possible.
        let width = match (columns - at) / lanes {
            1 => outer_tile::<S, R, 1>(simd, a, &b[at..], starts, c, at),
            2 | 4 => outer_tile::<S, R, 2>(simd, a, &b[at..], starts, c, at),
            _ => outer_tile::<S, R, 3>(simd, a, &b[at..], starts, c, at),
        };
        at += width * lanes;
    }
}

/// R rows and V vectors of the result; returns V.
#[inline(always)]
fn outer_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    starts: &[usize],
    c: &mut [f32],
    at: usize,
) -> usize {
    let width = V * size_of::<S::f32s>() / size_of::<f32>();
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (a, start) in a.chunks(ROWS).zip(starts) {
        let (b, _) = S::as_simd_f32s(&b[*start..][..width]);
        for (sums, a) in sums.iter_mut().zip(&a[..R]) {
            let a = simd.splat_f32s(*a);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = simd.mul_add_f32s(a, *b, *sum);
            }
        }
    }
    let columns = c.len() / R;
    for (row, sums) in c.chunks_exact_mut(columns).zip(&sums) {
        let (row, _) = S::as_mut_simd_f32s(&mut row[at..][..width]);
        row.copy_from_slice(sums);
    }
    V
}

/// `sums[i, j] += Σ_p a[a_starts[i] + p] · b[b_starts[j] + p]`, for several runs of p: those of
/// run number `n` begin `n` times `steps` further on. Each sum is kept as [`LANES`] parts.
pub struct Dots<'a> {
    pub a: &'a [f32],
    pub a_starts: &'a [usize],
    pub b: &'a [f32],
    pub b_starts: &'a [usize],
    pub runs: usize,
    /// The strides from run to run, in a and in b.
    pub steps: (usize, usize),
    /// A multiple of [`LANES`].
    pub length: usize,
    pub sums: &'a mut [f32],
}

/// The numbers of rows of [`Dots`], in a and in b, are multiples of these.
pub const DOTS: (usize, usize) = (4, 6);

impl Dots<'_> {
    pub fn run(self) {
        Arch::new().dispatch(self);
    }
}

impl WithSimd for Dots<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Four rows times six take 24 registers, two times six 12.
        if S::REGISTER_COUNT >= 32 {
            dots::<S, { DOTS.0 }, { DOTS.1 }>(simd, self);
        } else {
            dots::<S, { DOTS.0 / 2 }, { DOTS.1 }>(simd, self);
        }
    }
}

#[inline(always)]
fn dots<S: Simd, const P: usize, const Q: usize>(simd: S, d: Dots) {
    let wide = d.b_starts.len() * LANES;
    for (a_starts, sums) in d.a_starts.chunks_exact(P).zip(d.sums.chunks_exact_mut(P * wide)) {
        for (j, b_starts) in d.b_starts.chunks_exact(Q).enumerate() {
            let mut tile = [[simd.splat_f32s(0.0); Q]; P];
            for run in 0..d.runs {
                let a = std::array::from_fn(|p| &d.a[a_starts[p] + run * d.steps.0..][..d.length]);
                let b = std::array::from_fn(|q| &d.b[b_starts[q] + run * d.steps.1..][..d.length]);
                dots_tile(simd, a, b, &mut tile);
            }
            for (p, tile) in tile.iter().enumerate() {
                for (q, sum) in tile.iter().enumerate() {
                    let parts = &mut sums[p * wide + (j * Q + q) * LANES..][..LANES];
                    // With fewer lanes than parts the last parts stay 0.
                    let (parts, _) = S::as_mut_simd_f32s(parts);
                    parts[0] = simd.add_f32s(parts[0], *sum);
                }
            }
        }
    }
}

#[inline(always)]
fn dots_tile<S: Simd, const P: usize, const Q: usize>(
    simd: S,
    a: [&[f32]; P],
    b: [&[f32]; Q],
    tile: &mut [[S::f32s; Q]; P],
) {
    let a = a.map(|row| S::as_simd_f32s(row).0);
    let b = b.map(|row| S::as_simd_f32s(row).0);
    let length = a[0].len();
    let (a, b) = (a.map(|row| &row[..length]), b.map(|row| &row[..length]));
    for at in 0..length {
        for q in 0..Q {
            for p in 0..P {
                tile[p][q] = simd.mul_add_f32s(a[p][at], b[q][at], tile[p][q]);
            }
        }
    }
}
