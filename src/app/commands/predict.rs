//! `wgrad predict`: the classes of pictures.

mod inputs;
mod output;
mod remarks;
mod saved;

use wgrad::internals::data::PictureSource;
use wgrad::internals::text::shown;
use wgrad::{Error, Result};

use super::console::{note, thousands};
use crate::app::cli;
use inputs::Input;
use output::Output;
use remarks::Remarks;
use saved::SavedInputs;

/// Pictures that are read and classified at a time.
const AT_ONCE: usize = 64;

pub fn run(arguments: &cli::PredictArgs) -> Result<()> {
    if arguments.top == Some(0) {
        return Err(Error::Usage("--top is 0; it is a whole number from 1".to_owned()));
    }
    let (options, given) = (arguments.options.options()?, arguments.reading.given()?);
    let mut model = super::model_of(&arguments.run)?;
    model.rendering =
        model.rendering.with(given.background.unwrap_or_default(), given.levels.unwrap_or_default());
    let inputs = inputs::find(&arguments.files)?;
    let mut saved = SavedInputs::new(arguments.save_input.as_deref(), &inputs)?;
    let mut output = Output::new(arguments, model.loss);
    let mut remarks = Remarks::new(&model, options);
    let mut classifier = model.classifier(&super::device(&arguments.device)?)?;
    let (all, mut failed) = (inputs.len(), Vec::new());
    for inputs in inputs.chunks(AT_ONCE) {
        let sources: Vec<PictureSource> = inputs.iter().filter_map(Input::source).cloned().collect();
        let (mut read, mut good) =
            (classifier.model().read_pictures(&sources, &options)?.into_iter(), Vec::new());
        let mut results = Vec::new();
        for input in inputs {
            let result = match input {
                Input::Failed(_, error) => Err(error.clone()),
                Input::Picture(_) => read.next().expect("a result for each picture"),
            };
            results.push(result.map(|picture| good.push(picture)));
        }
        let images: Vec<&[u8]> = good.iter().map(|picture| picture.image.as_slice()).collect();
        let mut predictions = Vec::new();
        let mut each = classifier.predict_each(&images)?.into_iter().zip(&good);
        for (input, result) in inputs.iter().zip(results) {
            let path = input.path();
            if let Err(error) = result {
                if all > 1 {
                    output.failed(path, &error)?;
                }
                failed.push(error);
                continue;
            }
            let Some((prediction, picture)) = each.next() else { continue };
            let named = |error: Error| Error::Diverged(format!("{}: {}", shown(path), error.marked()));
            let prediction = prediction.map_err(named)?;
            output.row(path, &prediction)?;
            saved.write(path, &picture.image, &classifier.model().shape)?;
            predictions.extend(input.source().map(|source| (source, picture, prediction)));
        }
        drop(each);
        remarks.look(&predictions, &mut classifier)?;
    }
    if failed.len() == all {
        return Err(none_read(failed));
    }
    output.finish()?;
    saved.note();
    remarks.print(all - failed.len());
    if !failed.is_empty() {
        note(format_args!("{} of {} pictures could not be read", thousands(failed.len()), thousands(all)));
    }
    Ok(())
}

/// The error where no picture could be read.
fn none_read(mut failed: Vec<Error>) -> Error {
    match failed.len() {
        1 => failed.remove(0),
        count => Error::Data(format!(
            "none of the {} pictures can be read, so name PNG or JPEG files, or folders of them",
            thousands(count)
        )),
    }
}
