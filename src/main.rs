//! The `wgrad` program: parse, one match, exit code.

mod app;

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use wgrad::Result;
use wgrad::internals::engine::has_given_up;

use app::cli::{Cli, Command, words};
use app::commands::{self, console, signals};

/// Bytes of the stack of the program's work, whatever the limit of the first thread's (`ulimit -s`).
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    // Where the system makes no thread, the first one must do.
    let worker = thread::Builder::new().name("main".to_owned()).stack_size(STACK).spawn(work);
    worker.map_or_else(|_| work(), |worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
}

fn work() -> ExitCode {
    let command = match Cli::try_parse_from(words()) {
        Ok(cli) => cli.command,
        Err(error) => return console::refused(error),
    };
    let code = match signals::catch_file_size().and_then(|()| run(&command)) {
        Ok(()) => 0,
        Err(error) => {
            console::report(&error, command.is_json());
            signals::exit_code_of_file_size().unwrap_or(error.exit_code())
        }
    };
    if has_given_up() {
        // A driver would wait at exit for work that never ends. All output has been flushed.
        signals::exit_at_once(code);
    }
    ExitCode::from(code)
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Train(arguments) => commands::train::run(arguments),
        Command::LrFind(arguments) => commands::lr_find::run(arguments),
        Command::Runs(arguments) => commands::runs::run(arguments),
        Command::ResumeCheck(arguments) => commands::resume::check::run(arguments),
        Command::Eval(arguments) => commands::eval::run(arguments),
        Command::Predict(arguments) => commands::predict::run(arguments),
        Command::Import(arguments) => commands::import::run(arguments),
        Command::Summary(arguments) => commands::summary::run(arguments),
        Command::Explain(arguments) => commands::explain::run(arguments),
        Command::Data(arguments) => commands::data::run(arguments),
        Command::Devices(arguments) => commands::devices::run(arguments),
        Command::Lesson(arguments) => commands::lesson::run(arguments),
        Command::Completions(arguments) => commands::shell::completions(arguments),
        Command::Man(arguments) => commands::shell::man(arguments),
        Command::Bench(arguments) => commands::bench::run(arguments),
        Command::Doctor(arguments) => commands::doctor::run(arguments),
    }
}
