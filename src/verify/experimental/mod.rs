//! Experimental kernels: used only when the recipe names them, and proved on the adapter first.

mod proof;

use std::fmt;
use std::str::FromStr;

use crate::engine::adapter::Device;
use crate::engine::cooperative;
use crate::error::{Error, Result, suggestion};
use crate::kernel::precision::Precision;
use crate::network::lower::Lowered;
use crate::table::{COOPERATIVE_TILES as SIZES, MATMUL_COOPERATIVE};
use crate::text::shorten;

/// The experimental kernels of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Experimental {
    /// No experimental kernel.
    #[default]
    None,
    /// Cooperative matrices: a whole subgroup multiplies tiles of f16 at once, on adapters that have them.
    ///
    /// They need [f16 precision](Precision::F16). Both factors of a product are f16 then, gradients included; sums are
    /// f32. A product without whole tiles stays as it is.
    CooperativeMatrix(Tiles),
}

/// Tile sizes of cooperative matrices, preferred first.
///
/// The order of a sum depends on them, so a run keeps those that it began with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiles([Option<usize>; SIZES.len()]);

impl Tiles {
    /// All sizes that the adapter has, see [`Experimental::resolve`].
    pub const ANY: Tiles = Tiles([None; SIZES.len()]);

    fn of(sizes: &[usize]) -> Tiles {
        Tiles(std::array::from_fn(|at| sizes.get(at).copied()))
    }

    fn sizes(&self) -> Vec<usize> {
        self.0.iter().flatten().copied().collect()
    }

    /// These sizes, or all that are offered where none are named.
    ///
    /// # Errors
    /// The first size that is not offered.
    fn among(&self, offered: &[usize]) -> Result<Vec<usize>, usize> {
        let sizes = self.sizes();
        match sizes.iter().find(|size| !offered.contains(size)) {
            Some(size) => Err(*size),
            None if sizes.is_empty() => Ok(offered.to_vec()),
            None => Ok(sizes),
        }
    }
}

const NAMES: [&str; 2] = ["none", "cooperative-matrix"];

impl fmt::Display for Experimental {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Experimental::None => f.write_str(NAMES[0]),
            Experimental::CooperativeMatrix(tiles) => {
                f.write_str(NAMES[1])?;
                tiles.sizes().iter().try_for_each(|size| write!(f, " {size}"))
            }
        }
    }
}

impl FromStr for Experimental {
    type Err = Error;

    /// Reads `none`, `cooperative-matrix`, or that with tile sizes, as in `cooperative-matrix 16 8`.
    ///
    /// # Errors
    /// [`Error::Usage`] for anything else.
    fn from_str(text: &str) -> Result<Experimental> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["none"] => Ok(Experimental::None),
            ["cooperative-matrix", sizes @ ..] => tiles(sizes).map(Experimental::CooperativeMatrix),
            _ => Err(Error::Usage(format!(
                "⟨experimental⟩ “{}” is neither none nor cooperative-matrix{}",
                shorten(text.trim()),
                suggestion(text.trim(), &NAMES)
            ))),
        }
    }
}

/// Reads tile sizes.
fn tiles(words: &[&str]) -> Result<Tiles> {
    let size = |word: &&str| word.parse().ok().filter(|size| SIZES.contains(size));
    let sizes: Option<Vec<usize>> = words.iter().map(size).collect();
    match sizes {
        Some(sizes) if (1..sizes.len()).all(|at| !sizes[..at].contains(&sizes[at])) => Ok(Tiles::of(&sizes)),
        _ => Err(Error::Usage(format!(
            "⟨experimental cooperative-matrix⟩ has tiles of 16, of 8 or of both, preferred first, as in \
             “cooperative-matrix 16 8”, and not “{}”: leave them out for those of the adapter",
            shorten(&words.join(" "))
        ))),
    }
}

/// The advice for a device that can't do it, unless a run was begun with it.
const OTHERWISE: &str = "leave it out, or use another ⟨device⟩ that can";

/// An error about the setting.
fn refused(why: &str) -> Error {
    let problem = format!("⟨experimental {}⟩: {why}", Experimental::COOPERATIVE_MATRIX);
    Error::Setting { key: "experimental", problem }
}

impl Experimental {
    /// Cooperative matrices with all tile sizes that the adapter has.
    pub const COOPERATIVE_MATRIX: Experimental = Experimental::CooperativeMatrix(Tiles::ANY);

    /// The setting with the tile sizes of a device, for the recipe.
    ///
    /// # Errors
    /// As [`Experimental::tile_sizes`].
    pub fn resolve(self, device: &Device) -> Result<Experimental> {
        let sizes = self.tile_sizes(device)?;
        Ok(match self {
            Experimental::None => Experimental::None,
            Experimental::CooperativeMatrix(_) => Experimental::CooperativeMatrix(Tiles::of(&sizes)),
        })
    }

