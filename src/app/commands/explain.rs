//! `wgrad explain`: one training step of one sample, number by number.

use ::console::Term;
use std::io::{IsTerminal, stdout};
use std::path::Path;

use wgrad::internals::data::{self, Dataset, Reading, Samples, split_validation};
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::network::loss::ClassWeights;
use wgrad::internals::network::lower::{HELD_OUT, TRAIN};
use wgrad::internals::teach::explain::{Subject, Trace, defaults, explain, json, text};
use wgrad::internals::text::{shorten, shown, unescaped};
use wgrad::internals::train::recipe::{self, Overrides, Recipe};
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::run::{RECIPE, RECORD, RunRecord};
use wgrad::internals::train::schedule::Schedule;
use wgrad::internals::train::trainer::Settings;
use wgrad::{Error, Result};

use super::console::{answer, answer_json, note};
use crate::app::cli;

pub fn run(arguments: &cli::ExplainArgs) -> Result<()> {
    let model = super::model_of(&arguments.run)?;
    let directory = directory(&arguments.run)?;
    let overrides = recipe::read(&directory.join(RECIPE))?;
    let mut reading = arguments.reading.given()?.reading();
    reading.skip_bad |= overrides.skip_bad.unwrap_or_default();
    reading.transpose = reading.transpose.or(overrides.transpose);
    let dataset = load(&model, &reading)?;
    let data_changed = changed(directory, &dataset);
    let (values, samples) = (dataset.train.shape.len(), dataset.train.len());
    agrees(&overrides, &model, dataset.classes.len(), &directory.join(RECIPE))?;
    let recipe = Recipe::resolve(&overrides, values, dataset.classes.len(), samples)?;
    let part = if arguments.part == TRAIN { TRAIN } else { HELD_OUT };
    if part == TRAIN && !recipe.augment.is_none() {
        note(format_args!(
            "the sample is shown as it is: in training it is augmented first ({})",
            recipe.augment
        ));
    }
    if let Some(left_out) = left_out(&recipe) {
        note(format_args!("one plain step is shown: the run also has {left_out}"));
    }
    let (index, sample) = pick(dataset, part, arguments.sample, &recipe)?;
    let device = super::device(&arguments.device)?;
    let settings = Settings::new(recipe.learning_rate, recipe.seed);
    let mut trace = Trace::new(&model, &sample, &recipe.training(), settings, &device)?;
    let (layer, unit) = defaults(&trace, arguments.layer, arguments.unit)?;
    let sections = explain(&mut trace, layer, unit)?;
    let subject = Subject {
        run: unescaped(&arguments.run),
        part,
        sample: index,
        layer,
        unit,
        column: if matches!(device, Device::Cpu { .. }) { "CPU" } else { "GPU" },
        device: device.name(),
        data_changed,
        width: width(),
    };
    if arguments.json {
        answer_json(&json(&trace, &subject, &sections, arguments.source))?;
    } else {
        let text = text(&trace, &subject, &sections, arguments.source);
        text.lines().try_for_each(|line| answer(format_args!("{line}")))?;
    }
    match trace.first_disagreement() {
        None => Ok(()),
        Some(problem) => Err(Error::Check(format!("on {}: {problem}", device.name()))),
    }
}

/// Settings of a run's steps that an explanation leaves out.
fn left_out(recipe: &Recipe) -> Option<String> {
    let settings: Vec<String> = [
        (recipe.schedule != Schedule::CONSTANT, format!("schedule {}", recipe.schedule)),
        (recipe.clip_norm > 0.0, format!("clip-norm {}", recipe.clip_norm)),
        (recipe.clip_value > 0.0, format!("clip-value {}", recipe.clip_value)),
        (recipe.accumulate > 1, format!("accumulate {}", recipe.accumulate)),
        (recipe.ema > 0.0, format!("ema {}", recipe.ema)),
        (recipe.label_smoothing > 0.0, format!("label-smoothing {}", recipe.label_smoothing)),
        (recipe.class_weights != ClassWeights::Even, format!("class-weights {}", recipe.class_weights)),
    ]
    .into_iter()
    .filter_map(|(has, what)| has.then_some(what))
    .collect();
    (!settings.is_empty()).then(|| settings.join(", "))
}

