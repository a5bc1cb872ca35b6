//! Recipes with every setting, plausible and extreme, parsed, checked, lowered and forecast.

use std::path::Path;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use wgrad::internals::data::{DataSize, Dataset, Samples};
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::train::plan::MemoryPlan;
use wgrad::internals::train::recipe::{Overrides, Recipe, SETTINGS, parse_toml};
use wgrad::internals::train::session::Session;
use wgrad::{Error, Result};

use crate::mutation::{extreme, mutate, one_of, renumber, words};
use crate::networks;
use crate::run::Run;

/// Values that the settings take, or nearly take. A setting that is missing here gets numbers and words alone.
const VALUES: &[(&str, &[&str])] = &[
    ("data", &["\"digits\"", "\"mnist\"", "\"photos\"", "\" \""]),
    ("resize", &["\"32x32\"", "\"3x32x32\"", "\"none\"", "\"0x9\"", "\"4096x4096\""]),
    ("skip_bad", &["true", "false"]),
    ("background", &["\"auto\"", "\"#ffcc00\"", "\"128\"", "\"256\"", "\"#12345é\""]),
    ("levels", &["\"auto\"", "\"full\"", "\"0-4000\"", "\"9-9\"", "\"0-65536\""]),
    (
        "augment",
        &["\"shift 2, rotate 10\"", "\"none\"", "\"mirror, noise 0.1\"", "\"cutout 9\"", "\"shift 1e9\""],
    ),
    (
        "network",
        &[
            "\"dense 3\"",
            "\"dense 16, relu, dense 3\"",
            "\"conv 4 3x3 pad 1, batchnorm, relu, maxpool 2, residual { conv 4 1x1 }, globalavgpool, dense 3\"",
            "\"dense 8, layernorm, dropout 0.5, leaky-relu 0.1, dense 3\"",
            "\"cnn\"",
            "[\"dense 9\", \"tanh\", \"dense 3\"]",
            "\"dense 1000000000, dense 3\"",
            "\"dense 1000000, dense 1000000, dense 3\"",
            "\"conv 100000 3x3 pad 1, conv 3 8x8, dense 3\"",
            "\"softmax, dense 3\"",
        ],
    ),
    ("epochs", &["1", "2", "1000000"]),
    ("batch_size", &["1", "4", "7", "30", "0x10"]),
    ("learning_rate", &["0.1", "5", "1e-3", "3.4e38"]),
    (
        "optimiser",
        &[
            "\"sgd momentum 0.9 nesterov\"",
            "\"sgd\"",
            "\"adam\"",
            "\"adamw weight-decay 0.01\"",
            "\"muon\"",
            "\"rmsprop centred\"",
            "\"adagrad\"",
            "\"adam beta1 0.9999999999\"",
            "\"sgd weight-decay 1e38 decoupled\"",
        ],
    ),
    ("momentum", &["0.9", "0", "0.99999999999"]),
    (
        "schedule",
        &[
            "\"cosine warmup 2\"",
            "\"one-cycle\"",
            "\"constant\"",
            "\"plateau patience 0\"",
            "\"step every 0.1 factor 0.5\"",
            "\"exponential factor 1e-300\"",
            "\"constant warmup 18446744073709551615\"",
            "\"cosine over 18446744073709551615\"",
        ],
    ),
    ("clip_norm", &["0.5", "1e-45", "0"]),
    ("clip_value", &["0.5", "1e-45", "0"]),
    ("accumulate", &["1", "2", "30", "60000"]),
    ("ema", &["0.999", "0", "0.99999999999"]),
    ("label_smoothing", &["0.1", "0", "0.99999999999"]),
    (
        "class_weights",
        &["\"even\"", "\"balanced\"", "\"1,2,0.5\"", "\"0,0,0\"", "\"1e38,1e38,1e38\"", "\"1\""],
    ),
    (
        "stop_early",
        &[
            "\"validation-loss patience 5 min-delta 0.001\"",
            "\"train-accuracy patience 18446744073709551615\"",
            "\"never\"",
        ],
    ),
    ("max_time", &["\"10m\"", "\"1h30m\"", "\"none\"", "\"4294967294s\""]),
    ("on_nan", &["\"stop\"", "\"rollback\""]),
    ("overfit_batches", &["0", "1", "2"]),
    ("normalise", &["\"standard\"", "\"unit\""]),
    ("loss", &["\"cross-entropy\"", "\"bce\"", "\"mse\"", "\"squared-error\""]),
    ("validation", &["0.2", "0", "0.5", "0.99999999999"]),
    ("device", &["\"auto\"", "\"gpu\"", "\"cpu\"", "\"\""]),
    ("tuning", &["\"auto\"", "\"default\"", "\"large matmul_register\"", "\"small matmul\""]),
    ("rewrites", &["\"all\"", "\"none\"", "\"activations, watch\"", "\"default\""]),
    ("precision", &["\"f32\"", "\"f16\""]),
    ("experimental", &["\"none\"", "\"cooperative-matrix\"", "\"cooperative-matrix 16 8\""]),
    ("kernel", &["[\"matmul=x.wgsl\"]", "[]", "[\"sgd=\"]", "[\"sgd=a\", \"sgd=b\"]"]),
];

/// The memory that lowering may take: that of the most layers of a step.
const LOWERED: usize = 512 << 20;

