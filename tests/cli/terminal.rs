//! The program in a terminal of 80 columns and in one of 60.

use std::process::{Command, Stdio};

use crate::place::{Place, Ran};

/// What a terminal gets of a command, without carriage returns, or none where no terminal can be made.
fn shown(place: &Place, columns: usize, line: &str) -> Option<String> {
    let has_script =
        Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_script {
        println!("NOT CHECKED: there is no `script` to run the program in a terminal");
        return None;
    }
    let program = place.command(&[]);
    let mut shell = Command::new("script");
    shell.args(["-qec", &format!("stty rows 24 cols {columns}; exec $W {line}"), "/dev/null"]);
    shell.env("W", env!("CARGO_BIN_EXE_wgrad")).env("TERM", "dumb").stdin(Stdio::null());
    shell.current_dir(program.get_current_dir().unwrap());
    Some(Ran::of(&mut shell).out.replace('\r', ""))
}

/// The words in their order, whatever is between them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn lines_are_broken_between_words_and_only_in_a_terminal() {
    let place = Place::trained();
    for line in [
        "runs diff runs/digits-001 runs/no",
        "eval runs/no --device cpu",
        "train no.toml",
        "train nothing",
        "summary runs/digits-001 --device cpu",
        "data digits",
        "lesson",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ran = place.run(&arguments);
        for columns in [80, 60] {
            let Some(shown) = shown(&place, columns, line) else { return };
            assert_eq!(words(&shown), words(&format!("{}{}", ran.err, ran.out)), "{line}");
            let long = shown.lines().find(|line| {
                // A digest is longer than a line of 60 columns, and is left to the terminal.
                line.chars().count() > columns && !line.contains("sha256:")
            });
            assert_eq!(long, None, "{line} in {columns} columns");
        }
    }
}

#[test]
fn what_another_program_reads_is_never_broken() {
    let place = Place::new();
    for line in ["completions bash", "man"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let Some(shown) = shown(&place, 60, line) else { return };
        assert_eq!(shown, place.run(&arguments).ok().out, "{line}");
    }
}
