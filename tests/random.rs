//! The random numbers of kernels: adapter and host draw the same bits.
//!
//! This test needs an adapter. Without one it fails: run `./setup`.

mod common;

use common::adapter;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::engine::{Data, Engine};
use wgrad::internals::kernel::consts;
use wgrad::internals::kernel::rng::{Purpose, random_stream, random_unit, random_words};
use wgrad::internals::kernel::{Access, Bind, Element, Kernel, Step, WorkgroupSizes, flat_grid};
use wgrad::internals::program::{Buf, BufDecl, Dispatch, Program, Role, View};
use wgrad::internals::table;

const DRAWS: usize = 1 << 16;

/// Words 0 to 3 of a draw, then the first as a unit, then one of a stream.
const PER_DRAW: usize = 6;

const WGSL: &str = "
const DRAWS: u32 = 1u;
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@compute @workgroup_size(64)
fn draw(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= DRAWS { return; }
    let drawn = random_words(step.seed, PURPOSE_AUGMENT, step.epoch, at);
    for (var i = 0u; i < 4u; i++) { words[at * 6u + i] = drawn[i]; }
    words[at * 6u + 4u] = bitcast<u32>(random_unit(drawn.x));
    words[at * 6u + 5u] = random_words(step.seed, random_stream(PURPOSE_DROPOUT, 3u), at, step.index).w;
}";

/// A kernel of this test alone, which has no twin.
fn draw() -> &'static Kernel {
    Box::leak(Box::new(Kernel {
        name: "draw",
        wgsl: WGSL,
        consts: &["DRAWS"],
        binds: &[Bind { name: "words", access: Access::Write, element: Element::Uint }],
        lens: |k| vec![PER_DRAW * k.uint("DRAWS")],
        grid: |k| flat_grid(k.uint("DRAWS")),
        requires: |_| Ok(()),
        workgroup_sizes: WorkgroupSizes::new(),
        ..table::ONE_HOT
    }))
}

#[test]
fn the_adapter_draws_the_bits_that_the_host_draws() {
    let view = View { buf: Buf(0), start: 0, len: PER_DRAW * DRAWS };
    let program = Program {
        bufs: vec![
            BufDecl::new("words", Element::Uint, view.len, Role::Data),
            BufDecl::new("none", Element::Real, 64, Role::Metrics),
        ],
        steps: vec![Dispatch::new(draw(), consts! { DRAWS: DRAWS }, vec![view], "draw")],
        sections: vec![("draw".into(), 0..1)],
        ..Program::default()
    };
    let mut engine = GpuEngine::new(&adapter(), program, Checks::On).unwrap();
    let (seed, epoch, index) = (0xdead_beef, 3, 70_000);
    let step = Step { seed, epoch, index, ..Step::default() };
    let ticket = engine.submit(0..1, &[step], View { buf: Buf(1), start: 0, len: 1 }).unwrap();
    engine.wait(ticket).unwrap();
    let Data::Uint(found) = engine.read(view).unwrap() else { panic!("the view holds words") };
    let expected: Vec<u32> = (0..DRAWS as u32)
        .flat_map(|at| {
            let drawn = random_words(seed, Purpose::Augment as u32, epoch, at);
            let stream = random_words(seed, random_stream(Purpose::Dropout, 3), at, index);
            [drawn[0], drawn[1], drawn[2], drawn[3], random_unit(drawn[0]).to_bits(), stream[3]]
        })
        .collect();
    let first = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    assert_eq!(first, None, "word {:?} of {PER_DRAW} a draw", first);
}
