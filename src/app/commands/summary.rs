//! `wgrad summary`: the layers of a network, its memory, and its dispatches.

use std::path::{MAIN_SEPARATOR, Path};

use wgrad::internals::data::check_shape;
use wgrad::internals::engine::adapter::{Device, choose};
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::Network;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, Lowering, Part, TRAIN, Training, lower};
use wgrad::internals::program::rewrite::{self, Rewrites};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Limits, Program, Role, mebibytes};
use wgrad::internals::table::choice::Choice;
use wgrad::internals::train::recipe::{self, Recipe, WantedRewrites};
use wgrad::internals::train::run::RECIPE;
use wgrad::internals::train::run::model::Model;
use wgrad::{Error, Result};

use super::console::{answer, note, thousands};
use super::prepared::MEASURED_IN_F16;
use crate::app::cli;

/// The batch size for a network without a run.
const BATCH: usize = 64;

pub fn run(arguments: &cli::SummaryArgs) -> Result<()> {
    let subject = SummarySubject::read(arguments)?;
    let recipe = subject.recipe.as_ref();
    let batch = arguments.batch_size.or(recipe.map(|recipe| recipe.batch_size)).unwrap_or(BATCH);
    if batch == 0 {
        return Err(Error::Usage("--batch-size is 0; it is a whole number from 1".to_owned()));
    }
    let device = choose(&arguments.device)?;
    let tiles = recipe.map_or(Ok(Vec::new()), |recipe| recipe.experimental.available(&device));
    let choice = choice(&device, recipe)?;
    let wanted = match &arguments.rewrites {
        Some(text) => text.parse()?,
        None => recipe.map_or(Rewrites::ALL, Recipe::rewrites),
    };
    let precision = recipe.map_or_else(Precision::default, |recipe| recipe.precision);
    WantedRewrites::These(wanted).check(precision)?;
    let lower = |rewrites| subject.lower(batch, choice, tiles.as_deref().unwrap_or_default(), rewrites);
    let [plain, lowered] = [lower(Rewrites::NONE)?, lower(wanted)?];
    layers(&subject.network, &subject.shape)?;
    memory(&lowered.program, batch)?;
    for remark in recipe.iter().flat_map(|recipe| remarks(recipe, tiles.as_ref().err())) {
        note(format_args!("{remark}"));
    }
    answer(format_args!("\nThe plain Program: what the layers record, a dispatch for each operation.\n"))?;
    answer(format_args!("{}", plain.program.to_string().trim_end()))?;
    rewrites(wanted, &lower)?;
    answer(format_args!("\nThe Program that runs.\n"))?;
    answer(format_args!("{}", lowered.program.to_string().trim_end()))
}

/// The effect of each rewrite on a step, one after the other.
fn rewrites(wanted: Rewrites, lower: &dyn Fn(Rewrites) -> Result<Lowered>) -> Result<()> {
    answer(format_args!("\nRewrites, in order, and the dispatches of a training step.\n"))?;
    let count = |rewrites| lower(rewrites).map(|lowered| lowered.program.section(TRAIN).len());
    let mut applied = Rewrites::NONE;
    let mut before = count(applied)?;
    for rewrite in &rewrite::ALL {
        let change = if wanted.has(rewrite) {
            applied = applied.and(rewrite.name);
            let after = count(applied)?;
            let change = format!("{before} → {after}");
            before = after;
            change
        } else {
            "left out".to_owned()
        };
        answer(format_args!("  {:<12} {change:>9}  {}", rewrite.name, rewrite.about))?;
    }
    Ok(())
}

/// The network of the summary.
struct SummarySubject {
    network: Network,
    loss: Loss,
    shape: Shape,
    /// The recipe of a run.
    recipe: Option<Recipe>,
}

impl SummarySubject {
    fn read(arguments: &cli::SummaryArgs) -> Result<SummarySubject> {
        // A text with a slash is no network, but the path of a missing file.
        let is_path = Path::new(&arguments.what).exists() || arguments.what.contains(['/', MAIN_SEPARATOR]);
        if is_path {
            let model = super::model_of(Path::new(&arguments.what))?;
            let recipe = recipe_of(Path::new(&arguments.what), &model)?;
            return Ok(SummarySubject {
                network: model.network,
                loss: model.loss,
                shape: model.shape,
                recipe,
            });
        }
        let &[channels, height, width] = arguments.input.as_slice() else {
            return Err(Error::Usage(
                "--input takes channels, height and width, as in --input 1,28,28".to_owned(),
            ));
        };
        let shape = Shape::image(channels, height, width);
        check_shape(&shape, "--input").map_err(|error| Error::Usage(error.to_string()))?;
        Ok(SummarySubject { network: arguments.what.parse()?, loss: Loss::CrossEntropy, shape, recipe: None })
    }

