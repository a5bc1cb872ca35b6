//! The workbench with several samples, a bias, a sigmoid and the factor 2.

use wgrad::internals::kernel::Activation;
use wgrad::internals::teach::lessons::workbench::{DenseLayer, Scope, Workbench};

use super::{close, machines};

const WEIGHTS: [f32; 2] = [1.45, -0.66];
const INPUTS: [[f32; 2]; 2] = [[1.66, 1.56], [2.0, 1.5]];
const GOALS: [f32; 2] = [1.0, 0.0];
const BIAS: f32 = 0.125;

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

#[test]
fn a_step_follows_the_formulas() {
    let layer = DenseLayer {
        samples: 2,
        bias: true,
        activation: Activation::Sigmoid,
        factor: 2.0,
        ..DenseLayer::linear(2, 1, Scope::Descend)
    };
    for machine in machines() {
        let mut bench = Workbench::new(&machine, layer).unwrap();
        bench.set_input(&INPUTS.concat()).unwrap();
        bench.set_goal(&GOALS).unwrap();
        bench.set_weights(&WEIGHTS).unwrap();
        bench.set_bias(&[0.0]).unwrap();
        // Published for these weights without a bias.
        close(&wide(&bench.predict().unwrap()), &[0.798_573_1, 0.871_019_15]);
        close(&wide(&bench.error().unwrap())[1..], &[0.758_674_36]);

        bench.set_bias(&[BIAS]).unwrap();
        let step = bench.descend(0.5).unwrap();
        let mut weights = wide(&WEIGHTS);
        let mut bias = f64::from(BIAS);
        let (mut predictions, mut deltas, mut weight_delta) = (Vec::new(), Vec::new(), [0.0; 2]);
        for (input, goal) in INPUTS.iter().zip(GOALS) {
            let input = wide(input);
            let sum = input[0] * weights[0] + input[1] * weights[1] + bias;
            let prediction = 1.0 / (1.0 + (-sum).exp());
            let delta = 2.0 * (prediction - f64::from(goal)) * prediction * (1.0 - prediction);
            weight_delta = [weight_delta[0] + delta * input[0], weight_delta[1] + delta * input[1]];
            predictions.push(prediction);
            deltas.push(delta);
        }
        weights.iter_mut().zip(weight_delta).for_each(|(weight, delta)| *weight -= 0.5 * delta);
        bias -= 0.5 * deltas.iter().sum::<f64>();
        close(&wide(&step.prediction), &predictions);
        close(&wide(&step.delta), &deltas);
        close(&wide(&step.weight_delta), &weight_delta);
        close(&wide(&step.weights), &weights);
        close(&wide(&step.bias), &[bias]);
        close(&wide(&step.before), &wide(&WEIGHTS));
    }
}
