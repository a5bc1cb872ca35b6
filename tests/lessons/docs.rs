//! docs/lessons.md is what the lessons print today; what the README and the docs name is there.

use std::fs;
use std::path::Path;

use wgrad::internals::teach::lessons::docs::{GeneratedFile, generate};

#[test]
fn the_page_is_what_the_lessons_print() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = generate().unwrap();
    if std::env::var_os("WGRAD_UPDATE").is_some() {
        fs::create_dir_all(folder.join("lessons")).unwrap();
        for GeneratedFile { path, content } in &files {
            fs::write(folder.join(path), content).unwrap();
        }
    }
    for GeneratedFile { path, content } in &files {
        let there = fs::read_to_string(folder.join(path)).unwrap_or_default();
        assert!(
            there == *content,
            "docs/{path} is stale; WGRAD_UPDATE=1 cargo test --test lessons writes it anew"
        );
    }
    for entry in fs::read_dir(folder.join("lessons")).unwrap() {
        let name = format!("lessons/{}", entry.unwrap().file_name().to_string_lossy());
        assert!(files.iter().any(|file| file.path == name), "docs/{name} belongs to no lesson");
    }
}

#[test]
fn every_file_that_the_readme_and_the_docs_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = ["src/", "shaders/", "tests/", "benches/", "docs/", "data/"];
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let pages = pages.map(|name| format!("docs/{}", name.to_string_lossy()));
    let beside = ["README.md", "CONTRIBUTING.md", "tests/README.md"].map(str::to_owned);
    for page in pages.filter(|page| page.ends_with(".md")).chain(beside) {
        let text = fs::read_to_string(root.join(&page)).unwrap();
        // Between two backticks stands every second piece.
        let quoted = text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace);
        let paths: Vec<&str> =
            quoted.filter(|word| rooms.iter().any(|room| word.starts_with(room))).collect();
        assert!(page != "README.md" || paths.contains(&"src/network/mod.rs"), "{paths:?}");
        let missing: Vec<&&str> = paths
            .iter()
            .filter(|path| !["NAME", "FAMILY"].iter().any(|name| path.contains(name)))
            .filter(|path| !root.join(path).exists())
            .collect();
        assert!(missing.is_empty(), "{page} names what is not there: {missing:?}");
    }
}
