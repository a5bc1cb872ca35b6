//! Lesson 4: several outputs, and the mistake of a transposed matrix.

use super::lesson::Lesson;
use super::limit;
use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use super::workbench::{DenseLayer, Scope, Workbench};
use crate::error::Result;
use crate::report::page::number::{count, digits, factor, list};
use crate::report::page::{Cell, Page, Plot, Table};

pub const LESSON: Lesson = Lesson {
    id: "4",
    name: "several-outputs",
    summary: "a row of weights per output: vector times matrix, and the transposed mistake",
    takes: &[Setting::Input, Setting::Weights],
    teach,
    limit: |options, _| Ok(limit::sums(&options.input_or(&SECOND.0), &options.weights_or(&SECOND.1))),
};

/// Toes, win rate, fans; each row of weights makes one output.
const FIRST: ([f32; 3], [f32; 9]) = ([8.5, 0.65, 0.65], [0.1, 0.1, -0.3, 0.1, 0.2, 0.0, 0.0, 1.3, 0.1]);
/// The same with another number at the start of the third row, and another game.
const SECOND: ([f32; 3], [f32; 9]) = ([9.9, 0.8, 1.5], [0.1, 0.1, -0.3, 0.1, 0.2, 0.0, 0.1, 1.3, 0.1]);

/// A product of a vector and a matrix.
struct MatrixProduct {
    input: Vec<f32>,
    weights: Vec<f32>,
    right: Vec<f32>,
    /// The outputs if columns are taken for rows.
    ///
    /// Only a square matrix allows it.
    transposed: Option<Vec<f32>>,
}

fn teach(options: &LessonOptions, machine: &Machine) -> Result<Page> {
    let own = options.input.is_none() && options.weights.is_none();
    let (input, weights) = (options.input_or(&SECOND.0), options.weights_or(&SECOND.1));
    let (inputs, outputs) = (input.len(), weights.len() / input.len());
    if outputs == 0 || outputs * inputs != weights.len() {
        return Err(Setting::Weights.error(format!(
            "⟨weights⟩ has {} and ⟨input⟩ has {}: each output needs a weight per input, so give a multiple of \
             {inputs} weights",
            count(weights.len(), "number"),
            count(inputs, "number")
        )));
    }
    let mut bench = Workbench::new(machine, DenseLayer::linear(inputs, outputs, Scope::Predict))?;
    let last = product(&mut bench, &input, &weights)?;

    let mut page = Page::new("4 · Several outputs: a vector times a matrix");
    page.text(
        "One set of inputs can answer several questions: each output has a row of weights of its own and \
         makes its own weighted sum, as if it were alone. Rows below each other are a matrix, and all the \
         sums together are a vector times a matrix.",
    );
    page.formulas(formulas(&last));
    if own {
        let first = product(&mut bench, &FIRST.0, &FIRST.1)?;
        page.table(table("third row 0, 1.3, 0.1", &first));
        page.table(table("third row 0.1, 1.3, 0.1", &last));
        page.plot(picture(&[("third row 0, 1.3, 0.1", &first), ("third row 0.1, 1.3, 0.1", &last)]));
        page.text(
            "Both are right. They are two networks, which differ in one weight, on two games. Only the third \
             output reads that weight.",
        );
    } else {
        page.table(table("outputs", &last));
        page.plot(picture(&[("prediction", &last)]));
    }
    if last.transposed.is_some() {
        page.text(
            "The column “transposed” is the classic mistake: the same numbers, but the weights read \
             by columns, which gives each input's weights to an output. With as many outputs as inputs every \
             sum can be computed, and every sum is wrong. Where two sources disagree about such a product, \
             check which way the rows lie.",
        );
    }
    page.note(bench.note());
    page.try_this(
        "wgrad lesson 4 --input 9.9,0.8,1.5 --weights 0.1,0.1,-0.3,0.1,0.2,0",
        "two outputs of three inputs: why can the transposed product no longer be made by accident?",
    );
    Ok(page)
}

fn product(bench: &mut Workbench, input: &[f32], weights: &[f32]) -> Result<MatrixProduct> {
    let inputs = input.len();
    let outputs = weights.len() / inputs;
    bench.set_input(input)?;
    bench.set_weights(weights)?;
    let right = bench.predict()?;
    let transposed = if inputs == outputs && inputs > 1 {
        let columns: Vec<f32> =
            (0..inputs).flat_map(|column| weights.iter().skip(column).step_by(inputs).copied()).collect();
        bench.set_weights(&columns)?;
        Some(bench.predict()?)
    } else {
        None
    };
    Ok(MatrixProduct { input: input.to_vec(), weights: weights.to_vec(), right, transposed })
}

/// The number of sums written out, and of terms of each.
const WRITTEN: usize = 3;

fn formulas(product: &MatrixProduct) -> Vec<String> {
    let rows = product.weights.chunks(product.input.len()).zip(&product.right).take(WRITTEN).enumerate();
    rows.map(|(at, (row, output))| {
        let pairs = row.iter().zip(&product.input).take(WRITTEN);
        let terms: Vec<String> = pairs.map(|(w, x)| format!("{} · {}", factor(*x), factor(*w))).collect();
        let rest = if row.len() > WRITTEN { " + …" } else { "" };
        format!("output {} = {}{rest} = {}", at + 1, terms.join(" + "), digits(*output))
    })
    .collect()
}

/// The number of outputs drawn.
const DRAWN: usize = 12;

/// The outputs of each product, and the transposed outputs of the last.
fn picture(products: &[(&str, &MatrixProduct)]) -> Plot {
    let first = |outputs: &[f32]| outputs.iter().take(DRAWN).copied().collect::<Vec<f32>>();
    let mut bars: Vec<(String, Vec<f32>)> =
        products.iter().map(|(name, product)| ((*name).to_owned(), first(&product.right))).collect();
    if let Some(transposed) = products.last().and_then(|(_, product)| product.transposed.as_ref()) {
        bars.push(("transposed".to_owned(), first(transposed)));
    }
    Plot::new("the outputs side by side", "output", "prediction").bars(&bars)
}

fn table(title: &str, product: &MatrixProduct) -> Table {
    let inputs = product.input.len();
    let weights: Vec<String> = (1..=inputs).map(|at| format!("weight {at}")).collect();
    let mut columns = vec!["output"];
    columns.extend(weights.iter().map(String::as_str));
    columns.push("prediction");
    if product.transposed.is_some() {
        columns.push("transposed");
    }
    let mut table = Table::new(format!("{title}, input {}", list(&product.input)), &columns);
    for (at, row) in product.weights.chunks(inputs).enumerate() {
        let mut cells: Vec<Cell> = vec![(at + 1).into()];
        cells.extend(row.iter().map(|weight| Cell::from(*weight)));
        cells.push(product.right[at].into());
        cells.extend(product.transposed.iter().map(|outputs| Cell::from(outputs[at])));
        table.row(cells);
    }
    table
}
