//! The lines of WGSL and of Rust that computed a number.

use crate::kernel::{COMMON, Kernel};

/// A function's lines as they stand in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceExcerpt {
    pub path: String,
    /// The number of its first line, from 1.
    pub line: usize,
    pub text: String,
}

/// The files outside `src/cpu` that twins call.
const SHARED: &[(&str, &str)] = &[
    ("src/kernel/activation.rs", include_str!("../../kernel/activation.rs")),
    ("src/kernel/epilogue.rs", include_str!("../../kernel/epilogue.rs")),
    ("src/kernel/geometry.rs", include_str!("../../kernel/geometry.rs")),
];

/// A kernel's entry point and what it calls, then the same of its twin.
pub fn sources(kernel: &Kernel) -> [Vec<SourceExcerpt>; 2] {
    let shader = format!("shaders/{}.wgsl", kernel.name);
    let files = [(shader.as_str(), kernel.wgsl), ("shaders/common.wgsl", COMMON)];
    let twin = kernel.twin_source;
    let twin_files = [&[(twin.path, twin.text)], SHARED].concat();
    [closure(kernel.name, &files), closure(twin.function, &twin_files)]
}

/// A function and those that it calls, as far as they stand in these files.
fn closure(name: &str, files: &[(&str, &str)]) -> Vec<SourceExcerpt> {
    let mut names = vec![name.to_owned()];
    let mut found: Vec<SourceExcerpt> = Vec::new();
    let mut next = 0;
    while next < names.len() {
        let source = files.iter().find_map(|(path, text)| function(path, text, &names[next]));
        if let Some(source) = source {
            for called in calls(&source.text) {
                if !names.contains(&called) {
                    names.push(called);
                }
            }
            found.push(source);
        }
        next += 1;
    }
    found
}

/// The names of called functions, except with a path.
///
/// `T::of` is another function than `Product::of`.
fn calls(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let mut names = Vec::new();
    for line in code {
        for (at, _) in line.match_indices('(') {
            let before = &line[..at];
            let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            if start < at && !before[..start].ends_with("::") {
                names.push(before[start..].to_owned());
            }
        }
    }
    names
}

/// A function with the comments and attributes in front of it. Both languages
/// are formatted so that it ends with the first brace as far left as it begins.
fn function(path: &str, text: &str, name: &str) -> Option<SourceExcerpt> {
    let lines: Vec<&str> = text.lines().collect();
    let declares = |line: &&str| {
        let line = line.trim_start().trim_start_matches("pub ");
        let rest = line.strip_prefix("fn ").and_then(|line| line.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let head = lines.iter().position(declares)?;
    let indent = &lines[head][..lines[head].len() - lines[head].trim_start().len()];
    let closing = format!("{indent}}}");
    let end = head + lines[head..].iter().position(|line| *line == closing)?;
    let belongs =
        |line: &str| line.trim_start().starts_with("//") || line.trim_start().starts_with(['@', '#']);
    let start = (0..head).rev().take_while(|at| belongs(lines[*at])).last().unwrap_or(head);
    let text: Vec<&str> =
        lines[start..=end].iter().map(|line| line.strip_prefix(indent).unwrap_or(line)).collect();
    Some(SourceExcerpt { path: path.to_owned(), line: start + 1, text: text.join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table;

    #[test]
    fn every_kernel_and_its_twin_can_be_shown() {
        for kernel in table::ALL {
            let [wgsl, rust] = sources(kernel);
            assert!(wgsl[0].text.contains(&format!("fn {}(", kernel.name)), "{}", kernel.name);
            assert!(wgsl[0].text.starts_with("@compute"), "{}: {}", kernel.name, wgsl[0].text);
            let declaration = format!("pub fn {}<", kernel.twin_source.function);
            assert!(rust[0].text.contains(&declaration), "{}", kernel.name);
            for source in wgsl.iter().chain(&rust) {
                assert!(source.text.ends_with('}'), "{}", source.text);
                let count = |brace| source.text.matches(brace).count();
                assert_eq!(count('{'), count('}'), "{}", source.text);
            }
        }
    }

    #[test]
    fn called_functions_come_along() {
        let [wgsl, rust] = sources(&table::ACTIVATION);
        assert!(wgsl.iter().any(|source| source.text.contains("case RELU: { return max(x, 0.0); }")));
        assert!(rust.iter().any(|source| source.text.contains("pub fn apply(")), "{rust:?}");
        assert_eq!(wgsl[0].path, "shaders/activation.wgsl");
        assert_eq!(rust[0].path, "src/cpu/activation.rs");
        let line = table::ACTIVATION.wgsl.lines().nth(wgsl[0].line - 1).unwrap();
        assert!(line.starts_with("@compute"));
    }
}
