//! The proof that an adapter's cooperative matrices compute what the twin computes.

use crate::error::{Error, Result};
use crate::kernel::Slice;
use crate::table::MATMUL_COOPERATIVE;
use crate::verify::cases::{Case, MakeEngine, cases, check, ready};

/// Runs the kernel on those of its cases that have tiles of these sizes, and with infinities and NaN.
///
/// # Errors
/// [`Error::Check`] when it computes something else, or an overflow is lost; as the engine when that fails.
pub(super) fn prove_tiles(
    tile_sizes: &[usize],
    (option, device): (&str, &str),
    make_engine: MakeEngine,
) -> Result<()> {
    let mut cases = cases(&MATMUL_COOPERATIVE);
    cases.retain(|case| tile_sizes.contains(&case.consts.uint("TILE")));
    let problem = check(&MATMUL_COOPERATIVE, &cases, make_engine)?.problem;
    if let Some(problem) = problem {
        return Err(Error::Check(format!(
            "on {device} cooperative matrices compute something else than their twin, so begin a new run without \
             --experimental {option}: {problem}"
        )));
    }
    for tile in tile_sizes {
        let of_this = cases.iter().filter(|case| case.consts.uint("TILE") == *tile);
        let sizes =
            |case: &&Case| ["M", "N", "K"].map(|size| case.consts.uint(size)).iter().product::<usize>();
        let smallest = of_this.min_by_key(sizes).expect("there are cases of each tile size");
        if let Some(problem) = swallowed(smallest, make_engine)? {
            return Err(Error::Check(format!(
                "on {device} cooperative matrices in tiles of {tile} make {problem}, so no overflow would stop an \
                 update: begin a new run without --experimental {option}"
            )));
        }
    }
    Ok(())
}

/// What of an overflow is lost: of A's first row the first number is none, all others are one, and so is
/// all of B. Then nothing of C's first row may be a number, and the others are as they were.
fn swallowed(case: &Case, make_engine: MakeEngine) -> Result<Option<&'static str>> {
    const ONES: u32 = 0x3c00_3c00;
    let non_finite = [(0x7c00, "a number of an infinity"), (0x7e00, "a number of what is none")];
    let (mut engine, program) = ready(&MATMUL_COOPERATIVE, &[case.clone(), case.clone()], make_engine)?;
    for (at, (flaw, problem)) in non_finite.into_iter().enumerate() {
        let [a, b, _, c] = program.steps[at].args[..] else { unreachable!("it has four bindings") };
        let mut flawed = vec![ONES; a.len];
        // The first number of the first row is the first, transposed or not; it is the lower half.
        flawed[0] = (ONES & 0xffff_0000) | flaw;
        engine.write(a, Slice::Uint(&flawed))?;
        engine.write(b, Slice::Uint(&vec![ONES; b.len]))?;
        let ticket = engine.submit(at..at + 1, &[case.step], c)?;
        let sums = engine.wait(ticket)?;
        let (first, others) = sums.split_at(case.consts.uint("N"));
        if first.iter().any(|sum| sum.is_finite()) {
            return Ok(Some(problem));
        }
        if others.iter().any(|sum| *sum != case.consts.uint("K") as f32) {
            return Ok(Some("something wrong of what lies beside an infinity"));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::engine::{Data, Engine, Ticket};
    use crate::kernel::{Const, Consts, Step};
    use crate::program::{Program, View};
    use std::ops::Range;

    const OPTION: &str = "cooperative-matrix";

    #[test]
    fn what_computes_something_else_is_refused_with_the_case_and_by_how_much() {
        let mut seen = Vec::new();
        let mut right = |program: Program| -> Result<Box<dyn Engine>> {
            seen.extend(program.steps.iter().map(|step| step.consts.uint("TILE")));
            Ok(Box::new(CpuEngine::plain(program)?))
        };
        prove_tiles(&[8], (OPTION, "it"), &mut right).unwrap();
        assert!(seen.len() > 3 && seen.iter().all(|tile| *tile == 8), "{seen:?}");
        // One that forgets to divide by what a gradient was packed times.
        let mut wrong = |mut program: Program| -> Result<Box<dyn Engine>> {
            for step in &mut program.steps {
                let forgotten =
                    |(name, value)| (name, if name == "GRADIENT" { Const::from(false) } else { value });
                step.consts = Consts::new(step.consts.iter().map(forgotten).collect());
            }
            Ok(Box::new(CpuEngine::plain(program)?))
        };
        let error = prove_tiles(&[16], (OPTION, "some GPU"), &mut wrong).unwrap_err();
        assert_eq!(error.exit_code(), 6);
        let message = error.to_string();
        for words in [
            "on some GPU",
            "without --experimental cooperative-matrix",
            "GRADIENT=true",
            "TILE=16u",
            "the twin says",
            "allowed is",
        ] {
            assert!(message.contains(words), "“{words}” is not in “{message}”");
        }
    }

    /// An engine that has a number wherever a kernel leaves something else.
    struct Tame {
        engine: CpuEngine<f32>,
        tamed: fn(f32) -> bool,
    }

    impl Engine for Tame {
        fn write(&mut self, to: View, data: Slice<f32>) -> Result<()> {
            self.engine.write(to, data)
        }

        fn submit(&mut self, steps: Range<usize>, scalars: &[Step], result: View) -> Result<Ticket> {
            self.engine.submit(steps, scalars, result)
        }

        fn wait(&mut self, ticket: Ticket) -> Result<Vec<f32>> {
            let tame = |value: f32| if (self.tamed)(value) { f32::MAX } else { value };
            Ok(self.engine.wait(ticket)?.into_iter().map(tame).collect())
        }

        fn read(&mut self, from: View) -> Result<Data> {
            self.engine.read(from)
        }
    }

    #[test]
    fn what_makes_a_number_of_an_overflow_is_refused() {
        let prove = |tamed: fn(f32) -> bool| {
            prove_tiles(&[16, 8], (OPTION, "some GPU"), &mut |program| {
                Ok(Box::new(Tame { engine: CpuEngine::plain(program)?, tamed }))
            })
        };
        prove(|_| false).unwrap();
        for (tamed, problem) in [
            (f32::is_infinite as fn(f32) -> bool, "in tiles of 16 make a number of an infinity"),
            (f32::is_nan, "make a number of what is none"),
            (|value| value == 8.0, "in tiles of 8 make something wrong of what lies beside"),
        ] {
            let Err(Error::Check(message)) = prove(tamed) else { panic!("{problem} was not seen") };
            assert!(message.contains("on some GPU") && message.contains(problem), "{message}");
        }
    }
}
