//! The CPU against the GPU on this machine: products, convolutions and training steps on the plain
//! twins, the fast CPU engine and every adapter, side by side in one run.
//!
//! Devices take turns, so that whatever else the machine does meets all of them. What would take too
//! long is left out, and the report says so.

mod ceiling;
mod contender;
pub mod machine;
mod picture;
mod text;
pub mod timing;
pub mod training;
mod verdict;
mod work;

pub use picture::svg;
pub use text::{ceilings, lines};
pub use verdict::verdict;

use serde::Serialize;

use crate::engine::adapter::Device;
use crate::engine::profile::{Profile, Row as ProfileRow};
use crate::engine::stopwatch::Seconds;
use crate::error::{Error, Result};
use crate::program::record::Versions;
use contender::{Contender, contenders};
use machine::{DeviceInfo, Machine};
use timing::{Effort, Turn};
pub use work::left_out_by_quick;
use work::{Work, works};

/// What is measured, and how thoroughly.
#[derive(Clone, Debug)]
pub struct Options {
    /// Each with the shaders that it trains with. The CPU engine stands for itself and for the plain twins.
    pub devices: Vec<(Device, Versions)>,
    /// Only what has all these words in its name.
    pub words: Vec<String>,
    /// Fewer sizes and shorter measurements.
    pub quick: bool,
}

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Sgemm,
    Conv,
    Training,
}

/// All that one run of the bench found out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub machine: Machine,
    pub quick: bool,
    /// What the words chose; everything when there are none.
    pub words: Vec<String>,
    pub devices: Vec<DeviceInfo>,
    pub groups: Vec<Group>,
    /// What to train on which device.
    pub verdict: String,
    /// How long all of it took.
    pub seconds: f64,
}

/// One piece of work, and what each contender makes of it.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    pub name: String,
    pub kind: Kind,
    /// The network of a training step.
    pub network: Option<&'static str>,
    /// Samples of a training step.
    pub batch: Option<usize>,
    pub rows: Vec<Row>,
}

/// One contender at one piece of work.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub contender: String,
    /// Its place in [`Report::devices`].
    pub device: usize,
    /// Whether these are the plain twins, which nobody would train with.
    pub plain: bool,
    pub measured: Option<Measured>,
    /// Why it was not measured.
    pub left_out: Option<String>,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Of one run: a dispatch, or a training step with all that belongs to it.
    pub seconds: Seconds,
    pub samples_per_second: Option<f64>,
    pub dispatches: usize,
    pub seconds_per_dispatch: f64,
    pub gflops: f64,
    /// The time it would take at the device's ceilings, each dispatch at the one that binds it, as a
    /// share of the time that it takes.
    pub share_of_ceiling: Option<f64>,
    /// Where the time goes, by kernel; of training steps only.
    pub profile: Vec<ProfileRow>,
    /// How many steps that is from.
    pub profiled_steps: usize,
    #[serde(skip)]
    pub details: Option<Profile>,
}

/// What happens while a bench runs.
pub enum Event<'a> {
    /// Of so many pieces of work, one begins.
    Began {
        at: usize,
        of: usize,
        what: &'a str,
    },
    /// The ceilings of all devices are known.
    Ceilings(&'a [DeviceInfo]),
    Finished(&'a Group),
}

/// Runs the bench.
///
/// # Errors
/// [`Error::Usage`] when the words choose nothing. A device that fails is left out of what it failed
/// at, and the report says why.
pub fn run(options: &Options, observe: &mut dyn FnMut(Event)) -> Result<Report> {
    let begun = std::time::Instant::now();
    let works = chosen(options)?;
    let mut devices = DeviceInfo::of_all(&options.devices);
    for ((device, versions), info) in options.devices.iter().zip(&mut devices) {
        observe(Event::Began { at: 0, of: works.len() + 1, what: &format!("ceilings of {}", info.name) });
        // An adapter that can't be opened says so at every piece of work.
        info.ceiling = ceiling::measure(&Contender::fast(device, *versions), options.quick).ok();
    }
    observe(Event::Ceilings(&devices));
    let mut contenders = contenders(&options.devices, &devices);
    let mut groups = Vec::new();
    for (at, work) in works.iter().enumerate() {
        observe(Event::Began { at: at + 1, of: works.len() + 1, what: &work.name });
        let group = measure(work, &mut contenders, &devices, Effort::of(work.kind, options.quick));
        observe(Event::Finished(&group));
        groups.push(group);
    }
    Ok(Report {
        machine: Machine::here(),
        quick: options.quick,
        words: options.words.clone(),
        verdict: verdict(&groups),
        devices,
        groups,
        seconds: begun.elapsed().as_secs_f64(),
    })
}

/// Checks that there is something to do, before anything is printed or measured.
///
/// # Errors
/// [`Error::Usage`] when the words choose nothing.
pub fn check(options: &Options) -> Result<()> {
    chosen(options).map(|_| ())
}

/// The work that the words choose.
fn chosen(options: &Options) -> Result<Vec<Work>> {
    let all = works(options.quick);
    let names: Vec<&str> = all.iter().map(|work| work.name.as_str()).collect();
    let listed = names.join("”, “");
    let wants = |name: &str| options.words.iter().all(|word| name.contains(&word.to_lowercase()));
    let problem = || {
        let words = options.words.join(" ");
        Error::Usage(format!("nothing in the bench has “{words}” in its name; there are “{listed}”"))
    };
    let none = !names.iter().any(|name| wants(name));
    if none { Err(problem()) } else { Ok(all.into_iter().filter(|work| wants(&work.name)).collect()) }
}

/// Measures all contenders at one piece of work, in turns.
fn measure(work: &Work, contenders: &mut [Contender], devices: &[DeviceInfo], effort: Effort) -> Group {
    let mut turns: Vec<Result<Turn, String>> =
        contenders.iter_mut().map(|contender| contender.prepare(work, &effort)).collect();
    for round in 0..effort.rounds {
        for turn in &mut turns {
            let failed = turn.as_mut().ok().and_then(|turn| turn.take(round).err());
            if let Some(error) = failed {
                *turn = Err(error.to_string());
            }
        }
    }
    let rows = contenders.iter_mut().zip(turns).map(|(contender, turn)| {
        let measured = turn.and_then(|turn| {
            let ceiling = devices[contender.device].ceiling.as_ref();
            contender.finish(work, turn, ceiling, &effort)
        });
        let (measured, left_out) = match measured {
            Ok(measured) => (Some(measured), None),
            Err(why) => (None, Some(why)),
        };
        Row {
            contender: contender.name.clone(),
            device: contender.device,
            plain: contender.plain,
            measured,
            left_out,
        }
    });
    Group {
        rows: rows.collect(),
        name: work.name.clone(),
        kind: work.kind,
        network: work.network().map(|network| network.name),
        batch: work.batch(),
    }
}
