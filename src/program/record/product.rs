//! Matrix products, as layers and optimisers ask for them.

use super::{Gradient, Recorder};
use crate::kernel::consts;
use crate::kernel::{Activation, Const, Epilogue};
use crate::program::View;
use crate::table;

/// One matrix product: C (m, n) = A (m, k) · B (k, n).
pub struct Product {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    pub a: View,
    /// A is stored as (k, m).
    pub transpose_a: bool,
    pub b: View,
    /// B is stored as (n, k).
    pub transpose_b: bool,
    /// What is added to every row of C: (n).
    pub bias: Option<View>,
    pub c: Gradient,
}

impl Recorder {
    /// A matrix product.
    pub fn matmul(&mut self, p: Product, what: &str) {
        let epilogue = if p.bias.is_some() { Epilogue::Bias } else { Epilogue::Plain };
        let (kind, leak) = Activation::Identity.consts();
        let consts = consts! {
            M: p.m, N: p.n, K: p.k, TRANSPOSE_A: p.transpose_a, TRANSPOSE_B: p.transpose_b, ADD: p.c.add,
            EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
        };
        // A plain epilogue reads nothing, and is given A again.
        let args = vec![p.a, p.b, p.bias.unwrap_or(p.a), p.c.view];
        self.dispatch(&table::MATMUL_NAIVE, consts, args, what);
    }
}
