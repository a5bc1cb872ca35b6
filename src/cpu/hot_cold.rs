//! The twin of `hot_cold.wgsl`.

use super::{EPS, TINY};
use crate::kernel::{Call, Real, Slice, SliceMut};

/// The data and weights of one call.
struct HotColdCall<'a, T> {
    batch: usize,
    inputs: usize,
    outputs: usize,
    step: f64,
    x: &'a [T],
    goals: &'a [T],
    starts: &'a [T],
    positions: &'a [T],
}

impl<'a, T: Real> HotColdCall<'a, T> {
    fn of(call: Call, reads: &[Slice<'a, T>]) -> HotColdCall<'a, T> {
        let [batch, inputs, outputs] = ["BATCH", "INPUTS", "OUTPUTS"].map(|name| call.consts.uint(name));
        HotColdCall {
            batch,
            inputs,
            outputs,
            step: call.step.learning_rate.into(),
            x: reads[0].real(),
            goals: reads[1].real(),
            starts: reads[2].real(),
            positions: reads[3].real(),
        }
    }

    fn weight(&self, at: usize, position: f64) -> f64 {
        self.starts[at].f64() + position * self.step
    }

    /// The error of a weight's output with that weight at another position.
    fn error_with(&self, own: usize, position: f64) -> f64 {
        let output = own / self.inputs;
        let mut error = 0.0;
        for b in 0..self.batch {
            let mut prediction = 0.0;
            for k in 0..self.inputs {
                let at = output * self.inputs + k;
                let position = if at == own { position } else { self.positions[at].f64() };
                prediction += self.x[b * self.inputs + k].f64() * self.weight(at, position);
            }
            let difference = prediction - self.goals[b * self.outputs + output].f64();
            error += difference * difference;
        }
        error
    }

    /// The errors a step up and a step down.
    fn tries(&self, own: usize) -> [f64; 2] {
        let position = self.positions[own].f64();
        [self.error_with(own, position + 1.0), self.error_with(own, position - 1.0)]
    }
}

/// -1, 0 or 1: towards the smaller error; 0 when they are equal.
fn direction([up, down]: [f64; 2]) -> f64 {
    match () {
        () if up < down => 1.0,
        () if down < up => -1.0,
        () => 0.0,
    }
}

/// moved = position ± 1, towards the smaller error; weights = starts + moved · step
pub fn hot_cold<T: Real>(call: Call, reads: &[Slice<T>], writes: &mut [SliceMut<T>]) {
    let walk = HotColdCall::of(call, reads);
    let [tries, moved, weights] = writes else { unreachable!("the kernel table binds three outputs") };
    for own in 0..walk.inputs * walk.outputs {
        let both = walk.tries(own);
        let next = walk.positions[own].f64() + direction(both);
        tries.real()[own * 2] = T::of(both[0]);
        tries.real()[own * 2 + 1] = T::of(both[1]);
        moved.real()[own] = T::of(next);
        weights.real()[own] = T::of(walk.weight(own, next));
    }
}

impl HotColdCall<'_, f64> {
    /// Largest error of a weight: the product and the sum.
    fn weight_error(&self, at: usize, position: f64) -> f64 {
        let product = (position * self.step).abs();
        EPS * product + EPS * (self.starts[at].abs() + product) + TINY
    }

    /// Largest error of [`HotColdCall::error_with`] in f32.
    fn error_bound(&self, own: usize, position: f64) -> f64 {
        let output = own / self.inputs;
        let (mut bound, mut sum) = (0.0, 0.0);
        for b in 0..self.batch {
            let (mut prediction, mut size, mut from_weights) = (0.0, 0.0, 0.0);
            for k in 0..self.inputs {
                let at = output * self.inputs + k;
                let position = if at == own { position } else { self.positions[at] };
                let x = self.x[b * self.inputs + k];
                let term = x * self.weight(at, position);
                prediction += term;
                size += term.abs();
                from_weights += x.abs() * self.weight_error(at, position);
            }
            // As in matmul_bound, but from weights that are themselves rounded.
            let terms = (self.inputs + 1) as f64;
            let prediction_error = from_weights + terms * (EPS * (size + from_weights) + TINY);
            let difference = prediction - self.goals[b * self.outputs + output];
            // The subtraction, then the square of a difference that is off by this.
            let off = prediction_error + EPS * (difference.abs() + prediction_error);
            let square = (difference.abs() + off).powi(2);
            bound += square - difference.powi(2) + EPS * square + TINY;
            sum += square;
        }
        bound + self.batch as f64 * EPS * sum
    }
}

/// The bound of [`hot_cold`].
///
/// Any of the three moves is right where f32 cannot tell which error is smaller; elsewhere only one is.
pub fn hot_cold_bound(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
    let walk = HotColdCall::of(call, reads);
    let [tries, moved, weights] = writes else { unreachable!("the kernel table binds three outputs") };
    for own in 0..walk.inputs * walk.outputs {
        let position = walk.positions[own];
        let both = walk.tries(own);
        let bounds = [walk.error_bound(own, position + 1.0), walk.error_bound(own, position - 1.0)];
        let decided = (both[0] - both[1]).abs() > bounds[0] + bounds[1];
        // Two steps from one end to the other, one from the middle.
        let astray = if decided { 0.0 } else { 1.0 + direction(both).abs() };
        tries.real()[own * 2] = bounds[0];
        tries.real()[own * 2 + 1] = bounds[1];
        // Positions that aren't whole numbers are rounded like any sum.
        moved.real()[own] = astray + EPS * (position.abs() + 1.0);
        let furthest = position.abs() + 1.0;
        weights.real()[own] = astray * walk.step.abs()
            + walk.weight_error(own, furthest) * (1.0 + EPS)
            + EPS * furthest * walk.step.abs();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Step;
    use crate::kernel::consts;

    fn walk(x: &[f64], goals: &[f64], weights: &[f64]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let consts = consts! { BATCH: 1usize, INPUTS: x.len(), OUTPUTS: goals.len() };
        let step = Step { learning_rate: 0.25, ..Step::default() };
        let n = weights.len();
        let zeros = vec![0.0; n];
        let reads = [Slice::Real(x), Slice::Real(goals), Slice::Real(weights), Slice::Real(&zeros)];
        let (mut tries, mut moved, mut after) = (vec![0.0; 2 * n], vec![0.0; n], vec![0.0; n]);
        let call = Call { consts: &consts, step: &step };
        let mut writes = [SliceMut::Real(&mut tries), SliceMut::Real(&mut moved), SliceMut::Real(&mut after)];
        hot_cold(call, &reads, &mut writes);
        (tries, moved, after)
    }

    #[test]
    fn each_weight_moves_to_the_smaller_error_or_stays() {
        // Predictions 0.5 and 2 for goals 1 and 1; the third input is 0, so both ways are equal.
        let (tries, moved, after) = walk(&[1.0, 0.5, 0.0], &[1.0, 1.0], &[0.25, 0.5, 9.0, 1.0, 2.0, 9.0]);
        assert_eq!(moved, [1.0, 1.0, 0.0, -1.0, -1.0, 0.0]);
        assert_eq!(after, [0.5, 0.75, 9.0, 0.75, 1.75, 9.0]);
        assert_eq!(tries[..2], [0.0625, 0.5625]);
    }

    #[test]
    fn a_fixed_step_leaves_the_better_place_again() {
        // On the goal both ways are equal; beside it the rule moves even if it was better there.
        let (_, moved, _) = walk(&[1.0], &[1.0], &[1.0]);
        assert_eq!(moved, [0.0]);
        let (tries, moved, _) = walk(&[1.0], &[1.0], &[1.0625]);
        assert!(tries.iter().all(|error| *error > 0.0625f64.powi(2)));
        assert_eq!(moved, [-1.0]);
    }
}
