//! Flags of `wgrad completions` and `wgrad man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Args, Debug)]
#[command(after_help = "\
Put the script where your shell looks for it:

  bash        wgrad completions bash > ~/.local/share/bash-completion/completions/wgrad
  zsh         wgrad completions zsh > ~/.zfunc/_wgrad, with ~/.zfunc in fpath before compinit
  fish        wgrad completions fish > ~/.config/fish/completions/wgrad.fish
  powershell  wgrad completions powershell >> $PROFILE
  elvish      wgrad completions elvish >> ~/.config/elvish/rc.elv")]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Without --out the page of wgrad itself is printed, for man -l - to show:

  wgrad man | man -l -
  wgrad man --out ~/.local/share/man/man1 && man wgrad-train")]
pub struct ManArgs {
    /// Folder to write a page for every command into
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
