//! Runs of a kernel on all its cases, between guard words and over poison.

use std::fmt;

use super::{Case, GUARD, Numbers, contents};
use crate::engine::{Data, Engine};
use crate::error::{Error, Result};
use crate::kernel::{ALIGN, Element, Kernel, aligned};
use crate::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use crate::verify::diff::{self, Comparison, examine};

/// A wrong result of one case.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The first element outside its bound.
    Element(diff::ComparedElement),
    /// A word outside a binding that was written, counted from the binding's first.
    Outside { binding: &'static str, word: isize },
}

/// The first case with a wrong result.
#[derive(Clone, Debug)]
pub struct Wrong {
    pub kernel: &'static Kernel,
    /// Its position among the cases.
    pub at: usize,
    pub case: Case,
    /// The numbers in its inputs.
    pub numbers: Numbers,
    pub problem: Problem,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: case {} ({}): ", self.kernel.name, self.at, self.case.consts)?;
        match &self.problem {
            Problem::Element(element) => write!(f, "{element}"),
            Problem::Outside { binding, word } => {
                write!(f, "{binding} was written outside, at its word {word}")
            }
        }
    }
}

/// The results of a kernel on all its cases.
#[derive(Debug)]
pub struct KernelVerdict {
    pub kernel: &'static Kernel,
    pub cases: usize,
    /// The number of cases with a wrong result.
    pub failed: usize,
    /// The worst element over all cases.
    pub comparison: Comparison,
    /// The first wrong result.
    pub wrong: Option<Wrong>,
    /// The first wrong result as a sentence, with the worst element of its case.
    pub problem: Option<String>,
}

/// Opens an engine for a Program of cases.
pub type MakeEngine<'a> = &'a mut dyn FnMut(Program) -> Result<Box<dyn Engine>>;

/// An engine whose dispatch `i` is case `i` of a kernel, inputs filled; and its Program.
///
/// # Errors
/// When the engine cannot be made or written to.
pub fn ready(
    kernel: &'static Kernel,
    cases: &[Case],
    make_engine: MakeEngine,
) -> Result<(Box<dyn Engine>, Program)> {
    let program = program(kernel, cases);
    let mut engine = make_engine(program.clone())?;
    for (at, case) in cases.iter().enumerate() {
        fill(engine.as_mut(), &program, at, case, Numbers::Awkward)?;
    }
    Ok((engine, program))
}

/// Runs a kernel on some of its cases on an engine and compares it with its twin.
///
/// # Errors
/// When the engine itself fails; a wrong result is a [`KernelVerdict::problem`].
pub fn check(kernel: &'static Kernel, cases: &[Case], make_engine: MakeEngine) -> Result<KernelVerdict> {
    watch(kernel, cases, make_engine, &mut |_, _| {})
}

/// [`check`], which calls a function before each case.
///
/// # Errors
/// As [`check`].
pub fn watch(
    kernel: &'static Kernel,
    cases: &[Case],
    make_engine: MakeEngine,
    observe: &mut dyn FnMut(usize, &Case),
) -> Result<KernelVerdict> {
    let program = program(kernel, cases);
    let mut engine = make_engine(program.clone())?;
    let comparison = Comparison::default();
    let mut verdict =
        KernelVerdict { kernel, cases: cases.len(), failed: 0, comparison, wrong: None, problem: None };
    for (at, case) in cases.iter().enumerate() {
        observe(at, case);
        let failed = verdict.failed;
        for numbers in [Numbers::Awkward, Numbers::Whole] {
            if !numbers.suit(kernel, case) {
                continue;
            }
            fill(engine.as_mut(), &program, at, case, numbers)?;
            let comparison = examine(engine.as_mut(), &program, at, &case.step)?;
            let outside = broken_guard(engine.as_mut(), &program, at)?;
            if let Some(problem) = numbers.wrong(&comparison).map(Problem::Element).or(outside) {
                verdict.failed = failed + 1;
                verdict.blame(Wrong { kernel, at, case: case.clone(), numbers, problem }, &comparison);
            }
            verdict.comparison.merge(comparison);
        }
    }
    if verdict.comparison.at.is_none() {
        return Err(Error::Failure(format!("kernel {} was compared on nothing", kernel.name)));
    }
    Ok(verdict)
}

impl KernelVerdict {
    /// Keeps the first problem, with the worst element of its case in a sentence.
    fn blame(&mut self, wrong: Wrong, comparison: &Comparison) {
        if self.wrong.is_some() {
            return;
        }
        let worst = comparison.at.clone().filter(|_| !comparison.agrees());
        let problem = worst.map_or_else(|| wrong.problem.clone(), Problem::Element);
        self.problem = Some(Wrong { problem, ..wrong.clone() }.to_string());
        self.wrong = Some(wrong);
    }
}

/// A Program of one dispatch per case, every view between guard words.
fn program(kernel: &'static Kernel, cases: &[Case]) -> Program {
    let mut program = Program::default();
    for (at, case) in cases.iter().enumerate() {
        let lens = (kernel.lens)(&case.consts);
        let args = lens.iter().zip(kernel.binds).map(|(len, bind)| {
            let name = format!("case {at} {}", bind.name);
            let guarded = ALIGN + aligned(*len) + ALIGN;
            program.bufs.push(BufDecl::new(name, bind.element, guarded, Role::Data));
            View { buf: Buf(program.bufs.len() - 1), start: ALIGN, len: *len }
        });
        let args = args.collect();
        program.steps.push(Dispatch::new(kernel, case.consts.clone(), args, format!("case {at}")));
    }
    program
}

/// Fills the buffers of a case, guards included.
fn fill(engine: &mut dyn Engine, program: &Program, at: usize, case: &Case, numbers: Numbers) -> Result<()> {
    let dispatch = &program.steps[at];
    for (view, content) in dispatch.args.iter().zip(contents(dispatch.kernel, at, case, numbers)) {
        let buf = &program.bufs[view.buf.0];
        let whole = View { buf: view.buf, start: 0, len: buf.len };
        let guards = match buf.element {
            Element::Real => Data::Real(vec![f32::from_bits(GUARD); buf.len]),
            Element::Uint => Data::Uint(vec![GUARD; buf.len]),
        };
        engine.write(whole, guards.as_slice())?;
        engine.write(*view, content.as_slice())?;
    }
    Ok(())
}

/// The first word outside the views of a case that is no longer a guard.
fn broken_guard(engine: &mut dyn Engine, program: &Program, at: usize) -> Result<Option<Problem>> {
    let dispatch = &program.steps[at];
    for (view, bind) in dispatch.args.iter().zip(dispatch.kernel.binds) {
        let whole = View { buf: view.buf, start: 0, len: program.bufs[view.buf.0].len };
        let data = engine.read(whole)?;
        let inside = view.start..view.start + view.len;
        let broken = (0..data.len()).find(|word| !inside.contains(word) && data.bits(*word) != GUARD);
        if let Some(word) = broken {
            let word = word as isize - view.start as isize;
            return Ok(Some(Problem::Outside { binding: bind.name, word }));
        }
    }
    Ok(None)
}
