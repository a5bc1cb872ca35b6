//! `wgrad lesson check`: a custom kernel against its twin, and the custom kernels of a run.
//!
//! The check runs in a second process of this program ([`supervised`]). A shader may loop for ever, and on a software
//! adapter only the end of the process stops it. A text is read once: the second process gets it, and the same text
//! trains.

mod inside;
mod of_run;
mod supervised;

pub use of_run::{Origin, RunKernel, kernels};

use wgrad::Result;
use wgrad::internals::verify::custom::ShaderText;

use crate::app::cli::custom::LessonCommand;

/// The subcommands of `wgrad lesson` for custom kernels.
pub fn dispatch(command: &LessonCommand) -> Result<()> {
    match command {
        LessonCommand::Check(arguments) if arguments.inside => inside::check(arguments),
        LessonCommand::Check(arguments) => {
            supervised::check(&ShaderText::read(&arguments.file)?, arguments, true)
        }
        LessonCommand::Start(arguments) => super::exercises::start(arguments),
        LessonCommand::Hint(arguments) => super::exercises::hint(arguments),
    }
}
