//! `wgrad data` and `wgrad data preview`: data sets and their augmentation.

use serde_json::json;
use wgrad::internals::data::files::write_output;
use wgrad::internals::data::{self, About, Dataset, Normaliser, Samples};
use wgrad::internals::kernel::Augmentation;
use wgrad::internals::network::lower::VALIDATION;
use wgrad::internals::report::contact_sheet::{self, Thumbnail, WHITE};
use wgrad::internals::text::{self, filled, shorten, shown};
use wgrad::internals::train::session::Session;
use wgrad::{Error, Result};

use super::captions::{caption, note_numbers};
use super::console::{answer, answer_json, note, thousands, with_all_flags};
use super::get;
use crate::app::cli::{self, Reading, SettingFlags};

pub fn run(arguments: &cli::data::DataArgs) -> Result<()> {
    match (&arguments.command, &arguments.data) {
        (Some(cli::data::DataCommand::Preview(arguments)), _) => preview(arguments),
        (Some(cli::data::DataCommand::Get(arguments)), _) => get::run(arguments),
        (None, Some(name)) => describe(&load(name, &arguments.reading)?, arguments.json),
        (None, None) => {
            Err(Error::Usage("name a data set or a folder, as in “wgrad data digits”".to_owned()))
        }
    }
}

fn load(name: &str, reading: &SettingFlags<Reading>) -> Result<Dataset> {
    let mut dataset = data::load_with(name, &reading.given()?.reading())?;
    if let Err(nothing_to_learn) = inspect(&mut dataset) {
        dataset.about.notes.push(nothing_to_learn.marked().to_owned());
    }
    note_skipped(&dataset);
    Ok(dataset)
}

/// Looks at the samples of a data set, and adds what it finds to the notes about it.
///
/// An error says why nothing can be learned from them.
pub fn inspect(dataset: &mut Dataset) -> Result<()> {
    let found = dataset.inspect();
    dataset.about.notes.extend(found.notes);
    let nothing_to_learn = found.nothing_to_learn;
    nothing_to_learn.map_or(Ok(()), |why| Err(Error::Data(format!("{}: {why}", shown(&dataset.name)))))
}

/// [`inspect`] before training. Notes are printed first if nothing can be learned, since they may say why.
pub fn inspect_to_train(dataset: &mut Dataset) -> Result<()> {
    inspect(dataset).inspect_err(|_| note_skipped(dataset))
}

/// Adds validation samples that repeat training samples to the notes about the data.
pub fn inspect_validation(session: &mut Session) {
    let validation = session.validation.as_ref();
    let found = validation.and_then(|part| data::repeated(VALIDATION, part, &session.dataset.train));
    session.dataset.about.notes.extend(found);
}

/// Prints notes about the data, and the pictures that were skipped.
pub fn note_skipped(dataset: &Dataset) {
    note_all(&dataset.about);
}

/// [`note_skipped`] for data of any kind.
pub fn note_all(about: &About) {
    about.notes.iter().for_each(|line| note(format_args!("        {line}")));
    match about.skipped.len() {
        0 => {}
        1 => note(format_args!("        1 picture was skipped:")),
        count => note(format_args!("        {} pictures were skipped:", thousands(count))),
    }
    about.skipped.iter().for_each(|line| note(format_args!("          {line}")));
}

/// The number of samples of each class.
fn counts(samples: &Samples, classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    samples.labels.iter().for_each(|label| counts[*label as usize] += 1);
    counts
}

