//! The race of a class's candidates: each must compute the right result before it may win.

use std::fmt;

use super::runner::{Runner, expected};
use super::work::{Work, work};
use crate::engine::Engine;
use crate::error::Result;
use crate::program::Program;
use crate::table::choice::{Choice, Class, Picks, Variant};

/// A candidate's time, or why it may not win.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The shortest time of its class's work.
    Seconds(f64),
    /// It can't run here, or its result is wrong.
    Refused(String),
}

/// A candidate of a class, and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub class: Class,
    pub variant: Variant,
    pub outcome: Outcome,
}

impl Measured {
    /// Its time in seconds; infinite for a candidate that may not win.
    pub fn seconds(&self) -> f64 {
        match self.outcome {
            Outcome::Seconds(seconds) => seconds,
            Outcome::Refused(_) => f64::INFINITY,
        }
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.outcome {
            Outcome::Seconds(seconds) => write!(f, "{} {:.3} ms", self.variant, seconds * 1e3),
            Outcome::Refused(why) => write!(f, "{} not, as {why}", self.variant),
        }
    }
}

/// The result of a race of one class.
#[derive(Clone, Debug)]
pub struct Race {
    /// The default, unless another is clearly faster.
    pub winner: Variant,
    /// Every candidate that takes the shape of the work.
    pub measured: Vec<Measured>,
}

/// The most rounds, in each of which every candidate is measured once.
const ROUNDS: usize = 4;
/// The factor over the fastest from which a candidate is not measured again.
const HOPELESS: f64 = 1.5;
/// Further rounds of a winner against the default, of which it must win all but one.
const PAIRS: usize = 5;
/// The most time of a winner, as a fraction of the default's, so that noise doesn't decide.
const CLEARLY: f64 = 0.95;

/// Times all candidates of a class in interleaved rounds, on engines that `open` makes.
///
/// First their results are compared with the CPU engine's, for whole numbers so small that every sum is exact in any
/// order. `default` has the kernels of the other classes, and wins unless a candidate is at least 5 % faster.
pub fn race(
    class: Class,
    default: Choice,
    candidates: &[Variant],
    open: &mut dyn FnMut(Program) -> Result<Box<dyn Engine>>,
) -> Race {
    let usual = default.variant(class);
    let recorded =
        |variant: &Variant| (*variant, work(class, default.with(&Picks::default().with(class, *variant))));
    // For a candidate that refuses the shape another kernel would be measured.
    let takes = |(variant, work): &(Variant, Work)| {
        let used = |name| work.program.steps.iter().any(|step| step.kernel.name == name);
        variant.kernel.is_none_or(|kernel| used(kernel.name))
    };
    let mut works: Vec<(Variant, Work)> = candidates.iter().map(recorded).filter(takes).collect();
    if works.len() < 2 {
        return Race { winner: usual, measured: Vec::new() };
    }
    works.sort_by_key(|(variant, _)| *variant != usual);
    let wanted = expected(class);
    let mut best = f64::INFINITY;
    let mut runners: Vec<(Variant, Result<Runner, String>)> = Vec::new();
    for (variant, work) in works {
        let runner =
            wanted.as_ref().map_err(String::clone).and_then(|wanted| Runner::new(work, wanted, open));
        let warm = runner.and_then(|mut runner| runner.warm_up(best * HOPELESS).map(|()| runner));
        best = warm.as_ref().map_or(best, |runner| best.min(runner.least));
        runners.push((variant, warm));
    }
    for round in 0..ROUNDS {
        for (variant, runner) in &mut runners {
            let Ok(ready) = runner else { continue };
            // The others are compared with the default, so it takes part to the end.
            let limit = if *variant == usual { f64::INFINITY } else { best * HOPELESS };
            match ready.measure(round, limit) {
                Ok(()) => best = best.min(ready.least),
                Err(error) => *runner = Err(error),
            }
        }
    }
    let won = winner(usual, &outcomes(class, &runners));
    let winner = if won == usual || confirmed(usual, won, &mut runners) { won } else { usual };
    Race { winner, measured: outcomes(class, &runners) }
}

