//! Finds dispatches by the views that they read and write, never by the words of their label.

use wgrad::internals::kernel::Access;
use wgrad::internals::network::lower::Lowered;
use wgrad::internals::program::View;

/// The view of a parameter in the arena of parameters, or of their gradients.
pub fn in_arena(arena: View, lowered: &Lowered, name: &str) -> View {
    let param = lowered.arena.find(name).unwrap_or_else(|| panic!("no parameter {name}"));
    View { start: arena.start + param.start, len: param.len(), ..arena }
}

/// The first dispatch of a Program that reads or writes exactly this view.
pub fn first_with(lowered: &Lowered, access: Access, view: View) -> usize {
    let binds = |at: &usize| {
        let dispatch = &lowered.program.steps[*at];
        dispatch
            .args
            .iter()
            .zip(dispatch.kernel.binds)
            .any(|(arg, bind)| *arg == view && bind.access == access)
    };
    (0..lowered.program.steps.len()).find(binds).expect("a dispatch with this view")
}
