//! The parts of an explanation: sections of lines, the same for text and for JSON.

use crate::kernel::Kernel;
use crate::verify::diff::ComparedElement;

/// The number of terms of a long sum that are shown.
///
/// The rest is added up.
pub const SHOWN: usize = 6;

/// Lines under one title.
#[derive(Debug)]
pub struct Section {
    /// Its name in JSON.
    pub key: &'static str,
    pub title: String,
    pub lines: Vec<Line>,
}

/// The lines about the layers behind a unit's own.
pub struct LaterLayers {
    /// The unit's value in later layers.
    pub forward: Vec<Line>,
    /// The origin of the gradient of the unit's value.
    pub backward: Vec<Line>,
}

#[derive(Debug)]
pub enum Line {
    Note(String),
    Terms(Terms),
    Value(Value),
}

/// A sum as a table: its largest terms, and the sum of the others.
#[derive(Clone, Debug)]
pub struct Terms {
    pub key: String,
    /// The noun for the terms, such as `inputs`.
    pub of: String,
    /// The headings of the three numbers; the last number is added up.
    pub columns: [&'static str; 3],
    /// The largest terms, in the order of their index.
    pub rows: Vec<Term>,
    /// The terms that are not shown.
    pub others: Others,
}

/// Terms of a sum that are not shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Others {
    pub count: usize,
    pub sum: f64,
}

#[derive(Clone, Debug)]
pub struct Term {
    pub index: usize,
    pub name: String,
    pub numbers: [f64; 3],
}

impl Terms {
    /// Keeps the `SHOWN` terms whose last number is largest, all if there are few more.
    pub fn new(key: impl Into<String>, of: &str, columns: [&'static str; 3], all: Vec<Term>) -> Terms {
        let mut rows = all;
        // A line for “the other 2” saves nothing.
        let shown = if rows.len() <= SHOWN + 4 { rows.len() } else { SHOWN };
        rows.sort_by(|a, b| b.numbers[2].abs().total_cmp(&a.numbers[2].abs()));
        let hidden = rows.split_off(shown);
        rows.sort_by_key(|term| term.index);
        let others = Others { count: hidden.len(), sum: hidden.iter().map(|term| term.numbers[2]).sum() };
        Terms { key: key.into(), of: of.to_owned(), columns, rows, others }
    }

    /// The whole sum.
    pub fn sum(&self) -> f64 {
        self.rows.iter().map(|term| term.numbers[2]).sum::<f64>() + self.others.sum
    }
}

/// One number, its origin, and the numbers to compare it with.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its name in JSON; values with the same key are numbered by `index`.
    pub key: String,
    pub index: Option<usize>,
    /// Its name in text.
    pub words: String,
    pub number: f64,
    /// Whether it was computed here, in f64, from the device's numbers: no device has it.
    pub worked_out: bool,
    /// The twin's number; none if no kernel stores it.
    pub twin: Option<Compared>,
    /// The finite difference, for gradients.
    pub difference: Option<Difference>,
}

/// A kernel's result beside its twin's.
#[derive(Clone, Debug)]
pub struct Compared {
    pub kernel: &'static Kernel,
    /// The result, the twin's on the same inputs, and the allowed difference.
    pub element: ComparedElement,
    /// The same number from a step that runs in f64 from its start.
    pub exact: f64,
}

/// The finite difference of the loss for a number, beside its gradient.
#[derive(Clone, Copy, Debug)]
pub enum Difference {
    /// The finite difference, and whether the gradient in f64 agrees with it.
    Finite { value: f64, agrees: bool },
    /// A relu or a maximum switches between the two points, so the loss has no one derivative there.
    Corner,
}

impl Value {
    /// A number read from the device, which this explanation does not check.
    pub fn read(key: impl Into<String>, words: impl Into<String>, number: f64) -> Value {
        Value {
            key: key.into(),
            index: None,
            words: words.into(),
            number,
            worked_out: false,
            twin: None,
            difference: None,
        }
    }

