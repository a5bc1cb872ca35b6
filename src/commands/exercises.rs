//! `wgrad lesson start` and `wgrad lesson hint`.

use wgrad::error::Result;
use wgrad::exercises::{self, EXERCISES, Exercise};

use crate::cli::own::{Hint, Start};
use crate::commands::console::{answer, note};

pub fn start(arguments: &Start) -> Result<()> {
    for path in exercises::write(&arguments.folder)? {
        answer(format_args!("{}", path.display()))?;
    }
    let (folder, first) = (arguments.folder.display(), EXERCISES[0].kernel.name);
    note(format_args!(
        "next: read {folder}/README.md, fill in {folder}/{first}.wgsl, then wgrad lesson check {folder}/{first}.wgsl --kernel {first}"
    ));
    Ok(())
}

pub fn hint(arguments: &Hint) -> Result<()> {
    let exercise = Exercise::find(&arguments.name)?;
    for line in exercise.hint(arguments.number.into()).lines() {
        answer(format_args!("{line}"))?;
    }
    if arguments.number < 3 {
        note(format_args!("next: wgrad lesson hint {} {}", arguments.name, arguments.number + 1));
    }
    Ok(())
}
