//! An explanation as text in aligned columns, no wider than the terminal except for code.

use std::fmt::Write;

use super::names::{layer_name, meaning};
use super::page::{Difference, Line, Others, Section, Terms, Value, digits};
use super::source::{SourceExcerpt, sources};
use super::trace::Trace;
use crate::network::loss::Loss;
use crate::text::{shorten, shown};

/// The widest text in a narrow and in a wide terminal, in characters.
///
/// Only code may be wider.
const NARROWEST: usize = 80;
const WIDEST: usize = 100;
/// Characters of a row besides its name: three numbers, yes or no, and the gaps.
const CELLS: usize = 2 + 3 * 13 + 6;

/// The subject of an explanation.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The run as the user named it.
    pub run: String,
    pub part: &'static str,
    pub sample: usize,
    pub layer: usize,
    pub unit: usize,
    /// The device that took the step.
    pub device: String,
    /// The heading of the device's column.
    pub column: &'static str,
    /// Whether the data are no longer those of the run.
    pub data_changed: bool,
    /// Width of the terminal in characters.
    pub width: usize,
}

/// The text so far, and its width.
struct Printer {
    text: String,
    width: usize,
}

/// The explanation as text, line breaks included.
pub fn text(trace: &Trace, subject: &Subject, sections: &[Section], with_source: bool) -> String {
    let width = subject.width.clamp(NARROWEST, WIDEST);
    let mut out = Printer { text: String::new(), width };
    head(trace, subject, &mut out);
    let mut printed: Vec<&str> = Vec::new();
    for section in sections {
        line(&mut out, "");
        line(&mut out, &section.title);
        table(section, subject, &mut out);
        for kernel in section.kernels().into_iter().filter(|_| with_source) {
            if !printed.contains(&kernel.name) {
                printed.push(kernel.name);
                sources(kernel).iter().flatten().for_each(|source| code(source, &mut out));
            }
        }
    }
    line(&mut out, "");
    foot(trace, subject, sections, &mut out);
    out.text
}

fn line(out: &mut Printer, text: &str) {
    out.text.push_str(text.trim_end());
    out.text.push('\n');
}

fn head(trace: &Trace, subject: &Subject, out: &mut Printer) {
    let Subject { run, part, sample, layer, unit, device, .. } = subject;
    let model = trace.model;
    let name = layer_name(trace, *layer);
    let what = format!("{name}, unit {unit}{}", meaning(trace, layer + 1, *unit));
    let (class, run) = (shorten(&model.classes[trace.label]), shown(run));
    paragraph(out, "", &format!("{what} of {run}: {}", model.network));
    paragraph(
        out,
        "",
        &format!("sample {sample} of the {part} part of {}, class “{class}”", shown(&model.data)),
    );
    let (rate, optimiser) = (trace.settings.learning_rate, trace.optimiser());
    let step = format!("one step with this sample alone: learning rate {rate}, {optimiser}");
    paragraph(out, "", &format!("{step}, on {device}"));
}