    /// A number that no device has, computed here in f64.
    pub fn worked_out(key: impl Into<String>, words: impl Into<String>, number: f64) -> Value {
        Value { worked_out: true, ..Value::read(key, words, number) }
    }

    /// As one of several with this name.
    pub fn at(self, index: usize) -> Value {
        Value { index: Some(index), ..self }
    }

    /// With a finite difference beside it.
    pub fn with_difference(self, difference: Difference) -> Value {
        Value { difference: Some(difference), ..self }
    }

    /// Whether the kernel's result is as near to its twin's as f32 allows.
    pub fn twin_agrees(&self) -> Option<bool> {
        self.twin.as_ref().map(|twin| twin.element.ratio() <= 1.0)
    }

    /// Whether the gradient agrees with the finite difference.
    pub fn difference_agrees(&self) -> Option<bool> {
        match self.difference? {
            Difference::Finite { agrees, .. } => Some(agrees),
            Difference::Corner => None,
        }
    }

    pub fn agrees(&self) -> bool {
        self.twin_agrees() != Some(false) && self.difference_agrees() != Some(false)
    }
}

impl Section {
    pub fn new(key: &'static str, title: impl Into<String>) -> Section {
        Section { key, title: title.into(), lines: Vec::new() }
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Note(text.into()));
    }

    pub fn terms(&mut self, terms: Terms) {
        self.lines.push(Line::Terms(terms));
    }

    pub fn value(&mut self, value: Value) {
        self.lines.push(Line::Value(value));
    }

    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.lines.iter().filter_map(|line| match line {
            Line::Value(value) => Some(value),
            Line::Note(_) | Line::Terms(_) => None,
        })
    }

    /// The kernels whose results it shows, each once.
    pub fn kernels(&self) -> Vec<&'static Kernel> {
        let mut kernels: Vec<&'static Kernel> = Vec::new();
        for kernel in self.values().filter_map(|value| Some(value.twin.as_ref()?.kernel)) {
            if kernels.iter().all(|known| known.name != kernel.name) {
                kernels.push(kernel);
            }
        }
        kernels
    }
}

/// A number with six significant digits.
pub fn digits(number: f64) -> String {
    if number == 0.0 || !number.is_finite() {
        // -0 is 0 to a reader.
        return format!("{}", if number == 0.0 { 0.0 } else { number });
    }
    match number.abs().log10().floor() as i32 {
        exponent @ -4..=5 => format!("{number:.*}", (5 - exponent) as usize),
        _ => format!("{number:.5e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        let numbers = [0.0, -0.0, 1.0, -0.5, 123456.7, 1234567.8, 0.000123456789, 1.5e-9, f64::NAN];
        let texts =
            ["0", "0", "1.00000", "-0.500000", "123457", "1.23457e6", "0.000123457", "1.50000e-9", "NaN"];
        assert_eq!(numbers.map(digits), texts);
    }

    #[test]
    fn the_largest_terms_are_kept_and_nothing_is_lost() {
        let term = |index: usize| {
            let number = if index.is_multiple_of(2) { index as f64 } else { -(index as f64) };
            Term { index, name: String::new(), numbers: [0.0, 0.0, number] }
        };
        let terms = Terms::new("terms", "input", ["", "", ""], (0..20).map(term).collect());
        let shown: Vec<usize> = terms.rows.iter().map(|term| term.index).collect();
        assert_eq!(shown, [14, 15, 16, 17, 18, 19]);
        assert_eq!((terms.others.count, terms.sum()), (14, -10.0));
        // One line for a few would hide more than it saves.
        let few = Terms::new("terms", "input", ["", "", ""], (0..10).map(term).collect());
        assert_eq!((few.rows.len(), few.others), (10, Others { count: 0, sum: 0.0 }));
    }
}
