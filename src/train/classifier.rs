//! A model on a device: images in, classes out.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::data::Samples;
use crate::engine::adapter::Device;
use crate::error::{DeviceFault, Error, Result};
use crate::network::lower::{HELD_OUT, Lowered, Lowering, Mode, Part, lower};
use crate::program::MAX_RESULT;
use crate::program::rewrite::Rewrites;
use crate::train::overflow::may_overflow;
use crate::train::run::model::Model;
use crate::train::trainer::{Measure, NonFinites, Settings, Trainer, normalise};

/// The most images of one batch in a prediction.
const PREDICTED: usize = 64;
/// The most samples of one batch in an evaluation. Any number gives the same result.
const EVALUATED: usize = 256;
/// The end of a sentence about non-finite numbers.
const DAMAGED: &str = "so its weights are too large or damaged: take another model";

/// A model on a device, ready to classify images.
pub struct Classifier {
    model: Model,
    device: Device,
    classes: Arc<[String]>,
    /// The trainer for predictions, opened with the first images. Its batch has as many samples as there were.
    predictor: Option<Trainer>,
    /// Whether values within the network are looked at, as they might overflow.
    looks_within: bool,
}

/// The prediction of a model for an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The class, counted from 0.
    pub class: usize,
    /// The bare outputs of the network.
    pub outputs: Vec<f32>,
    /// A number for each class. It is the probability, or the output itself where the loss has no probabilities (see
    /// [`Loss::has_probabilities`](crate::network::loss::Loss::has_probabilities)).
    pub scores: Vec<f64>,
    classes: Arc<[String]>,
}

/// The prediction of a model for a sample of known class.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// Its number among the samples, from 0.
    pub sample: usize,
    /// Its true class.
    pub class: usize,
    /// The predicted class.
    pub predicted: usize,
    /// Its loss.
    pub loss: f64,
    /// The bare outputs of the network.
    pub outputs: &'a [f32],
}

impl Model {
    /// The model on a device, ready to classify images.
    ///
    /// # Errors
    /// [`Error::Device`] when the device is too small for the model.
    pub fn classifier(self, device: &Device) -> Result<Classifier> {
        let classifier = Classifier {
            looks_within: may_overflow(&self),
            classes: self.classes.clone().into(),
            model: self,
            device: device.clone(),
            predictor: None,
        };
        classifier.lower(1, Vec::new(), Rewrites::ALL)?;
        Ok(classifier)
    }
}

impl Classifier {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The class of each image. An image is C·H·W bytes of the model's shape: channel by channel, row by row.
    ///
    /// # Errors
    /// [`Error::Data`] for an image of another length, [`Error::Diverged`] when an output or a value within the network
    /// is not finite, and [`Error::Device`] when the device fails.
    pub fn predict(&mut self, images: &[impl AsRef<[u8]>]) -> Result<Vec<Prediction>> {
        let named = |at: usize, error: Error| Error::Diverged(format!("image {at}: {}", error.marked()));
        let each = self.predict_each(images)?.into_iter().enumerate();
        each.map(|(at, one)| one.map_err(|error| named(at, error))).collect()
    }

    /// [`Classifier::predict`], where an image whose numbers are not finite has an error of its own.
    ///
    /// # Errors
    /// [`Error::Data`] for an image of another length, and [`Error::Device`] when the device fails.
    pub fn predict_each(&mut self, images: &[impl AsRef<[u8]>]) -> Result<Vec<Result<Prediction>>> {
        let outputs = self.outputs(images)?.into_iter().enumerate();
        let hidden = if self.looks_within { self.non_finite(images)? } else { NonFinites::new() };
        let one = |(at, outputs)| match hidden.get(&at) {
            Some(dispatch) => Err(Error::Diverged(within(dispatch))),
            None => self.prediction(outputs),
        };
        Ok(outputs.map(one).collect())
    }

    /// The images with a value that is not finite, of the right length all of them.
    fn non_finite(&self, images: &[impl AsRef<[u8]>]) -> Result<NonFinites> {
        let mut trainer = self.open(images.len().clamp(1, PREDICTED), Vec::new(), Rewrites::NONE)?;
        let mut found = NonFinites::new();
        let batch = trainer.batch();
        for (at, images) in images.chunks(batch).enumerate() {
            let rows = trainer.non_finite_of_inputs(&self.inputs(images))?;
            found.extend(rows.into_iter().map(|(row, dispatch)| (at * batch + row, dispatch)));
        }
        Ok(found)
    }

    fn inputs(&self, images: &[impl AsRef<[u8]>]) -> Vec<f32> {
        let Model { shape, normaliser, .. } = &self.model;
        images.iter().flat_map(|image| normalise(image.as_ref(), shape, normaliser)).collect()
    }

    /// The bare outputs of the network for each image, finite or not.
    ///
    /// # Errors
    /// [`Error::Data`] for an image of another length, and [`Error::Device`] when the device fails.
    pub fn outputs(&mut self, images: &[impl AsRef<[u8]>]) -> Result<Vec<Vec<f32>>> {
        let shape = self.model.shape;
        for (at, image) in images.iter().enumerate() {
            let (got, wanted) = (image.as_ref().len(), shape.len());
            if got != wanted {
                return Err(Error::Data(format!(
                    "image {at} has {got} bytes, but the network takes images of {shape}: give {wanted} bytes, channel \
                     by channel and row by row"
                )));
            }
        }
        let mut rows = Vec::with_capacity(images.len());
        let batch = self.predictor(images.len())?.batch();
        for images in images.chunks(batch) {
            let inputs = self.inputs(images);
            let outputs = self.predictor(batch)?.predict(&inputs)?;
            let outputs = outputs.chunks(outputs.len() / batch);
            rows.extend(outputs.take(images.len()).map(<[f32]>::to_vec));
        }
        Ok(rows)
    }

