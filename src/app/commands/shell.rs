//! `wgrad completions` and `wgrad man`: the command line as shells and manuals have it.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_mangen::Man;
use wgrad::internals::data::files::{make_folder, write_output};
use wgrad::internals::text::reason;
use wgrad::{Error, Result};

use super::console::{answer_whole, note, quoted};
use crate::app::cli;

pub fn completions(arguments: &cli::shell::CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    generate(arguments.shell, &mut cli::Cli::command(), "wgrad", &mut script);
    answer_whole(String::from_utf8_lossy(&script).trim_end())
}

pub fn man(arguments: &cli::shell::ManArgs) -> Result<()> {
    let mut command = cli::Cli::command().disable_help_subcommand(true);
    command.build();
    match &arguments.out {
        None => answer_whole(String::from_utf8_lossy(&page(&command, "wgrad")?).trim_end()),
        Some(folder) => {
            make_folder(folder)?;
            let count = write(&command, "wgrad", folder)?;
            note(format_args!("{count} pages in {}", quoted(folder)));
            Ok(())
        }
    }
}

/// Writes the pages of a command and of those below it, and counts them.
fn write(command: &Command, name: &str, folder: &Path) -> Result<usize> {
    write_output(&folder.join(format!("{name}.1")), &page(command, name)?)?;
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    below
        .map(|below| write(below, &format!("{name}-{}", below.get_name()), folder))
        .sum::<Result<usize>>()
        .map(|count| count + 1)
}

/// A page of the manual.
fn page(command: &Command, name: &str) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    // A page leaves out the text of a flag that the short help leaves out.
    let command = command.clone().mut_args(|flag| flag.hide_short_help(false));
    let man = Man::new(command).title(name).manual("wgrad");
    man.render(&mut page)
        .map_err(|error| Error::Failure(format!("the page {name} can't be made: {}", reason(&error))))?;
    Ok(page)
}
