//! Muon: a matrix moves along its momentum, made orthogonal by five Newton–Schulz iterations.
//!
//! Jordan et al., "Muon: An optimizer for hidden layers in neural networks" (2024). As there, vectors and the output
//! layer are updated by AdamW, with the settings of the authors' program. Tensors with more than two dimensions count as
//! matrices with a row per output.

use crate::kernel::consts;
use crate::kernel::{Consts, Element, Kernel};
use crate::program::View;
use crate::program::record::{Gradient, Product, Recorder};
use crate::table;

// The settings of AdamW for vectors and the output layer.
pub const BETA1: f32 = 0.9;
pub const BETA2: f32 = 0.95;
pub const EPSILON: f32 = 1e-10;

/// Iterations of Newton–Schulz: X becomes a·X + (b·A + c·A²)·X with A = X·Xᵀ.
const ITERATIONS: usize = 5;
const A: f32 = 3.4445;
const B: f32 = -4.775;
const C: f32 = 2.0315;

/// The number of partial sums of a matrix's norm.
const PARTIALS: usize = 64;

/// A matrix of the arena.
#[derive(Clone, Copy)]
struct Matrix {
    start: usize,
    rows: usize,
    columns: usize,
}

impl Matrix {
    fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// The matrix's part of a buffer laid out like the arena.
    fn of(&self, buffer: View) -> View {
        View { start: self.start, len: self.len(), ..buffer }
    }
}

/// Records the update.
///
/// `args` are the whole arenas of gradients, parameters, means and squares.
///
/// `rest` gives the kernel of AdamW and its constants for a number of words and how many of these decay.
pub fn record(
    recorder: &mut Recorder,
    args: &[View],
    weight_decay: f32,
    rest: impl Fn(usize, usize) -> (&'static Kernel, Consts),
) {
    let params = recorder.arena.params.iter().filter(|param| !param.is_vector());
    let mut matrices: Vec<Matrix> = params
        .map(|param| Matrix {
            start: param.start,
            rows: param.shape[0],
            columns: param.shape[1..].iter().product(),
        })
        .collect();
    // The output layer, and all vectors behind it.
    let front_len = matrices.pop().map_or(0, |last| last.start);
    if front_len > 0 {
        let front = |view: &View| View { len: front_len, ..*view };
        let directions = recorder.scratch("muon directions", Element::Real, front_len);
        let arguments = vec![front(&args[0]), front(&args[2]), directions];
        recorder.dispatch(&table::MUON_MOMENTUM, consts! { LENGTH: front_len }, arguments, "momentum");
        for matrix in matrices {
            step(recorder, matrix, directions, args[1], weight_decay);
        }
    }
    let behind = |view: &View| View { start: front_len, len: view.len - front_len, ..*view };
    let (kernel, consts) = rest(args[0].len - front_len, recorder.arena.matrices() - front_len);
    recorder.dispatch(kernel, consts, args.iter().map(behind).collect(), "update");
}

/// Records the update of one matrix: its direction made orthogonal, and a step along it.
fn step(recorder: &mut Recorder, matrix: Matrix, directions: View, parameters: View, weight_decay: f32) {
    let direction = matrix.of(directions);
    let length = matrix.len();
    let sums = recorder.scratch("muon sums", Element::Real, PARTIALS);
    let consts = consts! { LENGTH: length, PARTIALS: PARTIALS };
    recorder.dispatch(&table::SQUARE_SUMS, consts.clone(), vec![direction, sums], "size of the direction");
    let mut x = recorder.scratch("muon x", Element::Real, length);
    let mut next = recorder.scratch("muon next x", Element::Real, length);
    recorder.dispatch(&table::FROBENIUS_NORMALISE, consts, vec![direction, sums, x], "direction of size 1");
    let side = matrix.rows.min(matrix.columns);
    let [gram, square] = ["muon a", "muon b"].map(|name| recorder.scratch(name, Element::Real, side * side));
    for _ in 0..ITERATIONS {
        iterate(recorder, matrix, [x, next, gram, square]);
        std::mem::swap(&mut x, &mut next);
    }
    let longer = matrix.rows.max(matrix.columns) as f32;
    let consts = consts! { LENGTH: length, SCALE: 0.2 * longer.sqrt(), DECAY: weight_decay };
    recorder.dispatch(&table::MUON, consts, vec![x, matrix.of(parameters)], "update");
}

/// Records one iteration, from `x` to `next`.
///
/// The Gram matrix is over the longer side.
fn iterate(recorder: &mut Recorder, matrix: Matrix, [x, next, gram, square]: [View; 4]) {
    let Matrix { rows, columns, .. } = matrix;
    let wide = rows <= columns;
    let (side, longer) = (rows.min(columns), rows.max(columns));
    let product = |recorder: &mut Recorder, sizes: [usize; 3], transposed: [bool; 2], views: [View; 3]| {
        let product = Product {
            m: sizes[0],
            n: sizes[1],
            k: sizes[2],
            a: views[0],
            transpose_a: transposed[0],
            b: views[1],
            transpose_b: transposed[1],
            bias: None,
            c: Gradient { view: views[2], add: false },
        };
        recorder.matmul(product, "towards orthogonal");
    };
    let newton_schulz = |recorder: &mut Recorder, p: f32, q: f32, from: View, into: View| {
        let consts = consts! { LENGTH: into.len, P: p, Q: q };
        recorder.dispatch(&table::NEWTON_SCHULZ, consts, vec![from, into], "towards orthogonal");
    };
    product(recorder, [side, side, longer], [!wide, wide], [x, x, gram]);
    product(recorder, [side, side, side], [false, false], [gram, gram, square]);
    newton_schulz(recorder, B, C, gram, square);
    if wide {
        product(recorder, [rows, columns, side], [false, false], [square, x, next])
    } else {
        product(recorder, [rows, columns, side], [false, false], [x, square, next])
    }
    newton_schulz(recorder, A, 1.0, x, next);
}
