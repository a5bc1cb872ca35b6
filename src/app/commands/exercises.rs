//! `wgrad lesson start` and `wgrad lesson hint`.

use wgrad::Result;
use wgrad::internals::teach::exercises::{self, EXERCISES, Exercise};
use wgrad::internals::text::shown;

use crate::app::cli::custom::{HintArgs, StartArgs};
use crate::app::commands::console::{answer, note, quoted};

pub fn start(arguments: &StartArgs) -> Result<()> {
    for path in exercises::write(&arguments.folder)? {
        answer(format_args!("{}", shown(path)))?;
    }
    let (folder, first) = (&arguments.folder, EXERCISES[0].kernel.name);
    let file = folder.join(format!("{first}.wgsl"));
    note(format_args!(
        "next: read {}, fill in {}, then wgrad lesson check {} --kernel {first}",
        shown(folder.join("README.md")),
        shown(&file),
        quoted(&file)
    ));
    Ok(())
}

pub fn hint(arguments: &HintArgs) -> Result<()> {
    let exercise = Exercise::find(&arguments.name)?;
    for line in exercise.hint(arguments.number.into()).lines() {
        answer(format_args!("{line}"))?;
    }
    if arguments.number < 3 {
        note(format_args!("next: wgrad lesson hint {} {}", arguments.name, arguments.number + 1));
    }
    Ok(())
}
