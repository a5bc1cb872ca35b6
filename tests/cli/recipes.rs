//! Recipes: a run can be repeated to the bit, and flags win over the file.

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
fn a_recipe_says_the_same_as_the_flags_and_flags_win() {
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
fn recipes_that_can_not_be_used_are_refused() {
    let place = Place::new();
    place.write("folder.toml/file", "").write("binary.toml", [0xff, 0, 0xfe]);
    place.refuses(2, &["train", "none.toml"], &["none.toml", "No such file"]);
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
