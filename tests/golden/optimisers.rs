//! Ten steps of every optimiser, with clipping and the EMA.

use wgrad::internals::engine::Engine;
use wgrad::internals::kernel::{Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{TRAIN, Training};
use wgrad::internals::network::optimiser::{Optimiser, Rule};

use crate::small::Small;
use crate::{BATCH, DEEP, Precise, SAMPLES, assert_golden, numbers, small, values, weights};

/// Clipping and the EMA around ten steps, and the clipped norms.
fn around<T: Precise>() {
    let plain = Training::with(Optimiser::sgd(0.875));
    for (training, state) in [
        (Training { clip_norm: Some(0.25), ..plain.clone() }, values::CLIP_NORM_STATE),
        (Training { clip_value: Some(0.03125), ..plain.clone() }, values::CLIP_VALUE_STATE),
        (Training { ema: Some(0.875), ..plain.clone() }, values::AVERAGE_STATE),
    ] {
        let small = Small { training: training.clone(), ..small(DEEP, Loss::CrossEntropy) };
        let lowered = small.lower().unwrap();
        let mut engine = T::open(lowered.program.clone());
        small.fill(&lowered, &weights(&lowered), &mut engine);
        if let Some(ema) = lowered.ema {
            engine.write(ema, Slice::Real(&weights(&lowered))).unwrap();
        }
        let mut norms = Vec::new();
        for index in 0..10 {
            let first = index % SAMPLES.div_ceil(BATCH) * BATCH;
            let step = Step {
                slot: index as u32,
                first: first as u32,
                samples: BATCH.min(SAMPLES - first) as u32,
                index: index as u32,
                learning_rate: 0.125,
                momentum: 0.875,
                ema_decay: training.ema_decay(index),
                ..Step::default()
            };
            engine.run(lowered.program.section(TRAIN), &step);
            norms.extend(numbers(&engine, lowered.norm));
        }
        let what = format!("{training:?}");
        if training.clip_norm.is_some() {
            assert_golden::<T>("norms", &norms, values::NORMS);
        }
        let ours = numbers(&engine, lowered.ema.unwrap_or(lowered.parameters));
        for (param, tensor) in lowered.arena.params.iter().zip(state) {
            for (at, golden) in tensor.rows.concat().iter().enumerate() {
                // As above: the decay of the EMA comes as f32.
                let difference = (ours[param.start + at] - golden).abs();
                assert!(difference <= T::TOLERANCE.max(1e-7), "{what}, {}[{at}]: {difference:e}", param.name);
            }
        }
    }
}

#[test]
fn clipping_and_averaging_in_f64_are_what_pytorch_computes() {
    around::<f64>();
}

#[test]
fn clipping_and_averaging_in_f32_are_what_pytorch_computes() {
    around::<f32>();
}

/// The weights after ten steps of an optimiser.
fn optimisers<T: Precise>() {
    for (optimiser, state) in [
        ("sgd momentum 0.875 dampening 0.25 weight-decay 0.0625", values::DAMPENED_STATE),
        ("sgd momentum 0.875 nesterov", values::NESTEROV_STATE),
        ("adagrad epsilon 9.536743e-7 weight-decay 0.0625", values::ADA_GRAD_STATE),
        ("rmsprop smoothing 0.875 epsilon 9.536743e-7 weight-decay 0.0625", values::RMS_PROP_STATE),
        (
            "rmsprop smoothing 0.875 epsilon 9.536743e-7 momentum 0.875 weight-decay 0.0625",
            values::RMS_PROP_MOMENTUM_STATE,
        ),
        (
            "rmsprop smoothing 0.875 epsilon 9.536743e-7 momentum 0.75 weight-decay 0.0625 centred",
            values::RMS_PROP_CENTRED_STATE,
        ),
        ("rmsprop smoothing 0.875 epsilon 9.536743e-7 centred", values::RMS_PROP_CENTRED_ALONE_STATE),
        ("adam beta1 0.875 beta2 0.96875 epsilon 9.536743e-7 weight-decay 0.0625", values::ADAM_STATE),
        ("adamw beta1 0.875 beta2 0.96875 epsilon 9.536743e-7 weight-decay 0.0625", values::ADAM_W_STATE),
        ("lion beta1 0.875 beta2 0.96875 weight-decay 0.0625", values::LION_STATE),
        ("muon momentum 0.875 weight-decay 0.0625", values::MUON_STATE),
    ] {
        let optimiser: Optimiser = optimiser.parse().unwrap();
        let rate = match optimiser.rule {
            Rule::Sgd { .. } | Rule::AdaGrad { .. } => 0.125,
            // With a velocity steps add up.
            Rule::RmsProp { momentum, .. } if momentum > 0.0 => 0.00390625,
            Rule::RmsProp { .. } | Rule::Lion { .. } => 0.015625,
            Rule::Adam { .. } => 0.03125,
            Rule::Muon { .. } => 0.0625,
        };
        let training = Training::with(optimiser);
        let small = Small { training, ..small(DEEP, Loss::CrossEntropy) };
        let lowered = small.lower().unwrap();
        let mut engine = T::open(lowered.program.clone());
        small.fill(&lowered, &weights(&lowered), &mut engine);
        for index in 0..10 {
            let first = index % SAMPLES.div_ceil(BATCH) * BATCH;
            let [mean_correction, square_correction] = optimiser.corrections(index + 1);
            let step = Step {
                first: first as u32,
                samples: BATCH.min(SAMPLES - first) as u32,
                index: index as u32,
                learning_rate: rate,
                momentum: optimiser.momentum(),
                mean_correction,
                square_correction,
                ..Step::default()
            };
            engine.run(lowered.program.section(TRAIN), &step);
        }
        let ours = numbers(&engine, lowered.parameters);
        for (param, tensor) in lowered.arena.params.iter().zip(state) {
            let golden = tensor.rows.concat();
            for (at, golden) in golden.iter().enumerate() {
                // Weights are of size 1, and corrections come as f32, also to a run in f64.
                let difference = (ours[param.start + at] - golden).abs();
                let allowed = T::TOLERANCE.max(1e-7);
                assert!(difference <= allowed, "{optimiser}, {}[{at}]: {difference:e}", param.name);
            }
        }
    }
}

#[test]
fn ten_steps_of_every_optimiser_in_f64_are_what_pytorch_computes() {
    optimisers::<f64>();
}

#[test]
fn ten_steps_of_every_optimiser_in_f32_are_what_pytorch_computes() {
    optimisers::<f32>();
}
