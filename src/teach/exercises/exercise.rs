//! One exercise: where the hole is, and what is said about it.

use crate::kernel::Kernel;

/// A kernel with a hole in it.
#[derive(Clone, Copy, Debug)]
pub struct Exercise {
    pub kernel: &'static Kernel,
    /// What the lesson behind it is about.
    pub idea: &'static str,
    /// The lines that are left out, as they stand in our shader.
    pub heart: &'static str,
    /// What stands in their place: says what to write there.
    pub task: &'static str,
    /// What the rest of the shader needs of the heart.
    pub kept: &'static str,
    /// A nudge and an explanation; the third hint is the heart itself.
    pub hints: [&'static str; 2],
}

impl Exercise {
    /// The shader with the task in the place of the heart.
    ///
    /// # Panics
    /// When our shader no longer has the heart, which `tests/check` rules out.
    pub fn text(&self) -> String {
        let Exercise { kernel, heart, .. } = self;
        assert_eq!(kernel.wgsl.matches(heart).count(), 1, "the heart of {} is not in it", kernel.name);
        kernel.wgsl.replacen(heart, &self.hole(), 1)
    }

    /// The task as a comment, as far to the right as the heart, and what is kept.
    pub fn hole(&self) -> String {
        let indent: String = self.heart.chars().take_while(|c| *c == ' ').collect();
        let lines: Vec<String> = self.task.lines().map(|line| format!("{indent}// {line}")).collect();
        format!("{indent}// ---- yours ----\n{}\n{indent}// ---------------\n{}", lines.join("\n"), self.kept)
    }

    /// The hint of this number, from 1 to 3.
    pub fn hint(&self, number: usize) -> String {
        match number {
            1 | 2 => self.hints[number - 1].to_owned(),
            _ => format!("The lines that were left out:\n\n{}", self.heart.trim_end()),
        }
    }

    pub(super) fn file(&self) -> String {
        format!("{}.wgsl", self.kernel.name)
    }
}
