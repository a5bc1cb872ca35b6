//! Pages of lessons, as data.
//!
//! [`terminal`], [`markdown`] and [`svg`] render it; tests read its tables.

mod chart;
pub mod markdown;
pub mod number;
pub mod plot;
pub mod svg;
mod table;
pub mod terminal;

use serde_json::{Value, json};

use crate::kernel::Kernel;
use crate::program::Dispatch;

pub use plot::{Plot, Style};
pub use table::{Cell, Table};

/// The page of a lesson.
#[derive(Clone, Debug)]
pub struct Page {
    pub title: String,
    pub blocks: Vec<Block>,
    /// The sentence about numbers that overflowed.
    ///
    /// The program then ends with the exit code of a divergence.
    pub diverged: Option<String>,
}

/// A part of a page.
#[derive(Clone, Debug)]
pub enum Block {
    /// A paragraph.
    Text(String),
    /// A paragraph about the numbers that the learner chose, shown on any screen.
    Remark(String),
    /// Lines of arithmetic, kept as they are.
    Formulas(Vec<String>),
    Table(Table),
    Plot(Plot),
    Note(Note),
    /// A command line to try, and the effect to look for.
    Try {
        command: String,
        why: String,
    },
}

/// The shaders and twins that computed the numbers.
#[derive(Clone, Debug)]
pub struct Note {
    pub machine: String,
    pub shaders: bool,
    /// The purpose of each kernel, and the kernel.
    pub kernels: Vec<(String, &'static Kernel)>,
}

impl Note {
    /// A note about these dispatches: each kernel and purpose once, in the order of first use.
    pub fn new<'a>(machine: &str, shaders: bool, dispatches: impl IntoIterator<Item = &'a Dispatch>) -> Note {
        let mut kernels: Vec<(String, &'static Kernel)> = Vec::new();
        for dispatch in dispatches {
            // The purpose without the layer.
            let what = dispatch.what.as_str();
            let known =
                |(known, kernel): &(String, &Kernel)| known == what && kernel.name == dispatch.kernel.name;
            if !kernels.iter().any(known) {
                kernels.push((what.to_owned(), dispatch.kernel));
            }
        }
        Note { machine: machine.to_owned(), shaders, kernels }
    }

    /// The sentence in front of the list.
    pub fn heading(&self) -> String {
        if self.shaders {
            format!("Computed by the shaders on {}:", self.machine)
        } else {
            format!("Computed by the twins on {}:", self.machine)
        }
    }

    /// All shaders and twins in one sentence.
    pub fn sentence(&self) -> String {
        let kernels = || self.kernels.iter().map(|(_, kernel)| kernel);
        let shaders = distinct(kernels().map(|kernel| kernel.name));
        let mut twins = distinct(kernels().map(|kernel| kernel.twin_name)).join(", ");
        if shaders.len() > FEW {
            // cpu::matmul::matmul is in src/cpu/matmul.rs.
            let files = kernels().map(|kernel| kernel.twin_name.split("::").nth(1).unwrap_or_default());
            twins = format!("src/cpu/{{{}}}.rs", distinct(files).join(", "));
        }
        let shaders = match shaders.as_slice() {
            [one] => format!("shaders/{one}.wgsl"),
            several => format!("shaders/{{{}}}.wgsl", several.join(", ")),
        };
        if self.shaders {
            format!("Computed by {shaders}; twins: {twins}")
        } else {
            format!("Computed by the twins {twins} of {shaders}")
        }
    }

    /// Shader and twin of each kernel.
    pub fn lines(&self) -> Vec<[String; 3]> {
        let line = |(what, kernel): &(String, &Kernel)| {
            [what.clone(), format!("shaders/{}.wgsl", kernel.name), kernel.twin_name.to_owned()]
        };
        self.kernels.iter().map(line).collect()
    }
}

/// The most kernels whose twins are named one by one in a sentence.
const FEW: usize = 4;

/// Each item once, in the order of first use.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

impl Page {
    pub fn new(title: impl Into<String>) -> Page {
        Page { title: title.into(), blocks: Vec::new(), diverged: None }
    }

