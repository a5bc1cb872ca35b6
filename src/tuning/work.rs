//! A piece of work for each class, as the reference networks have it, recorded as training records it.

use crate::cpu::activation::Activation;
use crate::cpu::conv::Geometry;
use crate::cpu::matmul::Epilogue;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Element, Slice};
use crate::layers::Dims;
use crate::layers::conv::{Conv, consts_of, record_weight_gradient};
use crate::layers::words::Pair;
use crate::lower::watch;
use crate::params::{Arena, Initialiser};
use crate::program::{Program, Role, View};
use crate::record::{Class, Gradient, Product, Recorder, Versions};

/// One section of a Program, whose views of the same name are the same whatever versions it is recorded with.
pub(crate) struct Work {
    pub program: Program,
    pub inputs: Vec<View>,
    pub outputs: Vec<View>,
}

impl Work {
    /// Fills the inputs with whole numbers, so small that all sums are exact.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn fill(&self, engine: &mut dyn Engine) -> Result<()> {
        let mut inputs = self.inputs.iter().enumerate();
        inputs.try_for_each(|(at, view)| engine.write(*view, Slice::Real(&whole_numbers(at, view.len))))
    }
}

/// From -3 to 3: a sum of 2²⁰ products of two of them is exact in f32.
fn whole_numbers(seed: usize, len: usize) -> Vec<f32> {
    let number = |at: usize| ((at + 31 * seed).wrapping_mul(2_654_435_761) >> 16) % 7;
    (0..len).map(|at| number(at) as f32 - 3.0).collect()
}

/// Samples of a step, and of one that convolves.
const BATCH: usize = 64;
const IMAGES: usize = 32;

/// The work that stands for a class; none of those for which nothing is measured.
pub(super) fn work(class: Class, versions: Versions) -> Option<Work> {
    Some(match class {
        // The layers of 784-128-10, and the first of such a network on smaller images.
        Class::Narrow => product(versions, [BATCH, 10, 128]),
        Class::Small => product(versions, [BATCH, 128, 64]),
        Class::Long => product(versions, [BATCH, 128, 784]),
        // The first layer of 784-512-256-10, with larger batches.
        Class::Large => product(versions, [128, 512, 784]),
        Class::Huge => product(versions, [1_024, 1_024, 128]),
        Class::Weights => weights(versions, 784, 128),
        Class::Conv => convolution(versions),
        Class::ConvWeights => convolution_weights(versions),
        Class::First | Class::Last => return None,
    })
}

/// Data that go into a piece of work, or come out of it.
fn data(recorder: &mut Recorder, name: &str, len: usize) -> View {
    recorder.buffer(name, Element::Real, len, Role::Data)
}

fn finish(recorder: Recorder, inputs: Vec<View>, outputs: Vec<View>) -> Work {
    Work { program: recorder.program, inputs, outputs }
}

/// C = A·B   A: (m, k)  B: (k, n)
pub(crate) fn plain_product(versions: Versions, [m, n, k]: [usize; 3]) -> Work {
    let mut recorder = Recorder::new(Arena::default(), m, versions, true);
    let [a, b, c] =
        [("a", m * k), ("b", k * n), ("c", m * n)].map(|(name, len)| data(&mut recorder, name, len));
    let c = Gradient { view: c, add: false };
    let product = Product { m, n, k, transpose_a: false, transpose_b: false, a, b, epilogue: None, c };
    recorder.matmul(product, "product");
    finish(recorder, vec![a, b], vec![c.view])
}

/// y = relu(x·Wᵀ + b)
fn product(versions: Versions, [m, n, k]: [usize; 3]) -> Work {
    let mut recorder = Recorder::new(Arena::default(), m, versions, true);
    let lens = [("a", m * k), ("b", k * n), ("bias", n), ("c", m * n)];
    let [a, b, bias, c] = lens.map(|(name, len)| data(&mut recorder, name, len));
    let product = Product {
        m,
        n,
        k,
        transpose_a: false,
        transpose_b: true,
        a,
        b,
        epilogue: Some((Epilogue::Bias, Activation::Relu, bias)),
        c: Gradient { view: c, add: false },
    };
    recorder.matmul(product, "weighted sums");
    finish(recorder, vec![a, b, bias], vec![c])
}

/// The gradients of a dense layer, and the watch over them that a step keeps in any case.
fn weights(versions: Versions, inputs: usize, outputs: usize) -> Work {
    let mut arena = Arena::default();
    arena.add("weight".to_owned(), vec![outputs, inputs], Initialiser::Constant(0.0));
    arena.add("bias".to_owned(), vec![outputs], Initialiser::Constant(0.0));
    let mut recorder = Recorder::new(arena, BATCH, versions, true);
    let x = data(&mut recorder, "x", BATCH * inputs);
    let dz = data(&mut recorder, "dz", BATCH * outputs);
    let [dweight, dbias] = ["weight", "bias"].map(|name| recorder.parameter(name).1);
    recorder.weight_gradient(dz, x, BATCH, dweight, dbias);
    if recorder.watched().is_none() {
        watch(&mut recorder);
    }
    finish(recorder, vec![x, dz], vec![dweight.view, dbias.view])
}

/// The second convolution of the network `cnn`.
fn geometry() -> Geometry {
    let conv = Conv { pad: Pair::both(1), ..Conv::new(32, Pair::both(3)) };
    conv.geometry(IMAGES, Dims { channels: 16, height: 14, width: 14 }).expect("the kernel fits")
}

/// y = relu(x ∗ w + b), and what dx is from dy.
fn convolution(versions: Versions) -> Work {
    let g = geometry();
    let mut recorder = Recorder::new(Arena::default(), IMAGES, versions, true);
    let lens = [g.input(), g.weights(), g.outputs, g.output(), g.output(), g.input()];
    let names = ["x", "w", "b", "dy", "y", "dx"];
    let [x, w, b, dy, y, dx] = std::array::from_fn(|at| data(&mut recorder, names[at], lens[at]));
    let forward = consts_of(&g, false, false, Epilogue::Bias, Activation::Relu);
    recorder.conv(forward, vec![x, w, b, y], "weighted sums");
    let backward = consts_of(&g, true, false, Epilogue::Slope, Activation::Relu);
    recorder.conv(backward, vec![dy, w, x, dx], "input gradient");
    finish(recorder, vec![x, w, b, dy], vec![y, dx])
}

/// The gradient of its weights.
fn convolution_weights(versions: Versions) -> Work {
    let g = geometry();
    let mut recorder = Recorder::new(Arena::default(), IMAGES, versions, true);
    let lens = [("x", g.input()), ("dy", g.output()), ("dw", g.weights())];
    let [x, dy, dw] = lens.map(|(name, len)| data(&mut recorder, name, len));
    record_weight_gradient(&mut recorder, &g, x, dy, Gradient { view: dw, add: false });
    finish(recorder, vec![x, dy], vec![dw])
}
