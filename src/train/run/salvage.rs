//! Metrics after damage: lines that can't be read are restored from the table.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::events::{COLUMNS, Event, METRICS, TABLE, events, row};

/// The position of an event in the file: its step, and whether it is the end of an epoch.
type Key = (u64, bool);

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
    let found = || read.iter().flatten().filter(|event| wanted(event)).cloned();
    if !damaged && broken == 0 {
        return (found().collect(), None);
    }
    if lines.is_empty() && table.is_empty() && damaged {
        let problem =
            format!("{METRICS} and {TABLE} are gone, and with them the history of the run up to here");
        return (Vec::new(), Some(problem));
    }
    let Some(rows) = rows(table) else {
        let problem = format!(
            "{METRICS} is damaged, and so is {TABLE}: {broken} of its lines can't be read and are left out, the other \
             numbers in them may be wrong"
        );
        return (found().collect(), Some(problem));
    };
    let mut known: BTreeMap<Key, Event> = found().map(|event| (key(&event), event)).collect();
    let (mut restored, mut all) = (0, Vec::new());
    for from_table in rows.into_iter().filter(|event| wanted(event)) {
        match known.remove(&key(&from_table)) {
            Some(event) if row(&event) == row(&from_table) => all.push(event),
            _ => {
                restored += 1;
                all.push(from_table);
            }
        }
    }
    // The table may have lost its end.
    let last = all.last().map(key);
    let behind: Vec<Event> =
        known.into_iter().filter(|(key, _)| Some(*key) > last).map(|(_, event)| event).collect();
    let unsure = behind.len();
    all.extend(behind);
    let problem = match restored {
        _ if unsure > 0 => format!(
            "{METRICS} is damaged, and {TABLE} has lost its end: numbers in the last {unsure} of its lines may be wrong"
        ),
        0 if broken == 0 => format!("{METRICS} is damaged: values of single steps in it may be wrong"),
        0 => format!("{METRICS} is damaged behind the events that the run goes on from, and cut there"),
        _ => format!(
            "{METRICS} is damaged: {restored} of its lines are restored from {TABLE}, without the values of each step"
        ),
    };
    (all, Some(problem))
}

fn key(event: &Event) -> Key {
    match event {
        Event::Steps(steps) => (steps.step, false),
        Event::Epoch(epoch) => (epoch.step, true),
    }
}

/// The events of a table, if all of it can be read but an unfinished last row.
fn rows(table: &[u8]) -> Option<Vec<Event>> {
    let text = std::str::from_utf8(table).ok()?;
    let mut lines = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    if lines.next()? != COLUMNS.join(",") {
        return None;
    }
    lines.map(event).collect()
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
        assert!(problem.unwrap().contains("the last 2 of its lines"));
    }

    #[test]
    fn without_a_table_only_what_is_damaged_is_lost() {
        let events = all(true);
        let (lines, _) = text(&events);
        let damaged = lines.replacen("\"step\":6", "\"step\"6", 1);
        let (found, problem) = salvaged(damaged.as_bytes(), b"kind\n", true, |_| true);
        assert_eq!(rows_of(&found), rows_of(&[&events[..1], &events[2..]].concat()));
        assert!(problem.unwrap().contains("1 of its lines"));
        // An unfinished last line is what a killed process leaves.
        let (found, problem) = salvaged(&lines.as_bytes()[..lines.len() - 4], b"", false, |_| true);
        assert_eq!((found.len(), problem), (3, None));
    }
}
