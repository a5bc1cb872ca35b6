//! What is tried out: never used unless asked for by name, and proved on the adapter before a run begins.

use std::fmt;
use std::str::FromStr;

use crate::cases::{cases, check};
use crate::engine::Engine;
use crate::engine::adapter::Device;
use crate::engine::cooperative;
use crate::error::{Error, Result, suggestion};
use crate::kernels::MATMUL_COOPERATIVE;
use crate::lower::Lowered;
use crate::precision::Precision;
use crate::program::Program;

/// What of it a run uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Experimental {
    /// Nothing.
    #[default]
    None,
    /// Cooperative matrices: in [half precision](Precision::Half) a whole subgroup multiplies tiles of
    /// halves at once, where the adapter offers that. Both factors of a product are halves then, gradients
    /// among them; sums are in single precision still. A product stays as it is where one of its sizes is
    /// no multiple of the tile's edge.
    CooperativeMatrix,
}

const NAMES: [&str; 2] = ["none", "cooperative-matrix"];

impl fmt::Display for Experimental {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(NAMES[*self as usize])
    }
}

impl FromStr for Experimental {
    type Err = Error;

    /// Reads `none` or `cooperative-matrix`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    fn from_str(text: &str) -> Result<Experimental> {
        match text.trim() {
            "none" => Ok(Experimental::None),
            "cooperative-matrix" => Ok(Experimental::CooperativeMatrix),
            text => Err(Error::Usage(format!(
                "experimental “{}” is neither none nor cooperative-matrix{}",
                text.escape_debug(),
                suggestion(text, &NAMES)
            ))),
        }
    }
}

/// What to do where a device can't do it.
const OTHERWISE: &str = "leave it out, or name an adapter that can with --device (wgrad devices tells); a run that has \
                         begun with it goes on nowhere else";

/// An error about the option, which says what is wrong and what to do.
fn refused(why: &str) -> Error {
    let option = Experimental::CooperativeMatrix;
    Error::Usage(format!("--experimental {option} (or experimental in a recipe): {why}"))
}

impl Experimental {
    /// Checks that it goes with a precision, which takes no device.
    ///
    /// # Errors
    /// [`Error::Usage`] saying what to add.
    pub fn check(self, precision: Precision) -> Result<()> {
        match (self, precision) {
            (Experimental::CooperativeMatrix, Precision::Single) => {
                Err(refused("its matrices are of halves, so add --precision half, or leave it out"))
            }
            _ => Ok(()),
        }
    }

    /// The edges of the tiles that products may be cut into on a device, the preferred one first; none
    /// where it is not asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] when it is, and the device can't do it.
    pub fn edges(self, device: &Device) -> Result<Vec<usize>> {
        match (self, device) {
            (Experimental::None, _) => Ok(Vec::new()),
            (_, Device::Cpu { .. }) => {
                Err(refused(&format!("the CPU engine has no cooperative matrices; {OTHERWISE}")))
            }
            (_, Device::Gpu(adapter)) => match device.lacks(&MATMUL_COOPERATIVE) {
                Some(lacking) => {
                    Err(refused(&format!("{} can't, as it {lacking}; {OTHERWISE}", device.name())))
                }
                None => Ok(cooperative::edges(adapter)),
            },
        }
    }

    /// Proves what a run is going to use of it: the kernel, on the device itself and with the tiles that
    /// the run has, computes in all of its cases what its twin computes.
    ///
    /// # Errors
    /// [`Error::Usage`] when the network has nothing to use it for, [`Error::Check`] when the device computes
    /// something else, with the case and by how much; [`Error::Device`] when it fails.
    pub fn prove(self, lowered: &Lowered, device: &Device) -> Result<()> {
        if self == Experimental::None {
            return Ok(());
        }
        let (edges, offered) = (lowered.cooperative_edges(), self.edges(device)?);
        if edges.is_empty() {
            let least = offered.last().copied().unwrap_or_default();
            return Err(refused(&nothing_fits(least, &lowered.by_cooperative_matrices().1)));
        }
        prove_tiles(&edges, &device.name(), &mut |program| device.open(program))
    }
}

/// Why there is nothing to use it for.
fn nothing_fits(least: usize, products: &[String]) -> String {
    const NAMED: usize = 3;
    let named = products.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let found = match products.len() {
        0 => "has no dense layer".to_owned(),
        count if count <= NAMED => format!("has {named}"),
        count => format!("has {named} and {} more", count - NAMED),
    };
    format!(
        "it needs a dense layer whose batch, inputs and outputs are all multiples of {least}, and this network \
         {found}; choose such sizes, or leave it out"
    )
}

type MakeEngine<'a> = &'a mut dyn FnMut(Program) -> Result<Box<dyn Engine>>;

/// Runs the kernel on those of its cases that have tiles of these edges.
fn prove_tiles(edges: &[usize], device: &str, make_engine: MakeEngine) -> Result<()> {
    let mut cases = cases(&MATMUL_COOPERATIVE);
    cases.retain(|case| edges.contains(&case.consts.uint("EDGE")));
    let problem = check(&MATMUL_COOPERATIVE, &cases, make_engine)?.problem;
    problem.map_or(Ok(()), |problem| {
        let option = Experimental::CooperativeMatrix;
        Err(Error::Check(format!(
            "on {device} cooperative matrices compute something else than their twin, so start the run without \
             --experimental {option}: {problem}"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::CpuEngine;
    use crate::kernel::{Const, Consts};

    #[test]
    fn what_computes_something_else_is_refused_with_the_case_and_by_how_much() {
        let mut seen = Vec::new();
        let mut right = |program: Program| -> Result<Box<dyn Engine>> {
            seen.extend(program.steps.iter().map(|step| step.consts.uint("EDGE")));
            Ok(Box::new(CpuEngine::plain(program)?))
        };
        prove_tiles(&[8], "it", &mut right).unwrap();
        assert!(seen.len() > 3 && seen.iter().all(|edge| *edge == 8), "{seen:?}");
        // One that forgets to divide by what a gradient was packed times.
        let mut wrong = |mut program: Program| -> Result<Box<dyn Engine>> {
            for step in &mut program.steps {
                let forgotten =
                    |(name, value)| (name, if name == "GRADIENT" { Const::from(false) } else { value });
                step.consts = Consts::new(step.consts.iter().map(forgotten).collect());
            }
            Ok(Box::new(CpuEngine::plain(program)?))
        };
        let error = prove_tiles(&[16], "some GPU", &mut wrong).unwrap_err();
        assert_eq!(error.exit_code(), 6);
        let message = error.to_string();
        for words in [
            "on some GPU",
            "without --experimental cooperative-matrix",
            "GRADIENT=true",
            "EDGE=16u",
            "the twin says",
            "allowed is",
        ] {
            assert!(message.contains(words), "“{words}” is not in “{message}”");
        }
    }

    #[test]
    fn a_network_without_whole_tiles_is_told_what_it_has() {
        let products = |count: usize| (0..count).map(|at| format!("{at} dense")).collect::<Vec<_>>();
        let told = [0, 2, 5].map(|count| nothing_fits(8, &products(count)));
        assert!(told[0].contains("multiples of 8, and this network has no dense layer; choose"), "{told:?}");
        assert!(told[1].contains("has 0 dense; 1 dense; choose"), "{told:?}");
        assert!(told[2].contains("has 0 dense; 1 dense; 2 dense and 2 more; choose"), "{told:?}");
    }
}
