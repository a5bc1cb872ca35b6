//! The variants of kernels that a command uses, resolved and printed.

use wgrad::Result;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::tune::{Origin, Tuned, Tuning, tuned};

use super::console::{note, quoted};

/// Resolves the tuning of a recipe for a device, and prints measurements.
///
/// With `verbose` it prints the choice as well.
pub fn choose(recipe: &mut Recipe, device: &Device, verbose: bool) -> Result<()> {
    let given = recipe.tuning.clone();
    let found = recipe.resolve_tuning(device, &mut || announce(device))?;
    if let Some(tuned) = &found {
        report(tuned, verbose);
    } else if verbose {
        note(format_args!("tuning  {}", recipe.tuning));
    }
    if matches!((given, device), (Tuning::Fixed(_), Device::Cpu { .. })) {
        note(format_args!(
            "        the tuning is for adapters: the CPU engine has one version of each kernel"
        ));
    }
    Ok(())
}

/// The tuning that training would choose on a device.
pub fn of(device: &Device, verbose: bool) -> Tuned {
    let found = tuned(device, &mut || announce(device));
    report(&found, verbose);
    found
}

fn announce(device: &Device) {
    note(format_args!("tuning  measuring, once, which kernels are fastest on {} …", device.name()));
}

/// Prints the problems and the origin of a tuning.
///
/// The origin is printed if it took time or with `verbose`; the choice only with `verbose`.
fn report(tuned: &Tuned, verbose: bool) {
    for problem in &tuned.problems {
        note(format_args!("        {problem}"));
    }
    match &tuned.origin {
        Origin::Now(seconds, kept) => {
            let kept = kept.as_ref().map_or("not kept, so the next run measures again".to_owned(), |file| {
                format!("kept in {}", quoted(file))
            });
            note(format_args!("        it took {seconds:.1} s; {kept}"));
        }
        Origin::Cache(file) if verbose => {
            note(format_args!("tuning  as measured before, from {}", quoted(file)))
        }
        Origin::Cache(_) | Origin::Cpu => {}
    }
    if verbose {
        tuned.lines().iter().for_each(|line| note(format_args!("        {line}")));
    }
}
