//! A piece of work for each class, as the reference networks have it, recorded as training records it.

use crate::cpu::activation::Activation;
use crate::cpu::conv::Geometry;
use crate::cpu::matmul::Epilogue;
use crate::data::ImageShape;
use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Augmentation, Element, Slice};
use crate::network::layers::conv::{Conv, consts_of, record_weight_gradient};
use crate::network::layers::words::Pair;
use crate::network::layers::{self, Dims};
use crate::network::loss::Loss;
use crate::network::lower::{PartViews, Picking, TRAIN, gather, metrics, watch, words};
use crate::program::params::{Arena, Initialiser};
use crate::program::record::{Class, Gradient, Product, Recorder, Versions};
use crate::program::{Program, Role, View};

/// One section of a Program, whose views of the same name are the same whatever versions it is recorded with.
pub(crate) struct Work {
    pub program: Program,
    pub inputs: Vec<View>,
    pub outputs: Vec<View>,
    /// How many of the outputs, from the first on, are exact.
    pub exact: usize,
}

impl Work {
    /// Fills the inputs with whole numbers, so small that all sums are exact.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn fill(&self, engine: &mut dyn Engine) -> Result<()> {
        let mut inputs = self.inputs.iter().enumerate();
        inputs.try_for_each(|(at, view)| match self.program.bufs[view.buf.0].element {
            Element::Real => engine.write(*view, Slice::Real(&whole_numbers(at, view.len))),
            Element::Uint => engine.write(*view, Slice::Uint(&small_numbers(at, view.len))),
        })
    }
}

/// From 0 to 6: labels, places of samples, and pixels, three of four black.
fn small_numbers(seed: usize, len: usize) -> Vec<u32> {
    (0..len).map(|at| (((at + 31 * seed).wrapping_mul(2_654_435_761) >> 16) % 7) as u32).collect()
}

/// From -3 to 3: a sum of 2²⁰ products of two of them is exact in f32.
fn whole_numbers(seed: usize, len: usize) -> Vec<f32> {
    small_numbers(seed, len).into_iter().map(|number| number as f32 - 3.0).collect()
}

/// Samples of a step, and of one that convolves.
pub(super) const BATCH: usize = 64;
const IMAGES: usize = 32;

/// The work that stands for a class.
pub(super) fn work(class: Class, versions: Versions) -> Work {
    match class {
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
        Class::First => first(versions, 784, 128),
        Class::Last => last(versions, 128, 10),
    }
}

/// Data that go into a piece of work, or come out of it.
fn data(recorder: &mut Recorder, name: &str, len: usize) -> View {
    recorder.buffer(name, Element::Real, len, Role::Data)
}

fn finish(recorder: Recorder, inputs: Vec<View>, outputs: Vec<View>) -> Work {
    Work { program: recorder.program, inputs, exact: outputs.len(), outputs }
}

/// A recorder for one dense layer, and its parameters' gradients.
fn dense(versions: Versions, inputs: usize, outputs: usize) -> Recorder {
    let mut arena = Arena::default();
    arena.add("0.weight".to_owned(), vec![outputs, inputs], Initialiser::Constant(0.0));
    arena.add("0.bias".to_owned(), vec![outputs], Initialiser::Constant(0.0));
    Recorder::new(arena, BATCH, versions, true)
}

/// C = A·B   A: (m, k)  B: (k, n)
pub(crate) fn plain_product(versions: Versions, [m, n, k]: [usize; 3]) -> Work {
    let mut recorder = Recorder::new(Arena::default(), m, versions, true);
    let lens = [("a", m * k), ("b", k * n), ("c", m * n)];
    let [a, b, c] = lens.map(|(name, len)| data(&mut recorder, name, len));
    let gradient = Gradient { view: c, add: false };
    let product = Product {
        m,
        n,
        k,
        transpose_a: false,
        transpose_b: false,
        a,
        b,
        epilogue: None,
        c: gradient,
        of_a_layer: false,
        of_a_gradient: false,
    };
    recorder.matmul(product, "product");
    finish(recorder, vec![a, b], vec![c])
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
        of_a_layer: false,
        of_a_gradient: false,
    };
    recorder.matmul(product, "weighted sums");
    finish(recorder, vec![a, b, bias], vec![c])
}

/// The gradients of a dense layer, and the watch over them that a step keeps in any case.
fn weights(versions: Versions, inputs: usize, outputs: usize) -> Work {
    let mut recorder = dense(versions, inputs, outputs);
    let x = data(&mut recorder, "x", BATCH * inputs);
    let dz = data(&mut recorder, "dz", BATCH * outputs);
    let [dweight, dbias] = ["0.weight", "0.bias"].map(|name| recorder.parameter(name).1);
    recorder.weight_gradient(dz, x, BATCH, dweight, dbias);
    if recorder.watched().is_none() {
        watch(&mut recorder);
    }
    finish(recorder, vec![x, dz], vec![dweight.view, dbias.view])
}

/// A first layer from the pixels on: its weighted sums, and its gradients from those of these sums.
fn first(versions: Versions, inputs: usize, outputs: usize) -> Work {
    let mut recorder = dense(versions, inputs, outputs);
    let shape = ImageShape { channels: 1, height: 1, width: inputs };
    let samples = BATCH;
    let lens = [("images", samples * words(&shape)), ("labels", samples), ("order", samples)];
    let [images, labels, order] =
        lens.map(|(name, len)| recorder.buffer(name, Element::Uint, len, Role::Data));
    let part = PartViews { name: TRAIN, samples, images, labels, order };
    let normaliser = data(&mut recorder, "normaliser", 2);
    let how = Picking {
        shape: &shape,
        batch: BATCH,
        normaliser,
        augment: Augmentation::default(),
        binding_bytes: u64::MAX,
        dense_first: Some(outputs),
    };
    let (x, _) = gather(&mut recorder, &part, &how);
    let y = layers::dense::record(&mut recorder, x, outputs, "0", Activation::Relu);
    let dz = recorder.gradient(y).view;
    recorder.backward();
    if recorder.watched().is_none() {
        watch(&mut recorder);
    }
    let inputs = vec![images, labels, order, normaliser, recorder.parameters(), dz];
    let outputs = vec![y.value, recorder.gradients()];
    finish(recorder, inputs, outputs)
}

/// A last layer and cross-entropy, which is rounded, and what they say of the layer's input.
fn last(versions: Versions, inputs: usize, classes: usize) -> Work {
    let mut recorder = dense(versions, inputs, classes);
    let x = recorder.tensor("x", inputs, Activation::Relu);
    let labels = recorder.buffer("labels", Element::Uint, BATCH, Role::Data);
    let metrics = metrics(&mut recorder, 1, BATCH);
    let y = layers::dense::record(&mut recorder, x, classes, "0", Activation::Identity);
    Loss::CrossEntropy.record(&mut recorder, y, labels, metrics, None);
    recorder.backward();
    let gradients = [y, x].map(|tensor| recorder.written_gradient(tensor));
    let outputs = [[y.value, metrics.view].as_slice(), &gradients].concat();
    let inputs = vec![x.value, labels, recorder.parameters()];
    Work { exact: 1, ..finish(recorder, inputs, outputs) }
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
