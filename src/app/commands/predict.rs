//! `wgrad predict`: the classes of pictures.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::internals::data::read_picture;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::program::MAX_RESULT;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::trainer::normalise;
use wgrad::{Error, Result};

use super::console::answer;
use crate::app::cli;

/// Pictures of one batch at the most.
const BATCH: usize = 64;

pub fn run(arguments: &cli::PredictArgs) -> Result<()> {
    if arguments.top == Some(0) {
        return Err(Error::Usage("--top is 0; it is a whole number from 1".to_owned()));
    }
    let model = Model::load(&arguments.run)?;
    // All pictures are read before anything is printed: a bad one spoils no output.
    let read = |file| read_picture(file, &model.shape, arguments.invert);
    let inputs: Vec<Vec<f32>> = arguments
        .files
        .iter()
        .map(|file| Ok(normalise(&read(file)?, &model.shape, &model.normaliser)))
        .collect::<Result<_>>()?;
    let device = super::device(&arguments.device)?;
    let most = (MAX_RESULT / model.classes.len()).clamp(1, BATCH);
    let mut trainer = model.frozen(&device, most.min(inputs.len()), Vec::new())?;
    let batch = trainer.batch();
    let mut rows = Vec::new();
    for (inputs, files) in inputs.chunks(batch).zip(arguments.files.chunks(batch)) {
        let results = trainer.predict(&inputs.concat())?;
        for (row, file) in results.chunks(results.len() / batch).zip(files) {
            if row.iter().any(|value| !value.is_finite()) {
                return Err(Error::Diverged(format!(
                    "{}: the network's outputs are not finite, so its weights are too large or damaged: \
                     take another model",
                    file.display()
                )));
            }
            rows.push((file.as_path(), ranked(&model, row)));
        }
    }
    print(&rows, model.loss, arguments)
}

/// Classes with their probabilities, the likeliest first.
fn ranked(model: &Model, outputs: &[f32]) -> Vec<(String, f64)> {
    let probabilities = model.loss.probabilities(outputs, model.classes.len());
    let mut ranked: Vec<(String, f64)> = model.classes.iter().cloned().zip(probabilities).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}

/// More classes than this are not all printed, unless asked for.
const SHORT_LIST: usize = 10;

fn print(rows: &[(&Path, Vec<(String, f64)>)], loss: Loss, arguments: &cli::PredictArgs) -> Result<()> {
    // A squared error is trained towards 0 and 1, but nothing keeps its outputs there.
    let value = if loss.has_probabilities() { "probability" } else { "output" };
    if arguments.json {
        let object = |(file, ranked): &(&Path, Vec<(String, f64)>)| {
            let top = ranked.iter().take(arguments.top.unwrap_or(usize::MAX));
            let classes: Vec<Value> = top.map(|(class, p)| json!({"class": class, value: p})).collect();
            json!({"file": file.display().to_string(), "class": ranked[0].0, "classes": classes})
        };
        let all: Vec<Value> = rows.iter().map(object).collect();
        return answer(format_args!("{}", Value::Array(all)));
    }
    for (file, ranked) in rows {
        let usual = if ranked.len() <= SHORT_LIST { ranked.len() } else { 3 };
        let top: Vec<String> = ranked
            .iter()
            .take(arguments.top.unwrap_or(usual))
            .map(|(class, p)| {
                if loss.has_probabilities() {
                    format!("{class} {:.1} %", p * 100.0)
                } else {
                    format!("{class} {p:.3}")
                }
            })
            .collect();
        answer(format_args!("{}: {}   ({})", file.display(), ranked[0].0, top.join(", ")))?;
    }
    Ok(())
}
