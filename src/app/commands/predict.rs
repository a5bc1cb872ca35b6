//! `wgrad predict`: the classes of pictures.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::internals::network::loss::Loss;
use wgrad::{Error, Model, Prediction, Result};

use super::console::answer;
use crate::app::cli;

pub fn run(arguments: &cli::PredictArgs) -> Result<()> {
    if arguments.top == Some(0) {
        return Err(Error::Usage("--top is 0; it is a whole number from 1".to_owned()));
    }
    let model = Model::load(&arguments.run)?;
    let loss = model.loss;
    // All pictures are read before anything is printed, so that a bad one leaves no half output.
    let read = |file| model.read_picture(file, arguments.invert);
    let images: Vec<Vec<u8>> = arguments.files.iter().map(read).collect::<Result<_>>()?;
    let mut classifier = model.classifier(&super::device(&arguments.device)?)?;
    let mut rows = Vec::new();
    for (prediction, file) in classifier.predict_each(&images)?.into_iter().zip(&arguments.files) {
        let named = |error: Error| Error::Diverged(format!("{}: {}", file.display(), error.marked()));
        rows.push((file.as_path(), prediction.map_err(named)?));
    }
    print(&rows, loss, arguments)
}

/// The most classes that are all printed by default.
const SHORT_LIST: usize = 10;

fn print(rows: &[(&Path, Prediction)], loss: Loss, arguments: &cli::PredictArgs) -> Result<()> {
    // A squared error trains outputs towards 0 and 1, but they may lie outside.
    let value = if loss.has_probabilities() { "probability" } else { "output" };
    if arguments.json {
        let object = |(file, prediction): &(&Path, Prediction)| {
            let ranked = prediction.ranked();
            let top = ranked.iter().take(arguments.top.unwrap_or(usize::MAX));
            let classes: Vec<Value> = top.map(|(class, p)| json!({"class": class, value: p})).collect();
            json!({"file": file.display().to_string(), "class": ranked[0].0, "classes": classes})
        };
        let all: Vec<Value> = rows.iter().map(object).collect();
        return answer(format_args!("{}", Value::Array(all)));
    }
    for (file, prediction) in rows {
        let ranked = prediction.ranked();
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
