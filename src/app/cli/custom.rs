//! The subcommands of `wgrad lesson` for readers' own kernels.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Seconds that each part of a check may take.
pub const TIMEOUT: u64 = 60;

#[derive(Subcommand, Debug)]
pub enum LessonCommand {
    /// Check your own version of a kernel: valid, right on every case, and how fast
    Check(CheckArgs),
    /// Write exercises: kernels of the first lessons with the heart left out
    Start(StartArgs),
    /// A hint for an exercise
    Hint(HintArgs),
}

#[derive(Args, Debug)]
#[command(after_help = "\
The file is complete WGSL with an entry point named like the kernel; shaders/common.wgsl is put in
front of it, and the values of the “const” lines of our version are written anew for every case.
The workgroup may have another size, but an invocation owns what it owns in our shader (its second
line says what): a product with one element to an invocation is a matmul_naive, one with blocks of
4×4 a matmul.

Exit codes: 0 right, 2 not valid or not the kernel's bindings, 6 wrong or stopped.")]
pub struct CheckArgs {
    /// Your shader
    #[arg(value_name = "FILE.wgsl")]
    pub file: PathBuf,
    /// The kernel that it is a version of
    #[arg(long, value_name = "NAME")]
    pub kernel: String,
    /// auto, gpu, or a part of an adapter's name
    #[arg(long, value_name = "NAME", default_value = "auto")]
    pub device: String,
    /// After how many seconds in one case it is stopped: a shader may loop for ever
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// Only right or wrong, not how fast
    #[arg(long)]
    pub no_timing: bool,
    /// Check in this process: the one that is stopped when it takes too long
    #[arg(long, hide = true)]
    pub inside: bool,
}

#[derive(Args, Debug)]
pub struct StartArgs {
    /// Where the exercises are written; files that are there stay as they are
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

#[derive(Args, Debug)]
pub struct HintArgs {
    /// The exercise
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which hint: 1 nudges, 2 explains, 3 shows the lines
    #[arg(value_name = "1|2|3", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub number: u8,
}
