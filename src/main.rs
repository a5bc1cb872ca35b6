//! The `wgrad` program: parse, one match, exit code.

mod app;

use std::process::ExitCode;

use clap::Parser;

use app::cli::{Cli, Command};
use app::commands::{self, console};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Train(arguments) => commands::train::run(&arguments),
        Command::LrFind(arguments) => commands::lr_find::run(&arguments),
        Command::Runs(arguments) => commands::runs::run(&arguments),
        Command::ResumeCheck(arguments) => commands::resume::check::run(&arguments),
        Command::Eval(arguments) => commands::eval::run(&arguments),
        Command::Predict(arguments) => commands::predict::run(&arguments),
        Command::Summary(arguments) => commands::summary::run(&arguments),
        Command::Explain(arguments) => commands::explain::run(&arguments),
        Command::Data(arguments) => commands::data::run(&arguments),
        Command::Devices(arguments) => commands::devices::run(&arguments),
        Command::Lesson(arguments) => commands::lesson::run(&arguments),
        Command::Bench(arguments) => commands::bench::run(&arguments),
        Command::Doctor(arguments) => commands::doctor::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::note(format_args!("error: {}", error.marked()));
            ExitCode::from(error.exit_code())
        }
    }
}
