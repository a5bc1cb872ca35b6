use std::fs;
use std::path::Path;

use wgrad::internals::data::{Background, Grey};
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::train::recipe::{Overrides, RawValue, Recipe, parse_toml, read};
use wgrad::{Error, Result};

use crate::{assert_refused, assert_setting_refused};

fn parse(text: &str) -> Result<Overrides> {
    parse_toml(text, Path::new("lab/recipe.toml"))
}

#[test]
fn every_data_set_has_its_defaults() {
    let digits = Recipe::defaults_for("digits", 64, 10, 1437);
    assert_eq!(digits.network.to_string(), "dense 64, relu, dense 10");
    assert_eq!((digits.epochs, digits.batch_size), (40, 32));
    assert_eq!((digits.learning_rate, digits.optimiser, digits.seed), (0.02, Optimiser::sgd(0.9), 0));
    assert_eq!((digits.loss, digits.validation, &*digits.device), (Loss::CrossEntropy, 0.0, "auto"));
    let mnist = Recipe::defaults_for("mnist", 784, 10, 60_000);
    assert_eq!(mnist.network.to_string(), "dense 128, relu, dense 10");
    assert_eq!((mnist.epochs, mnist.batch_size), (10, 64));
    let folder = Recipe::defaults_for("./digits", 64, 3, 40);
    assert_eq!(folder.network.to_string(), "dense 128, relu, dense 3");
    assert_eq!((folder.epochs, folder.batch_size), (10, 40));
    for recipe in [digits, mnist, folder] {
        recipe.check().unwrap();
    }
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_defaults() {
    let file = parse("epochs = 3\nbatch_size = 16\ndata = \"mnist\"").unwrap();
    let flags = Overrides { epochs: Some(9), seed: Some(4), ..Overrides::default() };
    let recipe = Recipe::resolve(&flags.or(file), 784, 10, 60_000).unwrap();
    let expected =
        Recipe { epochs: 9, batch_size: 16, seed: 4, ..Recipe::defaults_for("mnist", 784, 10, 60_000) };
    assert_eq!(recipe, expected);
    assert_eq!(Overrides::default().data(), "digits");
}

#[test]
fn the_default_batch_leaves_room_for_the_validation_part() {
    let given = Overrides { data: Some("cats".into()), validation: Some(0.25), ..Overrides::default() };
    assert_eq!(Recipe::resolve(&given, 784, 2, 40).unwrap().batch_size, 30);
    assert_eq!(Recipe::resolve(&given, 784, 2, 1).unwrap().batch_size, 1);
}

#[test]
fn the_network_cnn_has_its_own_defaults_and_given_settings_win() {
    let resolve = |text: &str| Recipe::resolve(&parse(text).unwrap(), 784, 10, 60_000).unwrap();
    let mnist = resolve("data = 'mnist'\nnetwork = 'cnn'");
    assert_eq!(
        (mnist.optimiser.to_string(), mnist.schedule.to_string()),
        ("adam".into(), "one-cycle".into())
    );
    assert_eq!((mnist.learning_rate, mnist.epochs, mnist.batch_size), (0.003, 12, 64));
    assert_eq!(mnist.augment.to_string(), "shift 1, rotate 8");
    // Another optimiser brings its own rate; other data are not changed.
    let other = resolve("data = 'mnist'\nnetwork = 'cnn'\noptimiser = 'sgd'\nepochs = 3\naugment = 'none'");
    assert_eq!((other.learning_rate, other.epochs), (Optimiser::sgd(0.0).default_learning_rate(), 3));
    assert!(other.augment.is_none());
    let folder = resolve("data = './cats'\nnetwork = 'cnn'");
    assert!(folder.augment.is_none());
    assert_eq!((folder.learning_rate, folder.epochs), (0.003, 10));
    assert_eq!(resolve("data = 'mnist'\nnetwork = 'cnn'\nlearning_rate = 0.01").learning_rate, 0.01);
}

#[test]
fn a_network_may_be_a_name_or_a_list() {
    let layers = |text: &str| {
        let given = parse(text).unwrap();
        Recipe::resolve(&given, 784, 7, 100).unwrap().network.to_string()
    };
    assert_eq!(layers("network = ['conv 4 3x3', 'relu', 'dense 7']"), "conv 4 3x3, relu, dense 7");
    let cnn = layers("network = 'cnn'");
    assert!(cnn.starts_with("conv 16 3x3 pad 1, relu, maxpool 2") && cnn.ends_with("dense 7"), "{cnn}");
    assert_refused(parse("network = 'cmn'"), Error::Usage, &["no network “cmn”", "did you mean “cnn”?"]);
    assert_refused(
        parse("network = ['dense 7', 3]"),
        Error::Usage,
        &["network is an array", "a list of them"],
    );
}

#[test]
fn a_recipe_written_out_reads_back_the_same() {
    let given = parse(
        "data = 'C:\\data \"x\"'\nnetwork = 'dense 4,leaky-relu 0.2, dense 2'\nepochs = 1_000\n\
         batch_size = 0x10\nlearning_rate = 1e-3\nmomentum = 0\nloss = 'bce'\nseed = 18446744073709551615\n\
         validation = 0.1\ndevice = 'llvmpipe'\ntuning = 'long matmul'\nrewrites = 'activations, f16'\nprecision = 'f16'\nexperimental = 'cooperative-matrix'\nnormalise = 'unit'\nkernel = ['sgd=my sgd.wgsl', 'matmul=a.wgsl']\n\
         resize = '3×8x9'\nskip_bad = true\nbackground = '#FFCC00'\nlevels = '0 - 4000'\ngrey = 'rec709'\ntranspose = true\naugment = 'flip, shift 2'\nschedule = 'cosine warmup 5'\n\
         clip_norm = 1\nclip_value = 0.5\naccumulate = 2\nema = 0.99\nlabel_smoothing = 0\n\
         class_weights = '1,2'\nstop_early = 'train-loss patience 3'\nmax_time = '1h30m'\non_nan = 'rollback'\noverfit_batches = 3",
    )
    .unwrap();
    let recipe = Recipe::resolve(&given, 784, 2, 100).unwrap();
    assert_eq!((recipe.epochs, recipe.batch_size, recipe.seed), (1000, 16, u64::MAX));
    // A momentum is a shorthand for an optimiser.
    let long = Overrides { momentum: None, optimiser: Some(Optimiser::sgd(0.0)), ..given };
    assert_eq!(Overrides::from(recipe.clone()), long);
    let text = recipe.to_toml();
    assert!(text.contains("learning_rate = 0.001\n"), "{text}");
    assert!(text.contains("network = \"dense 4, leaky-relu 0.2, dense 2\"\n"), "{text}");
    let pictures = "resize = \"3x8x9\"\nskip_bad = true\nbackground = \"#ffcc00\"\nlevels = \"0-4000\"\n\
                    grey = \"rec709\"\ntranspose = true\naugment = \"shift 2, flip\"\n";
    assert!(text.contains(pictures), "{text}");
    assert_eq!(Recipe::resolve(&parse(&text).unwrap(), 784, 2, 100).unwrap(), recipe);
}

#[test]
fn a_checkpoint_of_a_version_without_grounds_keeps_black_and_plain_rounding_and_its_grey() {
    let earlier = parse("data = 'ink'").unwrap().of_any_version();
    let black =
        parse("data = 'ink'\nbackground = 'black'\nlevels = 'full'\ngrey = 'rec709'\ntranspose = false")
            .unwrap();
    assert_eq!(earlier, black);
    let later = parse("background = 'white'\nlevels = 'auto'\ngrey = 'rec601'\ntranspose = true").unwrap();
    assert_eq!(later.clone().of_any_version(), later);
}

#[test]
fn the_recipe_of_an_earlier_run_keeps_its_grey_and_one_by_hand_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    let reading = |text: &str| {
        std::fs::write(&path, text).unwrap();
        wgrad::internals::train::recipe::read(&path).unwrap().reading()
    };
    let of_a_run = include_str!("../durability/fixtures/digits-001/recipe.toml");
    let read = reading(of_a_run);
    assert_eq!((read.grey, read.background), (Grey::Rec709, Background::Auto));
    let by_hand = reading("data = 'photos'\nnetwork = 'cnn'\nseed = 3\ndevice = 'cpu'\nepochs = 4");
    assert_eq!(by_hand.grey, Grey::Rec601);
    let today = Recipe::defaults_for("photos", 64, 10, 1437);
    assert_eq!(reading(&today.to_toml()).grey, Grey::Rec601);
    assert_eq!(reading(&Recipe { grey: Grey::Rec709, ..today }.to_toml()).grey, Grey::Rec709);
}

