//! One training step of one sample, run dispatch by dispatch, with every number that it wrote.

use crate::program::rewrite::Rewrites;
use std::ops::Range;

use super::page::{Compared, Value};
use super::views::{ActivationViews, Writer, activations, weighted, writer};
use crate::data::Samples;
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cpu::CpuEngine;
use crate::error::{Error, Result};
use crate::kernel::{Access, Slice, Step};
use crate::network::lower::{Lowered, Lowering, Mode, Part, TRAIN, Training, lower};
use crate::network::optimiser::Optimiser;
use crate::program::shape::Shape;
use crate::program::{Dispatch, View};
use crate::train::run::model::Model;
use crate::train::trainer::{Settings, pack, step_scalars, write_parameters};
use crate::verify::diff::{Comparison, Written, observe};

/// A step that was taken, and all that its dispatches wrote.
pub struct Trace<'a> {
    pub model: &'a Model,
    pub settings: Settings,
    /// The class of the sample.
    pub label: usize,
    /// In front of every layer, and behind the last.
    pub shapes: Vec<Shape>,
    /// In front of every layer, and behind the last.
    activations: Vec<ActivationViews>,
    last_with_weights: Option<usize>,
    pub(super) lowered: Lowered,
    pub(super) step: Step,
    /// Takes the same step again with one number changed.
    pub(super) oracle: CpuEngine<f64>,
    /// The numbers that each dispatch wrote to each of its bindings.
    written: Vec<Vec<Written>>,
    /// The same numbers, from a step that runs in f64 from its start.
    exact: Vec<Vec<Vec<f64>>>,
}

impl<'a> Trace<'a> {
    /// Takes a step with the first sample of `samples` alone, on `device` and in f64.
    ///
    /// It runs the plain Program, so that every number of the step is in a buffer.
    ///
    /// # Errors
    /// As [`lower`] and [`Device::open`], and [`Error::Data`] when there is no sample.
    pub fn new(
        model: &'a Model,
        samples: &Samples,
        training: &Training,
        settings: Settings,
        device: &Device,
    ) -> Result<Self> {
        if samples.is_empty() {
            return Err(Error::Data("there is no sample to explain".to_owned()));
        }
        let sample = samples.subset(&[0]);
        let lowered = lower(&Lowering {
            loss: model.loss,
            parts: vec![Part { name: TRAIN, samples: 1 }],
            choice: device.choice(),
            rewrites: Rewrites::NONE,
            mode: Mode::Explain,
            limits: device.limits(),
            training: Training::with(training.optimiser),
            ..Lowering::new(&model.network, &model.shape, model.classes.len(), 1)
        })?;
        let scalars = step_scalars(&lowered.training, settings.seed, 0, settings.learning_rate);
        let step = Step { samples: 1, ..scalars };
        let program = &lowered.program;
        let mut engine = device.open(program.clone())?;
        fill(engine.as_mut(), &lowered, model, &sample)?;
        let section = program.section(TRAIN);
        let written = section.clone().map(|at| observe(engine.as_mut(), program, at, &step));
        let written: Vec<Vec<Written>> = written.collect::<Result<_>>()?;
        let mut oracle = CpuEngine::oracle(program.clone())?;
        fill(&mut oracle, &lowered, model, &sample)?;
        let exact = section.zip(&written).map(|(at, written)| {
            oracle.run(at..at + 1, &step);
            written.iter().map(|written| wide(oracle.look(written.view))).collect()
        });
        let exact = exact.collect();
        // The update has changed them.
        write_parameters(&mut oracle, &lowered, &model.parameters)?;
        let shape = model.shape;
        let shapes = model.network.shapes(&shape)?;
        let label = sample.labels[0] as usize;
        let weighted = weighted(model, &shapes);
        let last_with_weights = weighted.iter().rposition(|weighted| *weighted);
        let activations = activations(model, &lowered, &written, &weighted)?;
        Ok(Trace {
            model,
            settings,
            label,
            shapes,
            activations,
            last_with_weights,
            lowered,
            step,
            oracle,
            written,
            exact,
        })
    }

    /// The indices of the step's dispatches in the Program.
    pub fn section(&self) -> Range<usize> {
        self.lowered.program.section(TRAIN)
    }

