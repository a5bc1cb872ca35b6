//! The output of `wgrad eval`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wgrad::Result;
use wgrad::internals::report::confusion::{ClassScore, ConfusionCount, mean};
use wgrad::internals::text::{columns, filled, shorten, shown, unescaped};

use super::super::console::{answer, answer_json, note, thousands, with_all_flags};
use super::evaluation::{Evaluation, Measured, Mistake};
use crate::app::cli;

/// The most classes that a terminal shows.
const MOST_CLASSES: usize = 20;
/// The longest class name, in letters, that fits above a column.
const SHORT: usize = 6;

pub fn json(
    arguments: &cli::EvalArgs,
    measured: &Measured,
    evaluation: &Evaluation,
    worst: &[Mistake],
) -> Result<()> {
    let name = |class: usize| &measured.classes[class];
    let scores = evaluation.confusion.scores(measured.classes.len());
    let class = |(at, score): (usize, &ClassScore)| {
        let ClassScore { samples, precision, recall, f1 } = score;
        json!({"class": name(at), "samples": samples, "precision": precision, "recall": recall, "f1": f1})
    };
    let pairs = evaluation.confusion.counts();
    let pair = |ConfusionCount { truth, predicted, count }| json!({"class": name(truth), "predicted": name(predicted), "count": count});
    let mistake = |mistake: &Mistake| {
        let Mistake { sample, truth, predicted, loss } = mistake;
        let file = file(measured, *sample).map(unescaped);
        json!({"sample": sample, "file": file, "class": name(*truth), "predicted": name(*predicted), "loss": loss})
    };
    answer_json(&json!({
        "data": measured.data.name, "held_out": measured.data.held_out, "samples": evaluation.samples, "device": evaluation.device,
        "held_out_loss": evaluation.loss, "held_out_accuracy": accuracy(evaluation),
        "mean_f1": mean(scores.iter().map(|score| score.f1)),
        "classes": scores.iter().enumerate().map(class).collect::<Vec<Value>>(),
        "confusion": pairs.map(pair).collect::<Vec<Value>>(),
        "mistakes": worst.iter().map(mistake).collect::<Vec<Value>>(),
        "mistakes_file": (!worst.is_empty()).then(|| unescaped(&arguments.out)),
        "skipped": with_all_flags(&measured.data.about.skipped),
    }))
}

fn accuracy(evaluation: &Evaluation) -> f64 {
    (evaluation.samples - evaluation.wrong.len()) as f64 / evaluation.samples.max(1) as f64
}

fn file(measured: &Measured, sample: usize) -> Option<&Path> {
    measured.data.about.held_out_files.get(sample).map(PathBuf::as_path)
}

pub fn text(
    arguments: &cli::EvalArgs,
    measured: &Measured,
    evaluation: &Evaluation,
    worst: &[Mistake],
) -> Result<()> {
    answer(format_args!(
        "held-out accuracy  {:.2} %   loss {:.4}   ({} of {} images wrong)",
        accuracy(evaluation) * 100.0,
        evaluation.loss,
        thousands(evaluation.wrong.len()),
        thousands(evaluation.samples)
    ))?;
    classes(measured, evaluation)?;
    if measured.classes.len() <= MOST_CLASSES {
        matrix(measured, evaluation)?
    } else {
        frequent(measured, evaluation)?
    }
    if let Some(wanted) = arguments.mistakes {
        mistakes(arguments, measured, wanted, worst)?;
    }
    Ok(())
}

fn percent(fraction: Option<f64>) -> String {
    fraction.map_or("–".to_owned(), |fraction| format!("{:.1} %", fraction * 100.0))
}

