//! The fastest variants of kernels on an adapter, measured there once and kept in a cache.
//!
//! Every [`Class`] of work has several [`Variant`]s, of which some are worth measuring on a kind of adapter. Each is
//! timed on one shape of the class, from a reference network, and its result is checked before it may win. A run's
//! recipe has the [`Picks`], so the run can be repeated to the bit; [`Device::choice`] is the choice without
//! measurements.
//!
//! ```no_run
//! use wgrad::internals::{engine::adapter::choose, tune};
//!
//! let device = choose("gpu")?;
//! // The first call on this machine takes a second or two, the next ones nothing.
//! let tuned = tune::tuned(&device, &mut || eprintln!("measuring …"));
//! let choice = device.choice().with(&tuned.choice);
//! # Ok::<(), wgrad::Error>(())
//! ```
//!
//! May depend on everything up to `report`; knows no recipes and no runs. Read this file first, then `race.rs`.

mod cache;
#[cfg(test)]
mod patience;
mod race;
mod runner;
mod work;

pub use race::{Measured, Outcome, Race, race};
pub(crate) use work::{Work, plain_product};

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::engine::adapter::{Device, is_software};
use crate::error::{Error, Result, suggestion};
use crate::table::choice::{Choice, Class, Picks, Variant};
use crate::text::shorten;

/// The variants of a run, as a recipe names them.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Tuning {
    /// The fastest on the device: see [`tuned`].
    #[default]
    Auto,
    /// The variants of [`Device::choice`].
    Default,
    /// These, and those of [`Device::choice`] for the other classes.
    Fixed(Picks),
}

/// The words for a choice without a list.
const AUTO: &str = "auto";
const DEFAULT: &str = "default";

impl fmt::Display for Tuning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Tuning::Auto => f.write_str(AUTO),
            Tuning::Default => f.write_str(DEFAULT),
            Tuning::Fixed(choice) => choice.fmt(f),
        }
    }
}

impl FromStr for Tuning {
    type Err = Error;

    /// Reads `auto`, `default`, or a choice.
    ///
    /// # Errors
    /// As for a choice.
    fn from_str(text: &str) -> Result<Tuning> {
        match text.trim() {
            AUTO => Ok(Tuning::Auto),
            DEFAULT => Ok(Tuning::Default),
            // One word can't be a class with its variant.
            word if !word.contains([' ', ',']) => Err(Error::Usage(format!(
                "tuning “{}” is neither auto nor default{}, nor variants by class, as in “large matmul_register”",
                shorten(word),
                suggestion(word, &[AUTO, DEFAULT])
            ))),
            choice => choice.parse().map(Tuning::Fixed),
        }
    }
}

impl Tuning {
    /// The choice on a device; `auto` is the default until it is resolved.
    ///
    /// # Errors
    /// [`Error::Usage`] when the device can't run one of them.
    pub fn choice(&self, device: &Device) -> Result<Choice> {
        match (self, device) {
            // A choice is for shaders; the CPU engine has its own functions.
            (_, Device::Cpu { .. }) | (Tuning::Auto | Tuning::Default, _) => Ok(device.choice()),
            (Tuning::Fixed(choice), _) => match cannot_run(choice, device) {
                None => Ok(device.choice().with(choice)),
                Some((class, variant)) => Err(Error::Usage(format!(
                    "⟨tuning⟩ says {} {variant}, but {} can't run that: use ⟨tuning auto⟩, which measures this \
                     device, or name another variant",
                    class.name(),
                    device.name()
                ))),
            },
        }
    }

    /// Whether a device can run all variants that it names.
    pub fn runs_on(&self, device: &Device) -> bool {
        match self {
            Tuning::Fixed(choice) => cannot_run(choice, device).is_none(),
            Tuning::Auto | Tuning::Default => true,
        }
    }
}

/// The first variant of a choice that a device can't run.
fn cannot_run(choice: &Picks, device: &Device) -> Option<(Class, Variant)> {
    choice.iter().find(|(_, variant)| !runs(variant, device))
}

fn runs(variant: &Variant, device: &Device) -> bool {
    variant.kernel.is_none_or(|kernel| device.runs(kernel))
}

/// The variants of a class that are worth measuring on a device.
pub fn candidates(class: Class, device: &Device) -> Vec<Variant> {
    let Device::Gpu(adapter) = device else { return Vec::new() };
    let software = is_software(&adapter.get_info());
    let worth = |variant: &Variant| if software { variant.on_software } else { variant.on_gpus };
    let variants = class.variants().iter().filter(|variant| worth(variant) && runs(variant, device));
    variants.copied().collect()
}

/// The fastest variants on a device.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// For every class; the CPU engine doesn't use it.
    pub choice: Picks,
    pub origin: Origin,
    /// The time of every candidate, by class.
    pub measured: Vec<Measured>,
    /// Problems on the way, in sentences.
    pub problems: Vec<String>,
}

/// The origin of a choice.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// The CPU engine, which has nothing to choose.
    Cpu,
    /// Measured by an earlier run.
    Cache(PathBuf),
    /// Measured just now: the seconds, and the cache, if it could be written.
    Now(f64, Option<PathBuf>),
}

