//! Flags of `wgrad bench`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
The bench times products and convolutions, then training steps of a dense and a convolutional \
network at several batch sizes, on the twins, the CPU engine and every adapter in turn. “ceiling” is \
the fraction of the device's best speed, in a copy or a large product; data in a cache move faster \
than a copy, so it may pass 100 %. Work that would take too long is left out, and its row says so.

Words select the work: wgrad bench train batch 64")]
pub struct BenchArgs {
    /// Time only work with all these words in its name
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Device: cpu, gpu, or part of an adapter's name; repeatable [default: all]
    #[arg(long, value_name = "NAME")]
    pub device: Vec<String>,
    /// Print the time of each variant of a kernel, and the chosen one
    #[arg(long, short)]
    pub verbose: bool,
    /// Time fewer sizes, for less time
    #[arg(long)]
    pub quick: bool,
    /// Time each dispatch of training steps: print tables, write a trace file
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "bench-trace.json"
    )]
    pub profile: Option<PathBuf>,
    /// File to write all measurements to, with machine, drivers and versions
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// File to draw the bars in
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}
