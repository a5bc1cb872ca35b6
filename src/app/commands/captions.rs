//! The names of classes on contact sheets.

use std::collections::BTreeSet;

use wgrad::internals::report::contact_sheet::can_draw;
use wgrad::internals::text::shorten;

use super::console::note;

/// The most classes that are listed by their numbers.
const MOST: usize = 20;

/// The name of a class as it is drawn: its number, if the font lacks a letter.
pub fn caption(classes: &[String], label: usize) -> String {
    if can_draw(&classes[label]) { classes[label].clone() } else { format!("class {label}") }
}

/// Notes the names of the classes that are drawn as numbers.
pub fn note_numbers(classes: &[String], labels: impl IntoIterator<Item = usize>) {
    let numbered: BTreeSet<usize> = labels.into_iter().filter(|label| !can_draw(&classes[*label])).collect();
    for label in numbered.iter().take(MOST) {
        note(format_args!(
            "        class {label} there is “{}”: the font lacks a letter of it",
            shorten(&classes[*label])
        ));
    }
    if numbered.len() > MOST {
        note(format_args!("        and {} more classes are numbers there", numbered.len() - MOST));
    }
}
