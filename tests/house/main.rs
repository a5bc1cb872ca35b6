//! The layout of the source and the pages: rooms import only rooms below them, no files import one another, no file is
//! too long to read, no message of the library names a flag, text from outside is printed in one place, and every link
//! and path of a page leads somewhere.

mod fakes;
mod foreign;
mod messages;
mod pages;
mod paths;
mod reasons;
mod rules;
mod tokens;
mod tree;

use std::fs;
use std::path::Path;

use rules::Room;
use tree::{Source, Tree};

/// The rooms from the ground up: the purpose of each, and its imports besides `text` and `error`.
const ROOMS: &[Room] = &[
    Room::new("text", "text from outside made printable", ""),
    Room::new("error", "what can go wrong", ""),
    Room::new("memory", "the memory that is left", ""),
    Room::new("kernel", "the contract: a shader and its twin", ""),
    Room::new("cpu", "the twins, and fast functions for the CPU", "kernel"),
    Room::new("table", "all kernels, a row each", "kernel cpu"),
    Room::new("program", "dispatches over buffers: recorded, checked, rewritten", "memory kernel cpu table"),
    Room::new(
        "network",
        "layers, losses and optimisers, and how they are lowered",
        "kernel cpu table program",
    ),
    Room::new("engine", "the engines that run a Program", "memory kernel table program"),
    Room::new("data", "data sets", "memory kernel cpu program"),
    Room::new("verify", "shaders compared with their twins", "kernel cpu table program network engine data"),
    Room::new("report", "pages, charts and pictures from plain data", "kernel program"),
    Room::new("tune", "the fastest variant of each kernel", "kernel table program network engine data"),
    Room::new(
        "train",
        "from a recipe to a run directory",
        "memory kernel cpu table program network engine data verify report tune",
    ),
    Room::new(
        "teach",
        "lessons, exercises and explanations",
        "kernel cpu table program network engine data verify report train",
    ),
    Room::new(
        "bench",
        "the CPU against the GPU",
        "kernel table program network engine data verify report tune train",
    ),
    Room::new(
        "app",
        "the program and its commands",
        "memory kernel table program network engine data verify report tune train teach bench",
    ),
];

/// Files with literals that are about a command line, and why.
const ABOUT_COMMAND_LINES: &[(&str, &str)] = &[
    ("src/report/page/terminal.rs", "a page of a lesson says how the whole of it is shown"),
    ("src/train/recipe/mod.rs", "a recipe begins with the command that runs it again"),
    ("src/bench/picture.rs", "a picture of the bench has its command as the title"),
];

/// Files of a folder of this crate and of the folders in it, with their text.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, ending: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(root, &path, ending, found);
            } else if path.extension().is_some_and(|extension| extension == ending) {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(root, &root.join(folder), ending, &mut found);
    found.sort();
    found
}

fn house() -> Tree {
    let sources = files("src", "rs").iter().map(|(path, text)| Source::new(path, text)).collect();
    let tree = Tree::new(sources);
    // A search that finds no files would find no mistakes.
    assert!(tree.sources.len() > 200 && tree.sources.iter().all(|source| !source.text.is_empty()));
    tree
}

