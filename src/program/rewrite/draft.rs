//! The draft of a section while it is rewritten: its dispatches, and who reads and writes each buffer.

use std::collections::HashMap;

use crate::kernel::Element;
use crate::program::{Buf, Dispatch, Program, Role, View};

/// A section's dispatches. Positions stay what they are while it is rewritten: a dispatch that is taken out
/// leaves a gap, and new ones stand where an old one was.
pub(super) struct Draft<'a> {
    program: &'a mut Program,
    /// What stands at the position of each dispatch of the section as it was.
    steps: Vec<Vec<Dispatch>>,
    /// The positions of the dispatches that have a view of each buffer.
    users: HashMap<Buf, Vec<usize>>,
}

/// Rewrites section after section; a Program without any is one.
///
/// # Panics
/// When there are dispatches outside of the sections: a recorder leaves none.
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

    /// The dispatch at a position; none where it was taken out or replaced by several, or behind the last.
    pub fn at(&self, at: usize) -> Option<&Dispatch> {
        match self.steps.get(at)?.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// All dispatches that stand at a position.
    pub fn all(&self, at: usize) -> &[Dispatch] {
        &self.steps[at]
    }

    /// Takes a dispatch out.
    pub fn remove(&mut self, at: usize) {
        self.steps[at].clear();
    }

    /// Puts other dispatches in the place of one.
    pub fn replace(&mut self, at: usize, by: Vec<Dispatch>) {
        self.steps[at] = by;
        self.note_users(at);
    }

    /// Keeps who uses which buffer. Positions that use one no longer stay in its list: whoever asks looks at
    /// what stands there now.
    fn note_users(&mut self, at: usize) {
        for view in self.steps[at].iter().flat_map(|dispatch| &dispatch.args) {
            let known = self.users.entry(view.buf).or_default();
            if let Err(place) = known.binary_search(&at) {
                known.insert(place, at);
            }
        }
    }

    /// The positions of the dispatches that write a view of a buffer.
    pub fn writers(&self, buf: Buf) -> Vec<usize> {
        self.users_that(buf, |dispatch| dispatch.writes().any(|view| view.buf == buf))
    }

    /// The positions of the dispatches that read a view of a buffer, by binding it to be read: not those that
    /// only add to it.
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

    /// The buffer of the gradient of what is in a buffer.
    pub fn gradient(&self, buf: Buf) -> Option<Buf> {
        self.program.bufs[buf.0].gradient
    }

    /// The name of a buffer.
    pub fn name(&self, buf: Buf) -> &str {
        &self.program.bufs[buf.0].name
    }

    /// A new buffer of a layer that only this section needs.
    pub fn scratch(&mut self, layer: &str, name: &str, element: Element, len: usize) -> View {
        let name = if layer.is_empty() { name.to_owned() } else { format!("{layer}.{name}") };
        self.program.declare(&name, element, len, Role::Activations)
    }

    /// The Program around it, without its dispatches.
    pub fn program(&mut self) -> &mut Program {
        self.program
    }
}
