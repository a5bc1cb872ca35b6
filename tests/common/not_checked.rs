//! What a test leaves out, said aloud.

use std::io::Write;

/// Says what was not checked, on the terminal even where the output of tests that pass is kept back.
pub fn not_checked(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT CHECKED {what}: {why}");
}