    /// The dispatches of the step.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.lowered.program.steps[self.section()]
    }

    /// The first dispatch whose results differ from its twin's on the same inputs.
    pub fn first_disagreement(&self) -> Option<String> {
        let dispatches = &self.lowered.program.steps[self.section()];
        dispatches.iter().zip(&self.written).find_map(|(dispatch, written)| {
            let comparison = Comparison::of(written);
            let problem = comparison.at.as_ref().filter(|_| !comparison.agrees())?;
            let why = if problem.result.is_finite() {
                ""
            } else {
                "; it is not finite, as the network has diverged"
            };
            Some(format!("{} ({}): {problem}{why}", dispatch.kernel.name, dispatch.label()))
        })
    }

    /// The output of a layer.
    ///
    /// A layer that computes nothing, such as flatten, has its input's view.
    pub fn output(&self, layer: usize) -> View {
        self.activations[layer + 1].values
    }

    /// The input of a layer.
    pub fn input(&self, layer: usize) -> View {
        self.activations[layer].values
    }

    /// The output of the last layer.
    pub fn outputs(&self) -> View {
        self.output(self.model.network.layers.len() - 1)
    }

    /// The gradient of a layer's input or output.
    ///
    /// None where no layer in front has weights.
    pub fn gradient(&self, of: View) -> Option<View> {
        self.activations.iter().find(|activation| activation.values == of)?.gradient
    }

    /// A parameter by its name, in the arena of the parameters: `0.weight`.
    pub fn parameter(&self, name: &str) -> Option<View> {
        let param = self.lowered.arena.params.iter().find(|param| param.name == name)?;
        Some(View { buf: self.lowered.parameters.buf, start: param.start, len: param.len() })
    }

    /// The same part of the arena of the gradients.
    pub fn gradient_of_parameter(&self, parameter: View) -> View {
        View { buf: self.lowered.gradients.buf, ..parameter }
    }

    /// The optimiser that updates the parameters.
    pub fn optimiser(&self) -> &Optimiser {
        &self.lowered.training.optimiser
    }

    /// The same part of a buffer of the optimiser state, by the buffer's name.
    pub fn state_of_parameter(&self, name: &str, parameter: View) -> View {
        let state = self.lowered.states.iter().find(|state| state.name == name);
        View { buf: state.expect("a state of this optimiser").view.buf, ..parameter }
    }

    /// A parameter as it was before the update.
    pub fn before(&self, parameter: View) -> &[f32] {
        &self.model.parameters[parameter.start..][..parameter.len]
    }

    /// The last layer that has parameters.
    pub fn last_with_weights(&self) -> Option<usize> {
        self.last_with_weights
    }

    /// The dispatch and binding that wrote an element last.
    pub(super) fn writer(&self, view: View, index: usize) -> Option<Writer> {
        writer(&self.written, view.buf, view.start + index)
    }

    /// The views that the writer of a view has read.
    ///
    /// # Panics
    /// When no dispatch wrote it.
    pub fn reads(&self, view: View) -> Vec<View> {
        let writer = self.writer(view, 0).expect("a view that the step writes");
        let dispatch = &self.dispatches()[writer.dispatch];
        let binds = dispatch.args.iter().zip(dispatch.kernel.binds);
        binds.filter(|(_, bind)| bind.access == Access::Read).map(|(view, _)| *view).collect()
    }

    /// The numbers that the device wrote into a view.
    ///
    /// # Panics
    /// When no dispatch wrote it.
    pub fn numbers(&self, view: View) -> &[f64] {
        let Writer { dispatch, binding, offset } = self.writer(view, 0).expect("a view that the step writes");
        &self.written[dispatch][binding].results[offset..][..view.len]
    }

    /// An element of a view that the step writes, beside its twin.
    pub fn value(&self, key: impl Into<String>, words: impl Into<String>, view: View, index: usize) -> Value {
        let Writer { dispatch, binding, offset } =
            self.writer(view, index).expect("a view that the step writes");
        let element = self.written[dispatch][binding].element(offset);
        let compared = Compared {
            kernel: self.dispatches()[dispatch].kernel,
            exact: self.exact[dispatch][binding][offset],
            element,
        };
        Value { twin: Some(compared.clone()), ..Value::read(key, words, compared.element.result) }
    }

    /// The loss, in the metrics of the step.
    pub fn loss(&self) -> View {
        self.lowered.metrics(1)
    }
}

/// Writes the sample and the model's parameters to an engine.
fn fill(engine: &mut dyn Engine, lowered: &Lowered, model: &Model, sample: &Samples) -> Result<()> {
    let part = lowered.part(TRAIN).expect("lowered with this part");
    engine.write(part.images, Slice::Uint(&pack(sample)))?;
    engine.write(part.labels, Slice::Uint(&sample.labels))?;
    engine.write(part.order, Slice::Uint(&[0]))?;
    engine.write(lowered.normaliser, Slice::Real(&model.normaliser.scale_and_shift()))?;
    write_parameters(engine, lowered, &model.parameters)
}

fn wide(slice: Slice<f64>) -> Vec<f64> {
    match slice {
        Slice::Real(values) => values.to_vec(),
        Slice::Uint(values) => values.iter().map(|value| f64::from(*value)).collect(),
    }
}