    /// Adds a paragraph.
    ///
    /// The first paragraph of a page holds its idea; a small screen shows its first sentences.
    pub fn text(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Text(text.into()));
    }

    /// Adds a paragraph about the learner's own numbers.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Remark(text.into()));
    }

    /// Adds a paragraph about the learner's own numbers behind the first paragraph.
    pub fn remark_first(&mut self, text: impl Into<String>) {
        self.blocks.insert(self.blocks.len().min(1), Block::Remark(text.into()));
    }

    /// Replaces all remarks by a sentence about numbers that overflowed.
    pub fn diverge(&mut self, sentence: String) {
        for block in &mut self.blocks {
            if let Block::Remark(text) = block {
                *block = Block::Text(std::mem::take(text));
            }
        }
        self.remark_first(format!("Here {sentence}."));
        self.diverged = Some(sentence);
    }

    /// The first number of the page that overflowed, in words.
    pub fn overflow(&self) -> Option<String> {
        self.blocks.iter().find_map(Block::overflow)
    }

    /// Adds lines of arithmetic.
    pub fn formulas(&mut self, lines: impl IntoIterator<Item = String>) {
        self.blocks.push(Block::Formulas(lines.into_iter().collect()));
    }

    pub fn table(&mut self, table: Table) {
        self.blocks.push(Block::Table(table));
    }

    pub fn plot(&mut self, plot: Plot) {
        self.blocks.push(Block::Plot(plot));
    }

    pub fn note(&mut self, note: Note) {
        self.blocks.push(Block::Note(note));
    }

    /// Adds a command to try, such as `wgrad lesson 1 --weights 0.2`.
    pub fn try_this(&mut self, command: impl Into<String>, why: impl Into<String>) {
        self.blocks.push(Block::Try { command: command.into(), why: why.into() });
    }

    /// Replaces the commands to try for which `other` has another one.
    pub fn try_something_else(&mut self, other: impl Fn(&str) -> Option<String>) {
        for block in &mut self.blocks {
            let Block::Try { command, why } = block else { continue };
            if let Some(other) = other(command) {
                *command = other;
                *why = "the lesson's own numbers, to compare these with.".to_owned();
            }
        }
    }

    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Table(table) => Some(table),
            _ => None,
        })
    }

    pub fn plots(&self) -> impl Iterator<Item = &Plot> {
        self.blocks.iter().filter_map(|block| match block {
            Block::Plot(plot) => Some(plot),
            _ => None,
        })
    }

    /// The page as data.
    pub fn json(&self) -> Value {
        let blocks: Vec<Value> = self.blocks.iter().map(Block::json).collect();
        json!({"title": self.title, "blocks": blocks, "diverged": self.diverged})
    }
}

impl Block {
    fn overflow(&self) -> Option<String> {
        match self {
            Block::Table(table) => table.overflow(),
            Block::Formulas(lines) => {
                let line = lines.iter().find(|line| number::overflows(line))?;
                // Without the alignment.
                Some(
                    line.split_whitespace().collect::<Vec<_>>().join(" ").trim_start_matches("= ").to_owned(),
                )
            }
            Block::Text(text) | Block::Remark(text) => {
                number::overflows(text).then(|| "a number of the text".to_owned())
            }
            // Plots leave out non-finite values, and show no number that isn't in a table or formula.
            Block::Plot(_) | Block::Note(_) | Block::Try { .. } => None,
        }
    }

    fn json(&self) -> Value {
        match self {
            Block::Text(text) => json!({"text": text}),
            Block::Remark(text) => json!({"remark": text}),
            Block::Formulas(lines) => json!({"formulas": lines}),
            Block::Table(table) => json!({"table": table.json()}),
            Block::Plot(plot) => json!({"plot": plot.json()}),
            Block::Note(note) => {
                let kernels: Vec<Value> = note
                    .lines()
                    .into_iter()
                    .map(|[what, shader, twin]| json!({"what": what, "shader": shader, "twin": twin}))
                    .collect();
                json!({"note": {"machine": note.machine, "shaders": note.shaders, "kernels": kernels}})
            }
            Block::Try { command, why } => json!({"try": {"command": command, "why": why}}),
        }
    }
}
