//! The CPU against the GPU on this machine: products, convolutions and training steps on the plain
//! twins, the fast CPU engine and every adapter, side by side in one run.
//!
//! Devices take turns, so that whatever else the machine does meets all of them. What would take too
//! long is left out, and the report says so.
//!
//! May depend on everything but `app`. Read this file first, then `work.rs`, which lists what is measured.

mod ceiling;
mod contender;
pub mod machine;
mod needs;
mod picture;
mod report;
mod text;
pub mod timing;
pub mod training;
mod turns;
mod verdict;
mod work;

pub use picture::svg;
pub use report::{BenchReport, BenchRow, Group, Measurement, WorkKind};
pub use text::{ceilings, lines};
pub use verdict::verdict;

use crate::engine::adapter::Device;
use crate::error::{Error, Result};
use crate::table::choice::Choice;
use contender::{Contender, contenders};
use machine::{DeviceInfo, MachineInfo};
use timing::{Effort, Turn};
pub use work::left_out_by_quick;
use work::{Workload, works};

/// What is measured, and how thoroughly.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Each with the shaders that it trains with. The CPU engine stands for itself and for the plain twins.
    pub devices: Vec<(Device, Choice)>,
    /// Only what has all these words in its name.
    pub words: Vec<String>,
    /// Fewer sizes and shorter measurements.
    pub quick: bool,
}

/// What happens while a bench runs.
pub enum BenchEvent<'a> {
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
pub fn run(options: &BenchOptions, observe: &mut dyn FnMut(BenchEvent)) -> Result<BenchReport> {
    let begun = std::time::Instant::now();
    let works = chosen(options)?;
    let mut devices = DeviceInfo::of_all(&options.devices);
    for ((device, choice), info) in options.devices.iter().zip(&mut devices) {
        observe(BenchEvent::Began {
            at: 0,
            of: works.len() + 1,
            what: &format!("ceilings of {}", info.name),
        });
        // An adapter that can't be opened says so at every piece of work.
        info.ceiling = ceiling::measure(&Contender::fast(device, *choice), options.quick).ok();
    }
    observe(BenchEvent::Ceilings(&devices));
    let mut contenders = contenders(&options.devices, &devices);
    let mut groups = Vec::new();
    for (at, work) in works.iter().enumerate() {
        observe(BenchEvent::Began { at: at + 1, of: works.len() + 1, what: &work.name });
        let group = measure(work, &mut contenders, &devices, Effort::of(work.kind, options.quick));
        observe(BenchEvent::Finished(&group));
        groups.push(group);
    }
    Ok(BenchReport {
        machine: MachineInfo::here(),
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
pub fn check(options: &BenchOptions) -> Result<()> {
    chosen(options).map(|_| ())
}

/// The work that the words choose.
fn chosen(options: &BenchOptions) -> Result<Vec<Workload>> {
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
fn measure(work: &Workload, contenders: &mut [Contender], devices: &[DeviceInfo], effort: Effort) -> Group {
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
        BenchRow {
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
