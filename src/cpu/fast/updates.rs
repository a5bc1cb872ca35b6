//! Updates of whole arenas: the rules of the twins in f32, vectorised, on every core. Optimiser state is never
//! subnormal.

use rayon::prelude::*;

use super::vectorised;
use crate::kernel::{Call, Slice, SliceMut};

/// Words that are worth a thread.
const WORTH_A_THREAD: usize = 1 << 14;

/// `sgd`: w = w - learning_rate · (g + DECAY · w)
pub fn sgd_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let rate = call.step.learning_rate;
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w], decay| [w - rate * (g + decay * w)],
    );
}

/// `sgd_momentum`: v = momentum · v + (1 - DAMPENING) · g   w = w - learning_rate · v
pub fn sgd_momentum_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (rate, momentum) = (call.step.learning_rate, call.step.momentum);
    // The first velocity is the gradient.
    let factor = if call.step.index == 0 { 1.0 } else { 1.0 - call.consts.float("DAMPENING") as f32 };
    let [nesterov, decoupled] = ["NESTEROV", "DECOUPLED"].map(|name| call.consts.flag(name));
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, v], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let velocity = momentum * v + factor * gradient;
            let direction = if nesterov { gradient + momentum * velocity } else { velocity };
            [w - rate * (direction + apart), velocity]
        },
    );
}

/// `ada_grad`: s = s + g²   w = w - learning_rate · g / (√s + EPSILON)
pub fn ada_grad_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let (rate, epsilon) = (call.step.learning_rate, call.consts.float("EPSILON") as f32);
    let decoupled = call.consts.flag("DECOUPLED");
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, s], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let squares = s + gradient * gradient;
            [w - rate * (gradient / (squares.sqrt() + epsilon) + apart), squares]
        },
    );
}

/// `rms_prop`: s = SMOOTHING · s + (1 - SMOOTHING) · g²   w = w - learning_rate · g / (√s + EPSILON)
pub fn rms_prop_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [smoothing, epsilon] = ["SMOOTHING", "EPSILON"].map(|name| call.consts.float(name) as f32);
    let (rate, decoupled) = (call.step.learning_rate, call.consts.flag("DECOUPLED"));
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, s], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let squares = smoothing * s + (1.0 - smoothing) * (gradient * gradient);
            [w - rate * (gradient / (squares.sqrt() + epsilon) + apart), squares]
        },
    );
}

/// `rms_prop_momentum`: s = SMOOTHING · s + (1 - SMOOTHING) · g²   v = momentum · v + g / (√s + EPSILON)
/// w = w - learning_rate · v
pub fn rms_prop_momentum_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [smoothing, epsilon] = ["SMOOTHING", "EPSILON"].map(|name| call.consts.float(name) as f32);
    let (rate, momentum) = (call.step.learning_rate, call.step.momentum);
    let decoupled = call.consts.flag("DECOUPLED");
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, s, v], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let squares = smoothing * s + (1.0 - smoothing) * (gradient * gradient);
            let velocity = momentum * v + gradient / (squares.sqrt() + epsilon);
            [w - rate * (velocity + apart), squares, velocity]
        },
    );
}

/// `rms_prop_centred`: c = SMOOTHING · (c + (1 - SMOOTHING) · (g - m)²)   m = SMOOTHING · m + (1 - SMOOTHING) · g
/// v = momentum · v + g / (√c + EPSILON)   w = w - learning_rate · v
pub fn rms_prop_centred_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [smoothing, epsilon] = ["SMOOTHING", "EPSILON"].map(|name| call.consts.float(name) as f32);
    let (rate, momentum) = (call.step.learning_rate, call.step.momentum);
    let decoupled = call.consts.flag("DECOUPLED");
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, c, m, v], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let off = gradient - m;
            let variance = smoothing * (c + (1.0 - smoothing) * (off * off));
            let mean = smoothing * m + (1.0 - smoothing) * gradient;
            let velocity = momentum * v + gradient / (variance.sqrt() + epsilon);
            [w - rate * (velocity + apart), variance, mean, velocity]
        },
    );
}

/// `lion`: w = w - learning_rate · sign(BETA1 · m + (1 - BETA1) · g)   m = BETA2 · m + (1 - BETA2) · g
pub fn lion_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [beta1, beta2] = ["BETA1", "BETA2"].map(|name| call.consts.float(name) as f32);
    let (rate, decoupled) = (call.step.learning_rate, call.consts.flag("DECOUPLED"));
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, m], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let direction = beta1 * m + (1.0 - beta1) * gradient;
            let sign = f32::from(direction > 0.0) - f32::from(direction < 0.0);
            [w - rate * (sign + apart), beta2 * m + (1.0 - beta2) * gradient]
        },
    );
}

/// `adam`: m = BETA1 · m + (1 - BETA1) · g   s = BETA2 · s + (1 - BETA2) · g²
/// w = w - learning_rate · (m · mean_correction) / (√(s · square_correction) + EPSILON)
pub fn adam_fast(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    let [beta1, beta2, epsilon] = ["BETA1", "BETA2", "EPSILON"].map(|name| call.consts.float(name) as f32);
    let (rate, decoupled) = (call.step.learning_rate, call.consts.flag("DECOUPLED"));
    let (mean, square) = (call.step.mean_correction, call.step.square_correction);
    update(
        call,
        reads,
        writes,
        #[inline(always)]
        move |g, [w, m, s], decay| {
            let (gradient, apart) = decayed(g, decay * w, decoupled);
            let means = beta1 * m + (1.0 - beta1) * gradient;
            let squares = beta2 * s + (1.0 - beta2) * (gradient * gradient);
            let direction = (means * mean) / ((squares * square).sqrt() + epsilon) + apart;
            [w - rate * direction, means, squares]
        },
    );
}

