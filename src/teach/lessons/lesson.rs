//! A lesson: its name, the settings that it takes, and the function that teaches it.

use super::machine::Machine;
use super::options::{Flag, LessonOptions};
use crate::error::{Error, Result};
use crate::report::page::Page;

/// One lesson.
pub struct Lesson {
    /// Its place in the order, such as `7` or `7b`.
    pub id: &'static str,
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is about, in one line.
    pub summary: &'static str,
    /// The settings that it takes; all others are refused.
    pub takes: &'static [Flag],
    /// Runs it. The options have been checked against `takes`.
    pub teach: fn(&LessonOptions, &Machine) -> Result<Page>,
    /// Where its numbers stop fitting 32 bits with these options, as a part of
    /// a sentence; asked for when some no longer do.
    pub limit: fn(&LessonOptions, &Machine) -> Result<String>,
}

impl Lesson {
    /// Checks that the lesson takes what was given, and that numbers are numbers.
    ///
    /// # Errors
    /// [`Error::Usage`] naming the setting and what it may be.
    pub fn check(&self, options: &LessonOptions) -> Result<()> {
        if let Some(flag) = options.given().into_iter().find(|flag| !self.takes.contains(flag)) {
            let takes: Vec<&str> = self.takes.iter().map(|flag| flag.name()).collect();
            let takes = if takes.is_empty() { "no settings".to_owned() } else { takes.join(", ") };
            return Err(Error::Usage(format!(
                "lesson {} ({}) has no {}; it takes {takes}",
                self.id,
                self.name,
                flag.name()
            )));
        }
        options.check()
    }
}
