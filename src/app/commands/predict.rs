//! `wgrad predict`: the classes of pictures.

mod inputs;
mod output;
mod remarks;
mod saved;

use wgrad::internals::data::{PictureOptions, PictureRead, PictureSource};
use wgrad::internals::text::shown;
use wgrad::{Classifier, Error, Model, Result};

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
    let mut predicting = Predicting {
        saved: SavedInputs::new(arguments.save_input.as_deref(), &inputs)?,
        output: Output::new(arguments, model.loss, model.classes.len()),
        remarks: Remarks::new(&model, options),
        classifier: model.classifier(&super::device(&arguments.device)?)?,
        options,
        failed: Vec::new(),
        all: inputs.len(),
    };
    for (at, inputs) in inputs.chunks(AT_ONCE).enumerate() {
        predicting.classify(at * AT_ONCE, inputs)?;
    }
    predicting.finish()
}

/// Pictures being classified.
struct Predicting<'a> {
    classifier: Classifier,
    options: PictureOptions,
    output: Output,
    saved: SavedInputs,
    remarks: Remarks,
    /// The inputs that could not be read.
    failed: Vec<(&'a Input, Error)>,
    /// The number of all inputs.
    all: usize,
}

impl<'a> Predicting<'a> {
    /// Classifies some of the inputs, of which `first` is the number of the first.
    fn classify(&mut self, first: usize, inputs: &'a [Input]) -> Result<()> {
        let results = read(self.classifier.model(), inputs, &self.options)?;
        let images: Vec<&[u8]> =
            results.iter().flatten().map(|(_, picture)| picture.image.as_slice()).collect();
        let mut each = self.classifier.predict_each(&images)?.into_iter();
        let mut predictions = Vec::new();
        for ((number, input), result) in (first..).zip(inputs).zip(results) {
            let path = input.path();
            let (source, picture) = match result {
                Ok(read) => read,
                Err(error) => {
                    self.fail(input, error)?;
                    continue;
                }
            };
            let named = |error: Error| Error::Diverged(format!("{}: {}", shown(path), error.marked()));
            let prediction = each.next().expect("a prediction for each picture").map_err(named)?;
            self.output.row(path, &prediction)?;
            self.saved.write(number, &picture.image, &self.classifier.model().shape)?;
            predictions.push((source, picture, prediction));
        }
        self.remarks.look(&predictions, &mut self.classifier)
    }

    fn fail(&mut self, input: &'a Input, error: Error) -> Result<()> {
        // That of the only one is the command's.
        if self.all > 1 {
            self.output.failed(input.path(), &error)?;
        }
        self.failed.push((input, error));
        Ok(())
    }

    /// Prints what is printed at the end.
    ///
    /// # Errors
    /// [`Error::Data`] when a picture that is an argument, or none at all, could be read.
    fn finish(self) -> Result<()> {
        let (failed, all) = (self.failed.len(), self.all);
        if failed == all {
            return Err(none_read(self.failed));
        }
        self.output.finish()?;
        self.saved.note();
        self.remarks.print(all - failed);
        let counts = format!("{} of {} pictures could not be read", thousands(failed), thousands(all));
        let Some((named, _)) = self.failed.iter().find(|(input, _)| input.is_named) else {
            if failed > 0 {
                note(format_args!("{counts}"));
            }
            return Ok(());
        };
        Err(Error::Data(format!(
            "{counts} (as {}), so mend what is skipped or leave it out",
            shown(named.path())
        )))
    }
}

/// A picture that was read, with its source.
type Read<'a> = (&'a PictureSource, PictureRead);

/// Reads the pictures of inputs, each with a result of its own.
fn read<'a>(model: &Model, inputs: &'a [Input], options: &PictureOptions) -> Result<Vec<Result<Read<'a>>>> {
    let sources: Vec<_> = inputs.iter().filter_map(|input| input.source().ok()).collect();
    let mut read = model.read_pictures(&sources, options)?.into_iter();
    let result = |input: &'a Input| {
        let source = input.source()?;
        Ok((source, read.next().expect("a result for each picture")?))
    };
    Ok(inputs.iter().map(result).collect())
}

/// The error where no picture could be read.
fn none_read(mut failed: Vec<(&Input, Error)>) -> Error {
    match failed.len() {
        1 => failed.remove(0).1,
        count => Error::Data(format!(
            "none of the {} pictures can be read, so name PNG or JPEG files, or folders of them",
            thousands(count)
        )),
    }
}
