//! The custom kernels of a run: their texts, checked and kept.

use std::path::Path;

use wgrad::internals::engine::adapter::Device;
use wgrad::internals::text::shown;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::run::{kept_kernel, read_kernel};
use wgrad::internals::verify::custom::{CustomKernel, CustomKernelFile, ShaderText};
use wgrad::{Error, Result};

use super::supervised;
use crate::app::cli::custom::CheckArgs;
use crate::app::commands::console::note;
use crate::app::commands::weights::with_its_weights;

/// The source of the texts of custom kernels.
#[derive(Clone, Copy)]
pub enum Origin<'a> {
    /// The files that a new run names.
    Files,
    /// A run that is resumed, with the kernels of its record.
    Run { run: &'a Path, recorded: &'a [CustomKernelFile] },
}

/// A checked custom kernel of a run.
pub struct RunKernel {
    pub file: CustomKernelFile,
    pub kernel: CustomKernel,
    /// What the run keeps.
    pub text: String,
}

/// The custom kernels of a run, each checked in a second process.
///
/// # Errors
/// [`Error::Usage`] on the CPU engine, [`Error::Data`] when a resumed run's kernel is lost, else as
/// [`supervised::check`].
pub fn kernels(recipe: &Recipe, device: &Device, origin: Origin, timeout: u64) -> Result<Vec<RunKernel>> {
    if !recipe.kernel.is_empty() && matches!(device, Device::Cpu { .. }) {
        return Err(Error::Usage(
            "--kernel: the CPU engine runs twins, not shaders, so use an adapter (--device gpu)".to_owned(),
        ));
    }
    let mut all: Vec<RunKernel> = Vec::new();
    for setting in &recipe.kernel {
        let named = CustomKernelFile::parse(setting)?;
        if all.iter().any(|known| known.file.name == named.name) {
            return Err(Error::Usage(format!("--kernel {} is given twice, so leave one out", named.name)));
        }
        all.push(checked(named, device, origin, timeout)?);
    }
    Ok(all)
}

fn checked(named: CustomKernelFile, device: &Device, origin: Origin, timeout: u64) -> Result<RunKernel> {
    let text = match origin {
        Origin::Files => ShaderText::read(&named.path)?,
        Origin::Run { run, recorded } => of_run(&named, run, recorded)?,
    };
    let contract = named.contract(&text)?;
    note(format_args!("kernel  {} from {}: checking it against its twin", contract.name, shown(&text.path)));
    let check = CheckArgs {
        file: text.path.clone(),
        kernel: contract.name.to_owned(),
        device: device.name(),
        timeout,
        no_timing: true,
        inside: false,
    };
    supervised::check(&text, &check, false)?;
    let kernel = CustomKernel::of(&text, contract)?;
    let file = CustomKernelFile { sha256: kernel.digest.clone(), ..named };
    Ok(RunKernel { file, kernel, text: text.text })
}

/// The text that a run began with: the one that it keeps, or that of its file if it still is the same.
fn of_run(named: &CustomKernelFile, run: &Path, recorded: &[CustomKernelFile]) -> Result<ShaderText> {
    let name = &named.name;
    let Some(known) = recorded.iter().find(|known| known.name == *name) else {
        return Err(Error::Data(format!(
            "the record of {} does not name the custom kernel {name}, which its recipe has, so begin a new run{}",
            shown(run),
            with_its_weights(run)
        )));
    };
    let path = kept_kernel(run, name);
    let kept = read_kernel(run, name);
    let is_missing = matches!(kept, Ok(None));
    let kept = kept.ok().flatten().map(|text| ShaderText { path: path.clone(), text });
    let original = ShaderText::read(&named.path);
    let is_known = |text: &ShaderText| text.digest() == known.sha256;
    let has_changed = match &original {
        Ok(text) => !is_known(text),
        Err(_) => named.path.exists(),
    };
    if let Some(kept) = kept.filter(is_known) {
        if has_changed {
            note(format_args!(
                "kernel  {} has changed since this run began; the run goes on with the kernel that it began with, kept \
                 in {}",
                shown(&named.path),
                shown(&path)
            ));
        }
        return Ok(kept);
    }
    let fault = if is_missing { "is missing" } else { "is damaged" };
    match original.ok().filter(is_known) {
        Some(original) => {
            // Earlier versions kept no kernels.
            if !is_missing || path.parent().is_some_and(Path::exists) {
                note(format_args!(
                    "kernel  {} {fault}; {} still is the kernel that this run began with, and takes its place",
                    shown(&path),
                    shown(&named.path)
                ));
            }
            Ok(original)
        }
        None => Err(Error::Data(format!(
            "the custom kernel {name} that {} began with is lost: {} {fault}, and {} {}, so restore one of them, or begin a new run{}",
            shown(run),
            shown(&path),
            shown(&named.path),
            if has_changed { "has changed" } else { "is missing too" },
            with_its_weights(run)
        ))),
    }
}
