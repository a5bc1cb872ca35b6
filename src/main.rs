//! The `wgrad` program: parse, one match, exit code.

mod app;

use std::process::ExitCode;

use clap::Parser;
use wgrad::internals::engine::has_given_up;

use app::cli::{Cli, Command};
use app::commands::{self, console, signals};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return console::refused(error),
    };
    let result = match cli.command {
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
    let code = match result {
        Ok(()) => 0,
        Err(error) => {
            console::note(format_args!("error: {}", error.marked()));
            error.exit_code()
        }
    };
    if has_given_up() {
        // A driver would wait at exit for work that never ends. All output has been flushed.
        signals::exit_at_once(code);
    }
    ExitCode::from(code)
}
