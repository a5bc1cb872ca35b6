//! The rules of the layout: which rooms a room may import, and how long a file may be.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;

/// The most lines of a file.
const MOST_LINES: usize = 350;

/// A room: its purpose, and the rooms that it may import.
pub struct Room {
    pub name: &'static str,
    pub about: &'static str,
    /// The names of the rooms that it may import, with spaces between them.
    imports: &'static str,
}

impl Room {
    pub const fn new(name: &'static str, about: &'static str, imports: &'static str) -> Room {
        Room { name, about, imports }
    }

    fn may_import(&self, other: &str) -> bool {
        other == self.name
            || ["text", "error"].contains(&other)
            || self.imports.split(' ').any(|room| room == other)
    }
}

/// Rooms that may import one that is not in front of them in the list.
pub fn out_of_order(rooms: &[Room]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, room) in rooms.iter().enumerate() {
        let imports = room.imports.split(' ').filter(|name| !name.is_empty());
        let above = imports.filter(|name| !rooms[..at].iter().any(|lower| lower.name == *name));
        found.extend(above.map(|name| format!("{name} is not below {} ({})", room.name, room.about)));
    }
    found
}

/// Imports of rooms that the importing one may not import, each as a sentence.
pub fn forbidden_imports(tree: &Tree, rooms: &[Room]) -> Vec<String> {
    let room_of = |name: &String| rooms.iter().find(|room| room.name == name);
    let mut found = BTreeSet::new();
    for (at, source) in tree.sources.iter().enumerate() {
        let Some(own) = source.module.first().and_then(room_of) else { continue };
        for path in source.names.uses.iter().map(|one| &one.path).chain(&source.names.paths) {
            let target = tree.absolute(at, path).and_then(|target| target.first().cloned());
            let forbidden = target.filter(|name| room_of(name).is_some() && !own.may_import(name));
            let Some(name) = forbidden else { continue };
            let (file, line, room) = (&source.path, path.line, own.name);
            found.insert((
                file.clone(),
                line,
                format!("{file}:{line} imports {name}, which {room} may not: move what both need down"),
            ));
        }
    }
    found.into_iter().map(|(_, _, sentence)| sentence).collect()
}

/// The files that each file imports, with the line of the import.
type Arrows = BTreeMap<usize, BTreeMap<usize, usize>>;

/// The imports between files.
///
/// A module's re-export of its own modules is no import, unless its code has the name too.
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
    long.map(|(path, lines)| format!("{path} has {lines} lines, more than {MOST_LINES}: split it by subject"))
        .collect()
}

/// Words of code that is for one operating system.
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

/// Lines outside of tests with code for one operating system, in files that are not for such code.
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
                Some(format!(
                    "{path}:{} has {word}: put it into a platform.rs, beside the code for other systems",
                    at + 1
                ))
            })
        })
        .collect()
}

/// Folders that are no room, and rooms without a folder or a head comment.
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
                "src/{folder} is not in the list of rooms in tests/house/main.rs: add it there"
            ));
        }
    }
    // These are files.
    for room in rooms.iter().map(|room| room.name).filter(|room| !["error", "memory"].contains(room)) {
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
