//! Replacing built-in kernels in a lowered Program by custom ones.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use super::family::family;
use super::former::with_present_names;
use super::settings::{EXPERIMENTAL, name_in_settings, needed_settings};
use super::{CustomKernel, ShaderText};
use crate::error::{Error, Result, suggestion};
use crate::kernel::consts;
use crate::kernel::{Consts, Kernel, words};
use crate::program::{Dispatch, Program};
use crate::table::{self, former};
use crate::text::shorten;

/// The file of a custom kernel in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomKernelFile {
    /// The kernel that it replaces.
    #[serde(deserialize_with = "present_name")]
    pub name: String,
    pub path: PathBuf,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

fn present_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    Ok(former::kernel(&name).to_owned())
}

impl CustomKernelFile {
    /// Reads `NAME=FILE.wgsl`, the setting `kernel`; the digest stays empty.
    ///
    /// # Errors
    /// [`Error::Usage`] when it has another form or there is no such kernel; [`Error::Setting`] when the kernel can't be
    /// replaced.
    pub fn parse(text: &str) -> Result<CustomKernelFile> {
        let Some((name, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
            return Err(Error::Usage(format!("⟨kernel⟩ “{}”: expected NAME=FILE.wgsl", shorten(text))));
        };
        let kernel = find(name)?;
        replaceable(kernel)?;
        Ok(CustomKernelFile {
            name: kernel.name.to_owned(),
            path: PathBuf::from(path),
            sha256: String::new(),
        })
    }

    /// The kernel whose contract the file must fulfil.
    ///
    /// For a kernel with several variants it is the one that the text's entry point is named after.
    ///
    /// # Errors
    /// [`Error::Usage`] when there is no such kernel.
    pub fn contract(&self, text: &ShaderText) -> Result<&'static Kernel> {
        let named = find(&self.name)?;
        if family(named) != Some(named.name) {
            return Ok(named);
        }
        Ok(variant(text.wgsl(), named))
    }
}

/// The variant of a kernel that a shader has the entry point of, else `otherwise`.
fn variant(text: &str, otherwise: &'static Kernel) -> &'static Kernel {
    let variants = table::ALL.iter().copied().filter(|kernel| family(kernel) == family(otherwise));
    // A shader with former names is parsed with the present ones.
    let text = with_present_names(text, otherwise);
    let entries = entry_points(&text);
    let mut variants =
        variants.filter(|kernel| entries.iter().any(|entry| former::kernel(entry) == kernel.name));
    variants.next().unwrap_or(otherwise)
}

/// The names of the functions that are marked as entry points.
///
/// They are found without parsing: nothing has checked yet that the text can be parsed in this process.
fn entry_points(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut before, mut marked) = ("", false);
    for (_, word) in words(text) {
        if (before, word) == ("@", "compute") {
            marked = true;
        } else if before == "fn" {
            found.extend(marked.then_some(word));
            marked = false;
        }
        before = word;
    }
    found
}

/// The kernel of this name.
///
/// # Errors
/// [`Error::Usage`] with the names that there are.
pub fn find(name: &str) -> Result<&'static Kernel> {
    table::find(name).ok_or_else(|| {
        let names: Vec<&str> = table::ALL.iter().map(|kernel| kernel.name).collect();
        let near = suggestion(name, &names);
        Error::Usage(format!(
            "there is no kernel “{name}”{near}; there are {}",
            names.join(", "),
            name = shorten(name)
        ))
    })
}

/// Checks that a run may replace this kernel.
fn replaceable(kernel: &Kernel) -> Result<()> {
    if !kernel.is_cooperative() {
        return Ok(());
    }
    Err(refused(kernel, format!("{EXPERIMENTAL}; leave it out")))
}

/// An error about the setting `kernel`.
fn refused(kernel: &Kernel, why: String) -> Error {
    Error::Setting { key: "kernel", problem: format!("⟨kernel {}⟩: {why}", kernel.name) }
}

/// Whether a custom version of this variant can replace the kernel of a dispatch.
///
/// All variants of a family have one contract. A variant with requirements, such as sizes that are multiples of four,
/// only replaces one where they hold.
pub(super) fn fits(custom: &Kernel, used: &Dispatch) -> bool {
    let family = family(custom).is_some_and(|name| family(used.kernel) == Some(name));
    custom.name == used.kernel.name
        || (family
            && custom.subgroup.is_none()
            && (custom.requires)(&constants(custom, &used.consts)).is_ok())
}

