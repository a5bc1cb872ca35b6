//! The watch over gradients that the kernels keep which compute them.

use std::collections::HashMap;

use super::Recorder;
use crate::kernel::Element;
use crate::program::{Buf, Role, View};

/// Where kernels leave the squares and the flaws of the gradients that they write.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// The squares, and the flaws.
    bufs: Option<[Buf; 2]>,
    /// Parts of what a dispatch watches, by the first gradient that it writes: every batch of a step
    /// writes the same parts, and the last one has the finished sums.
    parts: HashMap<usize, [View; 2]>,
    /// Gradients watched.
    count: usize,
}

impl Recorder {
    /// So many parts for the watch over gradients of which this is the first, with `others` besides.
    pub(super) fn watch(&mut self, first: View, others: usize, parts: usize) -> [View; 2] {
        if let Some(known) = self.watch.parts.get(&first.start) {
            return *known;
        }
        let bufs = self.watch.bufs.unwrap_or_else(|| {
            [("watched squares", Element::Real), ("watched flaws", Element::Uint)]
                .map(|(name, element)| self.buffer(name, element, 0, Role::Guard).buf)
        });
        let views = bufs.map(|buf| {
            let start = self.program.bufs[buf.0].len;
            self.program.bufs[buf.0].len += parts;
            View { buf, start, len: parts }
        });
        self.watch.bufs = Some(bufs);
        self.watch.count += first.len + others;
        self.watch.parts.insert(first.start, views);
        views
    }

    /// The squares and the flaws of all gradients; none unless each is watched by who computes it.
    pub fn watched(&self) -> Option<[View; 2]> {
        let bufs = self.watch.bufs.filter(|_| self.watch.count == self.arena.count())?;
        Some(bufs.map(|buf| self.whole(buf)))
    }
}