    /// Lowers the network with these shaders, in the precision of the run. `tiles` are tile sizes of cooperative
    /// matrices, if any.
    fn lower(&self, batch: usize, choice: Choice, tiles: &[usize], rewrites: Rewrites) -> Result<Lowered> {
        let recipe = self.recipe.as_ref();
        let precision = recipe.map_or_else(Precision::default, |recipe| recipe.precision);
        let training = recipe.map_or_else(Training::default, Recipe::training);
        let outputs = self.network.shapes(&self.shape)?.last().map_or(0, Shape::len);
        let classes = if self.loss == Loss::CrossEntropy { outputs } else { outputs.max(2) };
        // The data of one step, without the whole set.
        lower(&Lowering {
            loss: self.loss,
            parts: vec![Part { name: TRAIN, samples: batch.saturating_mul(training.accumulate) }],
            choice: choice.in_precision(precision).with_cooperative(tiles),
            rewrites,
            // The Program is printed and not run, so no device has to hold it.
            limits: Limits { binding_bytes: u64::MAX, buffer_bytes: u64::MAX, memory_bytes: None },
            training,
            ..Lowering::new(&self.network, &self.shape, classes, batch)
        })
    }
}

/// The shaders of a run if the device runs them, else defaults.
fn choice(device: &Device, recipe: Option<&Recipe>) -> Result<Choice> {
    match recipe.map(|recipe| &recipe.tuning).filter(|tuning| tuning.runs_on(device)) {
        Some(tuning) => tuning.choice(device),
        None => Ok(device.choice()),
    }
}

/// Differences between the run and what is shown. `lacking` is the reason why the device can't run the run's
/// experimental kernels.
fn remarks(recipe: &Recipe, lacking: Option<&String>) -> Vec<String> {
    let custom = recipe.kernel.first();
    let custom = custom.map(|kernel| {
        format!("the run used a custom kernel ({kernel}); the steps are shown with the built-in ones")
    });
    let f16 =
        (recipe.precision == Precision::F16).then(|| format!("the run has precision f16; {MEASURED_IN_F16}"));
    let without = lacking.map(|why| {
        format!("the run has experimental {}, but {why}; the steps are shown without", recipe.experimental)
    });
    [custom, f16, without].into_iter().flatten().collect()
}

/// The recipe of a run. A model without one beside it has none.
fn recipe_of(run: &Path, model: &Model) -> Result<Option<Recipe>> {
    let path = run.join(RECIPE);
    if !path.exists() {
        return Ok(None);
    }
    let overrides = recipe::read(&path)?;
    // A run's recipe is complete, so the number of samples has no effect.
    Recipe::resolve(&overrides, model.shape.len(), model.classes.len(), usize::MAX >> 16).map(Some)
}

fn layers(network: &Network, shape: &Shape) -> Result<()> {
    let shapes = network.shapes(shape)?;
    let arena = network.arena(shape)?;
    let header = ["layer", "", "output", "parameters", "multiply-adds"];
    answer(format_args!(
        "{:>5}  {:<24} {:>12} {:>12} {:>14}",
        header[0], header[1], header[2], header[3], header[4]
    ))?;
    answer(format_args!("{:>5}  {:<24} {:>12}", "", "input", shapes[0].to_string()))?;
    let mut multiply_adds = 0;
    for (at, layer) in network.layers.iter().enumerate() {
        let prefix = format!("{at}.");
        let params = arena.params.iter().filter(|param| param.name.starts_with(&prefix));
        let parameters: usize = params.map(|param| param.len()).sum();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A run with the precision f16 and an experimental setting.
    fn run_with(experimental: &str) -> SummarySubject {
        let (precision, experimental) = (Precision::F16, experimental.parse().unwrap());
        let recipe = Recipe { precision, experimental, ..Recipe::defaults_for("digits", 64, 8, 100) };
        SummarySubject {
            network: "dense 16, relu, dense 8".parse().unwrap(),
            loss: Loss::CrossEntropy,
            shape: Shape::image(1, 8, 8),
            recipe: Some(recipe),
        }
    }

    #[test]
    fn steps_are_shown_with_the_tiles_of_the_run_where_the_device_has_them() {
        let subject = run_with("cooperative-matrix 8");
        let used = |tiles: &[usize]| {
            subject.lower(8, Choice::GPU, tiles, Rewrites::ALL).unwrap().cooperative_tile_sizes()
        };
        assert_eq!((used(&[8]), used(&[16, 8]), used(&[])), (vec![8], vec![8], vec![]));
        let text = subject.lower(8, Choice::GPU, &[8], Rewrites::ALL).unwrap().program.to_string();
        assert!(text.contains("matmul_cooperative") && !text.contains("matmul_f16"), "{text}");
    }

    #[test]
    fn differences_between_run_and_summary_are_noted() {
        let with = run_with("cooperative-matrix 8").recipe.unwrap();
        let f16 = format!("the run has precision f16; {MEASURED_IN_F16}");
        assert_eq!(remarks(&with, None).join("; "), f16);
        let lacking =
            "the run has experimental cooperative-matrix 8, but it has none; the steps are shown without";
        assert_eq!(remarks(&with, Some(&"it has none".to_owned())), [f16, lacking.to_owned()]);
        let f32 = Recipe::defaults_for("digits", 64, 8, 100);
        assert_eq!(remarks(&f32, None), [""; 0]);
    }
}