#[test]
fn a_recipe_with_former_names_is_read() {
    let former = "precision = 'half'\nrewrites = 'activations, half'\nkernel = ['unit_size=a.wgsl']\n\
                  tuning = 'first pixel_dense_subgroup, last dense_loss_subgroup'";
    let present = "precision = 'f16'\nrewrites = 'activations, f16'\nkernel = ['unit_size=a.wgsl']\n\
                   tuning = 'first gather_dense_subgroup, last dense_softmax_loss_subgroup'";
    assert_eq!(parse(former).unwrap(), parse(present).unwrap());
    assert_eq!(parse("precision = 'single'").unwrap(), parse("precision = 'f32'").unwrap());
}

#[test]
fn former_names_and_american_spellings_are_read_to_the_same_recipe() {
    let former = include_str!("former.toml");
    let recipe = |text: &str| Recipe::resolve(&parse(text).unwrap(), 64, 10, 1437).unwrap();
    let today = former
        .replace("lr =", "learning_rate =")
        .replace("optimizer", "optimiser")
        .replace("normalize", "normalise")
        .replace("average", "ema")
        .replace("gain", "min-delta");
    assert_eq!(recipe(former), recipe(&today));
    let expected = Recipe {
        network: "dense 128, relu, dense 10".parse().unwrap(),
        normalise: "unit".parse().unwrap(),
        ema: 0.9,
        stop_early: Some("validation-loss patience 5 min-delta 0.001".parse().unwrap()),
        validation: 0.1,
        precision: "half".parse().unwrap(),
        ..Recipe::defaults_for("digits", 64, 10, 1437)
    };
    assert_eq!(recipe(former), expected);
    assert_eq!(
        recipe(&former.replace("half", "single")),
        Recipe { precision: Precision::default(), ..expected }
    );
    // A recipe is written with today's names.
    let written = recipe(former).to_toml();
    for word in ["lr =", "optimizer", "normalize", "average", "gain"] {
        assert!(
            !written.contains(&format!("\n{word}")) && !written.contains(&format!(" {word} ")),
            "{written}"
        );
    }
}

