//! The work of each class, from the reference networks, recorded as in training.

use crate::engine::Engine;
use crate::error::Result;
use crate::kernel::{Activation, Augmentation, Element, Epilogue, Geometry, Slice};
use crate::network::layers;
use crate::network::layers::conv::{Conv, consts_of, record_weight_gradient};
use crate::network::layers::words::Pair;
use crate::network::loss::Loss;
use crate::network::lower::{Gathering, PartViews, TRAIN, gather, input, metrics, watch, words};
use crate::program::params::{Arena, ArenaBuilder, Initialiser};
use crate::program::record::{Gradient, Product, Recorder};
use crate::program::rewrite::{Rewrites, rewrite};
use crate::program::shape::Shape;
use crate::program::{Program, Role, View};
use crate::table;
use crate::table::choice::{Choice, Class};

/// One section of a Program.
///
/// Its inputs and outputs don't depend on the choice.
pub(crate) struct Work {
    pub program: Program,
    pub inputs: Vec<View>,
    pub outputs: Vec<View>,
    /// The number of exact outputs, which come first.
    pub exact: usize,
}

impl Work {
    /// Fills the inputs with small whole numbers, so that all sums are exact.
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

/// From 0 to 6: labels, indices of samples, and pixels, three of four black.
fn small_numbers(seed: usize, len: usize) -> Vec<u32> {
    (0..len).map(|at| (((at + 31 * seed).wrapping_mul(2_654_435_761) >> 16) % 7) as u32).collect()
}

/// From -3 to 3: a sum of 2²⁰ products of two of them is exact in f32.
fn whole_numbers(seed: usize, len: usize) -> Vec<f32> {
    small_numbers(seed, len).into_iter().map(|number| number as f32 - 3.0).collect()
}

/// Samples of a step, and of one with convolutions.
pub(super) const BATCH: usize = 64;
const IMAGES: usize = 32;

/// The work of a class.
pub(super) fn work(class: Class, choice: Choice) -> Work {
    match class {
        // The layers of 784-128-10, and the first of such a network on smaller images.
        Class::Narrow => product(choice, [BATCH, 10, 128]),
        Class::Small => product(choice, [BATCH, 128, 64]),
        Class::Long => product(choice, [BATCH, 128, 784]),
        // The first layer of 784-512-256-10, with larger batches.
        Class::Large => product(choice, [128, 512, 784]),
        Class::Huge => product(choice, [1_024, 1_024, 128]),
        Class::Weights => weights(choice, 784, 128),
        Class::Conv => convolution(choice),
        Class::ConvWeights => convolution_weights(choice),
        Class::First => first(choice, 784, 128),
        Class::Last => last(choice, 128, 10),
    }
}

/// Inputs or outputs of the work.
fn data(recorder: &mut Recorder, name: &str, len: usize) -> View {
    recorder.buffer(name, Element::Real, len, Role::Data)
}

/// The recorded work, with all rewrites and a choice of kernels.
fn finish(recorder: Recorder, choice: Choice, inputs: Vec<View>, outputs: Vec<View>) -> Work {
    let program = rewrite(recorder.program, &choice, &Rewrites::ALL);
    Work { program, inputs, exact: outputs.len(), outputs }
}

/// A recorder for one dense layer, and its parameters' gradients.
fn dense(inputs: usize, outputs: usize) -> Recorder {
    let mut arena = ArenaBuilder::default();
    arena.add("0.weight".to_owned(), vec![outputs, inputs], Initialiser::Constant(0.0));
    arena.add("0.bias".to_owned(), vec![outputs], Initialiser::Constant(0.0));
    Recorder::new(arena.place(), BATCH)
}

/// C = A·B   A: (m, k)  B: (k, n)
pub(crate) fn plain_product(choice: Choice, [m, n, k]: [usize; 3]) -> Work {
    let mut recorder = Recorder::new(Arena::default(), m);
    let lens = [("a", m * k), ("b", k * n), ("c", m * n)];
    let [a, b, c] = lens.map(|(name, len)| data(&mut recorder, name, len));
    let c_set = Gradient { view: c, add: false };
    let product = Product { m, n, k, a, transpose_a: false, b, transpose_b: false, bias: None, c: c_set };
    recorder.matmul(product, "product");
    finish(recorder, choice, vec![a, b], vec![c])
}

/// c = relu(a·bᵀ + bias)
fn product(choice: Choice, [m, n, k]: [usize; 3]) -> Work {
    let mut recorder = Recorder::new(Arena::default(), m);
    let lens = [("a", m * k), ("b", k * n), ("bias", n)];
    let [a, b, bias] = lens.map(|(name, len)| data(&mut recorder, name, len));
    let sums = recorder.tensor("c", n);
    let c = Gradient { view: sums.value, add: false };
    let product = Product { m, n, k, a, transpose_a: false, b, transpose_b: true, bias: Some(bias), c };
    recorder.matmul(product, "weighted sums");
    let y = layers::activation::record(&mut recorder, sums, Activation::Relu);
    finish(recorder, choice, vec![a, b, bias], vec![y.value])
}

/// The gradients of a dense layer, and the watch over them, which every step has.
fn weights(choice: Choice, inputs: usize, outputs: usize) -> Work {
    let mut recorder = dense(inputs, outputs);
    let x = data(&mut recorder, "x", BATCH * inputs);
    let of_data = input(x, &Shape::flat(inputs), BATCH);
    let y = layers::dense::record(&mut recorder, of_data, outputs, "0");
    let dy = recorder.gradient(y).view;
    // The gradients alone are measured.
    recorder.program.steps.clear();
    recorder.backward();
    watch(&mut recorder);
    let gradients = ["0.weight", "0.bias"].map(|name| recorder.parameter(name).1.view);
    finish(recorder, choice, vec![x, dy], gradients.to_vec())
}

/// A first layer from the pixels on: weighted sums, and the gradients.
fn first(choice: Choice, inputs: usize, outputs: usize) -> Work {
    let mut recorder = dense(inputs, outputs);
    let shape = Shape::image(1, 1, inputs);
    let samples = BATCH;
    let lens = [("images", samples * words(&shape)), ("labels", samples), ("order", samples)];
    let [images, labels, order] =
        lens.map(|(name, len)| recorder.buffer(name, Element::Uint, len, Role::Data));
    let part = PartViews { name: TRAIN, samples, images, labels, order };
    let normaliser = data(&mut recorder, "normaliser", 2);
    let how = Gathering {
        shape: &shape,
        batch: BATCH,
        normaliser,
        augment: Augmentation::default(),
        binding_bytes: u64::MAX,
    };
    let (x, _) = gather(&mut recorder, &part, &how);
    let z = layers::dense::record(&mut recorder, x, outputs, "0");
    let dz = recorder.gradient(z).view;
    recorder.backward();
    let y = layers::activation::record(&mut recorder, z, Activation::Relu);
    watch(&mut recorder);
    let inputs = vec![images, labels, order, normaliser, recorder.parameters(), dz];
    let outputs = vec![y.value, recorder.gradients()];
    finish(recorder, choice, inputs, outputs)
}

/// A last layer and cross-entropy, which is rounded, and the gradient of the layer's input.
fn last(choice: Choice, inputs: usize, classes: usize) -> Work {
    let mut recorder = dense(inputs, classes);
    let x = recorder.tensor("x", inputs);
    let labels = recorder.buffer("labels", Element::Uint, BATCH, Role::Data);
    let metrics = metrics(&mut recorder, 1, BATCH);
    let y = layers::dense::record(&mut recorder, x, classes, "0");
    Loss::CrossEntropy.record(&mut recorder, y, labels, metrics, None);
    recorder.backward();
    let gradients = [y, x].map(|tensor| recorder.written_gradient(tensor));
    let outputs = [[y.value, metrics.view].as_slice(), &gradients].concat();
    let inputs = vec![x.value, labels, recorder.parameters()];
    Work { exact: 1, ..finish(recorder, choice, inputs, outputs) }
}

/// The second convolution of the network `cnn`.
fn geometry() -> Geometry {
    let conv = Conv { pad: Pair::both(1), ..Conv::new(32, Pair::both(3)) };
    conv.geometry(IMAGES, Shape::image(16, 14, 14)).expect("the kernel fits")
}

/// y = relu(x ∗ w + b), and dx from dy.
fn convolution(choice: Choice) -> Work {
    let g = geometry();
    let mut recorder = Recorder::new(Arena::default(), IMAGES);
    let lens = [g.input(), g.weights(), g.outputs, g.output(), g.output(), g.input()];
    let names = ["x", "w", "b", "dy", "y", "dx"];
    let [x, w, b, dy, y, dx] = std::array::from_fn(|at| data(&mut recorder, names[at], lens[at]));
    let forward = consts_of(&g, false, false, Epilogue::Bias, Activation::Relu);
    recorder.dispatch(&table::CONV_NAIVE, forward, vec![x, w, b, y], "weighted sums");
    let backward = consts_of(&g, true, false, Epilogue::Derivative, Activation::Relu);
    recorder.dispatch(&table::CONV_NAIVE, backward, vec![dy, w, x, dx], "input gradient");
    finish(recorder, choice, vec![x, w, b, dy], vec![y, dx])
}

/// The weight gradient of the same convolution.
fn convolution_weights(choice: Choice) -> Work {
    let g = geometry();
    let mut recorder = Recorder::new(Arena::default(), IMAGES);
    let lens = [("x", g.input()), ("dy", g.output()), ("dw", g.weights())];
    let [x, dy, dw] = lens.map(|(name, len)| data(&mut recorder, name, len));
    record_weight_gradient(&mut recorder, &g, x, dy, Gradient { view: dw, add: false });
    finish(recorder, choice, vec![x, dy], vec![dw])
}