/// The constants of a dispatch for another variant of its kernel.
///
/// A variant with a choice of tiles gets the smallest where the other had no choice.
fn constants(custom: &Kernel, used: &Consts) -> Consts {
    let (tile, block) = table::TILES[0];
    let smallest = consts! { TILE: tile, BLOCK: block };
    let value = |name: &&str| used.iter().chain(smallest.iter()).find(|(known, _)| known == name);
    Consts::new(custom.consts.iter().filter_map(value).collect())
}

/// The built-in kernels for products of f16 that a custom kernel leaves in a Program.
pub fn built_in_f16_products(program: &Program, custom: &Kernel) -> Vec<&'static str> {
    let of_f16 = [&table::MATMUL_F16, &table::MATMUL_COOPERATIVE];
    let others = match custom.name {
        name if name == table::MATMUL_F16.name => &of_f16[1..],
        _ if family(custom) == Some(table::MATMUL.name) => &of_f16[..],
        _ => &[],
    };
    let built_in = |name| program.steps.iter().any(|used| used.kernel.trusted && used.kernel.name == name);
    others.iter().map(|kernel| kernel.name).filter(|name| built_in(*name)).collect()
}

/// Advice for a run that never uses a kernel.
fn advice(program: &Program, custom: &Kernel, rewritten: bool) -> String {
    let others = built_in_f16_products(program, custom);
    if others.is_empty() {
        let needed = match needed_settings(custom) {
            Ok(needed) => needed,
            Err(why) => return why.to_owned(),
        };
        let instead = rewritten && needed.iter().all(|setting| setting.key != "rewrites");
        let without =
            if instead { " without ⟨rewrites⟩, which may fuse it into a larger kernel" } else { "" };
        let settings: String = needed.iter().map(|setting| format!("{setting} ")).collect();
        return format!("try {settings}⟨kernel {}=FILE⟩{without}", name_in_settings(custom));
    }
    let precision = (custom.name != table::MATMUL_F16.name).then_some("⟨precision f16⟩");
    let tiles = others.contains(&table::MATMUL_COOPERATIVE.name).then_some("⟨experimental⟩");
    let settings: Vec<&str> = precision.into_iter().chain(tiles).collect();
    format!("products of f16 are made by {}, so leave out {}", others.join(" and "), settings.join(" and "))
}

