//! The rules of a GPU, checked on a machine without one.

use std::collections::{HashMap, HashSet};

use super::{Buf, Dispatch, Limits, Program, Role, View, mebibytes};
use crate::error::{DeviceFault, Error, Result};
use crate::kernel::{ALIGN, Access, aligned};

/// Workgroups along one dimension of a dispatch: WebGPU's limit.
const MOST_GROUPS: u32 = 65_535;

impl Program {
    /// Checks every rule that a GPU would check, and the lengths of all views.
    ///
    /// # Errors
    /// [`Error::Failure`] with the dispatch: a Program that breaks a rule is a mistake in a layer, not of the user.
    pub fn validate(&self) -> Result<()> {
        for (at, dispatch) in self.steps.iter().enumerate() {
            self.check(dispatch).map_err(|problem| {
                Error::Failure(format!(
                    "dispatch {at} ({}, {}): {problem}",
                    dispatch.kernel.name,
                    dispatch.label()
                ))
            })?;
        }
        self.check_sharing().map_err(Error::Failure)?;
        self.check_order()
    }

    /// Checks that a section writes every scratch buffer before it reads it.
    fn check_order(&self) -> Result<()> {
        for (section, range) in &self.sections {
            let mut written = Written::default();
            for dispatch in &self.steps[range.clone()] {
                let bound = || dispatch.args.iter().zip(dispatch.kernel.binds);
                for (view, bind) in bound() {
                    let reads = bind.access.reads(&dispatch.consts);
                    if reads && !self.is_written(*view, &written) {
                        return Err(Error::Failure(format!(
                            "section {section}: {} of {} ({}) is read before it is written",
                            bind.name,
                            dispatch.kernel.name,
                            dispatch.label()
                        )));
                    }
                }
                if let Some(lost) = self.lost_gradient(dispatch, &written) {
                    return Err(Error::Failure(format!(
                        "section {section}: {lost} of {} ({}) is a gradient of the parameters that was written \
                         before and is not added to",
                        dispatch.kernel.name,
                        dispatch.label()
                    )));
                }
                for (view, _) in bound().filter(|(_, bind)| bind.access != Access::Read) {
                    self.note_written(*view, &mut written);
                }
            }
        }
        Ok(())
    }

    /// Whether a view has content once `written` has been written in its section.
    ///
    /// A step reads only its own rows of the report, so any write to it counts.
    fn is_written(&self, view: View, written: &Written) -> bool {
        match self.bufs[view.buf.0].role {
            Role::Metrics => written.contains_key(&view.buf),
            role => role.lasts() || covered(view, parts(written, view.buf)),
        }
    }

    /// Notes a written view, once: the batches of a step write many again.
    fn note_written(&self, view: View, written: &mut Written) {
        let parts = written.entry(view.buf).or_default();
        let any_counts = self.bufs[view.buf.0].role == Role::Metrics && !parts.is_empty();
        if !any_counts && !parts.contains(&view) {
            parts.push(view);
        }
    }