/// The run directory that a model is in. Its recipe has the learning rate.
fn directory(run: &Path) -> Result<&Path> {
    let directory = if run.is_dir() { run } else { run.parent().unwrap_or(run) };
    if directory.join(RECIPE).is_file() {
        return Ok(directory);
    }
    Err(Error::Data(format!(
        "{} has no {RECIPE} beside its model, so its learning rate isn't known; name a run directory",
        shown(run)
    )))
}

/// Checks that the recipe is complete and fits the model.
fn agrees(overrides: &Overrides, model: &Model, classes: usize, path: &Path) -> Result<()> {
    let wrong = |what: String| {
        Err(Error::Data(format!("{} {what}: restore the recipe that the run wrote", shown(path))))
    };
    let given = [
        ("network", overrides.network.is_some()),
        ("learning_rate", overrides.learning_rate.is_some()),
        ("loss", overrides.loss.is_some()),
        ("seed", overrides.seed.is_some()),
    ];
    if let Some((missing, _)) = given.into_iter().find(|(_, is_there)| !is_there) {
        return wrong(format!("has no {missing}, so a training step isn't known"));
    }
    let network = overrides.network.clone().map(|choice| choice.network(classes));
    if network.as_ref().is_some_and(|network| *network != model.network) {
        let network = network.map(|network| network.to_string()).unwrap_or_default();
        return wrong(format!("has the network “{network}”, but the model has “{}”", model.network));
    }
    match overrides.loss {
        Some(loss) if loss != model.loss => {
            wrong(format!("has the loss {loss}, but the model was trained with {}", model.loss))
        }
        _ => Ok(()),
    }
}

/// The data that the model was trained on, checked against the model.
fn load(model: &Model, reading: &Reading) -> Result<Dataset> {
    let dataset = data::load_as(&model.data, &model.shape, &model.rendering, reading)?;
    let (name, shape) = (&model.data, dataset.train.shape);
    if shape != model.shape || dataset.classes != model.classes {
        return Err(Error::Data(format!(
            "{} now has images of {shape} in {} classes, the network was trained on {} in {}: \
             restore the data that it was trained on",
            shown(name),
            dataset.classes.len(),
            model.shape,
            model.classes.len()
        )));
    }
    Ok(dataset)
}

/// Compares the data with those of the run, and notes a change and the run's custom kernels.
fn changed(directory: &Path, dataset: &Dataset) -> bool {
    let record = RunRecord::load(directory);
    if let Some(kernels) =
        record.as_ref().ok().map(|record| &record.kernels).filter(|kernels| !kernels.is_empty())
    {
        let kernels: Vec<String> = kernels
            .iter()
            .map(|kernel| format!("{} ({})", shorten(&kernel.name), shown(&kernel.path)))
            .collect();
        note(format_args!(
            "the run was trained with custom kernels, {}: the built-in ones are shown instead",
            kernels.join(", ")
        ));
    }
    match record {
        Ok(record) if record.digest == dataset.digest => false,
        Ok(_) => {
            note(format_args!(
                "warning: {} has changed since the run was trained: its digest is not that in {RECORD}",
                shown(&dataset.name)
            ));
            true
        }
        Err(error) => {
            note(format_args!(
                "warning: the data can't be compared with those of the run: {}",
                error.marked()
            ));
            false
        }
    }
}

/// Columns of the terminal. A file or a pipe has no limit.
fn width() -> usize {
    let size = Term::stdout().size_checked().filter(|_| stdout().is_terminal());
    size.map_or(usize::MAX, |(_, columns)| columns.into())
}

/// The sample to explain, and its index.
fn pick(dataset: Dataset, part: &str, sample: i64, recipe: &Recipe) -> Result<(usize, Samples)> {
    let samples = match part {
        // The run trained on the rest after its validation part.
        TRAIN if recipe.validation > 0.0 && dataset.validation.is_none() => {
            split_validation(dataset.train, recipe.validation, dataset.classes.len(), recipe.seed)?.0
        }
        TRAIN => dataset.train,
        _ => dataset.held_out,
    };
    if let Some(index) = usize::try_from(sample).ok().filter(|index| *index < samples.len()) {
        return Ok((index, samples.subset(&[index])));
    }
    Err(Error::Usage(format!(
        "--sample {sample} is outside the {part} part: its samples are 0 to {}",
        samples.len() - 1
    )))
}
