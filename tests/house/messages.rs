//! Messages of the library: they name settings, not flags, and no command lines.

use super::tokens::{Token, tokens};

/// String literals of the library that name a flag or a command line, each as a sentence.
///
/// `commands` are the commands of the program. The program itself, the pages of lessons, comments and tests may name
/// them.
pub fn command_lines<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    commands: &[String],
) -> Vec<String> {
    let library = files.into_iter().filter(|(path, _)| {
        let program = ["src/app/", "src/teach/", "src/main.rs"].iter().any(|part| path.starts_with(part));
        !program && !path.ends_with("/tests.rs")
    });
    library
        .flat_map(|(path, text)| {
            let literals = tokens(outside_of_tests(text)).into_iter().filter_map(|(line, token)| match token {
                Token::Text(literal) => Some((line, unbroken(&literal))),
                _ => None,
            });
            literals.filter_map(move |(line, literal)| {
                let named = flag(&literal).or_else(|| command(&literal, commands))?;
                Some(format!(
                    "{path}:{line} names “{named}”: mark the setting, as in ⟨batch_size 32⟩, and leave commands to the \
                     program"
                ))
            })
        })
        .collect()
}

/// The text in front of the module of tests; a module of tests in a file of its own is no end.
fn outside_of_tests(text: &str) -> &str {
    let mut modules = text.match_indices("\n#[cfg(test)]\nmod ");
    let end = modules.find(|(at, head)| {
        let name = text[at + head.len()..].lines().next().unwrap_or_default();
        name.ends_with('{')
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// A literal without its line breaks that are escaped.
fn unbroken(literal: &str) -> String {
    let mut parts = literal.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.trim_start())
}

/// The first flag: two hyphens and a small letter, not behind a letter or another hyphen.
fn flag(literal: &str) -> Option<String> {
    let found = literal.match_indices("--").find(|(at, _)| {
        let before = literal[..*at].chars().next_back();
        let behind = literal[at + 2..].chars().next();
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '-';
        !before.is_some_and(is_word) && behind.is_some_and(|letter| letter.is_ascii_lowercase())
    });
    found.map(|(at, _)| word(&literal[at..]))
}

/// The first command line: `wgrad` and the name of a command.
fn command(literal: &str, commands: &[String]) -> Option<String> {
    let mut found = literal.match_indices("wgrad ").map(|(at, name)| word(&literal[at + name.len()..]));
    found.find(|word| commands.contains(word)).map(|word| format!("wgrad {word}"))
}

/// The letters and hyphens that a text begins with.
fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_ascii_alphabetic() || *letter == '-').collect()
}

/// The names of the variants of `enum Command` in a file, as the command line has them: `LrFind` is `lr-find`.
pub fn commands(cli: &str) -> Vec<String> {
    let variants = cli.split("pub enum Command {").nth(1).and_then(|rest| rest.split("\n}").next());
    let lines = variants.unwrap_or_default().lines().map(str::trim);
    let names = lines.filter_map(|line| line.split_once('(').filter(|_| !line.starts_with("//")));
    let kebab = |(name, _): (&str, &str)| {
        let mut text = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !text.is_empty() {
                text.push('-');
            }
            text.extend(letter.to_lowercase());
        }
        text
    };
    names.map(kebab).collect()
}

#[test]
fn commands_are_the_variants_of_their_enum() {
    let cli = "pub enum Command {\n    /// Trains (a network)\n    Train(Box<TrainArgs>),\n    LrFind(LrFindArgs),\n}\nA(B)";
    assert_eq!(commands(cli), ["train", "lr-find"]);
}

#[test]
fn flags_and_command_lines_in_literals_of_the_library_are_named() {
    let commands = ["train".to_owned(), "lr-find".to_owned()];
    let found = |path: &str, text: &str| command_lines([(path, text)], &commands);
    for (text, named) in [
        ("use --batch-size 32", "--batch-size"),
        ("(--all shows it)", "--all"),
        ("try wgrad lr-find", "wgrad lr-find"),
        ("try wgrad \\\n        train again", "wgrad train"),
    ] {
        let code = format!("\nfn a() {{ b(\"{text}\") }}\n");
        let problems = found("src/low/a.rs", &code);
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].starts_with(&format!("src/low/a.rs:2 names “{named}”")), "{problems:?}");
        assert_eq!(
            found("src/low/a.rs", &format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{{code}}}")),
            [""; 0]
        );
        let behind = format!("use x;\n#[cfg(test)]\nmod tests;{code}");
        assert_eq!(found("src/low/a.rs", &behind).len(), 1);
        for path in ["src/app/a.rs", "src/teach/a.rs", "src/main.rs", "src/low/tests.rs"] {
            assert_eq!(found(path, &code), [""; 0], "{path}");
        }
        assert_eq!(found("src/low/a.rs", &format!("// \"{}\"", text.replace('\n', " "))), [""; 0]);
    }
    for text in ["use ⟨batch_size 32⟩", "a – b", "---", "wgrad trains", "that wgrad has made", "a--b", "-- a"]
    {
        assert_eq!(found("src/low/a.rs", &format!("fn a() {{ b(r#\"{text}\"#) }}")), [""; 0], "{text}");
    }
}