/// A recipe as wgrad has written it since 0.2.0, with today's names.
#[test]
fn the_text_of_a_recipe_has_not_changed() {
    let recipe = Recipe {
        learning_rate: 0.001,
        kernel: vec!["sgd=my sgd.wgsl".to_owned()],
        validation: 0.1,
        clip_norm: 1.0,
        data: "C:\\data \"x\"".to_owned(),
        ..Recipe::defaults_for("digits", 64, 10, 1437)
    };
    let precision = recipe.precision;
    let expected = format!(
        r#"# Run it again with: wgrad train recipe.toml
data = 'C:\data "x"'
resize = "none"
skip_bad = false
background = "auto"
levels = "auto"
grey = "rec601"
transpose = false
augment = "none"
network = "dense 64, relu, dense 10"
epochs = 40
batch_size = 32
learning_rate = 0.001
optimiser = "sgd momentum 0.9"
schedule = "constant"
clip_norm = 1.0
clip_value = 0.0
accumulate = 1
ema = 0.0
label_smoothing = 0.0
class_weights = "even"
stop_early = "never"
max_time = "none"
on_nan = "stop"
overfit_batches = 0
normalise = "standard"
loss = "cross-entropy"
seed = 0
validation = 0.1
device = "auto"
tuning = "auto"
rewrites = "default"
precision = "{precision}"
experimental = "none"
kernel = ["sgd=my sgd.wgsl"]
"#
    );
    assert_eq!(recipe.to_toml(), expected);
}

#[test]
fn a_loaded_data_set_has_the_defaults_of_its_name_and_sizes() {
    let digits = wgrad::internals::data::load("digits").unwrap();
    let train = digits.train.len();
    assert_eq!(Recipe::for_data(&digits), Recipe::defaults_for("digits", 64, 10, train));
}

#[test]
fn a_flag_is_read_as_a_file_is() {
    let mut from_flags = Overrides::default();
    let mut flag = |key: &str, texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        from_flags.set(key, &RawValue::Flag(&texts))
    };
    flag("epochs", &["3"]).unwrap();
    flag("lr", &["1e-3"]).unwrap();
    flag("skip_bad", &["true"]).unwrap();
    flag("resize", &["none"]).unwrap();
    flag("network", &["cnn"]).unwrap();
    flag("kernel", &["sgd=a.wgsl", "matmul=b.wgsl"]).unwrap();
    let wrong = flag("seed", &["-1"]).unwrap_err();
    assert_eq!(wrong, "⟨seed⟩ is “-1”, but it takes a whole number from 0");
    let from_file = "epochs = 3\nlearning_rate = 1e-3\nskip_bad = true\nresize = 'none'\nnetwork = 'cnn'\n\
                     kernel = ['sgd=a.wgsl', 'matmul=b.wgsl']";
    assert_eq!(from_flags, parse(from_file).unwrap());
    assert_eq!(parse("batch-size = 5").unwrap(), parse("batch_size = 5").unwrap());
}

