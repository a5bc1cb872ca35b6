//! Text from outside reaches the terminal through one function and one file.

/// The files that do it: text made printable, and what is written to stdout and stderr.
const TEXT: &str = "src/text/";
const CONSOLE: &str = "src/app/commands/console.rs";
/// An output that the user named may be the terminal: it gets the bytes of a file.
const NAMED: &str = "src/data/descriptor.rs";

/// Code that shows a path or a text as it is.
const RAW: [&str; 4] = [".display()", ".to_string_lossy()", ".escape_debug()", ".escape_default()"];
/// Code that writes to the terminal.
const WRITING: [&str; 7] = ["println!(", "print!(", "eprint!(", "dbg!(", "stdout()", "stderr()", "/dev/tty"];
/// Code that only asks about the terminal, and the bar, whose words are the program's own.
const ASKING: [&str; 5] = [
    "stdout().is_terminal()",
    "stderr().is_terminal()",
    "Term::stdout()",
    "Term::stderr()",
    "ProgressDrawTarget::stderr()",
];

/// Lines outside of tests that show foreign text as it is, or write it past the console.
pub fn past_the_text<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<String> {
    let found = files.into_iter().flat_map(|(path, text)| {
        let code = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).enumerate();
        let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
        code.filter_map(move |(at, line)| {
            let raw = RAW.iter().find(|raw| !path.starts_with(TEXT) && line.contains(**raw));
            let raw =
                raw.map(|raw| format!("has {raw}: show a path by text::shown, a text by text::shorten"));
            let asked = ASKING.iter().fold(line.to_owned(), |line, asking| line.replace(asking, ""));
            let writing =
                WRITING.iter().find(|writing| ![CONSOLE, NAMED].contains(&path) && asked.contains(**writing));
            let writing = writing.map(|what| format!("has {what}: {CONSOLE} writes to the terminal"));
            let problem = raw.or(writing)?;
            Some(format!("{path}:{} {problem}", at + 1))
        })
    });
    found.collect()
}

#[test]
fn raw_text_and_another_way_to_the_terminal_are_found() {
    let in_file = |path: &str, line: &str| past_the_text([(path, line)]).len();
    for line in [
        "format!(\"{}\", path.display())",
        "let name = name.to_string_lossy();",
        "println!(\"{name}\");",
        "    eprintln!()",
        "let mut out = io::stdout().lock();",
        "writeln!(std::io::stderr(), \"\")",
    ] {
        assert_eq!(in_file("src/data/a.rs", line), 1, "{line}");
        assert_eq!(in_file("src/data/a.rs", &format!("// {line}")), 0);
        assert_eq!(in_file("src/data/a.rs", &format!("#[cfg(test)]\n{line}")), 0);
    }
    assert_eq!(in_file("src/text/mod.rs", "path.display()"), 0);
    assert_eq!(in_file(CONSOLE, "io::stdout().lock()"), 0);
    assert_eq!(in_file(CONSOLE, "path.display()"), 1);
    assert_eq!(in_file("src/app/a.rs", "if stdout().is_terminal() { Term::stdout().size() }"), 0);
}
