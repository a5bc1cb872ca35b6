//! Metrics after damage: what the lines and the table still have is put together.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};

use super::events::{COLUMNS, Event, METRICS, TABLE, events, row};

/// The entries of a file in their order; none for one that can't be read.
type Entries = Vec<Option<Event>>;

/// The events of both files, and what has become of damaged ones.
#[derive(Default)]
struct Merged {
    events: Vec<(Event, Source)>,
    /// Entries that neither file has, by the number of events before them.
    lost: Vec<usize>,
}

/// The file that an event was taken from.
#[derive(Clone, Copy, PartialEq)]
enum Source {
    /// From the lines, and the table has the same numbers.
    Both,
    /// From the table, because the lines lack it or have other numbers.
    Table,
    /// From the lines, because the table lacks it.
    Lines,
}

/// The wanted events of the lines, and what was damaged.
///
/// With `damaged`, the lines are known to differ from what was written, and the table has the right numbers. Lists of
/// values per step are in the lines alone.
pub(super) fn salvaged(
    lines: &[u8],
    table: &[u8],
    damaged: bool,
    wanted: impl Fn(&Event) -> bool,
) -> (Vec<Event>, Option<String>) {
    let read: Vec<_> = events(lines).collect();
    let broken = read.iter().filter(|event| matches!(event, Err(true))).count();
    if !damaged && broken == 0 {
        return (read.into_iter().flatten().filter(wanted).collect(), None);
    }
    if lines.is_empty() && table.is_empty() && damaged {
        let problem =
            format!("{METRICS} and {TABLE} are gone, and with them the history of the run up to here");
        return (Vec::new(), Some(problem));
    }
    let Merged { events, lost } = merged(&entries(lines), &rows(table));
    // What comes after the position is cut off, damaged or not.
    let end = events.iter().position(|(event, _)| !wanted(event)).unwrap_or(usize::MAX);
    let lost = lost.into_iter().filter(|before| *before <= end).count();
    let kept: Vec<_> = events.into_iter().filter(|(event, _)| wanted(event)).collect();
    let from = |source| kept.iter().filter(|(_, its)| *its == source).count();
    let problem = sentence(from(Source::Table), from(Source::Lines), lost, damaged);
    (kept.into_iter().map(|(event, _)| event).collect(), Some(problem))
}

/// What has become of the damaged metrics.
fn sentence(restored: usize, unsure: usize, lost: usize, damaged: bool) -> String {
    let of = |count: usize, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
    let mut outcomes = Vec::new();
    if restored > 0 {
        let lines = of(restored, "line is", "lines are");
        outcomes.push(format!("{lines} restored from {TABLE}, without the values of each step"));
    }
    if unsure > 0 {
        let lines = of(unsure, "line", "lines");
        outcomes.push(format!("{lines} that {TABLE} lacks may have wrong numbers"));
    }
    if lost > 0 {
        outcomes.push(format!("{} in neither file and left out", of(lost, "line is", "lines are")));
    }
    match outcomes.is_empty() {
        false => format!("{METRICS} is damaged: {}", outcomes.join("; ")),
        true if damaged => format!("{METRICS} is damaged: values of single steps in it may be wrong"),
        true => format!("{METRICS} is damaged behind the events that the run goes on from, and cut there"),
    }
}

/// Puts both files together: what they have alike divides them into gaps, each of which is filled from both.
fn merged(lines: &[Option<Event>], rows: &[Option<Event>]) -> Merged {
    let mut merged = Merged::default();
    let places = rows.iter().enumerate().filter_map(|(at, event)| Some((row(event.as_ref()?), at)));
    let places: HashMap<String, usize> = places.collect();
    let (mut line, mut first) = (0, 0);
    for (next, event) in lines.iter().enumerate() {
        let Some(event) = event else { continue };
        let Some(at) = places.get(&row(event)).copied().filter(|at| *at >= first) else { continue };
        merged.fill(&lines[line..next], &rows[first..at]);
        merged.events.push((event.clone(), Source::Both));
        (line, first) = (next + 1, at + 1);
    }
    merged.fill(&lines[line..], &rows[first..]);
    merged
}