#[test]
fn mistakes_in_a_file_are_named_with_their_line() {
    let cases: [(&str, &[&str]); 34] = [
        ("epochs = 1\n\nlerning_rate = 1", &["line 3", "“lerning_rate”, did you mean “learning_rate”?"]),
        ("zzz = 1", &["no key “zzz”; there are data, resize"]),
        ("batch_sise = 1", &["did you mean “batch_size”?"]),
        ("[train]\nepochs = 1", &["line 1", "“train”"]),
        ("train.epochs = 1", &["line 1", "“train”"]),
        ("\nepochs = \"ten\"", &["line 2", "epochs is the string “ten”", "a whole number from 1"]),
        ("epochs = 0", &["epochs is 0"]),
        ("epochs = -5", &["epochs is -5"]),
        ("epochs = 1.5", &["epochs is 1.5"]),
        ("epochs = 1000001", &["epochs is 1000001"]),
        ("batch_size = 0", &["batch_size is 0"]),
        ("seed = 18446744073709551616", &["seed is 18446744073709551616"]),
        ("learning_rate = inf", &["learning_rate is inf", "above 0"]),
        ("learning_rate = nan", &["learning_rate is NaN"]),
        ("learning_rate = true", &["learning_rate is true"]),
        ("momentum = 1", &["momentum is 1", "below 1"]),
        ("optimiser = 1", &["optimiser is 1", "a string"]),
        ("optimiser = \"sdg\"", &["optimiser “sdg”", "did you mean “sgd”?"]),
        ("validation = -0.1", &["validation is -0.1"]),
        ("network = \"dense 5, drop\"", &["line 1", "layer 2 “drop”"]),
        ("loss = \"cross_entropy\"", &["line 1", "did you mean “cross-entropy”?"]),
        ("data = []", &["data is an array"]),
        ("device = \" \"", &["device is empty"]),
        ("resize = \"32\"", &["line 1", "resize is “32”", "as in 32x32"]),
        ("resize = 32", &["resize is 32", "height x width"]),
        ("skip_bad = 1", &["skip_bad is 1", "true or false"]),
        ("augment = \"shift\"", &["line 1", "augment", "“shift” takes pixels"]),
        ("kernel = \"sgd=a.wgsl\"", &["kernel is the string", "a list of strings"]),
        ("average = 2", &["line 1: ema is 2, but it takes a number from 0"]),
        ("ema = 0.9\naverage = 0.9", &["line 2: ema is given twice"]),
        ("optimizer = \"sdg\"", &["did you mean “sgd”?"]),
        ("stop_early = \"train-loss gain -1\"", &["gain is -1, but it takes a number from 0"]),
        ("kernel = [\"sgd\"]", &["expected NAME=FILE.wgsl"]),
        ("kernel = [\"sdg=a.wgsl\"]", &["did you mean “sgd”?"]),
    ];
    for (text, words) in cases {
        let words = [&["lab/recipe.toml, line "], words].concat();
        assert_refused(parse(text), Error::Usage, &words);
    }
}

#[test]
fn text_that_is_no_toml_is_named_with_its_line() {
    for (text, line) in
        [("epochs = ", 1), ("epochs = 1\nepochs = 2", 2), ("\n\nepochs 3", 3), ("data = \"a\nb\"", 1)]
    {
        let line = format!("line {line}: this isn't TOML");
        assert_refused(parse(text), Error::Usage, &[&line]);
    }
    assert_refused(parse(&format!("data = {}", "[".repeat(100_000))), Error::Usage, &["TOML"]);
}

#[test]
fn values_that_are_not_allowed_are_named() {
    let refused = |given: Overrides, words: &[&str]| {
        assert_setting_refused(given.check(), words);
        assert_setting_refused(Recipe::resolve(&given, 784, 10, 100), words);
    };
    let open = Overrides::default;
    let batch = ["batch_size is 0, but it takes a whole number from 1"];
    refused(Overrides { batch_size: Some(0), ..open() }, &batch);
    refused(Overrides { learning_rate: Some(-0.5), ..open() }, &["learning_rate is -0.5"]);
    refused(Overrides { validation: Some(f64::NAN), ..open() }, &["validation is NaN"]);
    refused(Overrides { validation: Some(1.0), ..open() }, &["validation is 1,"]);
    refused(Overrides { data: Some(String::new()), ..open() }, &["data is empty"]);
    refused(Overrides { momentum: Some(1.0), ..open() }, &["momentum is 1,"]);
    let recipe = Recipe { optimiser: Optimiser::sgd(1.0), ..Recipe::defaults_for("digits", 64, 10, 9) };
    assert_setting_refused(recipe.check(), &["optimiser “sgd momentum 1.0”", "below 1"]);
}

#[test]
fn a_file_that_can_not_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recipe.toml");
    assert_refused(read(&path), Error::Usage, &["recipe.toml", "can't be read"]);
    assert_refused(read(folder.path()), Error::Usage, &["it is not a regular file"]);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_refused(read(&path), Error::Usage, &["UTF-8"]);
    fs::write(&path, "epochs = 2 # enough").unwrap();
    assert_eq!(read(&path).unwrap(), Overrides { epochs: Some(2), ..Overrides::default() });
}
