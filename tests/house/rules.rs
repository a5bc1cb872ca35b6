//! What holds for the house: who may know whom, and how long a file may be.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;

/// Lines of a file at the most.
const MOST_LINES: usize = 350;

/// A room: what it is for, and whom it may know.
pub struct Room {
    pub name: &'static str,
    pub about: &'static str,
    /// With spaces between them.
    knows: &'static str,
}

impl Room {
    pub const fn new(name: &'static str, about: &'static str, knows: &'static str) -> Room {
        Room { name, about, knows }
    }

    fn may_know(&self, other: &str) -> bool {
        other == self.name || other == "error" || self.knows.split(' ').any(|known| known == other)
    }
}

/// Rooms that may know one that does not stand in front of them.
pub fn upside_down(rooms: &[Room]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        let known = room.knows.split(' ').filter(|known| !known.is_empty());
        let above = known.filter(|known| !rooms[..at].iter().any(|lower| lower.name == *known));
        found.extend(
            above.map(|known| format!("{known} does not stand below {} ({})", room.name, room.about)),
        );
    }
    found
}

/// Imports of a room that the importing one may not know, each as a sentence.
pub fn strangers(tree: &Tree, rooms: &[Room]) -> Vec<String> {
    let room_of = |name: &String| rooms.iter().find(|room| room.name == name);
    let mut found = BTreeSet::new();
    for (at, source) in tree.sources.iter().enumerate() {
        let Some(own) = source.module.first().and_then(room_of) else { continue };
        for path in source.names.uses.iter().map(|one| &one.path).chain(&source.names.paths) {
            let target = tree.absolute(at, path).and_then(|target| target.first().cloned());
            let stranger = target.filter(|name| room_of(name).is_some() && !own.may_know(name));
            let Some(name) = stranger else { continue };
            let (file, line, room) = (&source.path, path.line, own.name);
            found.insert((
                file.clone(),
                line,
                format!("{file}:{line} imports {name}, which {room} may not know: move what both need down"),
            ));
        }
    }
    found.into_iter().map(|(_, _, sentence)| sentence).collect()
}

/// Which files each file imports, and in which line.
type Arrows = BTreeMap<usize, BTreeMap<usize, usize>>;

/// What a module passes on from its own modules it doesn't use itself, unless its code has the name too.
fn arrows(tree: &Tree) -> Arrows {
    let mut arrows = Arrows::new();
    for (at, source) in tree.sources.iter().enumerate() {
        let used =
            source.names.uses.iter().filter(|one| !one.public || source.names.words.contains(&one.name));
        for path in used.map(|one| &one.path).chain(&source.names.paths) {
            let target =
                tree.absolute(at, path).and_then(|path| tree.file(&path)).filter(|target| *target != at);
            if let Some(target) = target {
                arrows.entry(at).or_default().entry(target).or_insert(path.line);
            }
        }
    }
    arrows
}

/// Files that import one another, a sentence for each circle.
pub fn circles(tree: &Tree) -> Vec<String> {
    let arrows = arrows(tree);
    let reached = |from: usize| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(next) = left.pop() {
            for target in arrows.get(&next).into_iter().flat_map(|targets| targets.keys()) {
                if seen.insert(*target) {
                    left.push(*target);
                }
            }
        }
        seen
    };
    let reach: Vec<BTreeSet<usize>> = (0..tree.sources.len()).map(reached).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for at in 0..tree.sources.len() {
        let circle: BTreeSet<usize> =
            reach[at].iter().copied().filter(|other| reach[*other].contains(&at)).collect();
        if circle.is_empty() || !told.insert(circle.clone()) {
            continue;
        }
        let within = circle.iter().flat_map(|from| {
            let targets =
                arrows.get(from).into_iter().flatten().filter(|(target, _)| circle.contains(target));
            targets.map(|(target, line)| {
                format!("{}:{line} imports {}", tree.sources[*from].path, tree.sources[*target].path)
            })
        });
        found.push(format!("a circle: {}", within.collect::<Vec<_>>().join("; ")));
    }
    found
}

/// Files that are too long to be read in one go.
pub fn too_long<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let lengths = files.into_iter().map(|(path, text)| (path, text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > MOST_LINES);
    long.map(|(path, lines)| {
        format!("{path} has {lines} lines and not at most {MOST_LINES}: part it by what it is about")
    })
    .collect()
}

/// What only some systems have, as code writes it.
const OF_ONE_SYSTEM: [&str; 11] = [
    "std::os::",
    "cfg(unix",
    "cfg(windows",
    "cfg(not(unix",
    "cfg(not(windows",
    "cfg!(unix",
    "cfg!(windows",
    "target_os",
    "signal_hook",
    "\"/proc/",
    "\"/dev/",
];

/// Lines outside of tests with what only some systems have, in files that are not there for it.
pub fn of_one_system<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let others = files
        .into_iter()
        .filter(|(path, _)| !path.ends_with("/platform.rs") && *path != "src/app/commands/signals.rs");
    others
        .flat_map(|(path, text)| {
            let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).enumerate();
            let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
            code.filter_map(move |(at, line)| {
                let word = OF_ONE_SYSTEM.iter().find(|word| line.contains(**word))?;
                Some(format!("{path}:{} has {word}: put it into a platform.rs with what others do", at + 1))
            })
        })
        .collect()
}

/// Folders that are no room, rooms that are no folder, and rooms that don't say what they are for.
pub fn rooms(tree: &Tree, rooms: &[Room]) -> Vec<String> {
    let folders: BTreeSet<&str> = tree
        .sources
        .iter()
        .filter_map(|source| Some(source.path.strip_prefix("src/")?.split_once('/')?.0))
        .collect();
    let mut found = Vec::new();
    for folder in &folders {
        if !rooms.iter().any(|room| room.name == *folder) {
            found.push(format!(
                "src/{folder} is no room of the list in tests/house/main.rs: give it a place there"
            ));
        }
    }
    // `error` is a file.
    for room in rooms.iter().map(|room| room.name).filter(|room| *room != "error") {
        let head = format!("src/{room}/mod.rs");
        match tree.sources.iter().find(|source| source.path == head) {
            None => found.push(format!("there is no {head}, which says what the room is for")),
            Some(source) if !source.text.starts_with("//! ") => {
                found.push(format!("{head} doesn't begin with a comment that says what the room is for"));
            }
            Some(_) => {}
        }
    }
    found
}
