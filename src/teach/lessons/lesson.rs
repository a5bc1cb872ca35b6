//! A lesson: its name, the settings that it takes, and the function that teaches it.

use super::machine::Machine;
use super::options::{LessonOptions, Setting};
use crate::error::{Error, Result};
use crate::report::page::Page;

/// One lesson.
pub struct Lesson {
    /// Its place in the order, such as `7` or `7b`.
    pub id: &'static str,
    /// Its name on the command line.
    pub name: &'static str,
    /// Its subject in one line.
    pub summary: &'static str,
    /// The settings that it takes; all others are refused.
    pub takes: &'static [Setting],
    /// Runs it. The options have been checked against `takes`.
    pub teach: fn(&LessonOptions, &Machine) -> Result<Page>,
    /// The limit from which its numbers overflow f32, as a part of a sentence.
    pub limit: fn(&LessonOptions, &Machine) -> Result<String>,
}

impl Lesson {
    /// Checks that the lesson takes the settings that were given, and their ranges.
    ///
    /// # Errors
    /// [`Error::Usage`] with the settings that it takes, [`Error::Setting`] with a range.
    pub fn check(&self, options: &LessonOptions) -> Result<()> {
        if let Some(other) = options.given().into_iter().find(|setting| !self.takes.contains(setting)) {
            let takes: Vec<String> = self.takes.iter().map(|setting| setting.mark()).collect();
            return Err(Error::Usage(format!(
                "lesson {} ({}) has no {}; it takes {}",
                self.id,
                self.name,
                other.mark(),
                takes.join(", ")
            )));
        }
        options.check()
    }
}
