//! The subcommands of `wgrad lesson` for custom kernels.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The time limit of each part of a check, in seconds.
pub const TIMEOUT: u64 = 60;

#[derive(Subcommand, Debug)]
pub enum LessonCommand {
    /// Check that a custom kernel is valid and correct, and time it
    Check(CheckArgs),
    /// Write exercises: kernels with the core left for you to write
    Start(StartArgs),
    /// Print a hint for an exercise
    Hint(HintArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
The file is complete WGSL with an entry point named like the kernel. shaders/common.wgsl is put in \
front of it, and its “const” lines get the values of each case. The workgroup may have another size, \
but each invocation must own as much as in wgrad's shader, whose second line says how much: one \
element of the product in matmul_naive, a block of 4×4 in matmul.

Exit codes: 0 correct, 2 invalid or with other bindings than the kernel's, 6 wrong or stopped.")]
pub struct CheckArgs {
    /// Shader to check
    #[arg(value_name = "FILE.wgsl")]
    pub file: PathBuf,
    /// Kernel to check it against
    #[arg(long, value_name = "NAME")]
    pub kernel: String,
    /// Device: auto, gpu, or part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// Time limit per case, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Check it without timing it
    #[arg(long)]
    pub no_timing: bool,
    /// Check in this process, which another one supervises
    #[arg(long, hide = true)]
    pub inside: bool,
}

#[derive(Args, Debug)]
pub struct StartArgs {
    /// Folder for the exercises; existing files are not changed
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Args, Debug)]
pub struct HintArgs {
    /// Exercise
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Number of the hint: 1 nudges, 2 explains, 3 shows the lines
    #[arg(value_name = "1|2|3", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub number: u8,
}
