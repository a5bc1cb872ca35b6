//! `wgrad runs diff`: the settings, the first step and the state in which two runs differ.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use wgrad::Result;
use wgrad::internals::text::{shorten, shown};
use wgrad::internals::train::recipe;
use wgrad::internals::train::run::checkpoint::{self, BEST, Checkpoint, FOLDER, RunState};
use wgrad::internals::train::run::{Event, RECIPE, RunRecord, model, read_metrics};

use super::changeable::complete;
use super::console::{answer, note};

/// Prints what differs between two runs. Each line has the first run's, then the second's.
///
/// Steps are compared by their losses, tensors and state in every checkpoint that both runs have, up to the first that
/// differs, then in the best checkpoint and the model.
pub fn run(one: &Path, two: &Path) -> Result<()> {
    let (first, second) = (RunRecord::load(one)?, RunRecord::load(two)?);
    records(&first, &second)?;
    settings(one, two)?;
    steps(one, two)?;
    checkpoints(one, two)?;
    best(one, two)?;
    models(one, two)
}

/// What the records say of two runs, besides their settings and their outcome.
fn records(one: &RunRecord, two: &RunRecord) -> Result<()> {
    let kernels = |record: &RunRecord| {
        record.kernels.iter().map(|kernel| kernel.sha256.clone()).collect::<Vec<_>>().join(", ")
    };
    let facts = |record: &RunRecord| {
        [
            ("network", format!("\"{}\"", record.network)),
            ("seed", record.seed.to_string()),
            ("digest of the data", record.digest.clone()),
            ("adapter", record.adapter.clone()),
            ("driver", record.driver.clone()),
            ("version of wgrad", record.wgrad.clone()),
            ("hashes of custom kernels", kernels(record)),
            ("rollbacks", record.rollbacks.to_string()),
        ]
    };
    for ((what, first), (_, second)) in facts(one).into_iter().zip(facts(two)) {
        differs(what, &first, &second)?;
    }
    Ok(())
}

fn differs(what: &str, first: &str, second: &str) -> Result<()> {
    let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { shorten(text) };
    if first == second {
        Ok(())
    } else {
        answer(format_args!("{what}: {} and {}", shown(first), shown(second)))
    }
}

/// The settings by which the recipes differ, as TOML has them.
fn settings(one: &Path, two: &Path) -> Result<()> {
    let lines = |run: &Path| {
        let recipe = recipe::read(&run.join(RECIPE)).and_then(|given| complete(&given));
        recipe.map(|recipe| recipe.to_toml()).map_err(|error| note(format_args!("{}", error.marked())))
    };
    let (Ok(first), Ok(second)) = (lines(one), lines(two)) else {
        return answer(format_args!("the settings can't be compared"));
    };
    let table = |text: &str| toml_lines(text);
    let (first, second) = (table(&first), table(&second));
    // Every key is in both recipes, unless its value is an empty list.
    let keys =
        first.iter().chain(second.iter().filter(|(key, _)| !first.iter().any(|(known, _)| known == key)));
    for key in keys.map(|(key, _)| key.as_str()).filter(|key| !["network", "seed"].contains(key)) {
        let value = |lines: &[(String, String)]| {
            lines.iter().find(|(known, _)| known == key).map_or(String::new(), |(_, value)| value.clone())
        };
        differs(key, &value(&first), &value(&second))?;
    }
    Ok(())
}

/// The keys of a recipe and their values. A recipe has a line for each.
fn toml_lines(text: &str) -> Vec<(String, String)> {
    let pair = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    text.lines().filter_map(|line| line.split_once(" = ").map(pair)).collect()
}

fn steps(one: &Path, two: &Path) -> Result<()> {
    let (losses, others) = (losses(one)?, losses(two)?);
    let common = losses.len().min(others.len());
    match losses.iter().zip(&others).position(|(one, two)| one.to_bits() != two.to_bits()) {
        Some(at) => answer(format_args!(
            "the runs differ from step {} on: its loss is {:?} and {:?}; weights may differ before it",
            at + 1,
            losses[at],
            others[at]
        ))?,
        None => answer(format_args!(
            "the losses of all {common} steps that both runs have are equal, bit by bit"
        ))?,
    }
    differs("steps", &losses.len().to_string(), &others.len().to_string())
}

