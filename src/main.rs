//! The `wgrad` program: parse, one match, exit code.

mod app;

use std::process::ExitCode;

use app::cli::{self, Command};
use app::commands::{self, console, signals};
use wgrad::Result;

fn main() -> ExitCode {
    let command = match cli::parse() {
        Ok(command) => command,
        Err(code) => return code,
    };
    match signals::catch_file_size().and_then(|()| run(&command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::report(&error, command.is_json());
            ExitCode::from(signals::exit_code_of_file_size().unwrap_or(error.exit_code()))
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Train(arguments) => commands::train::run(arguments),
        Command::LrFind(arguments) => commands::lr_find::run(arguments),
        Command::Runs(arguments) => commands::runs::run(arguments),
        Command::ResumeCheck(arguments) => commands::resume::check(arguments),
        Command::Eval(arguments) => commands::eval::run(arguments),
        Command::Predict(arguments) => commands::predict::run(arguments),
        Command::Summary(arguments) => commands::summary::run(arguments),
        Command::Explain(arguments) => commands::explain::run(arguments),
        Command::Data(arguments) => commands::data::run(arguments),
        Command::Devices(arguments) => commands::devices::run(arguments),
        Command::Lesson(arguments) => commands::lesson::run(arguments),
        Command::Bench(arguments) => commands::bench::run(arguments),
        Command::Doctor(arguments) => commands::doctor::run(arguments),
    }
}
