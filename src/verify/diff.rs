//! Compares the results of a dispatch with the twin's in f64, within the error bound of f32 arithmetic.

use std::fmt;
use std::ops::Range;

use crate::engine::{Data, Engine};
use crate::error::Result;
use crate::kernel::{Access, Call, Kernel, Slice, SliceMut, Step, Twin};
use crate::program::{Dispatch, Program, View};

/// The difference between the results of a dispatch and those of the twin.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// The largest |result - truth| / bound; at most 1 where they agree.
    pub worst: f64,
    /// The element with that ratio; none when nothing was written.
    pub at: Option<ComparedElement>,
    /// The first element that does not agree, in the order of bindings and words.
    pub first: Option<ComparedElement>,
}

/// One compared element.
#[derive(Clone, Debug)]
pub struct ComparedElement {
    pub binding: &'static str,
    pub index: usize,
    pub result: f64,
    pub truth: f64,
    pub bound: f64,
    /// Whether it still has the bits from before the dispatch.
    pub untouched: bool,
}

impl Comparison {
    /// Whether all elements are within their bounds.
    pub fn agrees(&self) -> bool {
        self.worst <= 1.0
    }

    /// Compares everything that a dispatch wrote.
    pub fn of(written: &[Written]) -> Comparison {
        let mut comparison = Comparison::default();
        for written in written {
            (0..written.results.len()).for_each(|index| comparison.see(written.element(index)));
        }
        comparison
    }

    fn see(&mut self, element: ComparedElement) {
        let ratio = element.ratio();
        if self.first.is_none() && ratio > 1.0 {
            self.first = Some(element.clone());
        }
        if self.at.is_none() || ratio > self.worst {
            self.worst = ratio;
            self.at = Some(element);
        }
    }

    /// Keeps the worse of both, and the first disagreement.
    pub fn merge(&mut self, other: Comparison) {
        let first = self.first.take().or_else(|| other.first.clone());
        if self.at.is_none() || other.worst > self.worst {
            *self = other;
        }
        self.first = first;
    }
}

impl ComparedElement {
    /// |result - truth| / bound; at most 1 where they agree.
    pub fn ratio(&self) -> f64 {
        let ComparedElement { result, truth, bound, .. } = self;
        if result == truth || (result.is_nan() && truth.is_nan()) {
            // NaN on both sides is poison that neither has overwritten.
            0.0
        } else if bound.is_finite() && *bound > 0.0 && result.is_finite() {
            (result - truth).abs() / bound
        } else {
            f64::INFINITY
        }
    }
}

impl fmt::Display for ComparedElement {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let ComparedElement { binding, index, result, truth, bound, .. } = self;
        write!(
            f,
            "{binding}[{index}] is {result:e}, the twin says {truth:e}, and the largest allowed difference is {bound:.1e}"
        )
    }
}

/// The content of a view in f64.
#[derive(Clone)]
pub(crate) enum Wide {
    Real(Vec<f64>),
    Uint(Vec<u32>),
}

impl Wide {
    pub(crate) fn of(data: &Data) -> Wide {
        match data {
            Data::Real(values) => Wide::Real(values.iter().map(|value| f64::from(*value)).collect()),
            Data::Uint(values) => Wide::Uint(values.clone()),
        }
    }

    pub(crate) fn slice(&self) -> Slice<'_, f64> {
        match self {
            Wide::Real(values) => Slice::Real(values),
            Wide::Uint(values) => Slice::Uint(values),
        }
    }

    pub(crate) fn slice_mut(&mut self) -> SliceMut<'_, f64> {
        match self {
            Wide::Real(values) => SliceMut::Real(values),
            Wide::Uint(values) => SliceMut::Uint(values),
        }
    }

    pub(crate) fn at(&self, index: usize) -> f64 {
        match self {
            Wide::Real(values) => values[index],
            Wide::Uint(values) => values[index].into(),
        }
    }

    fn numbers(self) -> Vec<f64> {
        match self {
            Wide::Real(values) => values,
            Wide::Uint(values) => values.into_iter().map(f64::from).collect(),
        }
    }
}

/// The bindings of a dispatch.
struct Bound<'a> {
    dispatch: &'a Dispatch,
}

