//! `wgrad eval`: loss, accuracy and class scores on held-out images.

mod evaluation;
mod report;

use std::path::Path;

use wgrad::internals::data::files::{check_output, write_output};
use wgrad::internals::data::{self, Labelled, Oddity, Reading, Tone};
use wgrad::internals::report::contact_sheet::{self, GREEN, RED, Thumbnail};
use wgrad::internals::text::shown;
use wgrad::internals::train::classifier::Evaluated;
use wgrad::internals::train::recipe;
use wgrad::internals::train::run::RECIPE;
use wgrad::{Error, Model, Result};

use super::captions::{caption, note_numbers};
use super::console::{note, thousands};
use crate::app::cli;
use evaluation::{Evaluation, Measured, Mistake};

pub fn run(arguments: &cli::EvalArgs) -> Result<()> {
    if arguments.mistakes == Some(0) {
        return Err(Error::Usage("--mistakes is 0; it is a whole number from 1".to_owned()));
    }
    let model = super::model_of(&arguments.run)?;
    let data = load(arguments, &model)?;
    super::data::note_all(&data.about);
    // Too large a contact sheet is refused before measuring.
    let most = arguments.mistakes.map(|count| count.min(data.samples.len()));
    most.map_or(Ok(()), |count| contact_sheet::check(count, 1, &model.shape))?;
    most.map_or(Ok(()), |_| check_output(&arguments.out))?;
    let measured = Measured { classes: model.classes.clone(), data };
    note_tones(&model, &measured.data, arguments.options.invert);
    let evaluation = evaluate(arguments, model, &measured.data)?;
    let mut worst = evaluation.wrong.clone();
    worst.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    worst.truncate(most.unwrap_or_default());
    if !worst.is_empty() {
        write_output(&arguments.out, &sheet(&worst, &measured)?)?;
        note(format_args!("the mistakes are drawn in {}", shown(&arguments.out)));
        note_numbers(&measured.classes, worst.iter().flat_map(|mistake| [mistake.truth, mistake.predicted]));
    }
    if arguments.json {
        report::json(arguments, &measured, &evaluation, &worst)
    } else {
        report::text(arguments, &measured, &evaluation, &worst)
    }
}

/// The data to measure on, with the labels of the network. Their shape must be that of the network.
fn load(arguments: &cli::EvalArgs, model: &Model) -> Result<Labelled> {
    let source = match arguments.data.as_deref() {
        None if model.data.is_empty() => {
            return Err(Error::Usage(format!(
                "{} was imported without data, so name a data set or a folder after it",
                shown(&arguments.run)
            )));
        }
        given => given.unwrap_or(&model.data),
    };
    let mut reading =
        Reading { options: arguments.options.options()?, ..arguments.reading.given()?.reading() };
    let is_own = data::is_same(source, &model.data);
    if is_own {
        read_as_the_run(&mut reading, &arguments.run);
    }
    let loaded =
        data::load_labelled(source, is_own, &model.classes, (&model.shape, &model.rendering), &reading);
    let labelled = loaded.map_err(|error| match error {
        // Other data would not help.
        Error::Failure(_) | Error::Setting { .. } => error,
        error if arguments.data.is_none() && !reading.skip_bad => Error::Data(format!(
            "the data that the network was trained on can't be loaded ({}), so name data after the run",
            error.marked()
        )),
        error => error,
    })?;
    let shape = labelled.samples.shape;
    if shape != model.shape {
        return Err(Error::Data(format!(
            "{} has images of {shape}, but the network was trained on images of {}, so name other data",
            shown(source),
            model.shape
        )));
    }
    if arguments.data.is_some() {
        let count = labelled.samples.len();
        let images = if count == 1 { "image" } else { "images" };
        let which = match &labelled.folder {
            Some(folder) => format!("all in {}", shown(folder)),
            None if is_own => "the held-out part of the data that the network was trained on".to_owned(),
            None => "the held-out part".to_owned(),
        };
        note(format_args!("data    {}: {} {images}, {which}", shown(source), thousands(count)));
    }
    Ok(labelled)
}

/// Adds the settings with which the run has read its own data. A model without a run directory has no recipe to tell.
fn read_as_the_run(reading: &mut Reading, run: &Path) {
    let directory = if run.is_dir() { run } else { run.parent().unwrap_or(run) };
    if let Ok(recipe) = recipe::read(&directory.join(RECIPE)) {
        reading.skip_bad |= recipe.skip_bad.unwrap_or_default();
        reading.transpose = reading.transpose.or(recipe.transpose);
    }
}

/// Notes that most images are far brighter or darker than those trained on, as dark ink on paper is.
fn note_tones(model: &Model, data: &Labelled, inverted: bool) {
    let Some(usual) = model.usual_tones() else { return };
    let samples = &data.samples;
    let odd = |at: &usize| {
        let odd = usual.oddity(&Tone::of(samples.image(*at), &samples.shape));
        odd.is_some_and(|odd| matches!(odd, Oddity::Brighter | Oddity::Darker))
    };
    let count = (0..samples.len()).filter(odd).count();
    if 2 * count > samples.len() {
        note(format_args!(
            "warning: {} of {} images are much brighter or darker than those trained on: {}",
            thousands(count),
            thousands(samples.len()),
            if inverted { "leave --invert out, or look at some of them" } else { "try --invert" }
        ));
    }
}

fn evaluate(arguments: &cli::EvalArgs, model: Model, data: &Labelled) -> Result<Evaluation> {
    let device = super::device(&arguments.device)?;
    let mut evaluation = Evaluation { device: device.name(), ..Evaluation::default() };
    let measure = model.classifier(&device)?.evaluate_each(&data.samples, &mut |one: Evaluated| {
        let Evaluated { sample, class: truth, predicted, loss, .. } = one;
        evaluation.confusion.add(truth, predicted);
        if truth != predicted {
            evaluation.wrong.push(Mistake { sample, truth, predicted, loss });
        }
    })?;
    (evaluation.samples, evaluation.loss) = (measure.samples, measure.loss);
    Ok(evaluation)
}

/// A contact sheet of mistakes. Below each image stand its class and the predicted one.
fn sheet(worst: &[Mistake], measured: &Measured) -> Result<Vec<u8>> {
    let (classes, samples) = (&measured.classes, &measured.data.samples);
    let cell = |mistake: &Mistake| Thumbnail {
        image: samples.image(mistake.sample).to_vec(),
        lines: vec![(caption(classes, mistake.truth), GREEN), (caption(classes, mistake.predicted), RED)],
    };
    let cells: Vec<Thumbnail> = worst.iter().map(cell).collect();
    let columns = (worst.len() as f64).sqrt().ceil() as usize;
    let rows: Vec<Vec<Thumbnail>> = cells.chunks(columns.max(1)).map(<[Thumbnail]>::to_vec).collect();
    contact_sheet::png(&rows, &samples.shape)
}
