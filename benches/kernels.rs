//! Times every version of every kernel, on its awkward cases and at the sizes of
//! training: on the CPU engine and on every adapter.
//!
//!     cargo bench --bench kernels [-- WORD… --quick]
//!
//! Words choose among kernels and devices: `-- matmul llvmpipe`. `--quick`
//! takes the sizes of training only, and fewer measurements.
//!
//! A time is that of one dispatch among many in one submission. GFLOP/s and GB/s
//! come from the median and from the operations and bytes of the equation in the
//! kernel table, so they compare versions; a cache may move more bytes than memory can.

mod common;

use common::Options;
use wgrad::Result;
use wgrad::internals::bench::machine::{devices, title};
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::engine::stopwatch::time;
use wgrad::internals::kernel::{Const, Consts, Kernel};
use wgrad::internals::program::{Program, View};
use wgrad::internals::table;
use wgrad::internals::verify::cases::{Case, bench_cases, cases, ready};

/// The most operations for which a twin, a plain loop, is timed.
const MOST_FOR_A_TWIN: usize = 5_000_000;

fn main() {
    let options = Options::from_args();
    for device in devices() {
        let mut kernels = chosen(&device, &options).peekable();
        if kernels.peek().is_none() {
            continue;
        }
        println!("\n{}", title(&device));
        println!(
            "{:<28} {:>10} {:>10} {:>8} {:>8}  case",
            "kernel", "ms median", "ms least", "GFLOP/s", "GB/s"
        );
        kernels.for_each(|kernel| on_device(&device, kernel, &options));
    }
}

/// The wanted kernels that run on a device. On the CPU engine all versions of a
/// contract are one function, and there are no cooperative matrices.
fn chosen<'a>(device: &'a Device, options: &'a Options) -> impl Iterator<Item = &'static Kernel> + 'a {
    let mut twins = Vec::new();
    table::ALL.iter().copied().filter(move |kernel| {
        let known = twins.contains(&(kernel.twin as usize)) || kernel.is_cooperative();
        let left_out = matches!(device, Device::Cpu { .. }) && known;
        twins.push(kernel.twin as usize);
        !left_out && device.runs(kernel) && options.wants(&format!("{} {}", kernel.name, device.name()))
    })
}

fn on_device(device: &Device, kernel: &'static Kernel, options: &Options) {
    let mut all = if options.quick { Vec::new() } else { cases(kernel) };
    all.extend(bench_cases(kernel));
    all.retain(|case| device.takes(kernel, &case.consts));
    let cpu = matches!(device, Device::Cpu { .. });
    if !cpu {
        return measure(kernel.name, kernel, &all, &mut |program| device.open(program), options);
    }
    if kernel.fast.is_some() {
        let name = format!("{} (fast)", kernel.name);
        measure(&name, kernel, &all, &mut |program| Ok(Box::new(CpuEngine::fast(program)?)), options);
        all.retain(|case| (kernel.flops)(&case.consts) <= MOST_FOR_A_TWIN);
    }
    let name = format!("{} (twin)", kernel.name);
    measure(&name, kernel, &all, &mut |program| Ok(Box::new(CpuEngine::plain(program)?)), options);
}

fn measure(
    name: &str,
    kernel: &'static Kernel,
    cases: &[Case],
    make_engine: &mut dyn FnMut(Program) -> Result<Box<dyn Engine>>,
    options: &Options,
) {
    let (mut engine, program) = ready(kernel, cases, make_engine).unwrap();
    for (at, case) in cases.iter().enumerate() {
        let last = *program.steps[at].args.last().expect("every kernel writes something");
        let result = View { len: 1, ..last };
        let seconds = time(engine.as_mut(), at..at + 1, result, &|_| case.step, options.effort()).unwrap();
        let rate = |amount: usize| amount as f64 / seconds.median * 1e-9;
        println!(
            "{name:<28} {:>10.4} {:>10.4} {:>8.2} {:>8.2}  {}",
            seconds.median * 1e3,
            seconds.least * 1e3,
            rate((kernel.flops)(&case.consts)),
            rate(kernel.bytes(&case.consts)),
            short(&case.consts),
        );
    }
}

/// The constants that are neither zero nor false.
fn short(consts: &Consts) -> String {
    let words = consts.iter().filter_map(|(name, value)| match value {
        Const::Uint(0) | Const::Flag(false) | Const::Float(0) => None,
        Const::Uint(size) => Some(format!("{name}={size}")),
        Const::Flag(true) => Some(name.to_owned()),
        Const::Float(bits) => Some(format!("{name}={}", f32::from_bits(bits))),
    });
    words.collect::<Vec<_>>().join(" ")
}