impl Bound<'_> {
    fn views(&self, written: bool) -> impl Iterator<Item = (View, &'static str)> + '_ {
        let pairs = self.dispatch.args.iter().zip(self.dispatch.kernel.binds);
        pairs
            .filter(move |(_, bind)| (bind.access != Access::Read) == written)
            .map(|(view, bind)| (*view, bind.name))
    }

    fn fetch(&self, engine: &mut dyn Engine, written: bool) -> Result<Vec<Data>> {
        self.views(written).map(|(view, _)| engine.read(view)).collect()
    }

    /// The written bindings after a function of the kernel has run on these contents.
    fn call(&self, function: Twin<f64>, step: &Step, reads: &[Data], writes: &[Data]) -> Vec<Wide> {
        let reads: Vec<Wide> = reads.iter().map(Wide::of).collect();
        let reads: Vec<Slice<f64>> = reads.iter().map(Wide::slice).collect();
        let mut writes: Vec<Wide> = writes.iter().map(Wide::of).collect();
        let mut slices: Vec<SliceMut<f64>> = writes.iter_mut().map(Wide::slice_mut).collect();
        function(Call { consts: &self.dispatch.consts, step }, &reads, &mut slices);
        writes
    }
}

/// The results of a dispatch in one of its bindings, with the twin's and the bounds.
#[derive(Clone, Debug)]
pub struct Written {
    pub binding: &'static str,
    pub view: View,
    pub results: Vec<f64>,
    pub truths: Vec<f64>,
    pub bounds: Vec<f64>,
    /// Whether an element still has the bits from before the dispatch.
    pub untouched: Vec<bool>,
}

impl Written {
    /// One element.
    pub fn element(&self, index: usize) -> ComparedElement {
        ComparedElement {
            binding: self.binding,
            index,
            result: self.results[index],
            truth: self.truths[index],
            bound: self.bounds[index],
            untouched: self.untouched[index],
        }
    }
}

/// Runs one dispatch on an engine and its twin on the same contents.
pub fn observe(engine: &mut dyn Engine, program: &Program, at: usize, step: &Step) -> Result<Vec<Written>> {
    let dispatch = &program.steps[at];
    let bound = Bound { dispatch };
    let reads = bound.fetch(engine, false)?;
    let before = bound.fetch(engine, true)?;
    let first = View { len: 1, ..dispatch.args[0] };
    let ticket = engine.submit(at..at + 1, std::slice::from_ref(step), first)?;
    engine.wait(ticket)?;
    let after = bound.fetch(engine, true)?;
    let truth = bound.call(dispatch.kernel.oracle, step, &reads, &before);
    let bounds = bound.call(dispatch.kernel.bound, step, &reads, &before);
    let written = before.iter().zip(&after).zip(truth).zip(bounds).zip(bound.views(true));
    Ok(written
        .map(|((((before, after), truth), bounds), (view, binding))| Written {
            binding,
            view,
            results: Wide::of(after).numbers(),
            truths: truth.numbers(),
            bounds: bounds.numbers(),
            untouched: (0..after.len()).map(|index| before.bits(index) == after.bits(index)).collect(),
        })
        .collect())
}

/// The most bytes that observing a dispatch of a section takes.
pub fn observing_bytes(program: &Program, steps: Range<usize>) -> u64 {
    // Contents are words of 4 bytes, and 8 in f64. Written ones are kept from before and after, by the twin, by the
    // bound and in f64.
    let bytes = |dispatch: &Dispatch| {
        let words =
            |written| -> u64 { Bound { dispatch }.views(written).map(|(view, _)| view.len as u64).sum() };
        let (reads, writes) = (words(false), words(true));
        (12 * reads + 24 * writes).max(4 * reads + 33 * writes)
    };
    program.steps[steps].iter().map(bytes).max().unwrap_or_default()
}

/// Runs one dispatch on an engine and compares its results with the twin's.
pub fn examine(engine: &mut dyn Engine, program: &Program, at: usize, step: &Step) -> Result<Comparison> {
    Ok(Comparison::of(&observe(engine, program, at, step)?))
}

/// The first dispatch whose results disagree with the twin's.
#[derive(Debug)]
pub struct Divergence {
    /// Its index in [`Program::steps`].
    pub dispatch: usize,
    pub kernel: &'static Kernel,
    pub label: String,
    pub comparison: Comparison,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "dispatch {} ({}, {})", self.dispatch, self.kernel.name, self.label)?;
        match &self.comparison.at {
            Some(element) => write!(f, ": {element}"),
            None => Ok(()),
        }
    }
}

/// Runs a section dispatch by dispatch, up to the first that disagrees with its twin.
pub fn first_divergence(
    engine: &mut dyn Engine,
    program: &Program,
    steps: Range<usize>,
    step: &Step,
) -> Result<Option<Divergence>> {
    for at in steps {
        let comparison = examine(engine, program, at, step)?;
        if !comparison.agrees() {
            let dispatch = &program.steps[at];
            let (kernel, label) = (dispatch.kernel, dispatch.label());
            return Ok(Some(Divergence { dispatch: at, kernel, label, comparison }));
        }
    }
    Ok(None)
}
