//! What is tried out: never used unless asked for by name, and proved on the adapter before a run begins.

use std::fmt;
use std::str::FromStr;

use crate::cases::{Case, cases_on, check};
use crate::engine::adapter::Device;
use crate::error::{Error, Result, suggestion};
use crate::kernels::MATMUL_COOPERATIVE;
use crate::lower::Lowered;
use crate::precision::Precision;

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
        const OTHERWISE: &str =
            "leave it out, or name an adapter that can with --device (wgrad devices tells)";
        match (self, device) {
            (Experimental::None, _) => Ok(Vec::new()),
            (_, Device::Cpu { .. }) => {
                Err(refused(&format!("the CPU engine has no cooperative matrices; {OTHERWISE}")))
            }
            (_, Device::Gpu(adapter)) => match device.lacks(&MATMUL_COOPERATIVE) {
                Some(lacking) => {
                    Err(refused(&format!("{} can't, as it {lacking}; {OTHERWISE}", device.name())))
                }
                None => Ok(crate::engine::cooperative::edges(adapter)),
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
        let used = lowered.cooperative_edges();
        if used.is_empty() {
            let least = self.edges(device)?.last().copied().unwrap_or_default();
            let (_, products) = lowered.by_cooperative_matrices();
            let products = if products.is_empty() { "it has none".to_owned() } else { products.join("; ") };
            return Err(refused(&format!(
                "no dense layer of this network has a product whose sizes are all multiples of {least}: {products}; \
                 choose such a batch and such layers, or leave it out",
            )));
        }
        let with_edge = |case: &Case| used.contains(&case.consts.uint("EDGE"));
        let cases: Vec<Case> = cases_on(&MATMUL_COOPERATIVE, device).into_iter().filter(with_edge).collect();
        let verdict = check(&MATMUL_COOPERATIVE, &cases, &mut |program| device.open(program))?;
        match verdict.problem {
            None => Ok(()),
            Some(problem) => Err(Error::Check(format!(
                "on {}, cooperative matrices compute something else than the twin: {problem}; start the run \
                 without --experimental {self}",
                device.name()
            ))),
        }
    }
}