/// Words of settings and of TOML.
const VOCABULARY: &[&str] = &[
    " ",
    ",",
    ", ",
    "-",
    ".",
    "0",
    "1",
    "1e9",
    "0.5",
    "\\n",
    "\\u0000",
    "\\\"",
    "⟨network⟩",
    "é",
    "auto",
    "none",
    "all",
    "sgd",
    "adam",
    "momentum",
    "nesterov",
    "weight-decay",
    "cosine",
    "warmup",
    "over",
    "step",
    "every",
    "factor",
    "patience",
    "plateau",
    "one-cycle",
    "validation-loss",
    "min-delta",
    "h",
    "m",
    "s",
    "x",
    "large",
    "small",
    "matmul",
    "=",
    "shift",
    "rotate",
    "scale",
    "mirror",
    "activations",
    "watch",
    "cooperative-matrix",
    "99999999999999999999",
    "NaN",
    "inf",
];

/// Values of other types.
const ODD: &[&str] = &[
    "nan",
    "-inf",
    "inf",
    "0x7fffffffffffffff",
    "0b1",
    "1_000",
    "1979-05-27T07:32:00Z",
    "07:32:00",
    "{}",
    "{ a = 1 }",
    "[[]]",
    "[1, \"a\"]",
    "''",
    "'''a\n'''",
    "\"\"",
    "\"\\u202e\"",
];

/// A recipe as text.
fn recipe(rng: &mut ChaCha8Rng, good: &str) -> Vec<u8> {
    match rng.random_range(0..8) {
        0 => return mutate(rng, good.as_bytes()),
        1 => {
            let mut text = good.as_bytes().to_vec();
            (0..rng.random_range(1..4)).for_each(|_| renumber(rng, &mut text));
            return text;
        }
        _ => {}
    }
    let mut text = String::new();
    // With fewer settings more of them are accepted together.
    let often = rng.random_range(1..12);
    for setting in SETTINGS {
        if rng.random_range(0..12) >= often {
            continue;
        }
        let names: Vec<&str> =
            [setting.key].iter().chain(setting.aliases).chain(setting.former).copied().collect();
        let known = VALUES.iter().find(|(key, _)| *key == setting.key).map_or(&[][..], |(_, values)| values);
        let value = match rng.random_range(0..40) {
            0 => extreme(rng).to_owned(),
            1 => format!("\"{}\"", words(rng, VOCABULARY)),
            2 => one_of(rng, ODD).to_owned(),
            3 => format!("\"{}\"", words(rng, networks::VOCABULARY)),
            4 => {
                let (_, others) = VALUES[rng.random_range(0..VALUES.len())];
                one_of(rng, others).to_owned()
            }
            5 if !known.is_empty() => {
                let mut value = one_of(rng, known).as_bytes().to_vec();
                renumber(rng, &mut value);
                String::from_utf8_lossy(&value).into_owned()
            }
            6 if setting.key == "network" => long(rng),
            _ if known.is_empty() => rng.random_range(0..9).to_string(),
            _ => one_of(rng, known).to_owned(),
        };
        text += &format!("{} = {value}\n", one_of(rng, &names));
    }
    text.into_bytes()
}

/// A network of many layers, or of blocks within blocks.
fn long(rng: &mut ChaCha8Rng) -> String {
    let count = rng.random_range(1..2000);
    match rng.random_range(0..3) {
        0 => format!("\"{} dense 3\"", "dense 2, relu, ".repeat(count)),
        1 => format!("\"{}dense 3{}, dense 3\"", "residual { ".repeat(count), " }".repeat(count)),
        _ => format!("{}\"dense 3\"{}", "[".repeat(count), "]".repeat(count)),
    }
}

/// Thirty small pictures of 3 classes to train on, and 6 held out.
fn small_data() -> Dataset {
    let shape = Shape::image(1, 8, 8);
    let samples = |count: usize| Samples {
        shape,
        pixels: (0..count * 64).map(|at| (at * at % 251) as u8).collect(),
        labels: (0..count).map(|at| at as u32 % 3).collect(),
    };
    let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
    Dataset::new("small", classes, samples(30), samples(6)).expect("a data set")
}

pub fn recipes(run: Run) {
    let good = Recipe::defaults_for("digits", 64, 3, 30).to_toml();
    let data = small_data();
    run.within(LOWERED).over(
        |rng| recipe(rng, &good),
        |bytes| {
            let given = parse_toml(&String::from_utf8_lossy(bytes), Path::new("recipe.toml"))?;
            lower(&given, &data, bytes.len())
        },
    );
}

/// All that comes before training; a few steps of a small network.
fn lower(given: &Overrides, data: &Dataset, chosen: usize) -> Result<()> {
    let recipe = Recipe::resolve(given, 64, 3, data.train.len())?;
    recipe.check()?;
    let again = parse_toml(&recipe.to_toml(), Path::new("recipe.toml"));
    assert_eq!(again, Ok(Overrides::from(recipe.clone())), "a recipe is read back as it was");
    let device = Device::Cpu { reason: None };
    for (shape, classes, train) in
        [(Shape::image(1, 28, 28), 10, 60_000), (Shape::image(4, 1024, 1024), 1000, 100_000)]
    {
        let size = DataSize {
            shape,
            classes,
            train,
            held_out: train / 6,
            validation: 0,
            reading: 0,
            pictures: false,
        };
        let forecast = MemoryPlan::forecast(&recipe, &size, &device, chosen.is_multiple_of(2));
        assert!(matches!(forecast, Ok(_) | Err(Error::Device(..))), "{forecast:?}");
    }
    let session = Session::new(recipe, data.clone(), device)?;
    let lowered = session.lower()?;
    let plan = session.memory(&lowered, true);
    plan.check()?;
    if lowered.program.total_bytes() < 1 << 20 && chosen.is_multiple_of(4) {
        let mut trainer = session.open(lowered)?;
        trainer.advance(3, &mut |_| std::ops::ControlFlow::Continue(()))?;
    }
    Ok(())
}
