//! What shells and manuals get of the command line, and the list of runs.

use std::fs;

use serde_json::Value;

use crate::place::{Place, Ran};

#[test]
fn every_shell_has_completions_with_all_commands_and_flags() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.run(&["completions", shell]).ok().out;
        for word in ["lr-find", "resume-check", "batch-size", "optimiser", "skip-bad"] {
            assert!(script.contains(word), "{shell} has no {word}");
        }
    }
    let refused = place.run(&["completions", "tcsh"]);
    assert!(refused.code == Some(2) && refused.err.contains("bash, elvish, fish"), "{}", refused.err);
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let place = Place::new();
    assert!(place.run(&["man"]).ok().out.contains(".TH wgrad 1"));
    let ran = place.run(&["man", "--out", "a/man1"]).ok();
    let pages = fs::read_dir(place.path("a/man1")).unwrap().count();
    assert!(pages > 15 && ran.err.contains(&format!("{pages} pages in a/man1")), "{pages}: {}", ran.err);
    let page = |name: &str| String::from_utf8(place.read(&format!("a/man1/{name}.1"))).unwrap();
    let train = page("wgrad-train");
    // A flag that only the long help has, too.
    assert!(train.contains("batch\\-size") && train.contains("and list them"), "{train}");
    assert!(page("wgrad-runs-diff").contains("Another run directory"));
    place.write("file", "");
    place.refuses(1, &["man", "--out", "file"], &["file can't be made"]);
}

/// A place with three runs and a folder whose record can't be read.
fn runs() -> Place {
    let place = Place::new();
    for (seed, epochs, network) in [("1", "2", "dense 10"), ("2", "1", "dense 24, relu, dense 10")] {
        let flags = ["--seed", seed, "--epochs", epochs, "--network", network, "--device", "cpu"];
        place.run(&[&["train", "digits"][..], &flags].concat()).ok();
    }
    place.run(&["train", "digits", "--learning-rate", "1e30", "--epochs", "1", "--device", "cpu"]);
    place.write("runs/odd/run.json", "{");
    place
}

#[test]
fn runs_are_sorted_filtered_and_listed_as_json() {
    let place = runs();
    let listed = |flags: &[&str]| {
        let out = place.run(&[&["runs"][..], flags].concat()).ok().out;
        let names = out.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned());
        names.map(|name| name.replace("digits-00", "")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(&[]), "1 2 3");
    assert_eq!(listed(&["list"]), "1 2 3");
    assert_eq!(listed(&["list", "--filter", "dense 24"]), "2");
    assert_eq!(place.run(&["runs", "list", "--json"]).ok().json().as_array().unwrap().len(), 4);
    assert_eq!(listed(&["--sort", "name"]), "1 2 3");
    assert_eq!(listed(&["--sort", "epochs"]).split(' ').next(), Some("1"));
    let started = |run: &str| place.json(&format!("runs/digits-00{run}/run.json"))["started"].clone();
    let order = listed(&["--sort", "started"]);
    let times: Vec<String> = order.split(' ').map(|run| started(run).to_string()).collect();
    assert!(times.is_sorted_by(|one, other| one >= other), "{times:?}");
    assert_eq!(listed(&["--filter", "DIVERGED"]), "3");
    assert_eq!(listed(&["--filter", "dense 24"]), "2");
    assert_eq!(listed(&["--filter", "digits"]), "1 2 3");
    let none = place.run(&["runs", "--filter", "cifar"]).ok();
    assert!(none.out.is_empty() && none.err.contains("“cifar”"), "{none:?}");
    let json = |flags: &[&str]| -> Vec<Value> {
        serde_json::from_str(&place.run(&[&["runs", "--json"][..], flags].concat()).ok().out).unwrap()
    };
    let all = json(&["--sort", "accuracy"]);
    assert_eq!(all.len(), 4);
    let accuracies: Vec<f64> = all.iter().filter_map(|run| run["held_out_accuracy"].as_f64()).collect();
    assert!(accuracies.len() >= 2 && accuracies.is_sorted_by(|one, other| one >= other), "{accuracies:?}");
    assert_eq!(json(&["--filter", "dense 24"])[0]["network"], "dense 24, relu, dense 10");
    let odd = &json(&["--filter", "odd"])[0];
    assert!(odd["error"].as_str().unwrap().contains("run.json") && odd["status"] == "unreadable", "{odd}");
    assert_eq!(json(&["--filter", "cifar"]), Vec::<Value>::new());
    let refused = place.run(&["runs", "--sort", "speed"]);
    assert!(refused.code == Some(2) && refused.err.contains("started, accuracy, epochs"), "{}", refused.err);
}

