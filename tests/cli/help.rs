//! The help, short and long, and docs/commands.md, which is made of it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use wgrad::internals::train::recipe::{FlagKind, SETTINGS, parse_toml};

use crate::place::Place;

/// The help of a command in a terminal of 100 columns.
fn help(command: &[&str], flag: &str) -> String {
    let place = Place::new();
    let mut program = place.command(&[command, &[flag]].concat());
    crate::place::Ran::of(program.env("COLUMNS", "100")).ok().out
}

/// A text without its line breaks.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_setting_has_its_flag_with_its_line_of_help() {
    let long = unwrapped(&help(&["train"], "--help"));
    for setting in SETTINGS.iter().filter(|setting| setting.key != "data") {
        let default = (setting.default)();
        let value = match setting.flag_kind {
            FlagKind::Switch => String::new(),
            _ => format!(" <{}>", setting.value_name),
        };
        let default = match setting.flag_kind {
            FlagKind::Once if !default.is_empty() => format!(" [default: {default}]"),
            _ => String::new(),
        };
        let line = format!("--{}{value} {}{default}", setting.flag(), setting.help);
        assert!(long.contains(&line), "“{line}” is not in {long}");
        for alias in setting.flag_aliases() {
            assert!(long.contains(&format!("[alias: --{alias}]")), "{alias}");
        }
    }
}

#[test]
fn aliases_and_former_names_of_settings_are_read_as_flags() {
    let place = Place::new();
    for setting in
        SETTINGS.iter().filter(|setting| setting.flag_kind == FlagKind::Once && setting.key != "data")
    {
        let keys = [&[setting.key], setting.aliases, setting.former].concat();
        let keys = keys.into_iter().map(str::to_owned);
        for name in setting.flag_aliases().chain(setting.former_flags()).chain(keys) {
            let ran = place.run(&["train", &format!("--{name}"), "?"]);
            assert_eq!(ran.code, Some(2), "{}", ran.err);
            assert!(ran.err.starts_with("error: ") && !ran.err.contains("unexpected"), "{}", ran.err);
        }
    }
    place.refuses(2, &["train", "--average", "2"], &["--ema is 2, but it takes a number from 0"]);
}

#[test]
fn every_name_of_a_setting_is_a_key_of_a_recipe_also_as_its_flag_is_written() {
    for setting in SETTINGS {
        let keys = [&[setting.key], setting.aliases, setting.former].concat();
        for name in keys.iter().flat_map(|key| [key.to_string(), key.replace('_', "-")]) {
            let refused = parse_toml(&format!("{name} = {{}}"), Path::new("own.toml")).unwrap_err();
            let known = !refused.to_string().contains("there is no key");
            assert!(known && refused.to_string().contains(setting.key), "{name}: {refused}");
        }
    }
}

#[test]
fn the_short_help_has_the_settings_used_most_and_the_long_one_all() {
    let (short, long) = (help(&["train"], "-h"), help(&["train"], "--help"));
    for setting in SETTINGS.iter().filter(|setting| setting.key != "data") {
        let flag = format!("--{} ", setting.flag());
        assert_eq!(short.contains(&flag), setting.often, "{flag}");
    }
    for flag in ["[DATA|RECIPE]", "--resume", "--out", "--json", "--help lists all settings"] {
        assert!(short.contains(flag), "{flag}");
    }
    let headings: Vec<&str> = long
        .lines()
        .filter_map(|line| line.strip_suffix(':'))
        .filter(|line| !line.starts_with(' '))
        .collect();
    let expected = [
        "Arguments",
        "Options",
        "Data",
        "Network",
        "Training",
        "Regularisation",
        "Checkpoints",
        "Device",
        "Kernels",
        "Experimental",
        "Output",
    ];
    assert_eq!(headings, expected);
    assert!(short.lines().count() < 50, "{short}");
}

/// Adds the help of a command and its subcommands to the page.
fn describe(command: &[&str], page: &mut String) {
    let text = help(command, "--help");
    let name = [&["wgrad"], command].concat().join(" ");
    let level = "#".repeat(1 + command.len().min(2));
    let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
    if !command.is_empty() {
        writeln!(page, "\n{level} {name}").unwrap();
    }
    writeln!(page, "\n```text\n{}\n```", lines.join("\n")).unwrap();
    let listed = lines.iter().skip_while(|line| **line != "Commands:").skip(1);
    for line in listed.take_while(|line| !line.is_empty()) {
        match line.split_whitespace().next() {
            // A continued line is indented further.
            Some(below) if below != "help" && !line.starts_with("   ") => {
                describe(&[command, &[below]].concat(), page);
            }
            _ => {}
        }
    }
}

#[test]
fn docs_commands_md_is_the_help_of_all_commands() {
    let mut page =
        "# Commands\n\nThe help of every command, as `wgrad COMMAND --help` prints it. This page is made by \
                    `WGRAD_UPDATE=1 cargo test --test cli`.\n"
            .to_owned();
    describe(&[], &mut page);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    if std::env::var_os("WGRAD_UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there.replace("\r\n", "\n") == page,
        "docs/commands.md is stale; WGRAD_UPDATE=1 cargo test --test cli writes it anew"
    );
}
