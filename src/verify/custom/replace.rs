//! A reader's kernel in the place of ours in a lowered Program.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use super::CustomKernel;
use super::family::family;
use super::flags::{EXPERIMENTAL, how_to_train};
use super::source::entry_points;
use crate::error::{Error, Result, suggestion};
use crate::kernel::consts;
use crate::kernel::{Consts, Kernel};
use crate::program::{Dispatch, Program};
use crate::table::{self, former};

/// Which kernel of a run was a reader's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomKernelFile {
    #[serde(deserialize_with = "present_name")]
    pub name: String,
    pub path: PathBuf,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

fn present_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(former::kernel(&name).to_owned())
}

impl CustomKernelFile {
    /// Reads `NAME=FILE.wgsl`, as `--kernel` takes it; the file's digest is not known yet.
    ///
    /// # Errors
    /// [`Error::Usage`] when it has another form, or there is no such kernel whose place could be taken.
    pub fn parse(text: &str) -> Result<CustomKernelFile> {
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(Error::Usage(format!("--kernel {text}: expected NAME=FILE.wgsl")));
        };
        let kernel = find(name)?;
        replaceable(kernel)?;
        Ok(CustomKernelFile {
            name: kernel.name.to_owned(),
            path: PathBuf::from(path),
            sha256: String::new(),
        })
    }

    /// The kernel whose contract the file claims to fulfil. For one with several
    /// versions that is the one after which the file's entry point is named.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is no such kernel, or no such file.
    pub fn contract(&self) -> Result<&'static Kernel> {
        let named = find(&self.name)?;
        if family(named) != Some(named.name) {
            return Ok(named);
        }
        Ok(version(&super::read_text(&self.path)?, named))
    }
}

/// The version of a kernel that a shader has the entry point of. What can't be parsed has none; the
/// check says why.
fn version(text: &str, otherwise: &'static Kernel) -> &'static Kernel {
    let versions = table::ALL.iter().copied().filter(|kernel| family(kernel) == family(otherwise));
    let entries = entry_points(text);
    let mut versions = versions.filter(|kernel| entries.iter().any(|entry| entry == kernel.name));
    versions.next().unwrap_or(otherwise)
}

/// The kernel of this name.
///
/// # Errors
/// [`Error::Usage`] with the names that there are.
pub fn find(name: &str) -> Result<&'static Kernel> {
    table::find(name).ok_or_else(|| {
        let names: Vec<&str> = table::ALL.iter().map(|kernel| kernel.name).collect();
        let near = suggestion(name, &names);
        Error::Usage(format!("there is no kernel “{name}”{near}; there are {}", names.join(", ")))
    })
}

/// Checks that a run may have a reader's kernel in the place of this one.
fn replaceable(kernel: &Kernel) -> Result<()> {
    if !kernel.is_cooperative() {
        return Ok(());
    }
    Err(Error::Usage(format!("--kernel {}: {EXPERIMENTAL}; leave it out", kernel.name)))
}

/// Whether a version of ours can take the place of another: all of a family have one contract,
/// but one that asks something of its constants, such as whole fours, can only replace such another.
pub(super) fn fits(own: &Kernel, used: &Dispatch) -> bool {
    let family = family(own).is_some_and(|name| family(used.kernel) == Some(name));
    own.name == used.kernel.name
        || (family && own.subgroup.is_none() && (own.requires)(&constants(own, &used.consts)).is_ok())
}

/// The constants of a dispatch as another version of its kernel takes them: one with a choice of tiles
/// takes the smallest where the other had none to choose.
fn constants(own: &Kernel, used: &Consts) -> Consts {
    let (tile, block) = table::TILES[0];
    let smallest = consts! { TILE: tile, BLOCK: block };
    let value = |name: &&str| used.iter().chain(smallest.iter()).find(|(known, _)| known == name);
    Consts::new(own.consts.iter().filter_map(value).collect())
}