#[track_caller]
fn holds(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn rooms_import_only_rooms_below_them() {
    holds(&rules::forbidden_imports(&house(), ROOMS));
    holds(&rules::out_of_order(ROOMS));
}

#[test]
fn no_files_import_one_another() {
    holds(&rules::circles(&house()));
}

#[test]
fn every_folder_is_a_listed_room_with_a_head_comment() {
    holds(&rules::rooms(&house(), ROOMS));
    assert!(ROOMS.len() <= 17, "fifteen rooms, the errors and the memory");
}

#[test]
fn no_file_is_too_long_to_read() {
    let all = [files("src", "rs"), files("shaders", "wgsl")].concat();
    assert!(all.iter().any(|(path, _)| path.ends_with(".wgsl")));
    holds(&rules::too_long(all.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
}

#[test]
fn code_for_one_system_is_in_platform_files() {
    let all = files("src", "rs");
    let platforms = all.iter().filter(|(path, _)| path.ends_with("/platform.rs")).count();
    assert!(platforms <= 2, "{platforms} files for differences between systems");
    holds(&rules::of_one_system(all.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
}

#[test]
fn foreign_text_reaches_the_terminal_through_one_file() {
    let all = files("src", "rs");
    holds(&foreign::past_the_text(all.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
}

#[test]
fn errors_of_the_system_are_shown_in_words() {
    let all = files("src", "rs");
    holds(&reasons::raw_errors(all.iter().map(|(path, text)| (path.as_str(), text.as_str()))));
}

#[test]
fn every_link_and_path_of_a_page_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |page: &str| (page.to_owned(), fs::read_to_string(root.join(page)).unwrap());
    let beside = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tests/README.md", "data/README.md"];
    let all = [files("docs", "md"), beside.map(read).to_vec()].concat();
    let architecture = all.iter().find(|(page, _)| page == "docs/ARCHITECTURE.md");
    assert!(architecture.is_some_and(|(_, text)| text.matches("](../src/").count() > 30));
    let problems = all.iter().flat_map(|(page, text)| {
        // A changelog names paths that have gone.
        let missing =
            if page == "CHANGELOG.md" { Vec::new() } else { pages::missing_paths(root, page, text) };
        [pages::broken_links(root, page, text), missing].concat()
    });
    holds(&problems.collect::<Vec<_>>());
}

#[test]
fn every_test_binary_has_a_row_in_its_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("tests/README.md")).unwrap();
    let mut rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    rows.sort_unstable();
    let binary = |(path, _): &(String, String)| {
        let name = path.strip_prefix("tests/")?.strip_suffix(".rs")?;
        let name = name.strip_suffix("/main").unwrap_or(name);
        (!name.contains('/')).then(|| name.to_owned())
    };
    let mut binaries: Vec<String> = files("tests", "rs").iter().filter_map(binary).collect();
    binaries.sort_unstable();
    assert!(binaries.len() > 20 && binaries.iter().any(|name| name == "house"), "{binaries:?}");
    assert_eq!(rows, binaries);
}

#[test]
fn no_message_of_the_library_names_a_flag_or_a_command() {
    let all = files("src", "rs");
    let cli = &all.iter().find(|(path, _)| path == "src/app/cli/mod.rs").unwrap().1;
    let commands = messages::commands(cli);
    assert!(commands.len() > 10 && commands.contains(&"lr-find".to_owned()), "{commands:?}");
    let found =
        messages::command_lines(all.iter().map(|(path, text)| (path.as_str(), text.as_str())), &commands);
    let is_in = |problem: &String, path: &str| problem.starts_with(&format!("{path}:"));
    for (path, why) in ABOUT_COMMAND_LINES {
        assert!(
            found.iter().any(|problem| is_in(problem, path)),
            "{path} names no command line, though {why}: take it off the list"
        );
    }
    let mut others = found;
    others.retain(|problem| !ABOUT_COMMAND_LINES.iter().any(|(path, _)| is_in(problem, path)));
    holds(&others);
}

#[test]
fn the_root_has_at_most_twenty_names() {
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    // Statements at the left margin, with their line breaks.
    let statements = root.split("\npub use ").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let names: Vec<String> = statements
        .flat_map(|path| path.rsplit("::").next().unwrap_or(path).split(','))
        .map(|name| name.trim_matches(['{', '}', ' ', '\n']).to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    for expected in ["Session", "Observer", "Trained", "DeviceFault"] {
        assert!(names.iter().any(|name| name == expected), "{expected} is not among {names:?}");
    }
    assert!(names.iter().all(|name| name != "*"), "{names:?}");
    // All others are internals.
    let modules = root.lines().filter(|line| line.starts_with("pub mod ")).count();
    assert_eq!(modules, 1, "rooms are public through `internals` alone");
    assert!(names.len() + modules <= 20, "{} names: {names:?}", names.len() + modules);
}

/// `std::thread::spawn` panics where the system makes no more threads; `kernel::threads` has what does not.
#[test]
fn threads_are_made_where_a_failure_is_an_error() {
    let makes = |source: &&Source| {
        source.text.contains("thread::spawn(") && !source.path.ends_with("kernel/threads.rs")
    };
    let house = house();
    let problems: Vec<String> =
        house.sources.iter().filter(makes).map(|source| source.path.clone()).collect();
    holds(&problems);
}