impl Merged {
    /// Adds what both files have between two events that they have alike.
    fn fill(&mut self, lines: &[Option<Event>], rows: &[Option<Event>]) {
        let keys: HashSet<Key> = rows.iter().flatten().map(key).collect();
        let numbers: HashSet<String> = rows.iter().flatten().map(numbers).collect();
        // A line of which only the step is damaged is no event of its own.
        let is_lacking =
            |event: &&Event| !keys.contains(&key(event)) && !numbers.contains(&self::numbers(event));
        let from_lines =
            lines.iter().flatten().filter(is_lacking).map(|event| (event.clone(), Source::Lines));
        let mut found: Vec<_> = rows.iter().flatten().map(|event| (event.clone(), Source::Table)).collect();
        found.extend(from_lines);
        found.sort_by_key(|(event, _)| key(event));
        let lost = lines.len().max(rows.len()).saturating_sub(found.len());
        self.lost.extend(std::iter::repeat_n(self.events.len(), lost));
        self.events.extend(found);
    }
}

/// The position of an event in the file: its step, and whether it is the end of an epoch.
type Key = (u64, bool);

fn key(event: &Event) -> Key {
    match event {
        Event::Steps(steps) => (steps.step, false),
        Event::Epoch(epoch) => (epoch.step, true),
    }
}

/// The row of an event without its step.
fn numbers(event: &Event) -> String {
    let row = row(event);
    let fields = row.split(',').zip(COLUMNS).filter(|(_, column)| *column != "step");
    fields.map(|(field, _)| field).collect::<Vec<_>>().join(",")
}

/// The entries of the lines, without an unfinished last one, as a killed process leaves it.
fn entries(lines: &[u8]) -> Entries {
    let mut entries = Entries::new();
    let mut pieces = lines.split(|byte| *byte == b'\n');
    for (event, piece) in events(lines).zip(pieces.by_ref()) {
        match event {
            Ok(event) => entries.push(Some(event)),
            // A line break within a line leaves two pieces of it.
            Err(true) if !piece.starts_with(b"{") && entries.last().is_some_and(Option::is_none) => {}
            Err(true) => entries.push(None),
            Err(false) => {}
        }
    }
    entries
}

/// The entries of a table, without its heading and an unfinished last row.
fn rows(table: &[u8]) -> Entries {
    let lines = table.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let all = lines.map(|line| std::str::from_utf8(line).ok().and_then(event)).enumerate();
    // The heading is no event, damaged or not.
    all.filter(|(at, event)| *at > 0 || event.is_some()).map(|(_, event)| event).collect()
}