/// Those of our kernels in a Program that make products from f16 and stay there, beside a reader's
/// kernel for products.
pub fn beside(program: &Program, own: &Kernel) -> Vec<&'static str> {
    let of_f16 = [&table::MATMUL_F16, &table::MATMUL_COOPERATIVE];
    let others = match own.name {
        name if name == table::MATMUL_F16.name => &of_f16[1..],
        _ if family(own) == Some(table::MATMUL.name) => &of_f16[..],
        _ => &[],
    };
    // A reader's own version of one of them is not ours.
    let ours = |name| program.steps.iter().any(|used| used.kernel.trusted && used.kernel.name == name);
    others.iter().map(|kernel| kernel.name).filter(|name| ours(*name)).collect()
}

/// What to do where a run never uses a kernel.
fn instead(program: &Program, own: &Kernel, taken_in: bool) -> String {
    if taken_in {
        return "rewrites may take it into a larger kernel, so leave out --rewrites (or rewrites in a recipe)".to_owned();
    }
    let beside = beside(program, own);
    if beside.is_empty() {
        return how_to_train(own).map_or_else(str::to_owned, |flags| format!("try {flags}=FILE"));
    }
    let f16 = (own.name != table::MATMUL_F16.name).then_some("--precision f16");
    let tiles = beside.contains(&table::MATMUL_COOPERATIVE.name).then_some("--experimental");
    let flags: Vec<&str> = f16.into_iter().chain(tiles).collect();
    format!(
        "products that read f16 are made by {}, so leave out {}",
        beside.join(" and "),
        flags.join(" and ")
    )
}

