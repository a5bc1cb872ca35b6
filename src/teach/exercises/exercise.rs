//! One exercise: its kernel, the lines that are left out, and its hints.

use crate::kernel::Kernel;

/// A kernel whose core is left for the learner to write.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    pub kernel: &'static Kernel,
    /// The idea of the lesson that it belongs to.
    pub idea: &'static str,
    /// The lines that are left out, as they are in wgrad's shader.
    pub core: &'static str,
    /// The task: what to write in their place.
    pub task: &'static str,
    /// The lines of the core that the rest of the shader needs.
    pub kept: &'static str,
    /// A pointer and an explanation; the third hint is the core itself.
    pub hints: [&'static str; 2],
}

impl Exercise {
    /// The shader with the task in place of the core.
    ///
    /// # Panics
    /// When wgrad's shader no longer has the core, which `tests/check` rules out.
    pub fn text(&self) -> String {
        let Exercise { kernel, core, .. } = self;
        assert_eq!(kernel.wgsl.matches(core).count(), 1, "the core of {} is not in it", kernel.name);
        kernel.wgsl.replacen(core, &self.hole(), 1)
    }

    /// The task as a comment, indented like the core, and the lines that stay.
    pub fn hole(&self) -> String {
        let indent: String = self.core.chars().take_while(|c| *c == ' ').collect();
        let lines: Vec<String> = self.task.lines().map(|line| format!("{indent}// {line}")).collect();
        format!("{indent}// ---- yours ----\n{}\n{indent}// ---------------\n{}", lines.join("\n"), self.kept)
    }

    /// The hint of this number, from 1 to 3.
    pub fn hint(&self, number: usize) -> String {
        match number {
            1 | 2 => self.hints[number - 1].to_owned(),
            _ => format!("The lines that were left out:\n\n{}", self.core.trim_end()),
        }
    }

    pub(super) fn file(&self) -> String {
        format!("{}.wgsl", self.kernel.name)
    }
}
