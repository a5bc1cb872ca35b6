//! Finds the inputs that an output depends on, by running the twin.
//!
//! An input matters if the twin's result changes with it. So this works for every kernel, without a table of
//! dependencies.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::kernel::{Access, Call, Kernel, Slice, SliceMut, Step};
use crate::verify::cases::{Case, Wrong, contents};
use crate::verify::diff::Wide;

/// The most inputs of one binding to find.
const MOST: usize = 5;
/// The longest search: the twin of a large case is slow, and this is only an explanation.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The inputs of one binding that an output depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub binding: &'static str,
    /// Index and value of the first inputs, at most 5.
    pub values: Vec<(usize, f64)>,
    /// Whether there are more.
    pub more: bool,
}

/// The inputs that `binding[index]` depends on in the case of `wrong`.
pub fn inputs(wrong: &Wrong, binding: &str, index: usize) -> Vec<Input> {
    let Wrong { kernel, at, case, numbers, .. } = wrong;
    let Some(output) = kernel.binds.iter().position(|bind| bind.name == binding) else { return Vec::new() };
    let contents = contents(kernel, *at, case, *numbers);
    let wide = contents.iter().map(|data| without_zeros(Wide::of(data))).collect();
    let mut asked = Asked { kernel, case, wide, output, index, until: Instant::now() + PATIENCE };
    let truth = asked.answer();
    let mut all = Vec::new();
    for (at, bind) in kernel.binds.iter().enumerate() {
        // A binding that is only written has no inputs.
        if !bind.access.reads(&case.consts) {
            continue;
        }
        let mut found = Vec::new();
        asked.search(at, 0..contents[at].len(), truth, &mut found);
        let more = found.len() > MOST;
        found.truncate(MOST);
        let real = Wide::of(&contents[at]);
        let values: Vec<(usize, f64)> = found.iter().map(|word| (*word, real.at(*word))).collect();
        if !values.is_empty() {
            all.push(Input { binding: bind.name, values, more });
        }
    }
    all
}

/// Replaces every 0 by another number: a factor beside a 0 would not seem to matter.
fn without_zeros(mut wide: Wide) -> Wide {
    if let Wide::Real(values) = &mut wide {
        values.iter_mut().filter(|value| **value == 0.0).for_each(|value| *value = 0.37);
    }
    wide
}

/// A real number of the step: its name, and access to it.
type Scalar = (&'static str, fn(&mut Step) -> &mut f32);

/// The real numbers of the step; the others are indices.
const SCALARS: [Scalar; 2] =
    [("learning_rate", |step| &mut step.learning_rate), ("momentum", |step| &mut step.momentum)];

/// The numbers of the step that `binding[index]` depends on in the case of `wrong`.
pub fn scalars(wrong: &Wrong, binding: &str, index: usize) -> Vec<(&'static str, f32)> {
    let Wrong { kernel, at, case, numbers, .. } = wrong;
    let Some(output) = kernel.binds.iter().position(|bind| bind.name == binding) else { return Vec::new() };
    let wide: Vec<Wide> =
        contents(kernel, *at, case, *numbers).iter().map(|data| without_zeros(Wide::of(data))).collect();
    let answer = |step: Step| {
        let case = Case { step, ..case.clone() };
        let until = Instant::now() + PATIENCE;
        Asked { kernel, case: &case, wide: wide.clone(), output, index, until }.answer()
    };
    let truth = answer(case.step);
    let matters = |(name, of): &Scalar| {
        let mut step = case.step;
        let value = *of(&mut step);
        *of(&mut step) += 0.25;
        (answer(step) != truth).then_some((*name, value))
    };
    SCALARS.iter().filter_map(matters).collect()
}

struct Asked<'a> {
    kernel: &'a Kernel,
    case: &'a Case,
    wide: Vec<Wide>,
    output: usize,
    index: usize,
    until: Instant,
}

