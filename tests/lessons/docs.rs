//! `docs/lessons.md` is what the lessons print.

use std::fs;
use std::path::Path;

use wgrad::internals::teach::lessons::docs::{GeneratedFile, generate};

#[test]
fn the_page_is_up_to_date() {
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
