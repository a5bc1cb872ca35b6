//! Every version of matmul at the shapes of training and at square ones, on
//! every adapter and on the CPU engine. An "element" is a floating-point
//! operation, so Gelem/s reads as GFLOP/s.
//!
//!     cargo bench --bench kernels

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wgrad::consts;
use wgrad::engine::Engine;
use wgrad::engine::adapter::{Device, adapters};
use wgrad::engine::cpu::CpuEngine;
use wgrad::kernel::{Element, Kernel, Step};
use wgrad::kernels::{MATMUL, MATMUL_NAIVE, MATMUL_REGISTER, MATMUL_SUBGROUP};
use wgrad::program::{Buf, BufDecl, Dispatch, Program, Role, View};

/// Dispatches of one submission, so that the host's part does not count.
const REPEATS: usize = 16;

/// (M, N, K)
type Sizes = (usize, usize, usize);

/// Name, sizes, which operands are stored transposed.
const SHAPES: &[(&str, Sizes, (bool, bool))] = &[
    ("forward 64x128x784", (64, 128, 784), (false, true)),
    ("input gradient 64x512x256", (64, 512, 256), (false, false)),
    ("weight gradient 128x784x64", (128, 784, 64), (true, false)),
    ("square 512", (512, 512, 512), (false, false)),
];

fn program(kernel: &'static Kernel, (m, n, k): Sizes, transposed: (bool, bool)) -> Program {
    let consts = consts! {
        M: m, N: n, K: k, TRANSPOSE_A: transposed.0, TRANSPOSE_B: transposed.1, ADD: false,
        EPILOGUE: 0usize, ACTIVATION: 0usize, LEAK: 0.0f32,
    };
    let mut program = Program::default();
    let mut view = |name: &str, len| {
        program.bufs.push(BufDecl {
            name: name.to_owned(),
            element: Element::Real,
            len,
            role: Role::Activations,
        });
        View { buf: Buf(program.bufs.len() - 1), start: 0, len }
    };
    let (a, b, c) = (view("a", m * k), view("b", k * n), view("c", m * n));
    program.steps.push(Dispatch { kernel, consts, args: vec![a, b, a, c], label: "bench".to_owned() });
    program
}

fn time(criterion: &mut Criterion, name: &str, shape: &str, flops: usize, mut engine: Box<dyn Engine>) {
    let mut group = criterion.benchmark_group(shape);
    group.throughput(Throughput::Elements((flops * REPEATS) as u64));
    group.sample_size(10);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let result = View { buf: Buf(2), start: 0, len: 1 };
            let ticket = engine.submit(0..1, &[Step::default(); REPEATS], result).unwrap();
            engine.wait(ticket).unwrap()
        });
    });
    group.finish();
}

fn matmul(criterion: &mut Criterion) {
    for &(shape, (m, n, k), transposed) in SHAPES {
        let flops = 2 * m * n * k;
        let cpu = CpuEngine::fast(program(&MATMUL_NAIVE, (m, n, k), transposed)).unwrap();
        time(criterion, "CPU engine", shape, flops, Box::new(cpu));
        for adapter in adapters() {
            for kernel in [&MATMUL_NAIVE, &MATMUL, &MATMUL_REGISTER, &MATMUL_SUBGROUP] {
                let device = Device::Gpu(adapter.clone());
                if !device.runs(kernel) {
                    continue;
                }
                let name = format!("{} on {}", kernel.name, device.name());
                let engine = device.open(program(kernel, (m, n, k), transposed)).unwrap();
                time(criterion, &name, shape, flops, engine);
            }
        }
    }
}

criterion_group!(benches, matmul);
criterion_main!(benches);
