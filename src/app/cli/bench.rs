//! Flags of `wgrad bench`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
It times products and convolutions alone, then training steps of a dense and a convolutional network
at several batches: on the plain twins, the CPU engine and every adapter, in turns. Bars show who is
faster; “ceiling” is how much of what the device reaches at its best, in a copy or in a large
product, the work gets; what a cache holds moves faster than a copy, and may pass 100 %. What would
take too long is left out, and the line says so.
Words choose among the work: wgrad bench train batch 64")]
pub struct BenchArgs {
    /// Only what has all these words in its name
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Only this device, as in cpu, gpu or a part of an adapter's name; can be given again
    #[arg(long, value_name = "NAME")]
    pub device: Vec<String>,
    /// Say which variants of kernels were chosen, and what each of them takes
    #[arg(long, short)]
    pub verbose: bool,
    /// Fewer sizes and shorter measurements
    #[arg(long)]
    pub quick: bool,
    /// Time every dispatch of some training steps: prints tables, and writes a trace
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "bench-trace.json"
    )]
    pub profile: Option<PathBuf>,
    /// Write everything that was measured to this file, with machine, drivers and versions
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Draw the bars into this file
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}