fn describe(dataset: &Dataset, as_json: bool) -> Result<()> {
    let classes = dataset.classes.len();
    let (train, held_out) = (counts(&dataset.train, classes), counts(&dataset.held_out, classes));
    let validation = dataset.validation.as_ref().map(|part| counts(part, classes));
    let shape = dataset.train.shape;
    if as_json {
        let validated = |at: usize| validation.as_ref().map_or(0, |part| part[at]);
        let class = |at: usize| {
            let (class, validation) = (&dataset.classes[at], validated(at));
            json!({"class": class, "train": train[at], "held_out": held_out[at], "validation": validation})
        };
        return answer_json(&json!({
            "data": dataset.name,
            "origin": dataset.about.origin,
            "shape": [shape.channels, shape.height, shape.width],
            "train": dataset.train.len(),
            "held_out": dataset.held_out.len(),
            "validation": dataset.validation.as_ref().map_or(0, Samples::len),
            "classes": (0..classes).map(class).collect::<Vec<_>>(),
            "digest": dataset.digest,
            "notes": with_all_flags(&dataset.about.notes),
            "skipped": with_all_flags(&dataset.about.skipped),
        }));
    }
    answer(format_args!("data    {} ({})", shown(&dataset.name), dataset.about.origin))?;
    answer(format_args!("images  {shape} (channels × rows × columns)"))?;
    answer(format_args!("digest  {}", dataset.digest))?;
    let names: Vec<String> = dataset.classes.iter().map(|name| shorten(name)).collect();
    let width = names.iter().map(|name| text::columns(name)).max().unwrap_or_default().max(5);
    let mut columns = vec![("train", train), ("held out", held_out)];
    columns.extend(validation.map(|counts| ("validation", counts)));
    let line = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!("  {cell:>10}")).collect();
        answer(format_args!("{}{cells}", filled(name, width)))
    };
    answer(format_args!(""))?;
    line("class", columns.iter().map(|(head, _)| (*head).to_owned()).collect())?;
    for (at, name) in names.iter().enumerate() {
        line(name, columns.iter().map(|(_, counts)| thousands(counts[at])).collect())?;
    }
    line("all", columns.iter().map(|(_, counts)| thousands(counts.iter().sum())).collect())
}

fn preview(arguments: &cli::data::PreviewArgs) -> Result<()> {
    if arguments.samples == 0 || arguments.epochs == 0 {
        return Err(Error::Usage("--samples and --epochs are whole numbers from 1".to_owned()));
    }
    let epochs = u32::try_from(arguments.epochs).map_err(|_| {
        Error::Usage(format!(
            "--epochs {} is too large for a contact sheet, so choose fewer",
            arguments.epochs
        ))
    })?;
    let augmentation: Augmentation = arguments.augment.parse()?;
    let dataset = load(&arguments.data, &arguments.reading)?;
    let (train, normaliser) = (&dataset.train, Normaliser::of(&dataset.train));
    let cell = |image: Vec<u8>, line: String| Thumbnail { image, lines: vec![(line, WHITE)] };
    let row = |at: usize| {
        let class = caption(&dataset.classes, train.labels[at] as usize);
        let augmented = (1..=epochs).map(|epoch| {
            cell(
                train.augmented(at, &augmentation, &normaliser, (arguments.seed, epoch)),
                format!("epoch {epoch}"),
            )
        });
        [cell(train.image(at).to_vec(), class)].into_iter().chain(augmented).collect()
    };
    let chosen = by_class_in_turn(train, dataset.classes.len(), arguments.samples);
    contact_sheet::check(chosen.len(), arguments.epochs.saturating_add(1), &train.shape)?;
    let drawn: Vec<usize> = chosen.iter().map(|at| train.labels[*at] as usize).collect();
    let rows: Vec<Vec<Thumbnail>> = chosen.into_iter().map(row).collect();
    write_output(&arguments.out, &contact_sheet::png(&rows, &train.shape)?)?;
    note(format_args!("the samples are drawn in {}", shown(&arguments.out)));
    note_numbers(&dataset.classes, drawn);
    answer(format_args!(
        "{}: {} samples, unchanged and in {epochs} epochs with {augmentation}",
        shown(&arguments.out),
        rows.len()
    ))
}

/// `count` samples, taken from the classes in turn.
fn by_class_in_turn(samples: &Samples, classes: usize, count: usize) -> Vec<usize> {
    let mut seen = vec![0; classes];
    let mut all: Vec<(usize, u32, usize)> = Vec::with_capacity(samples.len());
    for (at, label) in samples.labels.iter().enumerate() {
        all.push((seen[*label as usize], *label, at));
        seen[*label as usize] += 1;
    }
    all.sort_unstable();
    all.into_iter().take(count).map(|(_, _, at)| at).collect()
}
