//! Memory shared by scratch buffers that are never needed at the same time.

use std::ops::Range;

use super::{Buf, Dispatch, Program, Role, View};
use crate::kernel::Access;

/// The dispatches from a buffer's first use to its last.
type Lifetime = Range<usize>;

impl Program {
    /// Lets scratch buffers share memory where their lifetimes don't overlap.
    ///
    /// The buffers in `keep` are read after their section has run.
    ///
    /// The largest buffer chooses first, and takes the first memory that is free over its lifetime: “greedy by size”
    /// of Pisarchyk and Lee, “Efficient Memory Management for Deep Neural Net Inference” (2020). Memory is as large as
    /// its first buffer, so later buffers fit.
    pub fn share(&mut self, keep: &[Buf]) {
        let lifetimes = self.lifetimes(keep);
        let mut order: Vec<usize> = (0..self.bufs.len())
            .filter(|at| self.bufs[*at].role == Role::Activations && lifetimes[*at] != (0..0))
            .collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.bufs[*at].len));
        // Each owner of memory, and the lifetimes in it.
        let mut memories: Vec<(usize, Vec<Lifetime>)> = Vec::new();
        for at in order {
            let suits = |(owner, taken): &(usize, Vec<Lifetime>)| {
                let (owner, buf) = (&self.bufs[*owner], &self.bufs[at]);
                owner.element == buf.element && taken.iter().all(|other| !overlap(other, &lifetimes[at]))
            };
            match memories.iter().position(suits) {
                Some(found) => {
                    memories[found].1.push(lifetimes[at].clone());
                    self.bufs[at].shares = Some(Buf(memories[found].0));
                }
                None => memories.push((at, vec![lifetimes[at].clone()])),
            }
        }
    }

    /// The buffer that owns a buffer's memory: itself, unless it shares another's.
    pub fn owner(&self, buf: Buf) -> Buf {
        self.bufs[buf.0].shares.unwrap_or(buf)
    }

    /// The lifetime of each buffer: up to its last use, or to the end of its section for those in `keep`.
    ///
    /// Sections run one at a time, so a section's buffers are free outside it.
    fn lifetimes(&self, keep: &[Buf]) -> Vec<Lifetime> {
        let mut lifetimes = vec![0..0; self.bufs.len()];
        let mut use_at = |buf: Buf, at: usize| {
            let lifetime = &mut lifetimes[buf.0];
            *lifetime = if *lifetime == (0..0) { at..at + 1 } else { lifetime.start.min(at)..at + 1 };
        };
        for (at, dispatch) in self.steps.iter().enumerate() {
            dispatch.args.iter().for_each(|view| use_at(view.buf, at));
        }
        for (_, range) in &self.sections {
            for buf in keep.iter().filter(|buf| self.uses(range, **buf)) {
                use_at(*buf, range.end - 1);
            }
        }
        lifetimes
    }

    fn uses(&self, range: &Range<usize>, buf: Buf) -> bool {
        self.steps[range.clone()].iter().any(|dispatch| dispatch.args.iter().any(|view| view.buf == buf))
    }

    /// Checks that no dispatch reads overwritten memory, or binds two buffers that share memory.
    pub(super) fn check_sharing(&self) -> Result<(), String> {
        for (at, buf) in self.bufs.iter().enumerate() {
            let Some(owner) = buf.shares else { continue };
            let fits = self.bufs.get(owner.0).is_some_and(|owner| {
                owner.shares.is_none() && owner.len >= buf.len && owner.element == buf.element
            });
            if !fits || [buf, &self.bufs[owner.0]].iter().any(|buf| buf.role != Role::Activations) {
                return Err(format!(
                    "buffer {at} ({}) cannot share the memory of buffer {}",
                    buf.name, owner.0
                ));
            }
        }
        for (section, range) in &self.sections {
            // The buffer whose content is in each memory.
            let mut content = vec![None; self.bufs.len()];
            for dispatch in &self.steps[range.clone()] {
                for (view, bind) in dispatch.args.iter().zip(dispatch.kernel.binds) {
                    let owner = self.owner(view.buf);
                    let shares = |other: &&View| other.buf != view.buf && self.owner(other.buf) == owner;
                    if let Some(other) = dispatch.args.iter().find(shares) {
                        return Err(self.overwritten(section, dispatch, view.buf, other.buf));
                    }
                    let reads = bind.access.reads(&dispatch.consts);
                    if let Some(other) = content[owner.0].filter(|content| reads && *content != view.buf) {
                        return Err(self.overwritten(section, dispatch, view.buf, other));
                    }
                    if bind.access != Access::Read {
                        content[owner.0] = Some(view.buf);
                    }
                }
            }
        }
        Ok(())
    }

    fn overwritten(&self, section: &str, dispatch: &Dispatch, buf: Buf, other: Buf) -> String {
        let name = |buf: Buf| &self.bufs[buf.0].name;
        format!(
            "section {section}: {} ({}) uses {}, whose memory {} has",
            dispatch.kernel.name,
            dispatch.label(),
            name(buf),
            name(other)
        )
    }
}

fn overlap(a: &Lifetime, b: &Lifetime) -> bool {
    a.start < b.end && b.start < a.end
}
