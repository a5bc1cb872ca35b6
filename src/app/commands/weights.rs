//! Advice for a run that can't go on: a new run from its weights.

use std::path::Path;

use wgrad::internals::train::recipe;
use wgrad::internals::train::run::{RECIPE, Weights};

use super::console::quoted;

/// `, or begin a new run from its weights with wgrad train …`; empty where a run has neither a whole model nor a whole
/// checkpoint. `flags` are those of the new run, each with a space behind it.
pub fn or_from_its_weights(run: &Path, flags: &str) -> String {
    from_its_weights(run, flags).map_or_else(String::new, |advice| format!(", or {advice}"))
}

/// `begin a new run from its weights with wgrad train …`, where a run has weights.
pub fn from_its_weights(run: &Path, flags: &str) -> Option<String> {
    let weights = quoted(weights(run)?);
    // A recipe that was edited may be none any more.
    let path = run.join(RECIPE);
    let source = if recipe::read(&path).is_ok() { quoted(&path) + " " } else { String::new() };
    Some(format!("begin a new run from its weights with wgrad train {source}{flags}--init-from {weights}"))
}

/// ` from its weights with --init-from …`, where a run has weights; else empty.
pub fn with_its_weights(run: &Path) -> String {
    weights(run)
        .map_or_else(String::new, |path| format!(" from its weights with --init-from {}", quoted(path)))
}

/// The run if it has weights that can be read: those of its model, or else of a checkpoint.
fn weights(run: &Path) -> Option<&Path> {
    Weights::load(run).is_ok().then_some(run)
}
