//! `wgrad bench`: the CPU against the GPU on this machine.

use std::io::IsTerminal;
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wgrad::internals::bench::machine::{BenchDevice, MachineInfo, devices};
use wgrad::internals::bench::{self, BenchEvent, BenchOptions, BenchReport, Group};
use wgrad::internals::data::files::{check_output, write_output};
use wgrad::internals::engine::adapter::{Device, choose};
use wgrad::internals::engine::profile::{Profile, trace};
use wgrad::{Error, Result};

use super::console::{answer, note, quoted};
use crate::app::cli;

pub fn run(arguments: &cli::bench::BenchArgs) -> Result<()> {
    let files = [&arguments.json, &arguments.svg, &arguments.profile];
    files.into_iter().flatten().try_for_each(|path| check_output(path))?;
    let options =
        BenchOptions { devices: Vec::new(), words: arguments.words.clone(), quick: arguments.quick };
    bench::check(&options)?;
    let with_tuning = |device: Device| {
        let choice = device.choice().with(&super::tuning::of(&device, arguments.verbose).choice);
        BenchDevice { device, choice }
    };
    let devices = wanted(&arguments.device)?.into_iter().map(with_tuning).collect();
    let options = BenchOptions { devices, ..options };
    answer(format_args!("{}", MachineInfo::here().line()))?;
    let report = measure(&options)?;
    if arguments.quick && arguments.words.is_empty() {
        answer(format_args!("--quick leaves out {}", bench::left_out_by_quick()))?;
    }
    if let Some(path) = &arguments.profile {
        profiles(&report, path)?;
    }
    answer(format_args!("{}", report.verdict))?;
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|error| Error::Failure(format!("the report can't be written as JSON: {error}")))?;
        write_output(path, text.as_bytes())?;
        note(format_args!("report  {}", quoted(path)));
    }
    if let Some(path) = &arguments.svg {
        write_output(path, bench::svg(&report).as_bytes())?;
        note(format_args!("picture {}", quoted(path)));
    }
    note(format_args!("the bench took {:.0} s", report.seconds));
    Ok(())
}

/// The named devices, each once; all devices when none is named.
fn wanted(names: &[String]) -> Result<Vec<Device>> {
    if names.is_empty() {
        return Ok(devices());
    }
    let mut wanted: Vec<Device> = Vec::new();
    for name in names {
        let device = choose(name)?;
        if !wanted.iter().any(|known| known.is_same(&device)) {
            wanted.push(device);
        }
    }
    Ok(wanted)
}

/// Measures, and prints each group when it is done. On a terminal it shows a bar.
fn measure(options: &BenchOptions) -> Result<BenchReport> {
    let bar = std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:24}  {pos}/{len}  {elapsed}  {wide_msg}");
        bar.set_style(style.expect("a fixed template").progress_chars("█▉▊▋▌▍▎▏ "));
        bar
    });
    let mut written = Ok(());
    let mut print = |lines: Vec<String>| {
        let write = || lines.iter().try_for_each(|line| answer(format_args!("{line}")));
        let result = bar.as_ref().map_or_else(write, |bar| bar.suspend(write));
        if written.is_ok() {
            written = result;
        }
    };
    let report = bench::run(options, &mut |event| match event {
        BenchEvent::Began { at, of, what } => {
            if let Some(bar) = &bar {
                bar.set_length(of as u64);
                bar.set_position(at as u64);
                bar.set_message(what.to_owned());
            }
        }
        BenchEvent::Ceilings(devices) => print(bench::ceilings(devices)),
        BenchEvent::Finished(group) => {
            print(std::iter::once(String::new()).chain(bench::lines(group)).collect());
        }
    });
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    let report = report?;
    written.and_then(|()| answer(format_args!("")))?;
    Ok(report)
}

/// Prints the profile of every contender's training steps, and writes one trace.
fn profiles(report: &BenchReport, path: &Path) -> Result<()> {
    let all: Vec<(String, &Profile)> = report.groups.iter().flat_map(profiles_of).collect();
    for (title, profile) in &all {
        answer(format_args!("{title}\n{}", profile.caption()))?;
        profile.table().iter().try_for_each(|line| answer(format_args!("{line}")))?;
        answer(format_args!(""))?;
    }
    if all.is_empty() {
        note(format_args!("nothing to profile: no training steps were measured"));
        return Ok(());
    }
    write_output(path, trace(all).to_string().as_bytes())?;
    note(format_args!("trace   {} (open it in Perfetto or chrome://tracing)", quoted(path)));
    Ok(())
}

fn profiles_of(group: &Group) -> impl Iterator<Item = (String, &Profile)> {
    group.rows.iter().filter_map(move |row| {
        let profile = row.measured.as_ref()?.details.as_ref()?;
        Some((format!("{} on {}", group.name, row.contender), profile))
    })
}
