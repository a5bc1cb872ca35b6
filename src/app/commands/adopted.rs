//! What became of the weights in a file, in lines.

use wgrad::internals::text::{joined, shorten};
use wgrad::internals::train::run::Adopted;

use super::console::note;

/// Prints which parameters were taken over, from which names, and which were not.
pub fn announce(adopted: &Adopted) {
    let Adopted { taken, renamed, converted, .. } = adopted;
    let prefix = renamed.first().and_then(|(theirs, ours)| theirs.strip_suffix(ours.as_str()));
    let prefix =
        prefix.filter(|prefix| renamed.iter().all(|(theirs, ours)| *theirs == format!("{prefix}{ours}")));
    if renamed.is_empty() {
        note(format_args!("weights {} taken over: {}", taken.len(), joined(taken.join(", "))));
    } else if let Some(prefix) = prefix.filter(|_| renamed.len() == taken.len()) {
        note(format_args!(
            "weights {} taken over, whose names in the file begin with “{}”: {}",
            taken.len(),
            shorten(prefix),
            joined(taken.join(", "))
        ));
    } else {
        note(format_args!(
            "weights {} taken over; names in the file are others, so they were matched by layer and shape:",
            taken.len()
        ));
        layers(taken, renamed).iter().for_each(|line| note(format_args!("        {line}")));
    }
    if !converted.is_empty() {
        note(format_args!("        values were {} in the file and became F32", converted.join(" and ")));
    }
    for (what, names) in [
        ("not in the file, so drawn at random", &adopted.missing),
        ("of layers with another shape, so drawn at random", &adopted.reshaped),
        ("only in the file, so left out", &adopted.unused),
    ] {
        if !names.is_empty() {
            note(format_args!("        {what}: {}", joined(names.join(", "))));
        }
    }
}

/// A line for each layer: its name in the file, its name here, and its parameters.
fn layers(taken: &[String], renamed: &[(String, String)]) -> Vec<String> {
    let mut lines: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for ours in taken {
        let theirs = renamed.iter().find(|(_, name)| name == ours).map_or(ours, |(theirs, _)| theirs);
        let (layer, last) = ours.rsplit_once('.').unwrap_or(("", ours));
        let from = theirs.strip_suffix(last).unwrap_or(theirs).trim_end_matches('.');
        match lines.last_mut() {
            Some((one, two, parameters)) if (*one, *two) == (from, layer) => parameters.push(last),
            _ => lines.push((from, layer, vec![last])),
        }
    }
    let line = |(from, layer, parameters): (&str, &str, Vec<&str>)| {
        let from = if from.is_empty() { "(no layer)".to_owned() } else { shorten(from) };
        format!("{from} → {layer}: {}", parameters.join(", "))
    };
    lines.into_iter().map(line).collect()
}