    /// Whether `resolved` may be the result of [`Experimental::resolve`].
    pub fn allows(self, resolved: Experimental) -> bool {
        let open = self == Experimental::COOPERATIVE_MATRIX;
        self == resolved || (open && matches!(resolved, Experimental::CooperativeMatrix(_)))
    }

    /// Checks that the precision is one that it needs.
    ///
    /// # Errors
    /// [`Error::Setting`] saying what to add.
    pub fn check(self, precision: Precision) -> Result<()> {
        match (self, precision) {
            (Experimental::CooperativeMatrix(_), Precision::F32) => {
                Err(refused("cooperative matrices multiply f16: add ⟨precision f16⟩, or leave it out"))
            }
            _ => Ok(()),
        }
    }

    /// Tile sizes for products on a device, preferred first; none without cooperative matrices.
    ///
    /// # Errors
    /// [`Error::Setting`] when the device has no cooperative matrices or no tiles of a named size.
    pub fn tile_sizes(self, device: &Device) -> Result<Vec<usize>> {
        self.available(device).map_err(|why| refused(&format!("{why}; {OTHERWISE}")))
    }

    /// As [`Experimental::tile_sizes`], for callers with advice of their own.
    ///
    /// # Errors
    /// The reason alone.
    pub fn available(self, device: &Device) -> Result<Vec<usize>, String> {
        let Experimental::CooperativeMatrix(tiles) = self else { return Ok(Vec::new()) };
        let Device::Gpu(adapter) = device else {
            return Err("the CPU engine has no cooperative matrices".to_owned());
        };
        if let Some(lacking) = device.lacks(&MATMUL_COOPERATIVE) {
            return Err(format!("{} can't, as it {lacking}", device.name()));
        }
        tiles.among(&cooperative::tile_sizes(adapter)).map_err(|size| {
            format!("{} has no tiles of {size}, it offers {}", device.name(), cooperative::offered(adapter))
        })
    }

    /// Checks the kernel on the device, in all cases with the tile sizes of a run.
    ///
    /// # Errors
    /// [`Error::Setting`] when the network has no product for it; [`Error::Check`] when the kernel disagrees with its
    /// twin, with the case and the difference; [`Error::Device`] when the device fails.
    pub fn prove(self, lowered: &Lowered, device: &Device) -> Result<()> {
        if self == Experimental::None {
            return Ok(());
        }
        let (sizes, offered) = (lowered.cooperative_tile_sizes(), self.tile_sizes(device)?);
        if sizes.is_empty() {
            let least = offered.into_iter().min().unwrap_or_default();
            return Err(refused(&nothing_fits(least, &lowered.by_cooperative_matrices().1)));
        }
        let option = Experimental::COOPERATIVE_MATRIX.to_string();
        proof::prove_tiles(&sizes, (&option, &device.name()), &mut |program| device.open(program))
    }
}

/// The reason why a network has no product for it.
fn nothing_fits(least: usize, products: &[String]) -> String {
    const NAMED: usize = 3;
    let named = products.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    let found = match products.len() {
        0 => "has no dense layer".to_owned(),
        count if count <= NAMED => format!("has {named}"),
        count => format!("has {named} and {} more", count - NAMED),
    };
    format!(
        "it needs a dense layer whose ⟨batch_size⟩, inputs and outputs are all multiples of {least}, and this network \
         {found}; choose such sizes, or leave it out"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_read_and_written_and_are_those_of_the_adapter_where_none_are_named() {
        let read = |text: &str| text.parse::<Experimental>();
        for text in ["none", "cooperative-matrix", "cooperative-matrix 8", "cooperative-matrix 16 8"] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for wrong in ["cooperative-matrix 4", "cooperative-matrix 8 8", "cooperative-matrix eight"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("tiles of 16, of 8 or of both"), "{error}");
        }
        assert!(read("none 8").is_err());
        let among = |sizes: &[usize], offered: &[usize]| Tiles::of(sizes).among(offered);
        assert_eq!(among(&[], &[16, 8]), Ok(vec![16, 8]));
        assert_eq!(among(&[8], &[16, 8]), Ok(vec![8]));
        assert_eq!(among(&[16, 8], &[8]), Err(16));
        // A run is resumed with its own tile sizes.
        let [open, eight, sixteen] = ["cooperative-matrix", "cooperative-matrix 8", "cooperative-matrix 16"]
            .map(|text| read(text).unwrap());
        assert!(open.allows(eight) && eight.allows(eight) && Experimental::None.allows(Experimental::None));
        assert!(!open.allows(Experimental::None) && !sixteen.allows(eight) && !eight.allows(open));
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