/// Replaces a kernel by a custom one in every dispatch, and returns their number.
///
/// A custom kernel of a family replaces every variant of it. `rewritten` is whether the user chose rewrites, which may
/// have fused such dispatches.
///
/// # Errors
/// [`Error::Setting`] when the kernel can't be replaced, or the Program never uses it (with the kernels that it uses).
pub fn replace(program: &mut Program, custom: &CustomKernel, rewritten: bool) -> Result<usize> {
    replaceable(custom.ours)?;
    let used: BTreeSet<&str> = program.steps.iter().map(|dispatch| dispatch.kernel.name).collect();
    let mut count = 0;
    for dispatch in &mut program.steps {
        if fits(custom.ours, dispatch) {
            dispatch.consts = constants(custom.ours, &dispatch.consts);
            dispatch.kernel = custom.kernel;
            count += 1;
        }
    }
    if count == 0 {
        let used: Vec<&str> = used.into_iter().collect();
        let advice = advice(program, custom.ours, rewritten);
        return Err(refused(
            custom.ours,
            format!("this run never uses it; it uses {}; {advice}", used.join(", ")),
        ));
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
    fn a_choice_of_tiles_comes_and_goes_with_the_variant_that_has_it() {
        let usual = crate::verify::cases::real(&table::MATMUL_NAIVE).consts;
        let tiled = constants(&table::MATMUL_VECTORS, &usual);
        let names: Vec<&str> = tiled.iter().map(|(name, _)| name).collect();
        assert_eq!(names, table::MATMUL_VECTORS.consts);
        assert_eq!((tiled.uint("TILE"), tiled.uint("BLOCK")), (32, 4));
        assert_eq!(constants(&table::MATMUL_NAIVE, &tiled), usual);
        // Chosen tiles stay.
        let chosen = usual.with("TILE", 64usize.into()).with("BLOCK", 8usize.into());
        assert_eq!(constants(&table::MATMUL_VECTORS, &chosen), chosen);
    }

    #[test]
    fn a_kernel_and_its_file_are_named_together() {
        let custom = CustomKernelFile::parse("sgd=my/sgd=2.wgsl").unwrap();
        assert_eq!((custom.name.as_str(), custom.path.to_str()), ("sgd", Some("my/sgd=2.wgsl")));
        let refused = CustomKernelFile::parse("matmul_cooperative=a.wgsl").unwrap_err().to_string();
        assert!(
            refused.contains("kernel = \"matmul_cooperative\": a custom kernel can't replace it"),
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
    fn a_product_is_the_variant_that_its_entry_point_names() {
        let named = |text: &str| variant(text, &table::MATMUL).name;
        let entry = |head| format!("// fn matmul(\n@compute @workgroup_size(1) {head}) {{}}");
        let found = ["fn matmul_naive(", "fn matmul_naive (", "fn matmul("].map(|head| named(&entry(head)));
        assert_eq!(found, ["matmul_naive", "matmul_naive", "matmul"]);
        let former = "fn matmul_naive() { let slope = activation_slope(1u, 0.5, 2.0);".to_owned();
        assert_eq!(named(&format!("@compute @workgroup_size(1) {former} }}")), "matmul_naive");
        // The check reports a text that is no shader.
        assert_eq!(named("no shader"), "matmul");
    }

    #[test]
    fn entry_points_are_found_however_they_are_written() {
        let entry = |head: &str| format!("@compute @workgroup_size(1) {head} {{}}");
        for head in ["fn sgd()", "fn sgd ()", "fn\n sgd\n()", "/* fn no */ fn /* of */ sgd()"] {
            assert_eq!(entry_points(&entry(head)), ["sgd"], "{head}");
        }
        assert_eq!(
            entry_points("@workgroup_size(1) @ compute fn a() {} fn b() {} @compute fn c() {}"),
            ["a", "c"]
        );
        // Words in comments and plain functions are no entry points.
        assert!(entry_points("// @compute fn sgd()\nfn sgd() {}").is_empty());
        assert!(entry_points("no shader").is_empty());
    }

    /// A custom kernel with the shader of the built-in one.
    fn copy(ours: &'static Kernel) -> CustomKernel {
        let shader = Shader { workgroup_size: [64, 1, 1], workgroup_bytes: 0, asks_length: false };
        CustomKernel { ours, kernel: leak(ours, ours.wgsl.to_owned()), shader, digest: String::new() }
    }

    /// A network as a run with a custom kernel lowers it.
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
    fn products_of_f16_are_not_those_of_other_kernels() {
        let f16 = Choice::NAIVE.in_precision(Precision::F16);
        let tiles = f16.with_cooperative(&[8]);
        let [product, of_f16] = [&table::MATMUL_NAIVE, &table::MATMUL_F16].map(copy);
        // The last layer stays in f32, and some sizes of the others are no multiple of 8.
        let mixed = "dense 16, relu, dense 12, relu, dense 10";
        for (choice, beside_product, beside_f16) in [
            (Choice::NAIVE, &[][..], None),
            (f16, &["matmul_f16"], Some(&[][..])),
            (tiles, &["matmul_f16", "matmul_cooperative"], Some(&["matmul_cooperative"])),
        ] {
            let mut program = program(mixed, choice);
            assert!(replace(&mut program, &product, false).unwrap() > 0);
            assert_eq!(built_in_f16_products(&program, product.ours), beside_product);
            assert_eq!(built_in_f16_products(&program, &table::SGD), [""; 0]);
            assert_eq!(replace(&mut program, &of_f16, false).is_ok(), beside_f16.is_some());
            assert_eq!(built_in_f16_products(&program, of_f16.ours), beside_f16.unwrap_or_default());
            // A custom kernel is not built in.
            assert!(!built_in_f16_products(&program, product.ours).contains(&"matmul_f16"));
        }
        let whole = "dense 16, relu, dense 8";
        for (choice, custom, said) in [
            (f16, &product, "products of f16 are made by matmul_f16, so leave out ⟨precision f16⟩"),
            (tiles, &product, "by matmul_cooperative, so leave out ⟨precision f16⟩ and ⟨experimental⟩"),
            (tiles, &of_f16, "by matmul_cooperative, so leave out ⟨experimental⟩"),
            (Choice::NAIVE, &of_f16, "softmax_loss; try ⟨precision f16⟩ ⟨kernel matmul_f16=FILE⟩"),
        ] {
            let refused = replace(&mut program(whole, choice), custom, false).unwrap_err();
            let refused = refused.marked();
            assert!(refused.ends_with(said) && refused.contains("this run never uses it; "), "{refused}");
        }
    }
}
