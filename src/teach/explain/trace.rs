//! One training step of one sample, run dispatch by dispatch with everything kept.

use crate::program::rewrite::Rewrites;
use std::ops::Range;

use super::between::{between, weighted, writer};
use super::page::{Compared, Value};
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

/// A step that was taken, with all that its dispatches wrote.
pub struct Trace<'a> {
    pub model: &'a Model,
    pub settings: Settings,
    /// The class of the sample.
    pub label: usize,
    /// In front of every layer, and behind the last.
    pub shapes: Vec<Shape>,
    /// In front of every layer, and behind the last: the values and their gradient.
    between: Vec<(View, Option<View>)>,
    last_with_weights: Option<usize>,
    pub(super) lowered: Lowered,
    pub(super) step: Step,
    /// Ready to take the same step again with one number changed.
    pub(super) oracle: CpuEngine<f64>,
    /// By dispatch, what it wrote to each of its bindings.
    written: Vec<Vec<Written>>,
    /// The same numbers where the whole step runs in f64.
    exact: Vec<Vec<Vec<f64>>>,
}

impl<'a> Trace<'a> {
    /// Takes a step with the first sample of `samples` alone, on `device` and in f64.
    ///
    /// Of the plain Program, so that every number of the step is in a buffer.
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
        let between = between(model, &lowered, &written, &weighted)?;
        Ok(Trace {
            model,
            settings,
            label,
            shapes,
            between,
            last_with_weights,
            lowered,
            step,
            oracle,
            written,
            exact,
        })
    }

    /// The dispatches of the step.
    pub fn section(&self) -> Range<usize> {
        self.lowered.program.section(TRAIN)
    }

    /// The same, as they are.
    pub fn dispatches(&self) -> &[Dispatch] {
        &self.lowered.program.steps[self.section()]
    }

    /// Whether every dispatch of the step wrote what its twin makes of the same
    /// inputs; else the first that did not.
    pub fn first_disagreement(&self) -> Option<String> {
        let dispatches = &self.lowered.program.steps[self.section()];
        dispatches.iter().zip(&self.written).find_map(|(dispatch, written)| {
            let comparison = Comparison::of(written);
            let problem = comparison.at.as_ref().filter(|_| !comparison.agrees())?;
            let why =
                if problem.result.is_finite() { "" } else { "; it is beyond f32, the network has diverged" };
            Some(format!("{} ({}): {problem}{why}", dispatch.kernel.name, dispatch.label()))
        })
    }

    /// What a layer gives to the next. A layer that computes nothing, such as
    /// flatten, gives on the view that it gets.
    pub fn output(&self, layer: usize) -> View {
        self.between[layer + 1].0
    }

    /// What a layer gets.
    pub fn input(&self, layer: usize) -> View {
        self.between[layer].0
    }

    /// What the last layer gives.
    pub fn outputs(&self) -> View {
        self.output(self.model.network.layers.len() - 1)
    }

    /// The gradient of what a layer gets or gives; none where nothing learns through it.
    pub fn gradient(&self, of: View) -> Option<View> {
        self.between.iter().find(|(value, _)| *value == of)?.1
    }

    /// A parameter by its name, in the arena of the parameters: `0.weight`.
    pub fn parameter(&self, name: &str) -> Option<View> {
        let param = self.lowered.arena.params.iter().find(|param| param.name == name)?;
        Some(View { buf: self.lowered.parameters.buf, start: param.start, len: param.len() })
    }

    /// The same place in the arena of the gradients.
    pub fn gradient_of_parameter(&self, parameter: View) -> View {
        View { buf: self.lowered.gradients.buf, ..parameter }
    }

    /// How the step is taken.
    pub fn optimiser(&self) -> &Optimiser {
        &self.lowered.training.optimiser
    }

    /// The same place in what the optimiser keeps, by the name of its state.
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

    /// Who wrote an element: dispatch, binding, place within it.
    pub(super) fn writer(&self, view: View, index: usize) -> Option<(usize, usize, usize)> {
        writer(&self.written, view.buf, view.start + index)
    }

    /// What the dispatch that wrote a view has read.
    ///
    /// # Panics
    /// When none has.
    pub fn reads(&self, view: View) -> Vec<View> {
        let (dispatch, ..) = self.writer(view, 0).expect("a view that the step writes");
        let dispatch = &self.lowered.program.steps[self.section().start + dispatch];
        let binds = dispatch.args.iter().zip(dispatch.kernel.binds);
        binds.filter(|(_, bind)| bind.access == Access::Read).map(|(view, _)| *view).collect()
    }

    /// What the device wrote into a view.
    ///
    /// # Panics
    /// When nothing did.
    pub fn numbers(&self, view: View) -> &[f64] {
        let (dispatch, binding, at) = self.writer(view, 0).expect("a view that the step writes");
        &self.written[dispatch][binding].results[at..][..view.len]
    }

    /// An element of a view that the step writes.
    pub fn value(&self, key: impl Into<String>, words: impl Into<String>, view: View, index: usize) -> Value {
        let (dispatch, binding, at) = self.writer(view, index).expect("a view that the step writes");
        let element = self.written[dispatch][binding].element(at);
        let compared = Compared {
            kernel: self.lowered.program.steps[self.section().start + dispatch].kernel,
            exact: self.exact[dispatch][binding][at],
            element,
        };
        Value { twin: Some(compared.clone()), ..Value::read(key, words, compared.element.result) }
    }

    /// The loss, in the metrics of the step.
    pub fn loss(&self) -> View {
        self.lowered.metrics(1)
    }
}

/// Puts the sample and the model's parameters in front of an engine.
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
