//! Flags of `wgrad runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct RunsArgs {
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
    #[command(flatten)]
    pub list: ListArgs,
}

/// The flags of a list of runs.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Folder of the run directories
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
    /// Order of the list: name, or started, accuracy or epochs, the last, best and longest first
    #[arg(long, value_name = "BY", value_enum, default_value_t = Sort::Name, hide_possible_values = true)]
    pub sort: Sort,
    /// List only runs with this text in name, status, data or network
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print only one JSON array on stdout
    #[arg(long)]
    pub json: bool,
}

impl RunsArgs {
    /// The list that is asked for, if it is one.
    pub fn asked_list(&self) -> Option<&ListArgs> {
        match &self.command {
            None => Some(&self.list),
            Some(RunsCommand::List(list)) => Some(list),
            Some(RunsCommand::Diff { .. }) => None,
        }
    }
}

/// The order of a list of runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Name,
    Started,
    Accuracy,
    Epochs,
}

#[derive(Subcommand, Debug)]
pub enum RunsCommand {
    /// List runs, as without a command
    List(ListArgs),
    /// Find the settings, the first step and the state in which two runs differ
    Diff {
        /// Run directory
        one: PathBuf,
        /// Another run directory
        two: PathBuf,
    },
}
