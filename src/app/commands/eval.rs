//! `wgrad eval`: loss, accuracy and class scores on held-out images.

mod evaluation;
mod report;

use wgrad::internals::data::files::{check_output, write_output};
use wgrad::internals::data::{self, Dataset};
use wgrad::internals::report::contact_sheet::{self, GREEN, RED, Thumbnail};
use wgrad::internals::text::{shorten, shown};
use wgrad::internals::train::classifier::Evaluated;
use wgrad::{Error, Model, Result};

use super::console::note;
use crate::app::cli;
use evaluation::{Evaluation, Mistake};

pub fn run(arguments: &cli::EvalArgs) -> Result<()> {
    if arguments.mistakes == Some(0) {
        return Err(Error::Usage("--mistakes is 0; it is a whole number from 1".to_owned()));
    }
    let model = super::model_of(&arguments.run)?;
    let mut dataset = load(arguments, &model)?;
    let constant = dataset.constant_held_out();
    dataset.about.notes.extend(constant);
    super::data::note_skipped(&dataset);
    // Too large a contact sheet is refused before measuring.
    let most = arguments.mistakes.map(|count| count.min(dataset.held_out.len()));
    most.map_or(Ok(()), |count| contact_sheet::check(count, 1, &model.shape))?;
    most.map_or(Ok(()), |_| check_output(&arguments.out))?;
    let evaluation = evaluate(arguments, model, &dataset)?;
    let mut worst = evaluation.wrong.clone();
    worst.sort_by(|a, b| b.loss.total_cmp(&a.loss));
    worst.truncate(most.unwrap_or_default());
    if !worst.is_empty() {
        write_output(&arguments.out, &sheet(&worst, &dataset)?)?;
        note(format_args!("the mistakes are drawn in {}", shown(&arguments.out)));
    }
    if arguments.json {
        report::json(arguments, &dataset, &evaluation, &worst)
    } else {
        report::text(arguments, &dataset, &evaluation, &worst)
    }
}

/// The data to measure on. Shape and classes must be those of the network.
fn load(arguments: &cli::EvalArgs, model: &Model) -> Result<Dataset> {
    let source = match arguments.data.as_deref() {
        None if model.data.is_empty() => {
            return Err(Error::Usage(format!(
                "{} was imported without data, so name a data set or a folder after it",
                shown(&arguments.run)
            )));
        }
        given => given.unwrap_or(&model.data),
    };
    let dataset = data::load_as(source, &model.shape, &model.rendering, arguments.skip_bad).map_err(
        |error| match error {
            // Other data would not help.
            Error::Failure(_) => error,
            error if arguments.data.is_none() && !arguments.skip_bad => Error::Data(format!(
                "the data that the network was trained on can't be loaded ({}), so name data after the run",
                error.marked()
            )),
            error => error,
        },
    )?;
    let shape = dataset.held_out.shape;
    if shape != model.shape {
        return Err(Error::Data(format!(
            "{} has images of {shape}, but the network was trained on images of {}, so name other data",
            shown(source),
            model.shape
        )));
    }
    let (found, known) = (&dataset.classes, &model.classes);
    if found.len() != known.len() {
        let (got, wanted) = (found.len(), known.len());
        return Err(Error::Data(format!(
            "{} has {got} classes, but the network was trained on {wanted}, so name other data",
            shown(source)
        )));
    }
    if let Some((at, (found, known))) = found.iter().zip(known).enumerate().find(|(_, (a, b))| a != b) {
        return Err(Error::Data(format!(
            "class {at} of {} is “{}”, but that of the network is “{}”, so name other data",
            shown(source),
            shorten(found),
            shorten(known)
        )));
    }
    Ok(dataset)
}

fn evaluate(arguments: &cli::EvalArgs, model: Model, dataset: &Dataset) -> Result<Evaluation> {
    let device = super::device(&arguments.device)?;
    let mut evaluation = Evaluation { device: device.name(), ..Evaluation::default() };
    let measure = model.classifier(&device)?.evaluate_each(&dataset.held_out, &mut |one: Evaluated| {
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
fn sheet(worst: &[Mistake], dataset: &Dataset) -> Result<Vec<u8>> {
    let cell = |mistake: &Mistake| Thumbnail {
        image: dataset.held_out.image(mistake.sample).to_vec(),
        lines: vec![
            (dataset.classes[mistake.truth].clone(), GREEN),
            (dataset.classes[mistake.predicted].clone(), RED),
        ],
    };
    let cells: Vec<Thumbnail> = worst.iter().map(cell).collect();
    let columns = (worst.len() as f64).sqrt().ceil() as usize;
    let rows: Vec<Vec<Thumbnail>> = cells.chunks(columns.max(1)).map(<[Thumbnail]>::to_vec).collect();
    contact_sheet::png(&rows, &dataset.held_out.shape)
}
