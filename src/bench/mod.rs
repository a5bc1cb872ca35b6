//! The bench: products, convolutions and training steps on the plain twins, the CPU engine and every adapter.
//!
//! The runs of all contenders are interleaved, so that other load on the machine slows all of them. A workload that
//! would take too long is left out, and the report says so.
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

use crate::error::{Error, Result};
use crate::kernel::threads;
use crate::text::shorten;
use contender::{Contender, contenders};
use machine::{BenchDevice, DeviceInfo, MachineInfo};
use timing::{Effort, Turn};
pub use work::left_out_by_quick;
use work::{Workload, works};

/// The devices, the workloads and the effort of a bench.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The CPU engine brings the plain twins with it.
    pub devices: Vec<BenchDevice>,
    /// Only workloads with all these words in their names.
    pub words: Vec<String>,
    /// Fewer sizes and shorter measurements.
    pub quick: bool,
}

/// An event of a running bench.
pub enum BenchEvent<'a> {
    /// Workload `at` of `of` begins.
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
/// [`Error::Usage`] when no workload has all the words. Where a device fails, the report says why.
pub fn run(options: &BenchOptions, observe: &mut dyn FnMut(BenchEvent)) -> Result<BenchReport> {
    threads::start()?;
    let begun = std::time::Instant::now();
    let works = chosen(options)?;
    let mut devices = DeviceInfo::of_all(&options.devices);
    for (BenchDevice { device, choice }, info) in options.devices.iter().zip(&mut devices) {
        observe(BenchEvent::Began {
            at: 0,
            of: works.len() + 1,
            what: &format!("ceilings of {}", info.name),
        });
        // An adapter that can't be opened gets an error at every workload.
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

/// Checks the words before anything is printed or measured.
///
/// # Errors
/// [`Error::Usage`] when no workload has all of them.
pub fn check(options: &BenchOptions) -> Result<()> {
    chosen(options).map(|_| ())
}

/// The workloads that the words choose.
fn chosen(options: &BenchOptions) -> Result<Vec<Workload>> {
    let all = works(options.quick);
    let names: Vec<&str> = all.iter().map(|work| work.name.as_str()).collect();
    let listed = names.join("”, “");
    let wants = |name: &str| options.words.iter().all(|word| name.contains(&word.to_lowercase()));
    let problem = || {
        let words = shorten(&options.words.join(" "));
        Error::Usage(format!("no workload of the bench has “{words}” in its name; there are “{listed}”"))
    };
    let none = !names.iter().any(|name| wants(name));
    if none { Err(problem()) } else { Ok(all.into_iter().filter(|work| wants(&work.name)).collect()) }
}

/// Measures all contenders at one workload, in interleaved runs.
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