/// The event of a row of the table.
fn event(row: &str) -> Option<Event> {
    let fields: Vec<&str> = row.split(',').collect();
    if fields.len() != COLUMNS.len() {
        return None;
    }
    let mut object = Map::new();
    for (column, field) in COLUMNS.iter().zip(fields) {
        let value = match field {
            // A run without a validation part has no such keys; other numbers that are not finite are null.
            "" if column.starts_with("validation") => continue,
            "" => Value::Null,
            kind if *column == "kind" => kind.into(),
            number => Value::Number(number.parse::<Number>().ok()?),
        };
        object.insert((*column).to_owned(), value);
    }
    serde_json::from_value(Value::Object(object)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::events::{Epoch, Steps, Validation};
    use super::*;

    fn all(validation: bool) -> Vec<Event> {
        let steps = |step| {
            Event::Steps(Steps {
                step,
                epoch: 1,
                train_loss: 0.1 * step as f64,
                train_accuracy: f64::NAN,
                samples_per_second: 1e5,
                losses: vec![0.25; 3],
                gradient_norms: vec![1.0; 3],
                learning_rates: vec![0.5; 3],
            })
        };
        let validation = validation.then_some(Validation { validation_loss: 0.5, validation_accuracy: 0.25 });
        let epoch = Event::Epoch(Epoch {
            step: 6,
            epoch: 1,
            train_loss: 2.0 / 3.0,
            train_accuracy: 0.75,
            samples_per_second: 2e5,
            validation,
            held_out_loss: 0.3,
            held_out_accuracy: 1.0,
        });
        vec![steps(3), steps(6), epoch, steps(9)]
    }

    fn text(events: &[Event]) -> (String, String) {
        let table: String = events.iter().map(row).collect();
        (events.iter().map(Event::to_line).collect(), COLUMNS.join(",") + "\n" + &table)
    }

    /// Events without what the table lacks.
    fn rows_of(events: &[Event]) -> Vec<String> {
        events.iter().map(row).collect()
    }

    #[test]
    fn no_damaged_byte_of_the_lines_removes_or_changes_a_number_of_the_table() {
        for validation in [false, true] {
            let events = all(validation);
            let (lines, table) = text(&events);
            for at in 0..lines.len() {
                for byte in [0, b'\n', b'7', b'"', 0xff] {
                    let mut damaged = lines.clone().into_bytes();
                    if damaged[at] == byte {
                        continue;
                    }
                    damaged[at] = byte;
                    let (found, problem) = salvaged(&damaged, table.as_bytes(), true, |_| true);
                    assert_eq!(rows_of(&found), rows_of(&events), "byte {at} as {byte}");
                    assert!(problem.unwrap().contains(METRICS));
                }
            }
        }
    }

    #[test]
    fn where_the_table_has_lost_its_end_the_lines_are_kept() {
        let events = all(true);
        let (lines, table) = text(&events);
        let half = &table[..table.find("\nepoch").unwrap() + 1];
        let damaged = lines.replacen("\"step\":3", "\"step\"3", 1);
        let (found, problem) = salvaged(damaged.as_bytes(), half.as_bytes(), true, |_| true);
        assert_eq!(rows_of(&found), rows_of(&events));
        let problem = problem.unwrap();
        assert!(problem.contains("1 line is restored") && problem.contains("2 lines that"), "{problem}");
    }

    #[test]
    fn without_a_table_only_what_is_damaged_is_lost() {
        let events = all(true);
        let (lines, _) = text(&events);
        let damaged = lines.replacen("\"step\":6", "\"step\"6", 1);
        let (found, problem) = salvaged(damaged.as_bytes(), b"kind\n", true, |_| true);
        assert_eq!(rows_of(&found), rows_of(&[&events[..1], &events[2..]].concat()));
        let problem = problem.unwrap();
        assert!(problem.contains("3 lines that") && problem.contains("1 line is in neither"), "{problem}");
        // An unfinished last line is what a killed process leaves.
        let (found, problem) = salvaged(&lines.as_bytes()[..lines.len() - 4], b"", false, |_| true);
        assert_eq!((found.len(), problem), (3, None));
    }

    #[test]
    fn what_one_file_has_is_never_lost_and_each_outcome_is_counted() {
        let events = all(true);
        let (lines, table) = text(&events);
        let (lines, rows): (Vec<_>, Vec<_>) = (lines.lines().collect(), table.lines().collect());
        // Each entry of either file is whole, unreadable, or gone.
        let states = |of: &[&str], mut number: usize| {
            let mut text = String::new();
            for line in of {
                match number % 3 {
                    0 => text += &format!("{line}\n"),
                    1 => text += "{x\n",
                    _ => {}
                }
                number /= 3;
            }
            text
        };
        let has = |number: usize, at: usize| (number / 3_usize.pow(at as u32)).is_multiple_of(3);
        for one in 1..81 {
            for two in 0..81 {
                let table = format!("{}\n{}", rows[0], states(&rows[1..], two));
                let (found, problem) =
                    salvaged(states(&lines, one).as_bytes(), table.as_bytes(), true, |_| true);
                let whole = (0..4).filter(|at| has(one, *at) || has(two, *at));
                let expected: Vec<_> = whole.map(|at| events[at].clone()).collect();
                assert_eq!(rows_of(&found), rows_of(&expected), "{one} {two}");
                let problem = problem.unwrap();
                let count = |is: &dyn Fn(usize) -> bool| (0..4).filter(|at| is(*at)).count();
                let (restored, unsure) =
                    (count(&|at| !has(one, at) && has(two, at)), count(&|at| has(one, at) && !has(two, at)));
                for (count, words) in [(restored, "restored from"), (unsure, "that metrics.csv lacks")] {
                    assert_eq!(problem.contains(words), count > 0, "{one} {two}: {problem}");
                    assert!(count == 0 || problem.contains(&format!("{count} line")), "{problem}");
                }
            }
        }
        // A damaged heading is no damaged row.
        let table = table.replacen("kind", "kimd", 1);
        let (found, _) = salvaged(lines[1..].join("\n").as_bytes(), table.as_bytes(), true, |_| true);
        assert_eq!(rows_of(&found), rows_of(&events));
    }
}
