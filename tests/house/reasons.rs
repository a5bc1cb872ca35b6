//! Errors of the system are shown in words, without the numbers that systems give them.

/// The file that does it.
const REASON: &str = "src/text/reason.rs";
/// Code of functions that deal with the system's errors.
const SYSTEM: [&str; 12] = [
    "fs::",
    "File::",
    "HeldFolder::",
    "io::Error",
    "io::Result",
    "ErrorKind::",
    "stdin()",
    "stdout()",
    ".spawn(",
    ".flush()",
    ".read_exact(",
    ".render(",
];
/// The names of errors.
const NAMES: [&str; 2] = ["error", "problem"];
/// Functions that make the text of another crate's error printable.
const PRINTABLE: [&str; 2] = ["shorten(", "joined("];

/// Lines outside of tests where a function that deals with the system's errors shows one as it is, each as a sentence.
pub fn raw_errors<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files.into_iter().filter(|(path, _)| *path != REASON) {
        let code: Vec<&str> = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).collect();
        let is_start = |at: &usize| code[*at].trim_start().trim_start_matches("pub ").starts_with("fn ");
        let starts: Vec<usize> = (0..code.len()).filter(is_start).collect();
        for (at, &start) in starts.iter().enumerate() {
            let function = &code[start..starts.get(at + 1).copied().unwrap_or(code.len())];
            for name in NAMES.iter().filter(|_| deals_with_the_system(function)) {
                let raw = function.iter().enumerate().filter(|(_, line)| shows(name, line, function));
                found.extend(raw.map(|(line, _)| {
                    format!("{path}:{} shows an error as it is: show it by text::reason", start + line + 1)
                }));
            }
        }
    }
    found
}

fn deals_with_the_system(function: &[&str]) -> bool {
    SYSTEM.iter().any(|word| function.iter().any(|line| line.contains(word)))
}

/// Whether a line shows the error of a name, which the function doesn't give to a text.
fn shows(name: &str, line: &str, function: &[&str]) -> bool {
    let is_text = |line: &&str| {
        [format!("{name} = "), format!("let {name}"), format!("{name}: String"), format!("{name}: &str")]
            .iter()
            .any(|given| line.contains(given))
    };
    let raw = line.contains(&format!("{name}.to_string()"))
        || (line.contains(&format!("{{{name}}}")) && !function.iter().any(is_text));
    raw && !PRINTABLE.iter().any(|printable| line.contains(printable))
}

#[test]
fn errors_of_the_system_that_are_shown_as_they_are_are_found() {
    let found = |body: &str| raw_errors([("src/a.rs", &*format!("fn a() {{\n{body}\n}}"))]).len();
    for raw in [
        "    fs::read(path).map_err(|error| error.to_string())?;",
        "    let bytes = File::open(path).map_err(|error| format!(\"{error}\"))?;",
        "    let read = || -> io::Result<()> { b() };\n    read().map_err(|error| problem(error.to_string()))",
        "    Err(problem) if problem.kind() != ErrorKind::BrokenPipe => note(&format!(\"no: {problem}\")),",
    ] {
        assert_eq!(found(raw), 1, "{raw}");
    }
    for good in [
        "    fs::read(path).map_err(|error| reason(&error).to_string())?;",
        "    File::open(path).map_err(|error| format!(\"({error})\", error = reason(&error)))?;",
        "    fs::read(path)?;\n    parse().map_err(|error| shorten(&error.to_string()))",
        "    parse().map_err(|error| error.to_string())",
    ] {
        assert_eq!(found(good), 0, "{good}");
    }
}
