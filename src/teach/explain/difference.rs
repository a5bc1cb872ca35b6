//! Finite differences of the loss in f64: one number is moved up and down by [`H`], and the rest of the step
//! is run again.

use super::page::{Difference, Value};
use super::trace::Trace;
use crate::kernel::{Activation, Call, Slice};
use crate::network::loss::Loss;
use crate::program::{Dispatch, View};
use crate::table;

/// The distance by which a number is moved, both ways.
///
/// The difference is then off by H²/6 times the third derivative, some 1e-11, and by the rounding of two losses near 1
/// divided by H, another 1e-11: the best H is about their cube root.
const H: f64 = 1e-5;

/// The allowed difference as a fraction of the derivative.
const RELATIVE: f64 = 1e-6;

/// The allowed absolute difference: fifty times the errors that [`H`] explains.
///
/// The third derivative by a weight grows with the cube of its input.
const ABSOLUTE: f64 = 1e-9;

/// One number of the step, of a parameter or of an activation.
#[derive(Clone, Copy, Debug)]
struct Coordinate {
    view: View,
    index: usize,
}

impl Trace<'_> {
    /// The gradient of an element beside its finite difference.
    ///
    /// `of` is the view of the element itself.
    pub fn gradient_value(
        &mut self,
        key: impl Into<String>,
        words: impl Into<String>,
        gradient: View,
        of: View,
        index: usize,
    ) -> Value {
        let value = self.value(key, words, gradient, index);
        let exact = value.twin.as_ref().map_or(f64::NAN, |twin| twin.exact);
        let difference = difference(self, Coordinate { view: of, index }, exact);
        value.with_difference(difference)
    }
}

/// The finite difference of the loss for a number, and whether `exact` agrees with it.
fn difference(trace: &mut Trace, coordinate: Coordinate, exact: f64) -> Difference {
    let up = loss_at(trace, coordinate, H);
    let down = loss_at(trace, coordinate, -H);
    if up.sides != down.sides {
        return Difference::Corner;
    }
    let value = (up.loss - down.loss) / (2.0 * H) / left_out(trace.model.loss);
    // The rounding of a large loss is in proportion.
    let allowed = RELATIVE * value.abs() + ABSOLUTE * up.loss.abs().max(1.0);
    Difference::Finite { value, agrees: (exact - value).abs() <= allowed }
}

/// The factor that a loss leaves out of its gradient.
fn left_out(loss: Loss) -> f64 {
    match loss {
        Loss::SquaredError => 2.0,
        Loss::CrossEntropy | Loss::Bce | Loss::Mse => 1.0,
    }
}

/// The loss with one number moved.
struct MovedLoss {
    loss: f64,
    /// The signs of the inputs of all relus, and the indices that all maximum poolings chose.
    sides: Vec<u32>,
}

fn loss_at(trace: &mut Trace, coordinate: Coordinate, by: f64) -> MovedLoss {
    let section = trace.section();
    let loss = trace.writer(trace.loss(), 0).expect("every step writes its loss").dispatch;
    // A parameter is there before the first dispatch, any other number once it has been written. (The update
    // also writes parameters, but after the loss.)
    let writer = trace.writer(coordinate.view, coordinate.index).filter(|writer| writer.dispatch <= loss);
    let moved = section.start + writer.map_or(0, |writer| writer.dispatch + 1);
    let step = trace.step;
    trace.oracle.run(section.start..moved, &step);
    let number = &mut trace.oracle.numbers(coordinate.view)[coordinate.index];
    let before = *number;
    *number += by;
    trace.oracle.run(moved..section.start + loss + 1, &step);
    let value = trace.oracle.numbers(trace.loss())[0];
    let sides = sides(trace, moved, section.start + loss);
    trace.oracle.numbers(coordinate.view)[coordinate.index] = before;
    MovedLoss { loss: value, sides }
}

fn sides(trace: &Trace, from: usize, to: usize) -> Vec<u32> {
    let bends = |activation| matches!(activation, Activation::Relu | Activation::LeakyRelu(_));
    let of = |dispatch: &Dispatch| {
        let call = Call { consts: &dispatch.consts, step: &trace.step };
        let looked = match dispatch.kernel.name {
            name if name == table::ACTIVATION.name && bends(Activation::of(call)) => dispatch.args[0],
            name if name == table::MAX_POOL.name => dispatch.args[2],
            _ => return Vec::new(),
        };
        match trace.oracle.look(looked) {
            Slice::Real(values) => values.iter().map(|x| u32::from(*x > 0.0)).collect(),
            Slice::Uint(values) => values.to_vec(),
        }
    };
    trace.lowered.program.steps[from..to].iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Normaliser, Samples};
    use crate::engine::adapter::Device;
    use crate::network::lower::Training;
    use crate::program::shape::Shape;
    use crate::train::run::model::Model;
    use crate::train::trainer::Settings;

    #[test]
    fn a_gradient_that_is_a_little_wrong_does_not_agree() {
        let shape = Shape::image(1, 2, 2);
        let mut model = Model {
            network: "dense 3, tanh, dense 2".parse().unwrap(),
            loss: Loss::CrossEntropy,
            shape,
            classes: vec!["a".to_owned(), "b".to_owned()],
            normaliser: Normaliser { mean: vec![0.5], std: vec![0.25] },
            rendering: Default::default(),
            tones: None,
            parameters: Vec::new(),
            data: "made up".to_owned(),
        };
        model.parameters = model.arena().initial_values(1);
        let samples = Samples { shape, pixels: vec![10, 200, 70, 255], labels: vec![1] };
        let device = Device::Cpu { reason: None };
        let mut trace =
            Trace::new(&model, &samples, &Training::default(), Settings::FROZEN, &device).unwrap();
        let coordinate = Coordinate { view: trace.parameter("0.weight").unwrap(), index: 1 };
        let gradient = trace.gradient_of_parameter(coordinate.view);
        let exact = trace.value("", "", gradient, coordinate.index).twin.unwrap().exact;
        assert!(exact.abs() > 0.01, "{exact}");
        let agrees = |exact, trace: &mut Trace| match difference(trace, coordinate, exact) {
            Difference::Finite { agrees, .. } => agrees,
            Difference::Corner => panic!("tanh has no corner"),
        };
        assert!(agrees(exact, &mut trace));
        assert!(!agrees(exact * 1.00001, &mut trace));
        assert!(!agrees(-exact, &mut trace));
        assert!(!agrees(f64::NAN, &mut trace));
    }
}