/// Puts a reader's kernel into every dispatch of the kernel that it replaces,
/// and says how many there were. One of a family replaces every version of it.
///
/// # Errors
/// [`Error::Usage`] when no reader's kernel can take its place, or the Program never uses such a kernel,
/// with those that it uses.
///
/// `taken_in` is whether rewrites that were asked for may have taken such dispatches into larger ones.
pub fn replace(program: &mut Program, own: &CustomKernel, taken_in: bool) -> Result<usize> {
    replaceable(own.ours)?;
    let used: BTreeSet<&str> = program.steps.iter().map(|dispatch| dispatch.kernel.name).collect();
    let mut count = 0;
    for dispatch in &mut program.steps {
        if fits(own.ours, dispatch) {
            dispatch.consts = constants(own.ours, &dispatch.consts);
            dispatch.kernel = own.kernel;
            count += 1;
        }
    }
    if count == 0 {
        let used: Vec<&str> = used.into_iter().collect();
        return Err(Error::Usage(format!(
            "--kernel {}: this run never uses it; it uses {}; {}",
            own.ours.name,
            used.join(", "),
            instead(program, own.ours, taken_in)
        )));
    }
    program.validate()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::super::contract::Shader;
    use super::super::leak;
    use super::*;

    use crate::kernel::precision::Precision;
    use crate::network::Network;

    use crate::network::lower::{Lowering, Part, TRAIN, lower};

    use crate::program::rewrite::Rewrites;
    use crate::program::shape::Shape;
    use crate::table::choice::Choice;

    #[test]
    fn a_choice_of_tiles_comes_and_goes_with_the_version_that_has_it() {
        let usual = crate::verify::cases::real(&table::MATMUL_NAIVE).consts;
        let tiled = constants(&table::MATMUL_VECTORS, &usual);
        let names: Vec<&str> = tiled.iter().map(|(name, _)| name).collect();
        assert_eq!(names, table::MATMUL_VECTORS.consts);
        assert_eq!((tiled.uint("TILE"), tiled.uint("BLOCK")), (32, 4));
        assert_eq!(constants(&table::MATMUL_NAIVE, &tiled), usual);
        // One that was chosen stays.
        let chosen = usual.with("TILE", 64usize.into()).with("BLOCK", 8usize.into());
        assert_eq!(constants(&table::MATMUL_VECTORS, &chosen), chosen);
    }

    #[test]
    fn a_kernel_and_its_file_are_named_together() {
        let own = CustomKernelFile::parse("sgd=my/sgd=2.wgsl").unwrap();
        assert_eq!((own.name.as_str(), own.path.to_str()), ("sgd", Some("my/sgd=2.wgsl")));
        let refused = CustomKernelFile::parse("matmul_cooperative=a.wgsl").unwrap_err().to_string();
        assert!(
            refused.contains("--kernel matmul_cooperative: a kernel of yours can't take its place"),
            "{refused}"
        );
        // A former name, in a recipe and in run.json.
        let former = CustomKernelFile::parse("unit_size=a.wgsl").unwrap();
        assert_eq!(former.name, "frobenius_normalise");
        assert_eq!(find("blend").unwrap().name, "newton_schulz");
        let written = serde_json::to_string(&former).unwrap().replace("frobenius_normalise", "unit_size");
        assert!(written.contains("unit_size"), "{written}");
        assert_eq!(serde_json::from_str::<CustomKernelFile>(&written).unwrap(), former);
        for wrong in ["sgd", "sgd=", "=a.wgsl", "sdg=a.wgsl"] {
            assert!(matches!(CustomKernelFile::parse(wrong), Err(Error::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn a_product_is_the_version_that_its_entry_point_names() {
        let named = |text: &str| version(text, &table::MATMUL).name;
        let entry = |head| format!("// fn matmul(\n@compute @workgroup_size(1) {head}) {{}}");
        let found = ["fn matmul_naive(", "fn matmul_naive (", "fn matmul("].map(|head| named(&entry(head)));
        assert_eq!(found, ["matmul_naive", "matmul_naive", "matmul"]);
        // What is no shader is told by the check, as one of the contract that was named.
        assert_eq!(named("no shader"), "matmul");
    }

    /// Ours, as if a reader had written it.
    fn readers(ours: &'static Kernel) -> CustomKernel {
        let shader = Shader { workgroup_size: [64, 1, 1], workgroup_bytes: 0, asks_length: false };
        CustomKernel { ours, kernel: leak(ours, ours.wgsl.to_owned()), shader, digest: String::new() }
    }

    /// A network as a run with a reader's kernel lowers it.
    fn program(network: &str, choice: Choice) -> Program {
        let network: Network = network.parse().unwrap();
        let shapes = network.shapes(&Shape::image(1, 8, 8)).unwrap();
        let lowered = lower(&Lowering {
            parts: vec![Part { name: TRAIN, samples: 8 }],
            choice,
            rewrites: Rewrites::NONE.and(Rewrites::F16),
            ..Lowering::new(&network, &Shape::image(1, 8, 8), shapes.last().unwrap().len(), 8)
        });
        lowered.unwrap().program
    }

    #[test]
    fn products_that_read_f16_are_not_those_of_other_kernels() {
        let f16 = Choice::NAIVE.in_precision(Precision::F16);
        let tiles = f16.with_cooperative(&[8]);
        let [product, of_f16] = [&table::MATMUL_NAIVE, &table::MATMUL_F16].map(readers);
        // Of its layers the last stays in f32, and of the others' tiles of 8 some are not whole.
        let mixed = "dense 16, relu, dense 12, relu, dense 10";
        for (choice, of_product, of_packed) in [
            (Choice::NAIVE, &[][..], None),
            (f16, &["matmul_f16"], Some(&[][..])),
            (tiles, &["matmul_f16", "matmul_cooperative"], Some(&["matmul_cooperative"])),
        ] {
            let mut program = program(mixed, choice);
            assert!(replace(&mut program, &product, false).unwrap() > 0);
            assert_eq!(beside(&program, product.ours), of_product);
            assert_eq!(beside(&program, &table::SGD), [""; 0]);
            assert_eq!(replace(&mut program, &of_f16, false).is_ok(), of_packed.is_some());
            assert_eq!(beside(&program, of_f16.ours), of_packed.unwrap_or_default());
            // What is the reader's as well is not ours.
            assert!(!beside(&program, product.ours).contains(&"matmul_f16"));
        }
        let whole = "dense 16, relu, dense 8";
        for (choice, own, said) in [
            (f16, &product, "products that read f16 are made by matmul_f16, so leave out --precision f16"),
            (tiles, &product, "by matmul_cooperative, so leave out --precision f16 and --experimental"),
            (tiles, &of_f16, "by matmul_cooperative, so leave out --experimental"),
            (Choice::NAIVE, &of_f16, "softmax_loss; try --precision f16 --kernel matmul_f16=FILE"),
        ] {
            let refused = replace(&mut program(whole, choice), own, false).unwrap_err().to_string();
            assert!(refused.ends_with(said) && refused.contains("this run never uses it; "), "{refused}");
        }
    }
}