/// Scores of each class. Of many classes, only those with the lowest F1 are shown.
fn classes(measured: &Measured, evaluation: &Evaluation) -> Result<()> {
    let scores = evaluation.confusion.scores(measured.classes.len());
    let mut listed: Vec<usize> = (0..scores.len()).collect();
    if listed.len() > MOST_CLASSES {
        // Classes without a score come last.
        let f1 = |at: &usize| scores[*at].f1.unwrap_or(f64::INFINITY);
        listed.sort_by(|a, b| f1(a).total_cmp(&f1(b)));
        listed.truncate(MOST_CLASSES);
    }
    let names: Vec<String> = measured.classes.iter().map(|name| shorten(name)).collect();
    let width = listed.iter().map(|at| columns(&names[*at])).max().unwrap_or_default().max(5);
    let line = |name: &str, samples: usize, scores: [Option<f64>; 3]| {
        let [precision, recall, f1] = scores.map(percent);
        let samples = thousands(samples);
        let name = filled(name, width);
        answer(format_args!("{name}  {samples:>8}  {precision:>9}  {recall:>9}  {f1:>9}"))
    };
    answer(format_args!(
        "\n{:<width$}  {:>8}  {:>9}  {:>9}  {:>9}",
        "class", "images", "precision", "recall", "F1"
    ))?;
    for at in &listed {
        let ClassScore { samples, precision, recall, f1 } = scores[*at];
        line(&names[*at], samples, [precision, recall, f1])?;
    }
    let precision = mean(scores.iter().map(|score| score.precision));
    let recall = mean(scores.iter().map(|score| score.recall));
    let f1 = mean(scores.iter().map(|score| score.f1));
    line("mean", evaluation.samples, [precision, recall, f1])?;
    if listed.len() < scores.len() {
        answer(format_args!(
            "({} classes with a higher F1 are left out; the mean is over all, and --json has them)",
            thousands(scores.len() - listed.len())
        ))?;
    }
    Ok(())
}

/// The confusion matrix. Columns are headed by class names, or by numbers where the names are long.
fn matrix(measured: &Measured, evaluation: &Evaluation) -> Result<()> {
    let names: Vec<String> = measured.classes.iter().map(|name| shorten(name)).collect();
    let short = names.iter().all(|name| columns(name) <= SHORT);
    let rows: Vec<String> = if short {
        names.clone()
    } else {
        names.iter().enumerate().map(|(at, name)| format!("{at:>2} {name}")).collect()
    };
    let width = rows.iter().map(|name| columns(name)).max().unwrap_or_default();
    let counts = evaluation.confusion.counts().map(|entry| thousands(entry.count).len());
    let heads = names.iter().map(|name| if short { columns(name) } else { 2 });
    let cell = counts.chain(heads).max().unwrap_or_default() + 2;
    let head: String = (0..names.len())
        .map(|at| if short { names[at].clone() } else { at.to_string() })
        .map(|head| " ".repeat(cell - columns(&head)) + &head)
        .collect();
    answer(format_args!("\nrows: the true class, columns: the predicted one"))?;
    answer(format_args!("{:<width$}{head}", ""))?;
    for (truth, name) in rows.iter().enumerate() {
        let row: String = (0..names.len())
            .map(|predicted| match evaluation.confusion.count(truth, predicted) {
                0 => format!("{:>cell$}", "."),
                count => format!("{:>cell$}", thousands(count)),
            })
            .collect();
        answer(format_args!("{}{row}", filled(name, width)))?;
    }
    Ok(())
}

/// The most frequent mistakes, where the matrix is too wide.
fn frequent(measured: &Measured, evaluation: &Evaluation) -> Result<()> {
    let mistakes = evaluation.confusion.mistakes();
    let classes = measured.classes.len();
    answer(format_args!("\nmost frequent mistakes (true class → predicted class)"))?;
    for ConfusionCount { truth, predicted, count } in mistakes.iter().take(MOST_CLASSES) {
        let [truth, predicted] = [truth, predicted].map(|class| shorten(&measured.classes[*class]));
        answer(format_args!("{:>8}  {truth} → {predicted}", thousands(*count)))?;
    }
    answer(format_args!(
        "(the matrix of {classes} × {classes} classes is too wide to be shown; {} other pairs are left out, \
         and --json has all)",
        thousands(mistakes.len().saturating_sub(MOST_CLASSES))
    ))
}

fn mistakes(arguments: &cli::EvalArgs, measured: &Measured, wanted: usize, worst: &[Mistake]) -> Result<()> {
    if worst.is_empty() {
        note(format_args!("there are no mistakes, so {} was not written", shown(&arguments.out)));
        return Ok(());
    }
    if worst.len() < wanted {
        note(format_args!("there are only {} mistakes", thousands(worst.len())));
    }
    answer(format_args!(
        "\nmistakes with the highest loss, in {} (green: the true class, red: the predicted one)",
        shown(&arguments.out)
    ))?;
    for Mistake { sample, truth, predicted, loss } in worst {
        let [truth, predicted] = [truth, predicted].map(|class| shorten(&measured.classes[*class]));
        let file = file(measured, *sample).map_or(String::new(), |file| format!("  {}", shown(file)));
        answer(format_args!("sample {sample:>6}  loss {loss:>8.4}  {truth} → {predicted}{file}"))?;
    }
    Ok(())
}
