//! Scratch buffers that are never needed at the same time share memory.

use std::ops::Range;

use super::{Buf, Dispatch, Program, Role, View};
use crate::kernel::Access;

/// When a buffer is in use: the dispatches from its first to its last.
type Lifetime = Range<usize>;

impl Program {
    /// Lets scratch buffers live in the memory of others, as far as none is
    /// written while another in the same memory is still to be read. `keep`
    /// are read after their section has run.
    ///
    /// The largest buffer chooses first, and takes the first memory that is free
    /// over its lifetime: “greedy by size” among the shared objects of Pisarchyk and
    /// Lee, “Efficient Memory Management for Deep Neural Net Inference” (2020). As
    /// memory is as large as the first buffer in it, whoever comes later fits.
    pub fn share(&mut self, keep: &[Buf]) {
        let lifetimes = self.lifetimes(keep);
        let mut order: Vec<usize> = (0..self.bufs.len())
            .filter(|at| self.bufs[*at].role == Role::Activations && lifetimes[*at] != (0..0))
            .collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.bufs[*at].len));
        // A memory, by the buffer that it was made for, and when it is taken.
        let mut memories: Vec<(usize, Vec<Lifetime>)> = Vec::new();
        for at in order {
            let suits = |(home, taken): &(usize, Vec<Lifetime>)| {
                let (home, buf) = (&self.bufs[*home], &self.bufs[at]);
                home.element == buf.element && taken.iter().all(|other| !overlap(other, &lifetimes[at]))
            };
            match memories.iter().position(suits) {
                Some(found) => {
                    memories[found].1.push(lifetimes[at].clone());
                    self.bufs[at].home = Some(Buf(memories[found].0));
                }
                None => memories.push((at, vec![lifetimes[at].clone()])),
            }
        }
    }

    /// The buffer whose memory a buffer lives in: its own, unless it shares another's.
    pub fn home(&self, buf: Buf) -> Buf {
        self.bufs[buf.0].home.unwrap_or(buf)
    }

    /// From the first dispatch that uses a buffer to the last, per buffer; to the end of its
    /// section for those in `keep`. Sections run one at a time, so each buffer of a
    /// section is free outside it.
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

    /// Checks that no dispatch reads what another buffer in the same memory has
    /// overwritten, and that none has two buffers in one memory.
    pub(super) fn check_sharing(&self) -> Result<(), String> {
        for (at, buf) in self.bufs.iter().enumerate() {
            let Some(home) = buf.home else { continue };
            let fits = self.bufs.get(home.0).is_some_and(|home| {
                home.home.is_none() && home.len >= buf.len && home.element == buf.element
            });
            if !fits || [buf, &self.bufs[home.0]].iter().any(|buf| buf.role != Role::Activations) {
                return Err(format!(
                    "buffer {at} ({}) cannot live in the memory of buffer {}",
                    buf.name, home.0
                ));
            }
        }
        for (section, range) in &self.sections {
            // Which buffer's content each memory has.
            let mut content = vec![None; self.bufs.len()];
            for dispatch in &self.steps[range.clone()] {
                for (view, bind) in dispatch.args.iter().zip(dispatch.kernel.binds) {
                    let home = self.home(view.buf);
                    let shares = |other: &&View| other.buf != view.buf && self.home(other.buf) == home;
                    if let Some(other) = dispatch.args.iter().find(shares) {
                        return Err(self.overwritten(section, dispatch, view.buf, other.buf));
                    }
                    let reads = bind.access.reads(&dispatch.consts);
                    if let Some(other) = content[home.0].filter(|content| reads && *content != view.buf) {
                        return Err(self.overwritten(section, dispatch, view.buf, other));
                    }
                    if bind.access != Access::Read {
                        content[home.0] = Some(view.buf);
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