impl Asked<'_> {
    /// The twin's result for the inputs as they are now.
    fn answer(&self) -> f64 {
        let mut written: Vec<Wide> = self.select(true);
        let read = self.select(false);
        let reads: Vec<Slice<f64>> = read.iter().map(Wide::slice).collect();
        let mut writes: Vec<SliceMut<f64>> = written.iter_mut().map(Wide::slice_mut).collect();
        let call = Call { consts: &self.case.consts, step: &self.case.step };
        (self.kernel.oracle)(call, &reads, &mut writes);
        drop(writes);
        let before = self.kernel.binds[..self.output].iter().filter(|bind| bind.access != Access::Read);
        written[before.count()].at(self.index)
    }

    fn select(&self, written: bool) -> Vec<Wide> {
        let pairs = self.wide.iter().zip(self.kernel.binds);
        pairs
            .filter(|(_, bind)| (bind.access != Access::Read) == written)
            .map(|(wide, _)| wide.clone())
            .collect()
    }

    /// Finds the inputs that matter by bisection of a range.
    fn search(&mut self, binding: usize, range: Range<usize>, truth: f64, found: &mut Vec<usize>) {
        if found.len() > MOST || range.is_empty() || Instant::now() > self.until {
            return;
        }
        if !self.matters(binding, &range, truth) {
            return;
        }
        if range.len() == 1 {
            found.push(range.start);
            return;
        }
        let middle = range.start + range.len() / 2;
        self.search(binding, range.start..middle, truth, found);
        self.search(binding, middle..range.end, truth, found);
    }

    /// Whether other values in a range change the result.
    ///
    /// There are two tries, because one may be cut off: a relu gives 0 for everything below 0.
    fn matters(&mut self, binding: usize, range: &Range<usize>, truth: f64) -> bool {
        let kept = self.wide[binding].clone();
        let mut changed = false;
        for round in 0..2 {
            change(&mut self.wide[binding], range, round);
            let answer = self.answer();
            changed |= answer != truth && !(answer.is_nan() && truth.is_nan());
            self.wide[binding].clone_from(&kept);
        }
        changed
    }
}

/// Puts other values into a range.
///
/// Integers, which may be indices, become values of the same binding.
fn change(wide: &mut Wide, range: &Range<usize>, round: usize) {
    match wide {
        Wide::Real(values) => {
            // Far up, then far down, so that one of the two is not cut off; and unevenly, because a softmax ignores
            // what is added to all.
            let far = [1e4, -1e4][round];
            for (at, value) in values[range.clone()].iter_mut().enumerate() {
                *value += far * (1.0 + (at * 37 % 101) as f64 / 101.0);
            }
        }
        Wide::Uint(values) => {
            let known = if round == 0 { values.iter().max() } else { values.iter().min() };
            let known = known.copied().unwrap_or_default();
            values[range.clone()].fill(known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{ACTIVATION, MATMUL_NAIVE, SGD_MOMENTUM, SOFTMAX_LOSS};
    use crate::verify::cases::{Numbers, Problem, cases};

    fn indices(
        kernel: &'static Kernel,
        at: usize,
        binding: &'static str,
        index: usize,
    ) -> Vec<(&'static str, Vec<usize>)> {
        let problem = Problem::Outside { binding, word: 0 };
        let case = cases(kernel).swap_remove(at);
        let wrong = Wrong { kernel, at, case, numbers: Numbers::Awkward, problem };
        let found = inputs(&wrong, binding, index);
        let words = |input: &Input| input.values.iter().map(|(word, _)| *word).collect();
        found.iter().map(|input| (input.binding, words(input))).collect()
    }

    #[test]
    fn a_product_depends_on_a_row_of_a_a_column_of_b_and_its_bias() {
        // Case 1: 7×7×7, both transposed, with bias and relu. c[16] is row 2, column 2; A is
        // stored by columns, B by rows.
        let found = indices(&MATMUL_NAIVE, 1, "c", 16);
        assert_eq!(found[0], ("a", vec![2, 9, 16, 23, 30]));
        assert_eq!(found[1], ("b", vec![14, 15, 16, 17, 18]));
        assert_eq!(found[2], ("extra", vec![2]));
    }

    #[test]
    fn numbers_of_the_step_are_found_where_they_matter() {
        let asked = |kernel: &'static Kernel, binding: &'static str| {
            let problem = Problem::Outside { binding, word: 0 };
            let case = cases(kernel).swap_remove(0);
            let step = case.step;
            let wrong = Wrong { kernel, at: 0, case, numbers: Numbers::Awkward, problem };
            (scalars(&wrong, binding, 0), step)
        };
        let (found, step) = asked(&SGD_MOMENTUM, "parameters");
        assert_eq!(found, [("learning_rate", step.learning_rate), ("momentum", step.momentum)]);
        // A velocity doesn't depend on the learning rate.
        let (found, step) = asked(&SGD_MOMENTUM, "velocities");
        assert_eq!(found, [("momentum", step.momentum)]);
        assert_eq!(asked(&ACTIVATION, "y").0, []);
    }

    #[test]
    fn updates_losses_and_elementwise_kernels_are_traced_too() {
        let all = ["gradients", "parameters", "velocities"].map(|name| (name, vec![5]));
        assert_eq!(indices(&SGD_MOMENTUM, 0, "parameters", 5), all);
        assert_eq!(indices(&ACTIVATION, 1, "y", 9), [("x", vec![9])]);
        let loss = indices(&SOFTMAX_LOSS, 1, "metrics", 4);
        assert_eq!(loss, [("logits", vec![20, 21, 22, 23, 24]), ("labels", vec![2])]);
    }
}
