//! `wgrad eval`: held-out loss and accuracy of a trained network.

use serde_json::json;
use wgrad::data;
use wgrad::error::{Error, Result};
use wgrad::lower::{HELD_OUT, Lowering, Part, Training, lower};
use wgrad::model::Model;
use wgrad::train::{Settings, Trainer};

use super::console::{answer, thousands};
use crate::cli;

/// Samples of one step; any number gives the same result.
const BATCH: usize = 256;

pub fn run(arguments: &cli::Eval) -> Result<()> {
    let model = Model::load(&arguments.run)?;
    let source = arguments.data.as_deref().unwrap_or(&model.data);
    let dataset = data::load(source).map_err(|error| match &arguments.data {
        Some(_) => error,
        None => Error::Data(format!(
            "the data that the network was trained on are not found from here ({error}), \
             so name them behind the run"
        )),
    })?;
    let samples = &dataset.held_out;
    if samples.shape != model.shape {
        let (got, wanted) = (samples.shape, model.shape);
        return Err(Error::Data(format!(
            "{source} has images of {got}, but the network was trained on images of {wanted}, so name other data"
        )));
    }
    if dataset.classes != model.classes {
        let (got, wanted) = (dataset.classes.len(), model.classes.len());
        return Err(Error::Data(format!(
            "{source} has {got} classes, but the network was trained on {wanted}, so name other data"
        )));
    }
    let device = super::device(&arguments.device)?;
    let lowered = lower(&Lowering {
        network: &model.network,
        loss: model.loss,
        shape: &model.shape,
        classes: model.classes.len(),
        batch: BATCH.min(samples.len()),
        parts: vec![Part { name: HELD_OUT, samples: samples.len() }],
        versions: device.versions(),
        fuse: true,
        keep: false,
        limits: device.limits(),
        training: Training::default(),
    })?;
    let engine = device.open(lowered.program.clone())?;
    let mut trainer = Trainer::new(engine, lowered, Settings::FROZEN, &model.parameters, &model.normaliser)?;
    trainer.load(HELD_OUT, samples)?;
    let measure = trainer.measure(HELD_OUT)?;
    if arguments.json {
        let name = device.name();
        return answer(format_args!(
            "{}",
            json!({
                "data": source, "samples": measure.samples, "device": name,
                "held_out_loss": measure.loss, "held_out_accuracy": measure.accuracy,
            })
        ));
    }
    let wrong = measure.samples - (measure.accuracy * measure.samples as f64).round() as usize;
    answer(format_args!(
        "held-out accuracy  {:.2} %   loss {:.4}   ({} of {} images wrong)",
        measure.accuracy * 100.0,
        measure.loss,
        thousands(wrong),
        thousands(measure.samples)
    ))
}
