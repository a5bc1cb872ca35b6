//! Prints what a test leaves out.

use std::io::Write;

/// Prints what was not checked, past the capture of the output of tests that pass.
pub fn not_checked(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "NOT CHECKED {what}: {why}");
}