/// Words of a text in lines that keep to the width.
fn paragraph(out: &mut Printer, indent: &str, text: &str) {
    let mut current = String::from(indent);
    for word in text.split(' ') {
        let long = current.chars().count() + 1 + word.chars().count() > out.width;
        if long && current.trim() != "" {
            line(out, &current);
            current = String::from(indent);
        }
        if current.trim() != "" {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(out, &current);
}

fn table(section: &Section, subject: &Subject, out: &mut Printer) {
    let mut headed = false;
    for entry in &section.lines {
        match entry {
            Line::Note(text) => paragraph(out, "  ", text),
            Line::Terms(terms) => {
                sum(terms, out);
                headed = false;
            }
            Line::Value(value) => {
                if !headed && !value.worked_out {
                    let differences = section.values().any(|value| value.difference.is_some());
                    let differences = if differences { "finite diff." } else { "" };
                    row(out, "", [subject.column, "twin (f64)", differences, "agree"]);
                    headed = true;
                }
                number(value, out);
            }
        }
    }
}

/// One row.
///
/// A name that is too long gets a line of its own.
fn row(out: &mut Printer, name: &str, cells: [&str; 4]) {
    let [a, b, c, d] = cells;
    let mut name = name;
    let wide = out.width - CELLS;
    if name.chars().count() > wide {
        line(out, &format!("  {name}"));
        name = "";
    }
    line(out, &format!("  {name:<wide$} {a:>12} {b:>12} {c:>12} {d:>5}"));
}

fn sum(terms: &Terms, out: &mut Printer) {
    row(out, "", [terms.columns[0], terms.columns[1], terms.columns[2], ""]);
    for term in &terms.rows {
        let [a, b, c] = term.numbers.map(digits);
        row(out, &term.name, [&a, &b, &c, ""]);
    }
    let Others { count, sum: rest } = terms.others;
    if count > 0 {
        row(out, &format!("the other {count} {}", terms.of), ["", "", &digits(rest), ""]);
    }
}

fn number(value: &Value, out: &mut Printer) {
    let twin = value.twin.as_ref().map(|twin| digits(twin.element.truth)).unwrap_or_default();
    let difference = match value.difference {
        Some(Difference::Finite { value, .. }) => digits(value),
        Some(Difference::Corner) => "corner".to_owned(),
        None => String::new(),
    };
    if value.worked_out {
        // It has no column, as no device and no twin has it.
        return paragraph(out, "  ", &format!("{} = {}, computed here", value.words, digits(value.number)));
    }
    let agree = match (&value.twin, value.agrees()) {
        (None, _) => "",
        (Some(_), true) => "yes",
        (Some(_), false) => "NO",
    };
    row(out, &value.words, [&digits(value.number), &twin, &difference, agree]);
}

fn code(source: &SourceExcerpt, out: &mut Printer) {
    line(out, "");
    line(out, &format!("    {}, line {}", source.path, source.line));
    for text in source.text.lines() {
        let _ = writeln!(out.text, "    | {text}");
    }
}

/// The meaning of the columns, and the verdict.
fn foot(trace: &Trace, subject: &Subject, sections: &[Section], out: &mut Printer) {
    let values = || sections.iter().flat_map(Section::values);
    let worst = values().filter_map(|value| Some(value.twin.as_ref()?.element.ratio())).fold(0.0, f64::max);
    let device = subject.column;
    paragraph(
        out,
        "",
        &format!(
            "{device}: computed or read there, in f32. twin: plain Rust in f64, from the same numbers. They agree \
             where they differ by no more than the error bound of f32 arithmetic; the largest difference above \
             is {:.0} % of its bound.",
            100.0 * worst
        ),
    );
    if values().any(|value| value.worked_out) {
        let text =
            "computed here: from the numbers above, in f64, to follow the arithmetic; no kernel stores it.";
        paragraph(out, "", text);
    }
    if values().any(|value| value.difference.is_some()) {
        let halved = if trace.model.loss == Loss::SquaredError { "; halved, as this loss does" } else { "" };
        let text = format!(
            "finite diff.: the loss in f64 with that number 1e-5 larger, minus the loss with it 1e-5 smaller, \
             divided by 2e-5{halved}. It agrees where the gradient in f64 differs by no more than a millionth \
             or 1e-9."
        );
        paragraph(out, "", &text);
    }
    if values().any(|value| matches!(value.difference, Some(Difference::Corner))) {
        let text = "corner: a relu or a maximum switches between these two points, so the loss has two derivatives there.";
        paragraph(out, "", text);
    }
    let verdict = match trace.first_disagreement() {
        None if values().all(Value::agrees) => "Everything agrees, in all dispatches of the step.".to_owned(),
        None => {
            "The kernels agree with their twins, but a gradient does not agree with its finite difference."
                .to_owned()
        }
        Some(problem) => format!("The first dispatch that does not agree: {problem}"),
    };
    paragraph(out, "", &verdict);
}
