//! Scratch buffers in shared memory: less of it, the same results, and a plan that is checked.

use std::collections::HashSet;

use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Element, Slice, Step};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{Lowered, TRAIN, Training};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Buf, BufDecl, ObservedActivation, Program, Role};

use crate::small::Small;

const DEEP: &str = "dense 9, tanh, dense 8, tanh, dense 7, tanh, dense 6, tanh, dense 3";

fn lowered(shared: bool) -> Lowered {
    Small { shared, ..Small::new(DEEP, Loss::Mse) }.lower().unwrap()
}

fn trained(shared: bool) -> Vec<u32> {
    let lowered = lowered(shared);
    let small = Small::new(DEEP, Loss::Mse);
    let mut engine = CpuEngine::plain(lowered.program.clone()).unwrap();
    small.fill(&lowered, &lowered.arena.initial_values(3), &mut engine);
    for slot in 0..3 {
        let step = Step { slot, samples: 6, learning_rate: 0.5, ..Step::default() };
        engine.run(lowered.program.section(TRAIN), &step);
    }
    let Slice::Real(parameters) = engine.look(lowered.parameters) else { panic!("parameters are numbers") };
    parameters.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn sharing_memory_changes_no_bit_of_the_results() {
    assert_eq!(trained(true), trained(false));
}

#[test]
fn sharing_saves_the_memory_of_gradients_that_are_done_with() {
    let bytes = |shared| lowered(shared).program.bytes(Role::Activations);
    assert!(bytes(true) < bytes(false), "{} of {}", bytes(true), bytes(false));
    assert!(lowered(false).program.bufs.iter().all(|buf| buf.shares.is_none()));
}

/// Two convolutions with pooling, on images of MNIST's size, with Adam, 128 to a batch.
const SEEING: &str =
    "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, dense 128, relu, dense 10";

#[test]
fn a_plan_takes_little_more_than_the_outputs_of_all_layers() {
    let lowered = Small {
        shape: Shape::image(1, 28, 28),
        classes: 10,
        batch: 128,
        training: Training::with("adam".parse().unwrap()),
        ..Small::new(SEEING, Loss::CrossEntropy)
    };
    let lowered = lowered.lower().unwrap();
    // A layer keeps for the backward pass its output, and a pooling the offsets that it chose.
    let made = |boundary: &ObservedActivation| boundary.value.map_or(0, |value| value.len);
    let chosen = |buf: &BufDecl| buf.name.ends_with(".chosen").then_some(buf.len);
    let train = lowered.program.section(TRAIN);
    let used: HashSet<Buf> =
        lowered.program.steps[train].iter().flat_map(|step| step.args.iter().map(|view| view.buf)).collect();
    let bufs = lowered.program.bufs.iter().enumerate().filter(|(at, _)| used.contains(&Buf(*at)));
    let values: usize = lowered.program.observed.activations.iter().map(made).sum::<usize>()
        + bufs.filter_map(|(_, buf)| chosen(buf)).sum::<usize>();
    let bytes = |role| lowered.program.bytes(role);
    let least = bytes(Role::Parameters) + bytes(Role::Optimiser) + values as u64 * 4;
    let planned = lowered.program.total_bytes() - bytes(Role::Data) - bytes(Role::Metrics);
    println!("planned {planned}, least {least}: {:.2}", planned as f64 / least as f64);
    assert!(planned * 10 <= least * 13, "{planned} bytes planned, {least} needed");
}

/// The buffer of this name in the training section.
fn named(program: &Program, name: &str) -> Buf {
    Buf(program.bufs.iter().position(|buf| buf.name == name).unwrap_or_else(|| panic!("no buffer {name}")))
}

/// Validates the program after `guest` has moved into the memory of `owner`, the larger one.
fn moved(guest: &str, owner: &str) -> String {
    let mut program = lowered(false).program;
    let (guest, owner) = (named(&program, guest), named(&program, owner));
    program.bufs[guest.0].shares = Some(owner);
    program.bufs[owner.0].len = program.bufs[owner.0].len.max(program.bufs[guest.0].len);
    program.validate().expect_err("a plan that loses values was accepted").to_string()
}

#[test]
fn a_buffer_that_is_overwritten_before_it_is_read_is_refused() {
    // Backward needs what the first layer made, and the third overwrites it.
    let text = moved("4 dense.y", "0 dense.y");
    assert!(text.contains("whose memory") && text.contains("0 dense.y"), "{text}");
}

#[test]
fn two_buffers_of_one_dispatch_in_one_memory_are_refused() {
    let text = moved("2 dense.y", "0 dense.y");
    assert!(text.contains("2 dense: weighted sums") && text.contains("whose memory"), "{text}");
}

#[test]
fn sharing_unfit_memory_is_refused() {
    for broken in [
        |program: &mut Program, owner: Buf| program.bufs[owner.0].len = 8,
        |program: &mut Program, owner: Buf| program.bufs[owner.0].element = Element::Uint,
        |program: &mut Program, owner: Buf| program.bufs[owner.0].role = Role::Parameters,
        |program: &mut Program, owner: Buf| program.bufs[owner.0].shares = Some(Buf(0)),
    ] {
        let mut program = lowered(false).program;
        let guest = named(&program, "d0 dense.y");
        // A buffer that nothing else uses, so that only the memory is unfit.
        program.bufs.push(program.bufs[guest.0].clone());
        let owner = Buf(program.bufs.len() - 1);
        program.bufs[guest.0].shares = Some(owner);
        program.validate().unwrap();
        broken(&mut program, owner);
        let text = program.validate().expect_err("an unfit memory was accepted").to_string();
        assert!(text.contains("cannot share the memory"), "{text}");
    }
}