#[test]
fn runs_that_can_not_be_read_are_listed() {
    let place = runs();
    let train = ["train", "digits", "--network", "dense 10", "--epochs", "1", "--device", "cpu"];
    place.run(&[&train[..], &["--out", "runs"]].concat()).ok();
    std::fs::remove_file(place.path("runs/digits-001/run.json")).unwrap();
    std::fs::remove_file(place.path("runs/digits-002/run.json")).unwrap();
    std::fs::create_dir(place.path("runs/digits-002/run.json")).unwrap();
    place.write("runs/recipe/recipe.toml", "").write("runs/notes/a.txt", "").write("runs/list.txt", "");
    std::fs::create_dir_all(place.path("runs/weights/checkpoints")).unwrap();
    let list = place.run(&["runs", "--json"]).ok().json();
    let unreadable = list.as_array().unwrap().iter().filter(|run| run["status"] == "unreadable");
    let names: Vec<&str> = unreadable
        .map(|run| {
            assert!(run["error"].as_str().unwrap().contains("run.json can't be read"), "{run}");
            run["run"].as_str().unwrap()
        })
        .collect();
    let expected = ["runs/digits-001", "runs/digits-002", "runs/odd", "runs/recipe", "runs/weights"];
    assert_eq!(names, expected);
    assert_eq!(list.as_array().unwrap().len(), 7);
    assert_eq!(place.run(&["runs"]).ok().err.matches("run.json can't be read").count(), 5);
    // The measures of a killed run are in its metrics.
    let mut killed = place.json("runs/digits-004/run.json");
    killed.as_object_mut().unwrap().remove("checksum");
    killed["status"] = "running".into();
    place.write("runs/digits-004/run.json", killed.to_string());
    let four = || {
        let list = place.run(&["runs", "--json"]).ok().json();
        list.as_array().unwrap().iter().find(|run| run["run"] == "runs/digits-004").unwrap().clone()
    };
    assert_eq!((four()["epochs"].as_u64(), &four()["error"]), (Some(1), &Value::Null));
    std::fs::remove_file(place.path("runs/digits-004/metrics.jsonl")).unwrap();
    assert!(four()["error"].as_str().unwrap().contains("metrics.jsonl can't be read"), "{}", four());
    assert!(place.run(&["runs"]).ok().err.contains("metrics.jsonl can't be read"));
}

#[test]
fn short_epochs_of_a_long_run_share_lines_but_metrics_have_all() {
    let place = Place::new();
    let ran = place.run(&["train", "--network", "dense 10", "--batch-size", "256", "--device", "cpu"]).ok();
    let lines = ran.err.lines().filter(|line| line.starts_with("epoch ")).count();
    assert!((11..=40).contains(&lines) && ran.err.contains("\nepoch  40  "), "{}", ran.err);
    assert_eq!(ran.err.matches("a line every 4 epochs").count(), usize::from(lines < 40), "{}", ran.err);
    let metrics = String::from_utf8(place.read("runs/digits-001/metrics.jsonl")).unwrap();
    assert_eq!(metrics.matches("\"kind\":\"epoch\"").count(), 40);
}

#[test]
fn the_lines_of_a_resumed_run_are_those_of_its_own_epochs() {
    let place = Place::trained();
    let ran = place.run(&["train", "--resume", "runs/digits-001", "--epochs", "22"]).ok();
    assert!(!ran.err.contains("epochs are short"), "{}", ran.err);
    assert_eq!(ran.err.lines().filter(|line| line.starts_with("epoch ")).count(), 20, "{}", ran.err);
}

