//! `wgrad import`: a model of another program's weights.

use std::fs;
use std::path::Path;

use wgrad::internals::data::{self, Dataset, MAX_CLASSES, NAMES, Normaliser, Reading, Rendering, Resize};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::text::{shorten, shown, unfit_for_a_name};
use wgrad::internals::train::recipe::NetworkChoice;
use wgrad::{Error, Model, Result};

use super::adopted;
use super::console::{answer, note, thousands};
use crate::app::cli;

/// The range of a mean and a standard deviation of pixels from 0 to 1; beyond it inputs are no numbers any more.
const LEAST: f32 = 1e-6;
const MOST: f32 = 1e6;
/// The longest file of classes, in bytes.
const MAX_BYTES: u64 = 4 << 20;

pub fn run(arguments: &cli::ImportArgs) -> Result<()> {
    check_out(arguments)?;
    let network: NetworkChoice = arguments.network.parse()?;
    let loss = arguments.loss.parse()?;
    let grey = arguments.grey.parse()?;
    let given = arguments.shape.as_deref().map(shape).transpose()?;
    let Classes { names, shape, data } = classes(&arguments.classes, given)?;
    let Some(shape) = given.or(shape) else {
        return Err(Error::Usage(
            "name the shape of one image with --shape, as in --shape 1x28x28, or a data set with --classes"
                .to_owned(),
        ));
    };
    let normaliser = Normaliser {
        mean: numbers("mean", &arguments.mean, shape.channels, |mean| mean.abs() <= MOST)?,
        std: numbers("std", &arguments.std, shape.channels, |std| (LEAST..=MOST).contains(std))?,
    };
    let model = Model {
        network: network.network(names.len()),
        loss,
        shape,
        classes: names,
        normaliser,
        rendering: Rendering { grey, ..Rendering::default() },
        tones: None,
        parameters: Vec::new(),
        data,
    };
    let (model, from) = model.import(&arguments.file)?;
    adopted::announce(&from);
    if model.normaliser == (Normaliser { mean: vec![0.0; shape.channels], std: vec![1.0; shape.channels] }) {
        note(format_args!(
            "        pixels are scaled to 0 to 1; if PyTorch normalised them, give --mean and --std as well"
        ));
    }
    model.save(&arguments.out)?;
    answer(format_args!(
        "{}: {}; {} parameters, {} classes, images of {shape}",
        shown(&arguments.out),
        model.network,
        thousands(model.arena().count()),
        thousands(model.classes.len())
    ))
}

/// Refuses a file that is there already, unless it is to be replaced.
fn check_out(arguments: &cli::ImportArgs) -> Result<()> {
    let out = &arguments.out;
    let problem = match fs::metadata(out) {
        Ok(found) if !found.is_file() => "is no file, so name another one with --out",
        Ok(_) if !arguments.force => {
            "exists already, so name another file with --out, or replace it with --force"
        }
        _ => return Ok(()),
    };
    Err(Error::Usage(format!("{} {problem}", shown(out))))
}

/// Reads a shape with its channels.
fn shape(text: &str) -> Result<Shape> {
    match text.parse::<Resize>() {
        Ok(Resize { channels: Some(channels), height, width }) => Ok(Shape::image(channels, height, width)),
        _ => Err(Error::Usage(format!(
            "--shape is “{}”, but it takes 1 to {} channels, height and width with sides of 1 to {} pixels, as in 1x28x28",
            shorten(text),
            data::MAX_CHANNELS,
            data::MAX_SIDE
        ))),
    }
}

/// Reads a number for each channel, or one for all.
fn numbers(flag: &str, text: &str, channels: usize, fits: impl Fn(&f32) -> bool) -> Result<Vec<f32>> {
    let found: Option<Vec<f32>> =
        text.split(',').map(|number| number.trim().parse().ok().filter(&fits)).collect();
    match found {
        Some(one) if one.len() == 1 => Ok(vec![one[0]; channels]),
        Some(all) if all.len() == channels => Ok(all),
        _ => Err(Error::Usage(format!(
            "--{flag} is “{}”, but it takes one number, or one for each of the {channels} channels with commas between \
             them{}",
            shorten(text),
            if flag == "std" { ", above 0: from 1e-6 to 1e6" } else { ", from -1e6 to 1e6" }
        ))),
    }
}

/// The classes of a model.
struct Classes {
    names: Vec<String>,
    /// The shape of the data set that has them.
    shape: Option<Shape>,
    /// The name of that data set, else empty.
    data: String,
}

/// Reads classes: a list with commas, a file with one a line, or those of a data set.
fn classes(text: &str, shape: Option<Shape>) -> Result<Classes> {
    let path = Path::new(text);
    if NAMES.contains(&text) || data::leads_to_data(text) {
        // The shape is for pictures alone; only classes and shape are taken, whatever the digest.
        let reading = Reading { resize: shape.map(Resize::from), ..Reading::default() };
        let Dataset { name, classes, train, .. } = data::load_again(text, &reading, "")?;
        return Ok(Classes { names: classes, shape: Some(train.shape), data: name });
    }
    let names: Vec<String> = if path.is_file() {
        let read = data::files::read_text(path, MAX_BYTES);
        let read = read.map_err(|why| {
            Error::Data(format!("the classes in {} can't be read ({why}), so name a text file", shown(path)))
        })?;
        let lines = read.trim_start_matches('\u{feff}').lines().map(|line| line.trim().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    } else if text.contains(',') {
        text.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        return Err(Error::Usage(format!(
            "--classes is “{}”, but it takes names with commas between them, a file with one per line, or a data set",
            shorten(text)
        )));
    };
    check(&names)?;
    Ok(Classes { names, shape: None, data: String::new() })
}

/// Checks that there are names, that they can be printed, and that no two are the same.
fn check(names: &[String]) -> Result<()> {
    let problem = |what: String| Err(Error::Usage(format!("--classes {what}")));
    if !(1..=MAX_CLASSES).contains(&names.len()) {
        return problem(format!("gives {} names, but it takes 1 to {MAX_CLASSES}", names.len()));
    }
    if names.iter().any(String::is_empty) {
        return problem("gives an empty name, so leave out the comma too many".to_owned());
    }
    if let Some(name) = names.iter().find(|name| unfit_for_a_name(name).is_some()) {
        return problem(format!("gives the name “{}”, which can't be printed on a line", shorten(name)));
    }
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => problem(format!("gives the name “{}” twice, so rename one", shorten(pair[0]))),
        None => Ok(()),
    }
}
