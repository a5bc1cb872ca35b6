//! The files of a crate as a tree of modules, and which of them a path leads to.

use std::collections::BTreeMap;

use super::paths::{Names, Path};

/// One file of `src/`.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the crate's folder, such as `src/kernel/mod.rs`.
    pub path: String,
    pub text: String,
    pub names: Names,
    /// The path of its module, such as `kernel`.
    pub module: Vec<String>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        if ["mod", "lib", "main"].contains(&module[module.len() - 1].as_str()) {
            module.pop();
        }
        Source { path: path.to_owned(), text: text.to_owned(), names: Names::read(text), module }
    }
}

/// All files, by their modules.
pub struct Tree {
    pub sources: Vec<Source>,
    places: BTreeMap<Vec<String>, usize>,
}

impl Tree {
    pub fn new(sources: Vec<Source>) -> Tree {
        // `lib.rs` and `main.rs` have one name: a path ends at neither, as all that they have is rooms.
        let named = sources.iter().enumerate().filter(|(_, source)| !source.module.is_empty());
        let places = named.map(|(at, source)| (source.module.clone(), at)).collect();
        Tree { sources, places }
    }

    /// A path from the root of the crate, as `crate::kernel::Kernel` without its first word.
    ///
    /// None for a path of another crate.
    pub fn absolute(&self, file: usize, path: &Path) -> Option<Vec<String>> {
        self.absolute_after(file, path, 0)
    }

    fn absolute_after(&self, file: usize, path: &Path, hops: usize) -> Option<Vec<String>> {
        let source = &self.sources[file];
        let mut scope: Vec<String> = source.module.iter().chain(&path.within).cloned().collect();
        let first = path.segments.first()?.as_str();
        let mut rest = &path.segments[1..];
        match first {
            "crate" | "wgrad" => {
                scope.clear();
                // The name of the rooms outside of the crate.
                if rest.first().is_some_and(|next| next == "internals") {
                    rest = &rest[1..];
                }
            }
            "self" => {}
            "super" => {
                scope.pop();
                while rest.first().is_some_and(|next| next == "super") {
                    scope.pop();
                    rest = &rest[1..];
                }
            }
            name => {
                let child: Vec<String> = source.module.iter().cloned().chain([name.to_owned()]).collect();
                if path.within.is_empty() && self.places.contains_key(&child) {
                    return Some([child, rest.to_vec()].concat());
                }
                // A name that the file has imported; not the import itself.
                let mut imports = source.names.uses.iter();
                let import = imports.find(|one| one.name == name && one.path.segments[0] != name)?;
                let front = (hops < 8).then(|| self.absolute_after(file, &import.path, hops + 1))??;
                return Some([front, rest.to_vec()].concat());
            }
        }
        Some([scope, rest.to_vec()].concat())
    }

    /// The file that defines the item of a path from the root of the crate; re-exports are followed.
    pub fn file(&self, path: &[String]) -> Option<usize> {
        self.file_after(path, 0)
    }

    fn file_after(&self, path: &[String], hops: usize) -> Option<usize> {
        let found = (1..=path.len()).rev().find_map(|end| Some((end, *self.places.get(&path[..end])?)));
        let (end, file) = found?;
        let Some(name) = path.get(end) else { return Some(file) };
        let mut imports = self.sources[file].names.uses.iter();
        let Some(import) = imports.find(|one| one.name == *name && one.path.within.is_empty()) else {
            return Some(file);
        };
        let passed_on = (hops < 8).then(|| self.absolute(file, &import.path)).flatten();
        let whole = passed_on.map(|front| [front, path[end + 1..].to_vec()].concat());
        whole.and_then(|whole| self.file_after(&whole, hops + 1)).or(Some(file))
    }
}