#[test]
fn flags_take_the_keys_of_recipes_and_recipes_the_names_of_flags() {
    let place = Place::new();
    let words = ["--batch_size", "48", "--learning_rate", "0.05", "--optimizer", "adam", "--epochs", "1"];
    place.run(&[&["train", "--device", "cpu"][..], &words].concat()).ok();
    place.write(
        "own.toml",
        "batch-size = 48\nlr = 0.05\noptimizer = \"adam\"\nepochs = 1\ndevice = \"cpu\"\n",
    );
    place.run(&["train", "own.toml"]).ok();
    let recipe = |run: u32| {
        let text = String::from_utf8(place.read(&format!("runs/digits-00{run}/recipe.toml"))).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(recipe(1), recipe(2));
}

#[test]
fn numbers_may_begin_with_a_point() {
    let place = Place::new();
    for number in ["-.5", "-0.5"] {
        place.refuses(2, &["train", "--validation", number], &["--validation is -0.5, but it takes"]);
    }
}

#[test]
fn summary_takes_what_train_takes() {
    let place = Place::new();
    let cnn = place.run(&["summary", "cnn", "--device", "cpu"]).ok().out;
    assert!(cnn.contains("conv 16 3x3 pad 1") && cnn.contains("dense 10"), "{cnn}");
    let default = place.run(&["summary", "dense 10", "--rewrites", "default", "--device", "cpu"]).ok().out;
    assert_eq!(default, place.run(&["summary", "dense 10", "--device", "cpu"]).ok().out);
}

#[test]
fn a_named_network_says_its_defaults() {
    let place = Place::new();
    let train = |more: &[&str]| {
        let flags = ["train", "--network", "cnn", "--fast-dev-run", "--device", "cpu"];
        place.run(&[&flags[..], more].concat()).ok().err
    };
    let said = train(&[]);
    assert!(said.contains("--network cnn has defaults of its own") && said.contains("--optimiser"), "{said}");
    // What is given is no default; a dev run has epochs and a schedule of its own.
    let said = train(&["--optimiser", "adam"]);
    assert!(said.contains("defaults of its own: this run has --learning-rate 0.001\n"), "{said}");
    let all = ["--epochs", "3", "--optimiser", "adam", "--learning-rate", "0.01", "--schedule", "constant"];
    assert!(!train(&all).contains("defaults of its own"));
    assert!(
        !place.run(&["train", "--fast-dev-run", "--device", "cpu"]).ok().err.contains("defaults of its own")
    );
}

#[test]
fn help_fits_into_80_columns_without_lines_of_a_few_words() {
    let place = Place::new();
    for command in [
        "",
        "train",
        "lr-find",
        "runs",
        "runs list",
        "runs diff",
        "resume-check",
        "eval",
        "predict",
        "import",
        "summary",
        "explain",
        "data",
        "data get",
        "data preview",
        "devices",
        "lesson",
        "lesson check",
        "lesson start",
        "doctor",
        "bench",
        "completions",
        "man",
    ] {
        let mut program = place.command(&command.split_whitespace().chain(["--help"]).collect::<Vec<_>>());
        let help = Ran::of(program.env("COLUMNS", "80")).ok().out;
        let lines: Vec<&str> = help.lines().collect();
        let examples = lines.iter().skip_while(|line| !line.starts_with("Examples:")).skip(1);
        for line in examples.take_while(|line| !line.is_empty()) {
            assert!(line.starts_with("  wgrad "), "an example is broken: {line}");
        }
        for pair in lines.windows(2).filter(|pair| !pair[1].is_empty() && !pair[1].starts_with(' ')) {
            let next = pair[1].split(' ').next().unwrap_or_default().chars().count();
            let short = pair[0].chars().count() + 1 + next <= 78;
            let is_prose = !pair[0].is_empty() && !pair[0].starts_with(' ');
            assert!(!(is_prose && short), "{command}: {pair:?}");
        }
    }
}
