//! The bound of `hot_cold` allows any move only where two errors are almost equal, which is rare.

use wgrad::internals::cpu::hot_cold::{hot_cold, hot_cold_bound};
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::kernel::{Call, Kernel, Slice, SliceMut, Twin, WorkgroupSizes};
use wgrad::internals::table::HOT_COLD;
use wgrad::internals::verify::cases;

/// Goes the wrong way with every tenth weight.
fn contrary(call: Call, reads: &[Slice<f32>], writes: &mut [SliceMut<f32>]) {
    hot_cold(call, reads, writes);
    let positions = reads[3].real();
    for (at, moved) in writes[1].real().iter_mut().enumerate().skip(5).step_by(10) {
        *moved = 2.0 * positions[at] - *moved;
    }
}

/// `hot_cold` with another twin or another bound.
fn variant(twin: Twin<f32>, bound: Twin<f64>) -> &'static Kernel {
    Box::leak(Box::new(Kernel {
        twin,
        bound,
        fast: None,
        workgroup_sizes: WorkgroupSizes::new(),
        ..HOT_COLD
    }))
}

fn check(kernel: &'static Kernel) -> cases::KernelVerdict {
    cases::check(kernel, &cases::cases(kernel), &mut |program| Ok(Box::new(CpuEngine::plain(program)?)))
        .unwrap()
}

#[test]
fn a_weight_that_goes_the_wrong_way_is_caught() {
    let verdict = check(variant(contrary, hot_cold_bound));
    let problem = verdict.problem.expect("nobody noticed");
    assert!(problem.contains("moved["), "{problem}");
}

#[test]
fn few_moves_are_left_undecided() {
    fn undecided(call: Call, reads: &[Slice<f64>], writes: &mut [SliceMut<f64>]) {
        hot_cold_bound(call, reads, writes);
        let moved = writes[1].real();
        // A weight whose input is always 0 may make any move.
        let free = moved.iter().filter(|bound| **bound >= 1.0).count();
        assert!(free * 4 <= moved.len(), "{free} of {} moves are free ({})", moved.len(), call.consts);
    }
    let verdict = check(variant(hot_cold, undecided));
    assert!(verdict.problem.is_none(), "{:?}", verdict.problem);
}