fn outcomes(class: Class, runners: &[(Variant, Result<Runner, String>)]) -> Vec<Measured> {
    let outcome = |(variant, runner): &(Variant, Result<Runner, String>)| {
        let outcome = match runner {
            Ok(runner) => Outcome::Seconds(runner.least),
            Err(why) => Outcome::Refused(why.clone()),
        };
        Measured { class, variant: *variant, outcome }
    };
    runners.iter().map(outcome).collect()
}

/// Whether a winner clearly beats the default in further rounds, one right after the other.
///
/// On a busy machine the shortest times of both may be from different moments.
fn confirmed(usual: Variant, won: Variant, runners: &mut [(Variant, Result<Runner, String>)]) -> bool {
    let mut once = |wanted: Variant| {
        let runner = runners.iter_mut().find(|(variant, _)| *variant == wanted)?.1.as_mut().ok()?;
        runner.once().ok()
    };
    let rounds = (0..PAIRS).map(|_| match (once(won), once(usual)) {
        (Some(won), Some(usual)) => won < usual * CLEARLY,
        // The default was refused.
        (won, None) => won.is_some(),
        (None, _) => false,
    });
    rounds.filter(|faster| *faster).count() + 1 >= PAIRS
}

/// The fastest candidate, if it is clearly faster than the default; else the default.
fn winner(usual: Variant, measured: &[Measured]) -> Variant {
    let fastest = measured.iter().min_by(|a, b| a.seconds().total_cmp(&b.seconds()));
    let default = measured.iter().find(|one| one.variant == usual).map(Measured::seconds);
    match fastest {
        // A candidate with a right result is better than a default without one.
        Some(fastest) if fastest.seconds() < default.unwrap_or(f64::INFINITY) * CLEARLY => fastest.variant,
        _ => usual,
    }
}

impl Race {
    /// A sentence about refused candidates.
    pub fn problem(&self) -> Option<String> {
        let wrong: Vec<String> = self
            .measured
            .iter()
            .filter(|one| matches!(one.outcome, Outcome::Refused(_)))
            .map(|one| format!("{} {one}", one.class.name()))
            .collect();
        (!wrong.is_empty()).then(|| format!("not chosen: {}", wrong.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::table;

    const REGISTER: Variant = Variant::of(&table::MATMUL_REGISTER);
    const TILED: Variant = Variant::of(&table::MATMUL);

    fn measured(variant: Variant, outcome: Outcome) -> Measured {
        Measured { class: Class::Long, variant, outcome }
    }

    #[test]
    fn only_what_is_clearly_faster_takes_the_defaults_place() {
        let race = |default, other| {
            winner(REGISTER, &[measured(TILED, Outcome::Seconds(other)), measured(REGISTER, default)])
        };
        assert_eq!(race(Outcome::Seconds(1.0), 0.96), REGISTER);
        assert_eq!(race(Outcome::Seconds(1.0), 0.94), TILED);
        assert_eq!(race(Outcome::Seconds(1.0), 2.0), REGISTER);
        // Even a slow one wins where the default is wrong.
        assert_eq!(race(Outcome::Refused("wrong".to_owned()), 2.0), TILED);
        let wrong = measured(TILED, Outcome::Refused("wrong".to_owned()));
        assert_eq!(winner(REGISTER, &[wrong]), REGISTER);
        assert_eq!(winner(REGISTER, &[]), REGISTER);
    }

    /// The CPU engine's sums are exact in any order, so no variant is wrong there.
    #[test]
    fn the_work_of_every_class_is_exact_and_uses_the_variants_that_are_raced() {
        for class in Class::ALL {
            let variants: Vec<Variant> = class.variants().to_vec();
            let race =
                race(class, Choice::NAIVE, &variants, &mut |program| Ok(Box::new(CpuEngine::fast(program)?)));
            assert!(race.measured.len() >= 2, "{class:?}: {race:?}");
            assert!(race.measured.iter().all(|one| one.seconds().is_finite()), "{race:?}");
            assert_eq!(race.problem(), None);
        }
    }

    #[test]
    fn a_class_with_one_candidate_is_not_measured() {
        let race = race(Class::Long, Choice::GPU, &[REGISTER], &mut |_| panic!("nothing is opened"));
        assert_eq!((race.winner, race.measured.len()), (Choice::GPU.variant(Class::Long), 0));
    }
}
