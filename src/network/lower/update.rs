//! The end of a training step: gradient norm, guard and update.

use super::training::Training;
use crate::cpu::guard;
use crate::kernel::consts;
use crate::kernel::{Element, aligned};
use crate::network::loss::Metrics;
use crate::network::optimiser::State;
use crate::program::record::Recorder;
use crate::program::{Role, View};
use crate::table;

/// The buffer of a submission's report. It has the history of its steps, then their losses and correct flags.
pub(crate) fn metrics(recorder: &mut Recorder, slots: usize, pitch: usize) -> Metrics {
    let (history, rows) = (slots * guard::HISTORY, slots * pitch * 2);
    let whole = recorder.buffer("metrics", Element::Real, aligned(history) + rows, Role::Metrics);
    let view = View { start: aligned(history), len: rows, ..whole };
    Metrics { view, slots, pitch }
}

/// Records the norm of the gradients, the guard, and the update. The guard stops the update at a non-finite value.
pub(super) fn update(
    recorder: &mut Recorder,
    training: &Training,
    states: &[State],
    ema: Option<View>,
    norm: View,
    metrics: Metrics,
) {
    let [sums, non_finite] = watch(recorder);
    let Metrics { view, slots, pitch } = metrics;
    let guard = |recorder: &mut Recorder, gates: View| {
        let consts = consts! {
            PARTS: sums.len, SLOTS: slots, BATCH: pitch, ROWS_AT: view.start, GATES: gates.len,
        };
        let arguments = vec![sums, non_finite, norm, gates, metrics.report(slots)];
        recorder.dispatch(&table::GUARD, consts, arguments, "norm and guard");
    };
    recorder.guarded(guard, |recorder| training.record(recorder, states, ema, norm));
}

/// The squares and the non-finite count of all gradients, by one dispatch.
pub(crate) fn watch(recorder: &mut Recorder) -> [View; 2] {
    let gradients = recorder.gradients();
    let parts = guard::parts(gradients.len);
    let sums = recorder.buffer("norm parts", Element::Real, parts, Role::Guard);
    let non_finite = recorder.buffer("non_finite", Element::Uint, parts, Role::Guard);
    let consts = consts! { LENGTH: gradients.len, PARTS: parts };
    let arguments = vec![gradients, sums, non_finite];
    recorder.dispatch(&table::GRADIENT_PARTS, consts, arguments, "squares of the gradients");
    [sums, non_finite]
}