    /// The binding that would overwrite a gradient of the parameters: all writers but the first must add.
    fn lost_gradient(&self, dispatch: &Dispatch, written: &Written) -> Option<&'static str> {
        let sets = !dispatch.consts.adds();
        let mut bound = dispatch.args.iter().zip(dispatch.kernel.binds);
        let lost = bound.find(|(view, bind)| {
            bind.access == Access::Write
                && self.bufs[view.buf.0].role == Role::Gradients
                && parts(written, view.buf).iter().any(|one| one.start == view.start)
        });
        lost.filter(|_| sets).map(|(_, bind)| bind.name)
    }

    fn check(&self, dispatch: &Dispatch) -> Result<(), String> {
        let kernel = dispatch.kernel;
        let given: Vec<&str> = dispatch.consts.iter().map(|(name, _)| name).collect();
        if given != kernel.consts {
            return Err(format!("constants {given:?} where the kernel has {:?}", kernel.consts));
        }
        let gates = self.gates.map_or(0, |gates| gates.len / 3);
        if let Some(gate) = dispatch.gate.filter(|gate| *gate >= gates) {
            return Err(format!("it stands behind gate {gate}, and there are {gates}"));
        }
        if dispatch.args.len() != kernel.binds.len() {
            return Err(format!("{} views for {} bindings", dispatch.args.len(), kernel.binds.len()));
        }
        let (mut read, mut written) = (HashSet::new(), Vec::<View>::new());
        let lens = (kernel.lens)(&dispatch.consts);
        for ((view, bind), len) in dispatch.args.iter().zip(kernel.binds).zip(lens) {
            let buf = self.bufs.get(view.buf.0).ok_or_else(|| format!("{} has no buffer", bind.name))?;
            let inside = view.start.checked_add(view.len).is_some_and(|end| end <= buf.len);
            if !inside || view.len == 0 {
                return Err(format!("{} is outside its buffer {}", bind.name, buf.name));
            }
            if view.len != len {
                return Err(format!("{} has {} words, the kernel wants {len}", bind.name, view.len));
            }
            if !view.start.is_multiple_of(ALIGN) {
                return Err(format!("{} starts at word {}, not on {ALIGN}", bind.name, view.start));
            }
            if buf.element != bind.element {
                return Err(format!(
                    "{} wants {:?}, buffer {} holds {:?}",
                    bind.name, bind.element, buf.name, buf.element
                ));
            }
            // A written buffer may be bound in several parts that don't overlap, and not be read.
            let again = written
                .iter()
                .any(|one| if bind.access.writes() { one.overlaps(*view) } else { one.buf == view.buf });
            if bind.access.writes() {
                written.push(*view);
            } else {
                read.insert(view.buf);
            }
            if again || written.iter().any(|one| read.contains(&one.buf)) {
                return Err(format!("buffer {} is written and bound a second time", buf.name));
            }
        }
        (kernel.requires)(&dispatch.consts).map_err(str::to_owned)?;
        let groups = kernel.groups(&dispatch.consts);
        if groups.iter().any(|n| *n == 0 || *n > MOST_GROUPS) {
            return Err(format!("{groups:?} workgroups; one to {MOST_GROUPS} are allowed along a dimension"));
        }
        Ok(())
    }

    /// Checks that the Program fits a device.
    ///
    /// # Errors
    /// [`Error::Device`] with what is needed and what there is.
    pub fn fits(&self, limits: &Limits) -> Result<()> {
        let too_small = |what: &str, needed: u64, available: u64| {
            Error::Device(
                DeviceFault::TooSmall,
                format!("{what} needs {}, the device offers {}", mebibytes(needed), mebibytes(available)),
            )
        };
        for buf in &self.bufs {
            let bytes = buf.len as u64 * 4;
            if bytes > limits.buffer_bytes {
                return Err(too_small(&format!("the buffer “{}”", buf.name), bytes, limits.buffer_bytes));
            }
        }
        for dispatch in &self.steps {
            for (view, bind) in dispatch.args.iter().zip(dispatch.kernel.binds) {
                let bytes = view.len as u64 * 4;
                if bytes > limits.binding_bytes {
                    let what = format!("“{}” of {} ({})", bind.name, dispatch.kernel.name, dispatch.label());
                    return Err(too_small(&what, bytes, limits.binding_bytes));
                }
            }
        }
        match limits.memory_bytes {
            Some(memory) if self.shared_bytes() > memory => {
                Err(too_small("the run", self.shared_bytes(), memory))
            }
            _ => self.groups_fit(),
        }
    }

    /// Checks the workgroups, of which every device offers equally many.
    fn groups_fit(&self) -> Result<()> {
        for dispatch in &self.steps {
            let most = dispatch.kernel.groups(&dispatch.consts).into_iter().max().unwrap_or_default();
            if most > MOST_GROUPS {
                return Err(Error::Device(
                    DeviceFault::TooSmall,
                    format!(
                        "{} ({}) needs {most} workgroups along a dimension, a device offers {MOST_GROUPS}",
                        dispatch.kernel.name,
                        dispatch.label()
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The views that a section has written, by their buffers.
type Written = HashMap<Buf, Vec<View>>;

fn parts(written: &Written, buf: Buf) -> &[View] {
    written.get(&buf).map_or(&[], Vec::as_slice)
}

/// Whether the written parts of a view's buffer, with the padding behind each, cover it.
fn covered(view: View, written: &[View]) -> bool {
    let mut parts: Vec<&View> = written.iter().collect();
    parts.sort_by_key(|part| part.start);
    let mut covered = view.start;
    for part in parts {
        if part.start <= covered {
            covered = covered.max(part.start + aligned(part.len));
        }
    }
    covered >= view.start + view.len
}
