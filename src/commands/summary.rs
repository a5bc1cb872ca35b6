//! `wgrad summary`: what a network consists of, and what a step of it does.

use std::path::{MAIN_SEPARATOR, Path};

use wgrad::data::{Augmentation, ImageShape};
use wgrad::engine::adapter::{Device, choose};
use wgrad::error::{Error, Result};
use wgrad::experimental::Experimental;
use wgrad::layers::Shape;
use wgrad::loss::Loss;
use wgrad::lower::{Lowering, Part, TRAIN, Training, lower};
use wgrad::model::Model;
use wgrad::network::Network;
use wgrad::precision::Precision;
use wgrad::program::{Limits, Program, Role, mebibytes};
use wgrad::recipe::{self, Recipe};
use wgrad::record::Versions;
use wgrad::run::RECIPE;

use super::console::{answer, note, thousands};
use crate::cli;

/// Samples of a step, for a network that has not been trained.
const BATCH: usize = 64;

pub fn run(arguments: &cli::Summary) -> Result<()> {
    // No network's text has a slash: for a path that leads nowhere the message of a missing file helps more.
    let is_path = Path::new(&arguments.what).exists() || arguments.what.contains(['/', MAIN_SEPARATOR]);
    let (network, loss, shape, recipe) = if is_path {
        let model = Model::load(Path::new(&arguments.what))?;
        let recipe = recipe_of(Path::new(&arguments.what), &model)?;
        (model.network, model.loss, model.shape, recipe)
    } else {
        let &[channels, height, width] = arguments.input.as_slice() else {
            return Err(Error::Usage(
                "--input takes channels, height and width, as in --input 1,28,28".to_owned(),
            ));
        };
        let shape = ImageShape { channels, height, width };
        shape.check("--input").map_err(|error| Error::Usage(error.to_string()))?;
        (arguments.what.parse()?, Loss::CrossEntropy, shape, None)
    };
    let batch = arguments.batch_size.or(recipe.as_ref().map(|recipe| recipe.batch_size)).unwrap_or(BATCH);
    if batch == 0 {
        return Err(Error::Usage("--batch-size is 0; it is a whole number from 1".to_owned()));
    }
    let training = recipe.as_ref().map_or_else(Training::default, Recipe::training);
    let outputs = network.shapes(&input(&shape))?.last().map_or(0, Shape::len);
    // One batch of data: what a step reads, not what a whole set would need.
    let lowered = lower(&Lowering {
        network: &network,
        loss,
        shape: &shape,
        classes: if loss == Loss::CrossEntropy { outputs } else { outputs.max(2) },
        batch,
        // As many samples as a step takes.
        parts: vec![Part { name: TRAIN, samples: batch.saturating_mul(training.accumulate) }],
        versions: versions(&choose(&arguments.device)?, recipe.as_ref())?,
        fuse: true,
        as_in_prediction: false,
        keep: false,
        // To be read, not run: no device has to hold it.
        limits: Limits { binding_bytes: u64::MAX, buffer_bytes: u64::MAX, memory_bytes: None },
        augment: Augmentation::default(),
        training,
    })?;
    layers(&network, &shape)?;
    memory(&lowered.program, batch)?;
    if let Some(own) = recipe.iter().flat_map(|recipe| &recipe.kernel).next() {
        note(format_args!("the run used a kernel of its own ({own}); the steps are shown with ours"));
    }
    if let Some(recipe) = recipe.filter(|recipe| recipe.experimental != Experimental::None) {
        note(format_args!(
            "the run has experimental {}, which needs its adapter; the steps are shown without",
            recipe.experimental
        ));
    }
    answer(format_args!("\n{}", lowered.program.to_string().trim_end()))
}

/// The shaders of a run in its precision, where the device can run them; else those that the device has by
/// default.
fn versions(device: &Device, recipe: Option<&Recipe>) -> Result<Versions> {
    let versions = match recipe.map(|recipe| recipe.tuning).filter(|tuning| tuning.runs_on(device)) {
        Some(tuning) => tuning.versions(device)?,
        None => device.versions(),
    };
    Ok(versions.in_precision(recipe.map_or_else(Precision::default, |recipe| recipe.precision)))
}

/// How a run was trained; nothing for a model without one beside it.
fn recipe_of(run: &Path, model: &Model) -> Result<Option<Recipe>> {
    let path = run.join(RECIPE);
    if !path.exists() {
        return Ok(None);
    }
    let overrides = recipe::read(&path)?;
    // A run's recipe says everything, so how many samples there are decides nothing.
    Recipe::resolve(&overrides, model.shape.values(), model.classes.len(), usize::MAX >> 16).map(Some)
}

fn input(shape: &ImageShape) -> Shape {
    Shape(vec![shape.channels, shape.height, shape.width])
}

fn layers(network: &Network, shape: &ImageShape) -> Result<()> {
    let shapes = network.shapes(&input(shape))?;
    let arena = network.arena(&input(shape))?;
    let header = ["layer", "", "output", "parameters", "multiply-adds"];
    answer(format_args!(
        "{:>5}  {:<24} {:>12} {:>12} {:>14}",
        header[0], header[1], header[2], header[3], header[4]
    ))?;
    answer(format_args!("{:>5}  {:<24} {:>12}", "", "input", shapes[0].to_string()))?;
    let mut multiply_adds = 0;
    for (at, layer) in network.layers.iter().enumerate() {
        let prefix = format!("{at}.");
        let own = arena.params.iter().filter(|param| param.name.starts_with(&prefix));
        let parameters: usize = own.map(|param| param.len()).sum();
        let cost = layer.multiply_adds(&shapes[at]);
        multiply_adds += cost;
        answer(format_args!(
            "{at:>5}  {:<24} {:>12} {:>12} {:>14}",
            layer.to_string(),
            shapes[at + 1].to_string(),
            thousands(parameters),
            thousands(cost)
        ))?;
    }
    answer(format_args!(
        "{:>5}  {:<24} {:>12} {:>12} {:>14}",
        "",
        "total",
        "",
        thousands(arena.count()),
        thousands(multiply_adds)
    ))
}

fn memory(program: &Program, batch: usize) -> Result<()> {
    answer(format_args!("\nmemory of a step at batch size {batch}, without the data set"))?;
    let roles = [
        ("parameters", Role::Parameters),
        ("gradients", Role::Gradients),
        ("optimiser", Role::Optimiser),
        ("activations", Role::Activations),
        ("metrics", Role::Metrics),
    ];
    for (name, role) in roles {
        answer(format_args!("  {name:<12} {:>12}", mebibytes(program.bytes(role))))?;
    }
    let total: u64 = roles.iter().map(|(_, role)| program.bytes(*role)).sum();
    answer(format_args!("  {:<12} {:>12}", "total", mebibytes(total)))
}
