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
pub(super) fn each(mut program: Program, mut edit: impl FnMut(&mut Draft)) -> Program {
    let steps = std::mem::take(&mut program.steps);
    let sections = std::mem::take(&mut program.sections);
    let mut rewritten = |program: &mut Program, steps: &[Dispatch]| {
        let mut draft = Draft::new(program, steps.to_vec());
        edit(&mut draft);
        draft.steps.into_iter().flatten().collect::<Vec<Dispatch>>()
    };
    if sections.is_empty() {
        program.steps = rewritten(&mut program, &steps);
    }
    for (name, range) in sections {
        let first = program.steps.len();
        let steps = rewritten(&mut program, &steps[range]);
        program.steps.extend(steps);
        program.sections.push((name, first..program.steps.len()));
    }
    program.number_gates();
    program
}

impl<'a> Draft<'a> {
    fn new(program: &'a mut Program, steps: Vec<Dispatch>) -> Draft<'a> {
        let mut users: HashMap<Buf, Vec<usize>> = HashMap::new();
        for (at, dispatch) in steps.iter().enumerate() {
            for view in &dispatch.args {
                let known = users.entry(view.buf).or_default();
                if known.last() != Some(&at) {
                    known.push(at);
                }
            }
        }
        Draft { program, steps: steps.into_iter().map(|dispatch| vec![dispatch]).collect(), users }
    }

    /// Positions, from first to last.
    pub fn positions(&self) -> std::ops::Range<usize> {
        0..self.steps.len()
    }

    /// The dispatch at a position, unless it was taken out or replaced by several.
    pub fn at(&self, at: usize) -> Option<&Dispatch> {
        match self.steps[at].as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The same for a position that may be behind the last.
    pub fn at_or_none(&self, at: usize) -> Option<&Dispatch> {
        if at < self.steps.len() { self.at(at) } else { None }
    }

    /// The dispatch at a position, to change it.
    ///
    /// # Panics
    /// When there is not exactly one.
    pub fn edit(&mut self, at: usize) -> &mut Dispatch {
        match self.steps[at].as_mut_slice() {
            [one] => one,
            several => panic!("{} dispatches stand at position {at}", several.len()),
        }
    }

    /// Takes a dispatch out.
    pub fn remove(&mut self, at: usize) {
        self.steps[at].clear();
    }

    /// Puts other dispatches in the place of one.
    pub fn replace(&mut self, at: usize, by: Vec<Dispatch>) {
        self.steps[at] = by;
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
        users.filter(|at| self.at(*at).is_some_and(&what)).collect()
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

    /// A new buffer that only this section needs.
    pub fn scratch(&mut self, name: &str, element: Element, len: usize) -> View {
        self.program.declare(name, element, len, Role::Activations)
    }

    /// The Program around it, without its dispatches.
    pub fn program(&mut self) -> &mut Program {
        self.program
    }
}
