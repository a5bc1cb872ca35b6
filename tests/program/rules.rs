//! `Program::validate`: a lowered program with one thing broken at a time.

use wgrad::Error;
use wgrad::internals::kernel::consts;
use wgrad::internals::kernel::{Access, Const, Consts, Element};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{TRAIN, Training};
use wgrad::internals::network::optimiser::Optimiser;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::program::{Buf, Dispatch, Program, Role, View};
use wgrad::internals::table;
use wgrad::internals::table::choice::Choice;

use crate::small::Small;

fn program() -> Program {
    // With momentum, so that the update binds a third buffer.
    let training = Training::with(Optimiser::sgd(0.9));
    let small = Small { training, ..Small::new("dense 5, relu, dense 3", Loss::CrossEntropy) };
    small.lower().unwrap().program
}

/// The first dispatch of a kernel.
fn first<'a>(program: &'a mut Program, name: &str) -> &'a mut Dispatch {
    program.steps.iter_mut().find(|dispatch| dispatch.kernel.name == name).unwrap()
}

/// Checks that a broken program is refused with a sentence that has all of these in it.
fn assert_refused(program: &Program, parts: &[&str]) {
    let error = program.validate().expect_err("a broken program was accepted");
    assert!(matches!(error, Error::Failure(_)), "{error:?}");
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "“{text}” does not say “{part}”");
    }
}

/// A dispatch's constants with one replaced.
fn with(consts: &Consts, name: &str, value: Const) -> Consts {
    Consts::new(consts.iter().map(|(known, old)| (known, if known == name { value } else { old })).collect())
}

#[test]
fn a_lowered_program_is_accepted() {
    program().validate().unwrap();
}

#[test]
fn other_constants_than_the_kernels_are_refused() {
    let mut missing = program();
    first(&mut missing, "column_sums").consts = consts! { ROWS: 6usize, COLUMNS: 3usize };
    assert_refused(&missing, &["column_sums", "bias gradient", "constants", "ADD"]);

    let mut renamed = program();
    first(&mut renamed, "column_sums").consts = consts! { ROWS: 6usize, COLUMNS: 3usize, SUM: false };
    assert_refused(&renamed, &["column_sums", "SUM", "ADD"]);
}

#[test]
fn a_view_too_many_or_too_few_is_refused() {
    let mut program = program();
    first(&mut program, "sgd_momentum").args.pop();
    assert_refused(&program, &["sgd_momentum", "2 views for 3 bindings"]);
}

#[test]
fn a_view_of_another_length_than_the_kernel_wants_is_refused() {
    let mut shorter = program();
    first(&mut shorter, "gather_batch").args[2].len -= 1;
    assert_refused(&shorter, &["dispatch 0", "gather_batch", "order has 6 words", "wants 7"]);

    // The arena goes on behind the bias, so a longer view of it lies inside its buffer.
    let mut longer = program();
    first(&mut longer, "column_sums").args[1].len += 1;
    assert_refused(&longer, &["column_sums", "sums has 4 words", "wants 3"]);

    // Likewise when the constants ask for more than the views have.
    let mut more_rows = program();
    let dispatch = first(&mut more_rows, "softmax_loss");
    dispatch.consts = with(&dispatch.consts, "BATCH", Const::Uint(7));
    assert_refused(&more_rows, &["softmax_loss", "logits has 18 words", "wants 21"]);
}

#[test]
fn a_view_off_the_alignment_is_refused() {
    let mut program = program();
    // The second dense layer's weights: moved back they are still inside the arena.
    let weights = program.section(TRAIN).find(|at| program.steps[*at].args[1].start >= 64).unwrap();
    program.steps[weights].args[1].start -= 4;
    assert_refused(&program, &["weighted sums", "b starts at word", "not on 64"]);
}

#[test]
fn a_view_outside_its_buffer_is_refused() {
    let mut beyond = program();
    first(&mut beyond, "gather_batch").args[0].start += 64;
    assert_refused(&beyond, &["gather_batch", "images is outside its buffer train images"]);

    let mut overflowing = program();
    first(&mut overflowing, "gather_batch").args[0].start = usize::MAX - 63;
    assert_refused(&overflowing, &["images is outside its buffer"]);

    let mut empty = program();
    first(&mut empty, "gather_batch").args[0].len = 0;
    assert_refused(&empty, &["images is outside its buffer"]);

    let mut nowhere = program();
    let count = nowhere.bufs.len();
    first(&mut nowhere, "gather_batch").args[0].buf = Buf(count);
    assert_refused(&nowhere, &["images has no buffer"]);
}

#[test]
fn a_view_of_the_wrong_element_is_refused() {
    let mut program = program();
    let images = first(&mut program, "gather_batch").args[0].buf;
    program.bufs[images.0].element = Element::Real;
    assert_refused(&program, &["images wants Uint", "buffer train images holds Real"]);
}