/// The mean loss of every step of a run.
fn losses(run: &Path) -> Result<Vec<f64>> {
    let metrics = read_metrics(run)?;
    if let Some(first) = metrics.damaged.first() {
        note(format_args!(
            "{} of the metrics lines of {} are damaged and left out, the first is line {first}",
            metrics.damaged.len(),
            shown(run)
        ));
    }
    let losses = metrics.events.into_iter().filter_map(|event| match event {
        Event::Steps(steps) => Some(steps.losses),
        Event::Epoch(_) => None,
    });
    Ok(losses.flatten().collect())
}

fn checkpoints(one: &Path, two: &Path) -> Result<()> {
    let others = checkpoint::list(two)?;
    let mut common: Vec<(usize, PathBuf, PathBuf)> = checkpoint::list(one)?
        .into_iter()
        .filter_map(|(steps, path)| {
            let other = others.iter().find(|(other, _)| *other == steps)?;
            Some((steps, path, other.1.clone()))
        })
        .collect();
    // The earliest first.
    common.reverse();
    if common.is_empty() {
        return answer(format_args!("the runs have no checkpoints after the same number of steps"));
    }
    for (steps, one, two) in common {
        if compare(&format!("the checkpoints after step {steps}"), &one, &two)? {
            break;
        }
    }
    Ok(())
}

fn best(one: &Path, two: &Path) -> Result<()> {
    let [first, second] = [one, two].map(|run| run.join(FOLDER).join(BEST));
    match (first.is_file(), second.is_file()) {
        (true, true) => compare("the best checkpoints", &first, &second).map(|_| ()),
        (false, false) => Ok(()),
        (has, _) => answer(format_args!("only the {} run has a best checkpoint", which(has))),
    }
}

fn which(first: bool) -> &'static str {
    if first { "first" } else { "second" }
}

/// Prints all kinds of state in which two checkpoints differ, and whether there are any.
fn compare(what: &str, one: &Path, two: &Path) -> Result<bool> {
    let (one, two) = (Checkpoint::load(one)?, Checkpoint::load(two)?);
    let mut found = Vec::new();
    for (first, has, lacks) in [(true, &one, &two), (false, &two, &one)] {
        let names = has.snapshot.names_lacking_in(&lacks.snapshot);
        if !names.is_empty() {
            found.push(format!("only that of the {} run has {}", which(first), names.join(", ")));
        }
    }
    found.extend(
        one.snapshot.tensor_difference(&two.snapshot).map(|tensor| format!("they differ in {tensor}")),
    );
    let timeless = |state: &RunState| RunState { seconds: 0.0, ..state.clone() };
    found.extend(fields("", &json(&one.snapshot.position), &json(&two.snapshot.position)));
    found.extend(fields("", &json(&timeless(&one.state)), &json(&timeless(&two.state))));
    match (&one.best, &two.best) {
        (Some(first), Some(second)) if first.epoch.epoch != second.epoch.epoch => {
            found.push(format!("their best epochs are {} and {}", first.epoch.epoch, second.epoch.epoch))
        }
        (Some(first), Some(second)) if first.parameters != second.parameters => {
            found.push("their best weights differ".to_owned());
        }
        (None, Some(_)) | (Some(_), None) => {
            found.push(format!("only that of the {} run has best weights", which(one.best.is_some())));
        }
        _ => {}
    }
    if found.is_empty() {
        answer(format_args!("{what} are equal, bit by bit"))?;
    }
    found.iter().try_for_each(|difference| answer(format_args!("in {what}: {difference}")))?;
    Ok(!found.is_empty())
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("it has only strings as keys")
}

/// The fields by which two objects differ, with both values.
fn fields(prefix: &str, one: &Value, two: &Value) -> Vec<String> {
    let (Value::Object(first), Value::Object(second)) = (one, two) else {
        let shown = |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
        let differ = one != two;
        return Vec::from_iter(differ.then(|| format!("{prefix} is {} and {}", shown(one), shown(two))));
    };
    let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let field = |key: &String| {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let value = |object: &serde_json::Map<String, Value>| object.get(key).cloned().unwrap_or_default();
        fields(&name, &value(first), &value(second))
    };
    keys.into_iter().flat_map(field).collect()
}

/// Compares the models that the runs have made.
fn models(one: &Path, two: &Path) -> Result<()> {
    let [first, second] = [one, two].map(|run| run.join(model::FILE).is_file());
    if (first, second) == (false, false) {
        return Ok(());
    }
    if first != second {
        return answer(format_args!("only the {} run has a model", which(first)));
    }
    let (first, second) = (super::model_of(one)?, super::model_of(two)?);
    let equal = first == second;
    answer(format_args!("the models {}", if equal { "are equal, bit by bit" } else { "differ" }))
}
