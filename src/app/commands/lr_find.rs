//! `wgrad lr-find`: steps at growing learning rates, and a suggestion.

use serde_json::json;
use wgrad::Result;
use wgrad::internals::data;
use wgrad::internals::report::page::terminal::render;
use wgrad::internals::train::lr_find::{Range, find};
use wgrad::internals::train::recipe::{Overrides, Recipe};
use wgrad::internals::train::schedule::Schedule;
use wgrad::internals::train::session::Session;

use super::console::{answer, answer_json, note};
use super::lesson::screen;
use super::train::with_source;
use crate::app::cli;

pub fn run(arguments: &cli::LrFindArgs) -> Result<()> {
    let range = Range { from: arguments.from, to: arguments.to, steps: arguments.steps };
    range.check()?;
    let given = with_source(arguments.settings.given()?, arguments.source.as_ref())?;
    // A schedule would change the learning rates of the sweep.
    let given = Overrides { schedule: Some(Schedule::CONSTANT), ..given };
    given.check()?;
    let mut dataset = data::load_with(given.data(), &given.reading())?;
    super::data::inspect_to_train(&mut dataset)?;
    super::data::note_skipped(&dataset);
    let recipe = Recipe::resolve_for(&given, &dataset.size())?;
    let device = super::device_of(&recipe)?;
    let mut session = Session::new(recipe, dataset, device)?;
    super::tuning::choose(&mut session.recipe, &session.device, arguments.verbose)?;
    let found = find(&mut session.start()?, range)?;
    if arguments.json {
        let curve: Vec<_> = found.points.iter().map(|one| json!([one.rate, one.loss])).collect();
        return answer_json(&json!({
            "suggestion": found.suggestion(), "steepest": found.steepest, "lowest": found.lowest,
            "curve": curve,
        }));
    }
    for line in render(&found.page(), screen(true)) {
        answer(format_args!("{line}"))?;
    }
    answer(format_args!("learning rate      {}", found.suggestion()))?;
    note(format_args!(
        "the smoothed loss falls fastest at {:.1e} and is lowest at {:.1e}: train with --learning-rate {}",
        found.steepest,
        found.lowest,
        found.suggestion()
    ));
    Ok(())
}
