//! Matrix products of layers and optimisers.

use super::{Gradient, Recorder};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Epilogue};
use crate::program::View;
use crate::table;

/// One matrix product: C (m, n) = A (m, k) · B (k, n).
pub struct Product {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// The left factor.
    pub a: View,
    /// A is stored as (k, m).
    pub transpose_a: bool,
    /// The right factor.
    pub b: View,
    /// B is stored as (n, k).
    pub transpose_b: bool,
    /// Added to every row of C: (n).
    pub bias: Option<View>,
    /// The product, which may be added to what is there.
    pub c: Gradient,
}

impl Recorder {
    /// Records a matrix product.
    pub fn matmul(&mut self, p: Product, what: &str) {
        let epilogue = if p.bias.is_some() { Epilogue::Bias } else { Epilogue::Plain };
        let (kind, leak) = Activation::Identity.consts();
        let consts = consts! {
            M: p.m, N: p.n, K: p.k, TRANSPOSE_A: p.transpose_a, TRANSPOSE_B: p.transpose_b, ADD: p.c.add,
            EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
        };
        // A plain epilogue reads nothing; A is bound in its place.
        let args = vec![p.a, p.b, p.bias.unwrap_or(p.a), p.c.view];
        self.dispatch(&table::MATMUL_NAIVE, consts, args, what);
    }
}
