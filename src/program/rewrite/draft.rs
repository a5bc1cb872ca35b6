//! A section while it is rewritten: its dispatches, and the users of each buffer.

use std::collections::HashMap;

use crate::kernel::Element;
use crate::program::{Buf, Dispatch, Program, Role, View};

/// A section's dispatches by position.
///
/// Positions stay the same while it is rewritten: a removed dispatch leaves a gap, and several may replace one.
pub(super) struct Draft<'a> {
    program: &'a mut Program,
    /// The dispatches at each position of the section.
    steps: Vec<Vec<Dispatch>>,
    /// The positions of the dispatches that bind each buffer.
    users: HashMap<Buf, Vec<usize>>,
}

/// Rewrites section after section; a Program without sections is one.
///
/// # Panics
/// When there are dispatches outside the sections: a recorder leaves none.
pub(super) fn each(mut program: Program, mut edit: impl FnMut(&mut Draft)) -> Program {
    let mut steps = std::mem::take(&mut program.steps).into_iter();
    let sections = std::mem::take(&mut program.sections);
    let mut rewritten = |program: &mut Program, steps: Vec<Dispatch>| {
        let mut draft = Draft::new(program, steps);
        edit(&mut draft);
        draft.steps.into_iter().flatten().collect::<Vec<Dispatch>>()
    };
    if sections.is_empty() {
        program.steps = rewritten(&mut program, steps.by_ref().collect());
    }
    for (name, range) in sections {
        let first = program.steps.len();
        let steps = rewritten(&mut program, steps.by_ref().take(range.len()).collect());
        program.steps.extend(steps);
        program.sections.push((name, first..program.steps.len()));
    }
    assert!(steps.next().is_none(), "every dispatch is in a section, or none is");
    program.number_gates();
    program
}

impl<'a> Draft<'a> {
    fn new(program: &'a mut Program, steps: Vec<Dispatch>) -> Draft<'a> {
        let steps: Vec<Vec<Dispatch>> = steps.into_iter().map(|dispatch| vec![dispatch]).collect();
        let mut draft = Draft { program, steps, users: HashMap::new() };
        draft.positions().for_each(|at| draft.note_users(at));
        draft
    }

    /// Positions, from first to last.
    pub fn positions(&self) -> std::ops::Range<usize> {
        0..self.steps.len()
    }

    /// The dispatch at a position; none unless there is exactly one.
    pub fn at(&self, at: usize) -> Option<&Dispatch> {
        match self.steps.get(at)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// All dispatches at a position.
    pub fn all(&self, at: usize) -> &[Dispatch] {
        &self.steps[at]
    }

    /// Removes a dispatch.
    pub fn remove(&mut self, at: usize) {
        self.steps[at].clear();
    }

    /// Replaces a dispatch by others.
    pub fn replace(&mut self, at: usize, by: Vec<Dispatch>) {
        self.steps[at] = by;
        self.note_users(at);
    }

    /// Notes the buffers that a position uses.
    ///
    /// Former users stay in the list, so readers of it look at the dispatches that are there now.
    fn note_users(&mut self, at: usize) {
        for view in self.steps[at].iter().flat_map(|dispatch| &dispatch.args) {
            let known = self.users.entry(view.buf).or_default();
            if let Err(slot) = known.binary_search(&at) {
                known.insert(slot, at);
            }
        }
    }

    /// The positions of the dispatches that write a view of a buffer.
    pub fn writers(&self, buf: Buf) -> Vec<usize> {
        self.users_that(buf, |dispatch| dispatch.writes().any(|view| view.buf == buf))
    }

    /// The positions of the dispatches that bind a view of a buffer for reading: not those that add to it.
    pub fn readers(&self, buf: Buf) -> Vec<usize> {
        self.users_that(buf, |dispatch| {
            let mut bound = dispatch.args.iter().zip(dispatch.kernel.binds);
            bound.any(|(view, bind)| view.buf == buf && !bind.access.writes())
        })
    }

    fn users_that(&self, buf: Buf, what: impl Fn(&Dispatch) -> bool) -> Vec<usize> {
        let users = self.users.get(&buf).into_iter().flatten().copied();
        users.filter(|at| self.steps[*at].iter().any(&what)).collect()
    }

    /// The only dispatch that writes a buffer.
    pub fn writer(&self, buf: Buf) -> Option<usize> {
        match self.writers(buf).as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// The role of a buffer.
    pub fn role(&self, buf: Buf) -> Role {
        self.program.bufs[buf.0].role
    }

    /// The buffer of a buffer's gradient.
    pub fn gradient(&self, buf: Buf) -> Option<Buf> {
        self.program.bufs[buf.0].gradient
    }

    /// The name of a buffer.
    pub fn name(&self, buf: Buf) -> &str {
        &self.program.bufs[buf.0].name
    }

    /// A new scratch buffer of a layer.
    pub fn scratch(&mut self, layer: &str, name: &str, element: Element, len: usize) -> View {
        let name = if layer.is_empty() { name.to_owned() } else { format!("{layer}.{name}") };
        self.program.declare(&name, element, len, Role::Activations)
    }

    /// The Program, without its dispatches.
    pub fn program(&mut self) -> &mut Program {
        self.program
    }
}
