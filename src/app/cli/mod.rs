//! The command line: flags to typed options, nothing else.

pub mod bench;
pub mod custom;
pub mod data;
mod import;
mod lesson;
mod numbers;
mod runs;
mod settings;
pub mod shell;
mod train;
mod trained;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

pub use import::ImportArgs;
pub use lesson::LessonArgs;
use numbers::from_one;
pub use runs::{ListArgs, RunsArgs, RunsCommand, Sort};
pub use settings::{Reading, SettingFlags};
pub use train::{LrFindArgs, TrainArgs};
pub use trained::{EvalArgs, ExplainArgs, PredictArgs, SummaryArgs};

/// Train neural networks with WGSL compute shaders, on any GPU.
#[derive(Parser, Debug)]
#[command(version, bin_name = "wgrad", max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// The words of the command line, with `-0.5` for `-.5`, which would be taken for a flag.
pub fn words() -> impl Iterator<Item = OsString> {
    with_zeros(std::env::args_os())
}

fn with_zeros(words: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut are_values = false;
    words.map(move |word| {
        are_values |= word == "--";
        let fraction = word
            .to_str()
            .filter(|text| !are_values && text.parse::<f64>().is_ok())
            .and_then(|text| text.strip_prefix("-."));
        fraction.map(|digits| format!("-0.{digits}").into()).unwrap_or(word)
    })
}

/// The flags with which stdout is JSON.
const JSON_FLAGS: [&str; 3] = ["--json", "--json-lines", "--jsonl"];

/// True if the words ask for JSON, even where they can't be parsed.
pub fn ask_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let mut flags = words.take_while(|word| word != "--");
    flags.any(|word| JSON_FLAGS.iter().any(|flag| word == *flag))
}

/// The long flags of the command that these words begin with, without their hyphens; none if they begin with no command.
pub fn flags(mut words: impl Iterator<Item = OsString>) -> Option<Vec<String>> {
    let all = Cli::command();
    let mut command = all.find_subcommand(words.next()?)?;
    for word in words {
        let Some(found) = command.find_subcommand(word) else { break };
        command = found;
    }
    Some(command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)).collect())
}

const EXAMPLES: &str = "\
Examples:
  wgrad train                         learn the built-in handwritten digits
  wgrad train mnist --epochs 3        learn MNIST
  wgrad train --resume runs/mnist-001 resume a run that was stopped or killed
  wgrad eval runs/mnist-001           measure it on held-out images
  wgrad predict runs/mnist-001 3.png  classify pictures
  wgrad data photos                   show what a folder of pictures holds
  wgrad lesson                        see how learning works, number by number
  wgrad doctor                        check every shader on this machine
  wgrad bench                         time the CPU against the GPU

Exit codes: 0 ok, 1 failure, 2 usage or recipe, 3 data, 4 no adapter or device lost, 5 diverged, 6 a check failed, 130 interrupted by Ctrl-C, 143 by SIGTERM and 129 by SIGHUP, after saving.";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Train a network on images
    Train(Box<TrainArgs>),
    /// Suggest a learning rate from a sweep, and draw its curve
    LrFind(Box<LrFindArgs>),
    /// List runs, or find where two of them differ
    Runs(RunsArgs),
    /// Prove that a run resumes from a checkpoint to the same bits
    ResumeCheck(ResumeCheckArgs),
    /// Measure a trained network on held-out images
    Eval(EvalArgs),
    /// Classify pictures (PNG or JPEG) with a trained network
    Predict(PredictArgs),
    /// Make a model of weights that PyTorch saved
    Import(ImportArgs),
    /// Show a network's layers, shapes, parameters, memory and dispatches
    Summary(SummaryArgs),
    /// Show one training step of one sample, number by number
    Explain(ExplainArgs),
    /// Describe or download a data set, or draw its augmentation
    Data(data::DataArgs),
    /// List the adapters of this machine, and the fastest kernels on each
    Devices(DevicesArgs),
    /// Show how learning works, number by number
    Lesson(LessonArgs),
    /// Check every kernel against its twin on every case
    Doctor(DoctorArgs),
    /// Time the CPU against the GPU on this machine
    Bench(bench::BenchArgs),
    /// Print the completions of a shell
    Completions(shell::CompletionsArgs),
    /// Print the manual page, or write one for every command
    Man(shell::ManArgs),
}

impl Command {
    /// Whether the answer on stdout is JSON.
    pub fn is_json(&self) -> bool {
        match self {
            Command::Train(arguments) => arguments.json,
            Command::LrFind(arguments) => arguments.json,
            Command::Eval(arguments) => arguments.json,
            Command::Predict(arguments) => arguments.json || arguments.json_lines,
            Command::Explain(arguments) => arguments.json,
            Command::Data(arguments) => arguments.json,
            Command::Lesson(arguments) => arguments.json,
            Command::Runs(arguments) => arguments.asked_list().is_some_and(|list| list.json),
            // The bench writes JSON to a file; the others have none.
            Command::ResumeCheck(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::Import(_)
            | Command::Summary(_)
            | Command::Devices(_)
            | Command::Doctor(_)
            | Command::Bench(_) => false,
        }
    }
}

#[derive(Args, Debug)]
pub struct ResumeCheckArgs {
    /// Run directory, or a checkpoint in it
    pub run: PathBuf,
    /// Number of steps, taken with and without a stop in the middle
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = from_one, allow_negative_numbers = true)]
    pub steps: usize,
    /// Device: auto, gpu, cpu, or part of an adapter's name [default: the run's]
    #[arg(long, value_name = "NAME")]
    pub device: Option<String>,
}

#[derive(Args, Debug)]
pub struct DevicesArgs {
    /// Measure the fastest kernels again, for all later runs
    #[arg(long)]
    pub tune: bool,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Kernels to check [default: all that can run here, except experimental ones]
    #[arg(value_name = "KERNEL")]
    pub kernels: Vec<String>,
    /// Device: auto, gpu, cpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_get_a_zero() {
        let words = ["-.5", "-.5e-3", "-.5x", "-.5/a.png", "-.", "-.x", "-..5", ".5", "--", "-.5"];
        let given = with_zeros(words.into_iter().map(OsString::from));
        let kept = ["-0.5", "-0.5e-3", "-.5x", "-.5/a.png", "-.", "-.x", "-..5", ".5", "--", "-.5"];
        assert_eq!(given.collect::<Vec<_>>(), kept);
    }

    #[test]
    fn every_flag_for_json_is_known_before_parsing() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let aliases = argument.get_all_aliases().unwrap_or_default();
                let names = argument.get_long().into_iter().chain(aliases);
                for name in names.filter(|name| name.starts_with("json")) {
                    assert!(JSON_FLAGS.contains(&&*format!("--{name}")), "{name} of {}", command.get_name());
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
        let asks = |words: &[&str]| ask_for_json(words.iter().map(OsString::from));
        assert!(asks(&["predict", "--jsonl"]) && !asks(&["predict", "--", "--json"]) && !asks(&["--jso"]));
    }
}
