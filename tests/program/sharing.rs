//! Scratch buffers in shared memory: less of it, the same results, and a plan that is checked.

use wgrad::engine::cpu::CpuEngine;
use wgrad::kernel::{Element, Slice, Step};
use wgrad::loss::Loss;
use wgrad::lower::{Lowered, TRAIN};
use wgrad::program::{Buf, Program, Role};

use crate::small::Small;

const DEEP: &str = "dense 9, tanh, dense 8, tanh, dense 7, tanh, dense 6, tanh, dense 3";

fn lowered(keep: bool) -> Lowered {
    Small { keep, ..Small::new(DEEP, Loss::Mse) }.lower().unwrap()
}

fn trained(keep: bool) -> Vec<u32> {
    let lowered = lowered(keep);
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
    assert_eq!(trained(false), trained(true));
}

#[test]
fn sharing_saves_the_memory_of_gradients_that_are_done_with() {
    let bytes = |keep| lowered(keep).program.bytes(Role::Activations);
    assert!(bytes(false) < bytes(true), "{} of {}", bytes(false), bytes(true));
    assert!(lowered(true).program.bufs.iter().all(|buf| buf.home.is_none()));
}

/// The buffer of this name in the training section.
fn named(program: &Program, name: &str) -> Buf {
    Buf(program.bufs.iter().position(|buf| buf.name == name).unwrap_or_else(|| panic!("no buffer {name}")))
}

/// Validates the program after `guest` has moved into the memory of `home`, the larger one.
fn moved(guest: &str, home: &str) -> String {
    let mut program = lowered(true).program;
    let (guest, home) = (named(&program, guest), named(&program, home));
    program.bufs[guest.0].home = Some(home);
    program.bufs[home.0].len = program.bufs[home.0].len.max(program.bufs[guest.0].len);
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
fn a_memory_that_does_not_suit_is_refused() {
    for broken in [
        |program: &mut Program, home: Buf| program.bufs[home.0].len = 8,
        |program: &mut Program, home: Buf| program.bufs[home.0].element = Element::Uint,
        |program: &mut Program, home: Buf| program.bufs[home.0].role = Role::Parameters,
        |program: &mut Program, home: Buf| program.bufs[home.0].home = Some(Buf(0)),
    ] {
        let mut program = lowered(true).program;
        let guest = named(&program, "d0 dense.y");
        // A buffer that nothing else uses, so that only its nature is at fault.
        program.bufs.push(program.bufs[guest.0].clone());
        let home = Buf(program.bufs.len() - 1);
        program.bufs[guest.0].home = Some(home);
        program.validate().unwrap();
        broken(&mut program, home);
        let text = program.validate().expect_err("an unfit memory was accepted").to_string();
        assert!(text.contains("cannot live in the memory"), "{text}");
    }
}