#[test]
fn unknown_gates_are_refused_and_known_ones_are_open() {
    let mut program = program();
    let gates = program.gates.expect("an update stands behind gates");
    let update = first(&mut program, "sgd_momentum").clone();
    assert_eq!(update.gate, Some(0));
    assert_eq!(program.open_gates(), update.kernel.groups(&update.consts));
    first(&mut program, "sgd_momentum").gate = Some(gates.len / 3);
    assert_refused(&program, &["sgd_momentum", "behind gate 1, and there are 1"]);
    first(&mut program, "sgd_momentum").gate = Some(0);
    program.gates = None;
    assert_refused(&program, &["sgd_momentum", "behind gate 0, and there are 0"]);
}

#[test]
fn a_buffer_that_is_written_and_bound_again_is_refused() {
    let message = ["buffer parameters is written and bound a second time"];
    // Read and written.
    let mut read = program();
    let sgd = first(&mut read, "sgd_momentum");
    sgd.args[0] = sgd.args[1];
    assert_refused(&read, &message);

    // Written twice.
    let mut twice = program();
    let sgd = first(&mut twice, "sgd_momentum");
    sgd.args[2] = sgd.args[1];
    assert_refused(&twice, &message);

    // Different words of one buffer do not help: a GPU looks at whole buffers.
    let mut apart = program();
    let sums = first(&mut apart, "column_sums");
    sums.args[1] = View { start: 64, ..sums.args[0] };
    sums.args[1].len = 3;
    let buf = sums.args[0].buf;
    apart.bufs[buf.0].len = 128;
    assert_refused(&apart, &["column_sums", "is written and bound a second time"]);
}

#[test]
fn a_buffer_that_is_only_read_may_be_bound_twice() {
    // A plain product is given A once more in place of what its epilogue reads.
    let program = program();
    let is_gradient = |dispatch: &&Dispatch| {
        let outputs = dispatch.args.iter().zip(dispatch.kernel.binds);
        let mut outputs = outputs.filter(|(_, bind)| bind.access == Access::Write);
        dispatch.kernel.name == table::MATMUL_NAIVE.name
            && outputs.any(|(view, _)| program.bufs[view.buf.0].role == Role::Gradients)
    };
    let dispatch = program.steps.iter().find(is_gradient).unwrap();
    assert_eq!(dispatch.args[0], dispatch.args[2]);
}

#[test]
fn more_workgroups_than_a_dimension_has_are_refused() {
    // 4,200,000 outputs are 131,250 tiles of 32 by 32, but their blocks of 8×8 take 65,625 workgroups of 8
    // along one dimension.
    let outputs = 4_200_000;
    let mut small = Small::new(&format!("dense {outputs}"), Loss::CrossEntropy);
    small.classes = outputs;
    small.batch = 1;
    small.shape = Shape::image(1, 1, 1);
    small.choice = Choice::NAIVE;
    let mut program = small.lower().unwrap().program;
    first(&mut program, "matmul_naive").kernel = &table::MATMUL_REGISTER;
    assert_refused(&program, &["matmul_register", "[65625, 1, 1] workgroups", "65535"]);

    // Lowered so, it is the device that is too small, not a layer that is wrong.
    small.choice = Choice::SOFTWARE;
    let error = small.lower().expect_err("no device allows as many");
    assert!(matches!(error, Error::Device(..)), "{error}");
    assert!(error.to_string().contains("65625 workgroups"), "{error}");
}

#[test]
fn a_guard_in_front_of_the_losses_is_refused() {
    let mut program = program();
    let guard = program.steps.iter().position(|dispatch| dispatch.kernel.name == "guard").unwrap();
    program.steps[..=guard].rotate_right(1);
    assert_refused(&program, &["section train", "report of guard", "read before it is written"]);
}

#[test]
fn reading_before_writing_is_refused() {
    let mut program = program();
    let range = program.section(TRAIN);
    // Without the gathering dispatch nobody has written x.
    program.sections[0].1 = range.start + 1..range.end;
    assert_refused(&program, &["section train", "a of matmul", "read before it is written"]);

    // A first writer that adds, adds to what another section left.
    let mut program = self::program();
    let add = |pair: (&'static str, Const)| if pair.0 == "ADD" { ("ADD", Const::Flag(true)) } else { pair };
    let sums = first(&mut program, "column_sums");
    sums.consts = Consts::new(sums.consts.iter().map(add).collect());
    assert_refused(&program, &["section train", "sums of column_sums", "read before it is written"]);
}

#[test]
fn requirements_of_kernels_on_constants_are_checked() {
    let mut small = Small::new("dense 5, relu, dense 3", Loss::CrossEntropy);
    small.choice = Choice::NAIVE;
    let mut program = small.lower().unwrap().program;
    // The second layer, whose product is the second one, has five inputs.
    let mut products = program.steps.iter_mut().filter(|step| step.kernel.name == table::MATMUL_NAIVE.name);
    let second = products.nth(1).unwrap();
    assert_eq!(second.consts.uint("K"), 5);
    second.kernel = &table::MATMUL_SUBGROUP;
    assert_refused(&program, &["matmul_subgroup", "multiples of 4"]);
}
