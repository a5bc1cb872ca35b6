//! Matrix products, and the gradients of a dense layer that are made of them.

use super::{Gradient, Recorder};
use crate::consts;
use crate::cpu::activation::Activation;
use crate::cpu::matmul::Epilogue;
use crate::kernel::Const;
use crate::kernel::precision::Precision;
use crate::program::View;
use crate::table;

/// One matrix product: C (m, n) = A (m, k) · B (k, n).
pub struct Product {
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// A is stored as (k, m).
    pub transpose_a: bool,
    /// B is stored as (n, k).
    pub transpose_b: bool,
    pub a: View,
    pub b: View,
    /// What to do with a finished sum, and the view that this reads.
    pub epilogue: Option<(Epilogue, Activation, View)>,
    pub c: Gradient,
    /// Whether it is one of a dense layer, whose B may be read in half precision, or both.
    pub of_a_layer: bool,
    /// Whether A is a gradient, whose numbers are small.
    pub of_a_gradient: bool,
}

impl Recorder {
    /// A matrix product by the chosen version of matmul.
    pub fn matmul(&mut self, p: Product, what: &str) {
        let (epilogue, activation, extra) =
            p.epilogue.unwrap_or((Epilogue::Plain, Activation::Identity, p.a));
        let (kind, leak) = activation.consts();
        let consts = consts! {
            M: p.m, N: p.n, K: p.k, TRANSPOSE_A: p.transpose_a, TRANSPOSE_B: p.transpose_b, ADD: p.c.add,
            EPILOGUE: Const::Uint(epilogue as u32), ACTIVATION: kind, LEAK: leak,
        };
        if self.halves(&p, &consts) {
            return self.matmul_of_halves(&p, consts, extra, what);
        }
        // Without fusion a product is one dispatch, for those who look at it.
        if let Some(slices) = self.versions.slices(&consts).filter(|_| self.fuse) {
            return self.matmul_in_slices(&p, slices, &consts, what);
        }
        let (kernel, consts) = self.versions.matmul(consts);
        self.dispatch(kernel, consts, vec![p.a, p.b, extra, p.c.view], what);
    }

    /// The gradients of a dense layer's weights and bias, from those of its weighted sums and its
    /// input (rows, columns): in one dispatch where there is a version for that, which also watches them.
    pub fn weight_gradient(&mut self, dz: View, x: View, rows: usize, dweight: Gradient, dbias: Gradient) {
        let (inputs, outputs) = (x.len / rows, dz.len / rows);
        // Not in half precision: then it is a product, if the sizes of the layer are right for that.
        let whole = [rows, inputs, outputs].iter().all(|size| size.is_multiple_of(4));
        let apart = !self.fuse || (whole && self.versions.precision() == Precision::Half);
        let fused = self.versions.weight_gradient(rows, inputs, outputs, dweight.add).filter(|_| !apart);
        if let Some((kernel, consts)) = fused {
            let [sums, flaws] = self.watch(dweight.view, dbias.view.len, consts.uint("PARTS"));
            let args = vec![dz, x, dweight.view, dbias.view, sums, flaws];
            return self.dispatch(kernel, consts, args, "weight and bias gradient");
        }
        // dW = dzᵀ·x
        let product = Product {
            m: outputs,
            n: inputs,
            k: rows,
            a: dz,
            transpose_a: true,
            b: x,
            transpose_b: false,
            epilogue: None,
            c: dweight,
            of_a_layer: true,
            of_a_gradient: true,
        };
        self.matmul(product, "weight gradient");
        // db = Σ over the batch of dz
        let consts = consts! { ROWS: rows, COLUMNS: outputs, ADD: dbias.add };
        self.dispatch(&table::COLUMN_SUMS, consts, vec![dz, dbias.view], "bias gradient");
    }
}