    /// The class that outputs of the network stand for.
    ///
    /// # Errors
    /// [`Error::Diverged`] when one of them is not finite.
    pub fn prediction(&self, outputs: Vec<f32>) -> Result<Prediction> {
        if outputs.iter().any(|value| !value.is_finite()) {
            return Err(Error::Diverged(format!("the network's outputs are not finite, {DAMAGED}")));
        }
        let loss = self.model.loss;
        Ok(Prediction {
            class: loss.class(&outputs),
            scores: loss.probabilities(&outputs, self.classes.len()),
            outputs,
            classes: Arc::clone(&self.classes),
        })
    }

    /// Mean loss and accuracy over samples of the model's shape and classes.
    ///
    /// # Errors
    /// As [`Classifier::evaluate_each`].
    pub fn evaluate(&mut self, samples: &Samples) -> Result<Measure> {
        self.evaluate_each(samples, &mut |_| {})
    }

    /// [`Classifier::evaluate`], with the result for each sample handed to `each` in order.
    ///
    /// # Errors
    /// [`Error::Data`] for samples of another shape or of unknown classes, [`Error::Diverged`] when a loss or a value
    /// within the network is not finite, and [`Error::Device`] when the device fails or is too small.
    pub fn evaluate_each(&mut self, samples: &Samples, each: &mut dyn FnMut(Evaluated)) -> Result<Measure> {
        if samples.is_empty() {
            return Ok(Measure::default());
        }
        let open = |rewrites| {
            let part = Part { name: HELD_OUT, samples: samples.len() };
            let mut trainer = self.open(EVALUATED.min(samples.len()), vec![part], rewrites)?;
            trainer.load(HELD_OUT, samples)?;
            Ok(trainer)
        };
        if self.looks_within {
            let found = open(Rewrites::NONE)?.non_finite_of_part(HELD_OUT)?;
            if let Some((sample, dispatch)) = found.first_key_value() {
                return Err(Error::Diverged(format!("sample {sample}: {}", within(dispatch))));
            }
        }
        let mut trainer: Trainer = open(Rewrites::ALL)?;
        let model = &self.model;
        let (mut sample, mut correct, mut total, mut non_finite) = (0, 0, 0.0, None);
        trainer.evaluate(HELD_OUT, &mut |outputs, loss| {
            let (class, predicted) = (samples.labels[sample] as usize, model.loss.class(outputs));
            each(Evaluated { sample, class, predicted, loss, outputs });
            if !loss.is_finite() {
                non_finite.get_or_insert(sample);
            }
            correct += usize::from(class == predicted);
            total += loss;
            sample += 1;
        })?;
        if let Some(sample) = non_finite {
            return Err(Error::Diverged(format!("the loss of sample {sample} is not finite, {DAMAGED}")));
        }
        let count = samples.len() as f64;
        Ok(Measure { samples: samples.len(), loss: total / count, accuracy: correct as f64 / count })
    }

    /// A trainer for `images` images. It is opened again only when its batch is too small.
    fn predictor(&mut self, images: usize) -> Result<&mut Trainer> {
        let most = (MAX_RESULT / self.classes.len()).clamp(1, PREDICTED);
        let wanted = images.clamp(1, most);
        let open = match self.predictor.take().filter(|open| open.batch() >= wanted) {
            Some(open) => open,
            None => self.open(wanted, Vec::new(), Rewrites::ALL)?,
        };
        Ok(self.predictor.insert(open))
    }

    fn open(&self, batch: usize, parts: Vec<Part>, rewrites: Rewrites) -> Result<Trainer> {
        let Model { parameters, normaliser, .. } = &self.model;
        let lowered = self.lower(batch, parts, rewrites)?;
        let engine = self.device.open(lowered.program.clone())?;
        Trainer::new(engine, lowered, Settings::FROZEN, parameters, normaliser)
    }

    /// Lowers the network for at most `batch` samples at once. The batch is halved while the device has too little
    /// memory.
    fn lower(&self, batch: usize, parts: Vec<Part>, rewrites: Rewrites) -> Result<Lowered> {
        let Model { network, loss, shape, .. } = &self.model;
        let mut lowering = Lowering {
            loss: *loss,
            parts,
            choice: self.device.choice(),
            mode: Mode::Infer,
            rewrites,
            limits: self.device.limits(),
            ..Lowering::new(network, shape, self.classes.len(), batch)
        };
        loop {
            match lower(&lowering) {
                Err(Error::Device(DeviceFault::TooSmall, _)) if lowering.batch > 1 => lowering.batch /= 2,
                lowered => return lowered,
            }
        }
    }
}

/// The sentence about a value that is not finite.
fn within(dispatch: &str) -> String {
    format!("a value within the network is not finite ({dispatch}), {DAMAGED}")
}

impl Prediction {
    /// The name of the class.
    pub fn name(&self) -> &str {
        &self.classes[self.class]
    }

    /// The names of all classes with their scores, the highest first.
    pub fn ranked(&self) -> Vec<(&str, f64)> {
        let names = self.classes.iter().map(String::as_str);
        let mut ranked: Vec<(&str, f64)> = names.zip(self.scores.iter().copied()).collect();
        ranked.sort_by(|one, two| two.1.partial_cmp(&one.1).unwrap_or(Ordering::Equal));
        ranked
    }
}