/// The gradient with L2 decay, and the decoupled decay.
fn decayed(gradient: f32, decay: f32, decoupled: bool) -> (f32, f32) {
    if decoupled { (gradient, decay) } else { (gradient + decay, 0.0) }
}

/// Applies `rule` to every parameter.
///
/// It gets the gradient, the written values in the order of the bindings, and the decay.
fn update<const N: usize>(
    call: Call,
    reads: &[Slice<f32>],
    writes: &mut [SliceMut<f32>],
    rule: impl Fn(f32, [f32; N], f32) -> [f32; N] + Copy + Sync,
) {
    let (decays, decay) = (call.consts.uint("DECAYED"), call.consts.float("DECAY") as f32);
    let mut kept = written(writes);
    // The parameters with weight decay stand first.
    let (first, second) = reads[0].real().split_at(decays);
    let front = split_off_front(&mut kept, decays);
    in_pieces(
        first,
        front,
        #[inline(always)]
        move |g, old| rule(g, old, decay),
    );
    in_pieces(
        second,
        kept,
        #[inline(always)]
        move |g, old| rule(g, old, 0.0),
    );
}

/// Applies `rule` to every element.
///
/// It gets the value that is read, and the values to be overwritten.
pub fn each<const N: usize>(
    reads: &[Slice<f32>],
    writes: &mut [SliceMut<f32>],
    rule: impl Fn(f32, [f32; N]) -> [f32; N] + Copy + Sync,
) {
    in_pieces(reads[0].real(), written(writes), rule);
}

fn written<'a, const N: usize>(writes: &'a mut [SliceMut<f32>]) -> [&'a mut [f32]; N] {
    let mut writes = writes.iter_mut();
    std::array::from_fn(|_| writes.next().expect("a rule fits its bindings").real())
}

/// Applies `rule` to every word of a single buffer.
pub fn alone(words: &mut [f32], rule: impl Fn(f32) -> f32 + Copy + Sync) {
    words.par_chunks_mut(WORTH_A_THREAD).for_each(|words| {
        vectorised(
            #[inline(always)]
            || words.iter_mut().for_each(|word| *word = rule(*word)),
        );
    });
}

fn in_pieces<const N: usize>(
    gradients: &[f32],
    mut kept: [&mut [f32]; N],
    rule: impl Fn(f32, [f32; N]) -> [f32; N] + Copy + Sync,
) {
    let length = gradients.len();
    if length >= 2 * WORTH_A_THREAD {
        let half = (length / 2).next_multiple_of(64);
        let (first, second) = gradients.split_at(half);
        let front = split_off_front(&mut kept, half);
        rayon::join(|| in_pieces(first, front, rule), || in_pieces(second, kept, rule));
        return;
    }
    let kept = kept.map(|words| &mut words[..length]);
    vectorised(
        #[inline(always)]
        move || {
            for at in 0..length {
                let next = rule(gradients[at], std::array::from_fn(|i| kept[i][at]));
                (0..N).for_each(|i| kept[i][at] = without_subnormals(next[i]));
            }
        },
    );
}

/// The number, or 0 for a subnormal one, as a GPU may have it too.
///
/// Means of gradients that have become 0 shrink until they are subnormal, and rounding keeps them from reaching 0. Some
/// processors take a hundred times as long for each of them.
#[inline(always)]
fn without_subnormals(number: f32) -> f32 {
    if number.abs() < f32::MIN_POSITIVE { 0.0 } else { number }
}

/// Splits the first words off every buffer.
fn split_off_front<'a, const N: usize>(kept: &mut [&'a mut [f32]; N], words: usize) -> [&'a mut [f32]; N] {
    kept.each_mut().map(|words_of_one| {
        let (front, rest) = std::mem::take(words_of_one).split_at_mut(words);
        *words_of_one = rest;
        front
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Step;
    use crate::kernel::consts;

    #[test]
    fn means_of_gradients_that_have_become_0_get_to_0() {
        let consts = consts! {
            LENGTH: 64usize, DECAYED: 64usize, DECAY: 0.0f32, DECOUPLED: false, BETA1: 0.9f32, BETA2: 0.999f32,
            EPSILON: 1e-8f32,
        };
        let step =
            Step { learning_rate: 0.001, mean_correction: 1.0, square_correction: 1.0, ..Step::default() };
        let (mut w, mut m, mut s) = ([0.5; 64], [1e-37; 64], [1e-37; 64]);
        for _ in 0..100 {
            let mut writes = [SliceMut::Real(&mut w), SliceMut::Real(&mut m), SliceMut::Real(&mut s)];
            adam_fast(Call { consts: &consts, step: &step }, &[Slice::Real(&[0.0; 64])], &mut writes);
            assert!(w.iter().chain(&m).chain(&s).all(|number| !number.is_subnormal()));
        }
        assert_eq!((m, s.map(|s| s > 9e-38)), ([0.0; 64], [true; 64]));
    }
}
