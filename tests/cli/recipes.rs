//! Recipes: a run can be repeated to the bit, and flags win.

use crate::place::Place;

#[test]
fn the_recipe_of_a_run_repeats_it_to_the_bit() {
    let place = Place::new();
    let first = [
        "train",
        "--network",
        "dense 12, tanh, dense 10",
        "--epochs",
        "2",
        "--batch-size",
        "50",
        "--momentum",
        "0.5",
        "--learning-rate",
        "0.1",
        "--loss",
        "mse",
        "--seed",
        "7",
        "--validation",
        "0.2",
        "--device",
        "cpu",
    ];
    place.run(&first).ok();
    place.run(&["train", "runs/digits-001/recipe.toml"]).ok();
    for file in ["model.safetensors", "recipe.toml"] {
        let [one, two] = ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/{file}")));
        assert!(one == two, "{file} differs");
    }
}

#[test]
fn a_recipe_trains_as_its_flags_would_and_flags_win() {
    let place = Place::new();
    place.write(
        "my recipe.toml",
        "epochs = 9\nbatch_size = 100\nnetwork = 'dense 10'\ndevice = 'cpu'\nseed = 3\n",
    );
    place.run(&["train", "my recipe.toml", "--epochs", "1", "--network", "dense 7, relu, dense 10"]).ok();
    let written = String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap();
    for line in ["epochs = 1", "batch_size = 100", "network = \"dense 7, relu, dense 10\"", "seed = 3"] {
        assert!(written.lines().any(|found| found == line), "“{line}” is not in\n{written}");
    }
    place
        .run(&[
            "train",
            "--epochs=1",
            "-b100",
            "--network=dense 7, relu, dense 10",
            "--seed=3",
            "--device=cpu",
        ])
        .ok();
    let [one, two] = ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/model.safetensors")));
    assert!(one == two, "flags and recipe trained different weights");
}

#[test]
fn unusable_recipes_are_refused() {
    let place = Place::new();
    place.write("folder.toml/file", "").write("binary.toml", [0xff, 0, 0xfe]);
    place.refuses(2, &["train", "none.toml"], &["none.toml", "no such file"]);
    place.refuses(2, &["train", "folder.toml"], &["folder.toml", "can't be read"]);
    place.refuses(2, &["train", "binary.toml"], &["binary.toml", "UTF-8"]);
    for (text, words) in [
        ("seed = 1\nepoch = 3", ["line 2", "“epoch”", "did you mean “epochs”?"]),
        ("epochs = 0", ["line 1", "epochs is 0", "from 1 to"]),
        ("epochs = '1'", ["line 1", "the string “1”", "a whole number"]),
        ("learning_rate = nan", ["line 1", "NaN", "above 0"]),
        ("batch_size = -1", ["line 1", "batch_size is -1", "a whole number"]),
        ("network = 'dense 5, rellu'", ["line 1", "layer 2 “rellu”", "did you mean “relu”?"]),
        ("loss = 'mze'", ["line 1", "“mze”", "did you mean “mse”?"]),
        ("epochs =", ["bad.toml", "line 1", "isn't TOML"]),
    ] {
        place.write("bad.toml", text);
        place.refuses(2, &["train", "bad.toml"], &words);
    }
    place.write("bad.toml", "data = 'mnsit'");
    place.refuses(2, &["train", "bad.toml"], &["“mnsit”", "did you mean “mnist”?"]);
}

/// The recipe in the README at commit de0cf73, with all optional keys.
const README: &str = r#"
data = "digits"
network = "dense 128, relu, dense 10"
epochs = 10
batch_size = 64
learning_rate = 0.02
optimiser = "sgd momentum 0.9"   # or adagrad, rmsprop, adam, adamw, lion, muon
schedule = "constant"       # or step, exponential, cosine, one-cycle, plateau; "cosine warmup 100"
normalise = "standard"      # or unit: pixels from 0 to 1
loss = "cross-entropy"      # or bce, mse, squared-error
validation = 0.1            # share of the train part to measure on after each epoch
seed = 0
device = "auto"             # or gpu, cpu, a part of an adapter's name
tuning = "auto"             # or default, or variants by class of work, "large matmul_register"
precision = "f32"           # or f16: what products of dense layers read
experimental = "none"       # or cooperative-matrix, with precision f16; see Limits
kernel = []                 # your own versions, as in "sgd=own.wgsl"
clip_norm = 5.0
clip_value = 1.0
accumulate = 2
ema = 0.9
label_smoothing = 0.1
class_weights = "balanced"
stop_early = "validation-loss patience 5 gain 0.001"
max_time = "10m"
overfit_batches = 8
"#;

/// The same settings as flags of commit de0cf73, without defaults.
const FLAGS: &[&str] = &[
    "--network=dense 128, relu, dense 10",
    "--batch-size=64",
    "--learning-rate=0.02",
    "--validation=0.1",
    "--clip-norm=5",
    "--clip-value=1",
    "--accumulate=2",
    "--ema=0.9",
    "--label-smoothing=0.1",
    "--class-weights=balanced",
    "--stop-early=validation-loss patience 5 gain 0.001",
    "--max-time=10m",
    "--overfit-batches=8",
];

#[test]
fn a_recipe_of_an_older_wgrad_trains_as_its_flags_do() {
    let place = Place::new();
    place.write("recipe.toml", README);
    place.run(&["train", "recipe.toml", "--device", "cpu", "--epochs", "3"]).ok();
    place.run(&[&["train", "digits", "--device", "cpu", "--epochs", "3"], FLAGS].concat()).ok();
    for file in ["model.safetensors", "recipe.toml"] {
        let [one, two] = ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/{file}")));
        assert!(one == two, "{file} differs");
    }
    // Each flag matters: the recipe without them differs in all of their lines.
    place.run(&["train", "digits", "--device", "cpu", "--epochs", "3", "--learning-rate", "0.05"]).ok();
    let [one, plain] = ["001", "003"].map(|run| {
        let recipe = String::from_utf8(place.read(&format!("runs/digits-{run}/recipe.toml"))).unwrap();
        recipe.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let changed = one.iter().zip(&plain).filter(|(one, plain)| one != plain).count();
    assert_eq!((one.len(), changed), (plain.len(), FLAGS.len()), "{one:?} and {plain:?}");
}

#[test]
fn a_tuning_of_an_older_wgrad_is_read() {
    let tuning = "narrow matmul_register, small matmul_vectors tile 32 block 4, long matmul_slices slice 64, \
                  large matmul_vectors tile 64 block 8, huge matmul_subgroup, weights weight_gradient_vectors \
                  tile 32 block 4, conv conv_register, conv-weights conv_weights_register, first \
                  gather_dense_subgroup, last dense_softmax_loss_subgroup";
    let place = Place::new();
    place.write("recipe.toml", format!("tuning = \"{tuning}\"\nepochs = 1\n"));
    place.run(&["train", "recipe.toml", "--device", "cpu"]).ok();
    place.run(&["train", "--device", "cpu", "--epochs", "1"]).ok();
    let [one, two] = ["001", "002"].map(|run| place.read(&format!("runs/digits-{run}/model.safetensors")));
    assert!(one == two, "the CPU engine has one version of everything");
}
