//! Shaders whose text or name would drive a terminal.

use std::fs;

use crate::wgrad;
use ::wgrad::internals::table::SGD;

/// What a terminal obeys or hides, without a line break.
const EVIL: &str = "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}2J\u{202e}x\u{200b}\u{feff} ⟨network⟩";

#[test]
#[cfg(unix)]
fn the_text_and_the_name_of_a_shader_are_shown_without_what_a_terminal_obeys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("{EVIL}\nforged: .wgsl"));
    let broken = SGD.wgsl.replace("fn sgd(", &format!("/*{EVIL}*/ fnn sgd("));
    let entry = SGD.wgsl.replace("fn sgd(", "fn sgd\u{301}\u{ad}(");
    for text in [broken, entry, EVIL.to_owned(), SGD.wgsl.to_owned()] {
        fs::write(&path, &text).unwrap();
        let arguments = ["lesson", "check", "--no-timing", "--kernel", "sgd", path.to_str().unwrap()];
        let ran = wgrad(&arguments);
        for shown in [ran.stdout, ran.stderr] {
            let harmless = |letter: char| {
                let hidden = matches!(letter, '\u{ad}' | '\u{200b}' | '\u{202e}' | '\u{feff}');
                letter == '\n' || letter == '\t' || !letter.is_control() && !hidden
            };
            assert!(shown.chars().all(harmless), "{shown:?}");
            assert!(!shown.lines().any(|line| line.starts_with("forged")), "{shown}");
            assert!(!shown.contains("--network"), "{shown}");
        }
    }
}
