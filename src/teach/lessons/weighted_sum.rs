//! Lesson 3: several inputs.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting, same_length};
use super::workbench::{DenseLayer, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{digits, factor};
use crate::report::page::{Cell, Page, Plot, Table};

pub const LESSON: Lesson = Lesson {
    id: "3",
    name: "weighted-sum",
    summary: "several inputs, a weight each: prediction = Σ input · weight",
    takes: &[Setting::Input, Setting::Weights],
    teach,
    limit: |options, _| {
        let inputs = options.input.clone().unwrap_or_else(|| GAMES.concat());
        Ok(limit::sums(&inputs, &options.weights_or(&WEIGHTS)))
    },
};

const WEIGHTS: [f32; 3] = [0.1, 0.2, 0.0];

/// Toes, win rate and fans (in millions) before each of four games.
const GAMES: [[f32; 3]; 4] = [[8.5, 0.65, 1.5], [9.5, 0.8, 1.2], [9.9, 0.8, 0.5], [9.0, 0.9, 1.0]];

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let weights = options.weights_or(&WEIGHTS);
    let games: Vec<Vec<f32>> = match &options.input {
        Some(input) => vec![input.clone()],
        // The lesson's own games go with any three weights.
        None => GAMES.map(Vec::from).to_vec(),
    };
    same_length(Setting::Input, &games[0], Setting::Weights, &weights)?;
    let layer = DenseLayer { samples: games.len(), ..DenseLayer::linear(weights.len(), 1, Scope::Predict) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_input(&games.concat())?;
    bench.set_weights(&weights)?;
    let predictions = bench.predict()?;

    let mut page = Page::new("3 · A weighted sum of several inputs");
    page.text(
        "Most things have more than one cause. So each input gets a weight of its own: multiply each pair, \
         and add up what comes out. This weighted sum, also called dot product, is what nearly all the work \
         of every neural network consists of.",
    );
    page.formulas(formulas(&games[0], &weights, predictions[0]));
    page.text(
        "It is a vote. A large weight gives its input a strong voice, a negative weight lets it vote \
         against, and a weight of 0 takes the vote away. The sum is largest where large inputs meet large \
         weights, so it also measures how similar the inputs are to the weights.",
    );
    let names = names(options.input.is_none(), weights.len());
    page.table(table(&games, &predictions, &names));
    page.plot(picture(&games, &weights, &predictions, &names, machine)?);
    page.note(bench.note());
    page.try_this(
        "wgrad lesson weighted-sum --weights 0.1,0.2,-0.1",
        "the third input (fans) now votes against; which game does it change the most?",
    );
    Ok(page)
}

/// The number of terms that a formula writes out.
const TERMS: usize = 4;

fn formulas(inputs: &[f32], weights: &[f32], prediction: f32) -> Vec<String> {
    let rest = if inputs.len() > TERMS { " + …" } else { "" };
    let pairs = inputs.iter().zip(weights).take(TERMS);
    let products: Vec<String> =
        pairs.clone().map(|(x, w)| format!("{} · {}", factor(*x), factor(*w))).collect();
    let terms: Vec<String> = pairs.map(|(x, w)| factor(x * w)).collect();
    vec![
        "prediction = Σ input · weight".to_owned(),
        format!("           = {}{rest}", products.join(" + ")),
        format!("           = {}{rest} = {}", terms.join(" + "), digits(prediction)),
    ]
}

fn names(own: bool, inputs: usize) -> Vec<String> {
    if own {
        ["toes", "win rate", "fans"].map(str::to_owned).to_vec()
    } else {
        (1..=inputs).map(|at| format!("input {at}")).collect()
    }
}

/// The number of inputs whose terms are drawn, so that the bars stay distinct.
const DRAWN: usize = 4;

/// The term of each input, and the sum.
///
/// The same kernel computes the terms, from inputs of which all but one are 0.
fn picture(
    games: &[Vec<f32>],
    weights: &[f32],
    predictions: &[f32],
    names: &[String],
    machine: &Machine,
) -> Result<Plot> {
    let shown = weights.len().min(DRAWN);
    let alone = |game: &Vec<f32>, input: usize| {
        let mut row = vec![0.0; game.len()];
        row[input] = game[input];
        row
    };
    let rows: Vec<f32> =
        (0..shown).flat_map(|input| games.iter().flat_map(move |game| alone(game, input))).collect();
    let layer =
        DenseLayer { samples: shown * games.len(), ..DenseLayer::linear(weights.len(), 1, Scope::Predict) };
    let mut bench = Workbench::new(machine, layer)?;
    bench.set_input(&rows)?;
    bench.set_weights(weights)?;
    let terms = bench.predict()?;
    let mut bars = vec![("sum".to_owned(), predictions.to_vec())];
    let of = |(name, terms): (&String, &[f32])| (format!("{name} · weight"), terms.to_vec());
    bars.extend(names.iter().zip(terms.chunks(games.len())).map(of));
    Ok(Plot::new("each vote, and the sum", "game", "prediction").bars(&bars))
}

fn table(games: &[Vec<f32>], predictions: &[f32], names: &[String]) -> Table {
    let columns: Vec<&str> =
        ["game"].into_iter().chain(names.iter().map(String::as_str)).chain(["prediction"]).collect();
    let mut table = Table::new("each game by itself", &columns);
    for (at, (game, prediction)) in games.iter().zip(predictions).enumerate() {
        let mut row: Vec<Cell> = vec![(at + 1).into()];
        row.extend(game.iter().map(|input| Cell::from(*input)));
        row.push((*prediction).into());
        table.row(row);
    }
    table
}
