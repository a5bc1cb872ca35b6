//! Gates, by which a kernel stops dispatches behind it.

use super::Program;
use crate::kernel::Const;
use crate::table;

impl Program {
    /// The words of [`Program::gates`] when all gates are open.
    pub fn open_gates(&self) -> Vec<u32> {
        let mut words = vec![0; self.gates.map_or(0, |gates| gates.len)];
        for dispatch in &self.steps {
            if let Some(gate) = dispatch.gate {
                words[3 * gate..][..3].copy_from_slice(&dispatch.kernel.groups(&dispatch.consts));
            }
        }
        words
    }

    /// Numbers the gates in the order of their dispatches, and sets their number in the guard.
    pub(super) fn number_gates(&mut self) {
        let Some(gates) = &mut self.gates else { return };
        let behind = self.steps.iter_mut().filter_map(|dispatch| dispatch.gate.as_mut());
        let count = behind.enumerate().map(|(number, gate)| *gate = number).count();
        // A network without parameters still has a buffer to bind.
        gates.len = 3 * count.max(1);
        self.bufs[gates.buf.0].len = gates.len;
        for guard in self.steps.iter_mut().filter(|dispatch| dispatch.kernel.is(&table::GUARD)) {
            guard.bind("gates", *gates);
            guard.consts.set("GATES", Const::from(gates.len));
        }
    }
}
