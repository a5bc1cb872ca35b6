//! The check that the cooperative matrices of an adapter agree with the twin.

use crate::error::{Error, Result};
use crate::kernel::Slice;
use crate::table::MATMUL_COOPERATIVE;
use crate::verify::cases::{Case, MakeEngine, cases, check, ready};

/// Runs the kernel on all cases with these tile sizes, and with non-finite values.
///
/// # Errors
/// [`Error::Check`] when it disagrees with the twin, or loses an overflow; as the engine when that fails.
pub(super) fn prove_tiles(
    sizes: &[usize],
    (option, device): (&str, &str),
    make_engine: MakeEngine,
) -> Result<()> {
    let mut cases = cases(&MATMUL_COOPERATIVE);
    cases.retain(|case| sizes.contains(&case.consts.uint("TILE")));
    let problem = check(&MATMUL_COOPERATIVE, &cases, make_engine)?.problem;
    if let Some(problem) = problem {
        return Err(Error::Check(format!(
            "on {device} cooperative matrices disagree with their twin, so begin a new run without \
             ⟨experimental {option}⟩: {problem}"
        )));
    }
    for size in sizes {
        let of_this = cases.iter().filter(|case| case.consts.uint("TILE") == *size);
        let products =
            |case: &&Case| ["M", "N", "K"].map(|name| case.consts.uint(name)).iter().product::<usize>();
        let smallest = of_this.min_by_key(products).expect("there are cases of each tile size");
        if let Some(problem) = lost_overflow(smallest, make_engine)? {
            return Err(Error::Check(format!(
                "on {device} cooperative matrices in tiles of {size} make {problem}, so no overflow would stop an \
                 update: begin a new run without ⟨experimental {option}⟩"
            )));
        }
    }
    Ok(())
}

/// The overflow that is lost, if one is.
///
/// A[0][0] is non-finite, and all other elements of A and B are 1. Then all of C's first row must be non-finite, and all
/// other rows K.
fn lost_overflow(case: &Case, make_engine: MakeEngine) -> Result<Option<&'static str>> {
    const ONES: u32 = 0x3c00_3c00;
    let non_finite = [(0x7c00, "a finite value of an infinity"), (0x7e00, "a finite value of a NaN")];
    let (mut engine, program) = ready(&MATMUL_COOPERATIVE, &[case.clone(), case.clone()], make_engine)?;
    for (at, (bits, problem)) in non_finite.into_iter().enumerate() {
        let [a, b, _, c] = program.steps[at].args[..] else { unreachable!("it has four bindings") };
        let mut values = vec![ONES; a.len];
        // A[0][0] is the lower f16 of the first word, transposed or not.
        values[0] = (ONES & 0xffff_0000) | bits;
        engine.write(a, Slice::Uint(&values))?;
        engine.write(b, Slice::Uint(&vec![ONES; b.len]))?;
        let ticket = engine.submit(at..at + 1, &[case.step], c)?;
        let sums = engine.wait(ticket)?;
        let (first, others) = sums.split_at(case.consts.uint("N"));
        if first.iter().any(|sum| sum.is_finite()) {
            return Ok(Some(problem));
        }
        if others.iter().any(|sum| *sum != case.consts.uint("K") as f32) {
            return Ok(Some("wrong values in rows without a non-finite one"));
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
    fn a_disagreement_is_refused_with_the_case_and_the_difference() {
        let mut seen = Vec::new();
        let mut right = |program: Program| -> Result<Box<dyn Engine>> {
            seen.extend(program.steps.iter().map(|step| step.consts.uint("TILE")));
            Ok(Box::new(CpuEngine::plain(program)?))
        };
        prove_tiles(&[8], (OPTION, "it"), &mut right).unwrap();
        assert!(seen.len() > 3 && seen.iter().all(|size| *size == 8), "{seen:?}");
        // A kernel that forgets to divide by the scale of a packed gradient.
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
            "without experimental = \"cooperative-matrix\"",
            "GRADIENT=true",
            "TILE=16u",
            "the twin says",
            "allowed difference is",
        ] {
            assert!(message.contains(words), "“{words}” is not in “{message}”");
        }
    }

    /// An engine that replaces some results by the largest finite number.
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
    fn a_lost_overflow_is_refused() {
        let prove = |tamed: fn(f32) -> bool| {
            prove_tiles(&[16, 8], (OPTION, "some GPU"), &mut |program| {
                Ok(Box::new(Tame { engine: CpuEngine::plain(program)?, tamed }))
            })
        };
        prove(|_| false).unwrap();
        for (tamed, problem) in [
            (f32::is_infinite as fn(f32) -> bool, "in tiles of 16 make a finite value of an infinity"),
            (f32::is_nan, "make a finite value of a NaN"),
            (|value| value == 8.0, "in tiles of 8 make wrong values in rows without"),
        ] {
            let Err(Error::Check(message)) = prove(tamed) else { panic!("{problem} was not seen") };
            assert!(message.contains("on some GPU") && message.contains(problem), "{message}");
        }
    }
}
