//! `wgrad predict`: the classes of pictures.

use std::path::Path;

use serde_json::{Value, json};
use wgrad::internals::data::Background;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::text::{shorten, shown, unescaped};
use wgrad::{Error, Model, Prediction, Result};

use super::console::{answer, answer_json, note};
use crate::app::cli;

pub fn run(arguments: &cli::PredictArgs) -> Result<()> {
    if arguments.top == Some(0) {
        return Err(Error::Usage("--top is 0; it is a whole number from 1".to_owned()));
    }
    let mut model = super::model_of(&arguments.run)?;
    let background = arguments.background.as_deref().map(str::parse).transpose()?;
    if let Some(Background::Colour(ground)) = background {
        model.rendering = model.rendering.on(ground);
    }
    let loss = model.loss;
    // All pictures are read before anything is printed, so that a bad one leaves no half output.
    let read = |file| model.read_picture(file, arguments.invert);
    let images: Vec<Vec<u8>> = arguments.files.iter().map(read).collect::<Result<_>>()?;
    note_constant(&images, arguments, &model);
    let mut classifier = model.classifier(&super::device(&arguments.device)?)?;
    let mut rows = Vec::new();
    for (prediction, file) in classifier.predict_each(&images)?.into_iter().zip(&arguments.files) {
        let named = |error: Error| Error::Diverged(format!("{}: {}", shown(file), error.marked()));
        rows.push((file.as_path(), prediction.map_err(named)?));
    }
    print(&rows, loss, arguments)
}

/// Notes pictures that are of one colour once they are read, as dark ink on a transparent ground is on black.
fn note_constant(images: &[Vec<u8>], arguments: &cli::PredictArgs, model: &Model) {
    let plane = model.shape.height * model.shape.width;
    let constant = |image: &[u8]| {
        image.chunks_exact(plane).all(|plane| plane.iter().all(|value| *value == plane[0])) && plane > 1
    };
    for (_, file) in images.iter().zip(&arguments.files).filter(|(image, _)| constant(image)) {
        note(format_args!(
            "{} is of one colour once it is read, so its class says nothing; if it is not, another --background or \
             --invert may show it",
            shown(file)
        ));
    }
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
            json!({"file": unescaped(file), "class": ranked[0].0, "classes": classes})
        };
        let all: Vec<Value> = rows.iter().map(object).collect();
        return answer_json(&Value::Array(all));
    }
    for (file, prediction) in rows {
        let ranked = prediction.ranked();
        let usual = if ranked.len() <= SHORT_LIST { ranked.len() } else { 3 };
        let top: Vec<String> = ranked
            .iter()
            .take(arguments.top.unwrap_or(usual))
            .map(|(class, p)| {
                if loss.has_probabilities() {
                    format!("{} {:.1} %", shorten(class), p * 100.0)
                } else {
                    format!("{} {p:.3}", shorten(class))
                }
            })
            .collect();
        answer(format_args!("{}: {}   ({})", shown(file), shorten(ranked[0].0), top.join(", ")))?;
    }
    Ok(())
}