/// The longest wait at the start of a run.
///
/// The class that is being measured then is finished.
///
/// Some drivers take seconds to compile a shader.
const PATIENCE: Duration = Duration::from_secs(30);

/// The sentence about classes that were not measured in time.
fn unmeasured(classes: &[Class]) -> String {
    let names: Vec<&str> = classes.iter().map(|class| class.name()).collect();
    format!(
        "measuring the kernels takes long here, so this run has the default for {}; the next run measures on",
        names.join(", ")
    )
}

/// The fastest variants on a device: from the cache, else measured and kept there.
///
/// `before` is called before it measures. Classes that could not be measured, or not within half a minute, get the
/// default; problems with the cache or a variant are in the result.
pub fn tuned(device: &Device, before: &mut dyn FnMut()) -> Tuned {
    let mut problems = Vec::new();
    let (key, file) = match (cache::Key::of(device), cache::file()) {
        (Some(key), file) => (key, file),
        (None, _) => return Tuned::cpu(device),
    };
    let mut known = cache::Known::default();
    match file.as_deref().map(|file| cache::load(file, &key)) {
        Some(Ok(Some(found))) if cannot_run(&found.0, device).is_none() => known = found,
        Some(Err(problem)) => problems.push(problem),
        _ => {}
    }
    if known.0.is_complete() {
        let (origin, (choice, measured)) = (Origin::Cache(file.unwrap_or_default()), known);
        return Tuned { choice, origin, measured, problems };
    }
    before();
    Tuned { problems, ..Tuned::default(device) }.measure(device, file, &key, known, PATIENCE)
}

/// The fastest variants on a device, always measured, and kept in the cache.
///
/// After `patience` no further class is begun, and the problems say so.
pub fn measure(device: &Device, patience: Duration) -> Tuned {
    match cache::Key::of(device) {
        Some(key) => {
            Tuned::default(device).measure(device, cache::file(), &key, Default::default(), patience)
        }
        None => Tuned::cpu(device),
    }
}

/// The cached choice of a device, without measuring.
///
/// # Errors
/// A sentence about what is wrong with the cache.
pub fn cached(device: &Device) -> Result<Option<Picks>, String> {
    match (cache::Key::of(device), cache::file()) {
        (Some(key), Some(file)) => {
            Ok(cache::load(&file, &key)?.map(|(choice, _)| choice).filter(Picks::is_complete))
        }
        _ => Ok(None),
    }
}

impl Tuned {
    fn default(device: &Device) -> Tuned {
        let choice = device.choice().picks();
        Tuned { choice, origin: Origin::Now(0.0, None), measured: Vec::new(), problems: Vec::new() }
    }

    fn cpu(device: &Device) -> Tuned {
        Tuned { origin: Origin::Cpu, ..Tuned::default(device) }
    }

    /// Measures the classes that aren't known; after `patience` no further one is begun.
    fn measure(
        mut self,
        device: &Device,
        file: Option<PathBuf>,
        key: &cache::Key,
        (mut known, measured): cache::Known,
        patience: Duration,
    ) -> Tuned {
        let begun = Instant::now();
        let default = device.choice();
        self.measured = measured;
        let mut left = Vec::new();
        for class in Class::ALL {
            if known.get(class).is_some() {
                continue;
            }
            if begun.elapsed() >= patience {
                left.push(class);
                continue;
            }
            let candidates = candidates(class, device);
            let race = race(class, default, &candidates, &mut |program| device.open(program));
            known = known.with(class, race.winner);
            self.problems.extend(race.problem());
            self.measured.extend(race.measured);
        }
        self.choice = default.with(&known).picks();
        self.problems.extend((!left.is_empty()).then(|| unmeasured(&left)));
        let seconds = begun.elapsed().as_secs_f64();
        // A device that runs nothing has nothing to keep.
        let ran = self.measured.iter().any(|one| matches!(one.outcome, Outcome::Seconds(_)));
        let kept = file.filter(|_| ran).and_then(|file| {
            let stored = cache::store(&file, key, &known, &self.measured);
            stored.map_err(|problem| self.problems.push(problem)).is_ok().then_some(file)
        });
        Tuned { origin: Origin::Now(seconds, kept), ..self }
    }

    /// The choice with the times of all candidates, a line for each class.
    pub fn lines(&self) -> Vec<String> {
        let of_class = |(class, variant): (Class, Variant)| {
            let mut all: Vec<&Measured> = self.measured.iter().filter(|one| one.class == class).collect();
            // The winner first, then the faster ones.
            all.sort_by(|a, b| {
                (a.variant != variant, a.seconds())
                    .partial_cmp(&(b.variant != variant, b.seconds()))
                    .unwrap_or(std::cmp::Ordering::Equal)
            });
            let times: Vec<String> = all.iter().map(|one| one.to_string()).collect();
            let times = if times.is_empty() { variant.to_string() } else { times.join(", ") };
            format!("{:<13}{times}", class.name())
        };
        self.choice.iter().map(of_class).collect()
    }
}
