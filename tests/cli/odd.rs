//! Odd surroundings: no threads, few open files, odd outputs, overlong words. Each ends with an answer or a sentence.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::place::{Place, Ran};

/// A command in a shell, in which `$W` is the program.
#[cfg(unix)]
fn shell(place: &Place, script: &str) -> Ran {
    let program = place.command(&[]);
    let mut shell = Command::new("bash");
    shell.args(["-c", script]).env("W", env!("CARGO_BIN_EXE_wgrad")).stdin(Stdio::null());
    shell.current_dir(program.get_current_dir().unwrap());
    Ran::of(&mut shell)
}

#[test]
fn without_a_thread_every_command_ends_with_a_sentence() {
    let place = Place::trained();
    let run = "runs/digits-001";
    place.write("3.png", picture());
    for command in [
        &["train", "--device", "cpu"][..],
        &["train", "--resume", run, "--epochs", "3", "--device", "cpu"],
        &["eval", run, "--device", "cpu"],
        &["predict", run, "3.png", "--device", "cpu"],
        &["explain", run, "--device", "cpu"],
        &["lesson", "1", "--device", "cpu"],
        &["lr-find", "--device", "cpu"],
        &["data", "preview", "digits", "--augment", "flip"],
        &["doctor", "sgd", "--device", "cpu"],
        &["bench", "--quick", "--device", "cpu", "sgemm 64"],
        &["resume-check", run, "--device", "cpu"],
    ] {
        let before = place.files();
        // The stack of a thread of this size fits no machine, so none can be made.
        let ran = Ran::of(place.command(command).env("RUST_MIN_STACK", (1u64 << 50).to_string()));
        ran.failed(1, &["makes no more threads"]);
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            place.files().keys().collect::<Vec<_>>(),
            "{command:?}"
        );
    }
    // What needs no thread works.
    let ran = Ran::of(place.command(&["runs"]).env("RUST_MIN_STACK", (1u64 << 50).to_string())).ok();
    assert!(ran.out.contains("digits-001"));
}

fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
#[cfg(target_os = "linux")]
fn with_few_open_files_every_command_ends() {
    let place = Place::trained();
    for files in 4..=20 {
        for command in
            ["train --epochs 1 --device cpu", "eval runs/digits-001 --device cpu", "lesson 1 --device cpu"]
        {
            let ran = shell(&place, &format!("ulimit -n {files}; exec timeout 300 $W {command}"));
            assert!(!ran.err.contains("panicked"), "{}", ran.err);
            match ran.code {
                Some(0) => assert!(!ran.out.is_empty()),
                // The loader of programs fails before the program, or `timeout` can't start it.
                Some(125..=127) if ran.code != Some(124) => {}
                _ => ran.failed(1, &[]),
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_deleted_working_directory_is_an_error() {
    let place = Place::new();
    let script =
        "mkdir gone; cd gone; rmdir ../gone; exec timeout 300 $W train --epochs 1 --device cpu --out ./";
    shell(&place, script).failed(1, &["no run directory can be made"]);
}

#[test]
#[cfg(target_os = "linux")]
fn open_files_of_the_process_are_outputs() {
    let place = Place::trained();
    let bench = "$W bench --quick --device cpu 'sgemm 64'";
    // To a pipe, to a file with what is printed, and to a process.
    let report = shell(&place, &format!("{bench} --json /dev/stdout | sed -n '/^{{/,/^}}/p'")).ok();
    assert!(serde_json::from_str::<Value>(&report.out).unwrap()["groups"].is_array(), "{}", report.out);
    shell(&place, &format!("{bench} --json /dev/fd/3 3>report.json")).ok();
    assert!(place.json("report.json")["groups"].is_array());
    shell(&place, "$W lesson 5 --device cpu --svg /dev/stdout > page.svg").ok();
    let page = String::from_utf8(place.read("page.svg")).unwrap();
    assert!(
        page.starts_with("<svg") && page.contains("</svg>") && !page.trim_end().ends_with("</svg>"),
        "{page}"
    );
    shell(&place, "$W lesson 5 --device cpu --svg >(cat > piped.svg); wait; sleep 1").ok();
    assert!(String::from_utf8(place.read("piped.svg")).unwrap().contains("</svg>"));
    for out in ["/dev/stderr", "/proc/self/fd/2"] {
        let ran = shell(
            &place,
            &format!("$W eval runs/digits-001 --device cpu --mistakes 2 --out {out} 2>sheet.png"),
        );
        assert_eq!(ran.code, Some(0));
        let sheet = place.read("sheet.png");
        assert!(sheet.windows(4).any(|bytes| bytes == b"IEND"));
    }
    // A file that is open twice gets both.
    shell(&place, "exec 3>kept.svg; echo first >&3; $W lesson 5 --device cpu --svg /dev/fd/3").ok();
    assert!(String::from_utf8(place.read("kept.svg")).unwrap().starts_with("first\n<svg"));
    // Nobody reads it.
    shell(&place, "$W lesson 5 --device cpu --svg >(true)");
    shell(&place, "$W lesson 5 --device cpu --svg /dev/fd/77").failed(1, &["/dev/fd/77 can't be written"]);
}

#[test]
fn overlong_words_are_not_echoed() {
    let place = Place::new();
    let long = "x".repeat(100_000);
    let network = format!("dense 8, {long}, dense 10");
    place.write("long.toml", format!("{long} = 1\n")).write("value.toml", format!("seed = \"{long}\"\n"));
    place.write("list.toml", format!("class_weights = \"{}x\"\n", "1, ".repeat(30_000)));
    place.write("deep.toml", format!("network = {}\n", "[".repeat(100_000)));
    place.write("blocks.toml", format!("network = \"{}\"\n", "residual { ".repeat(50_000)));
    for command in [
        &["train", "--network", &network][..],
        &["summary", &long],
        &["summary", &format!("dense 8, {}", "residual { relu, ".repeat(6_000))],
        &["train", "long.toml"],
        &["train", "value.toml"],
        &["train", "list.toml"],
        &["train", "deep.toml"],
        &["train", "blocks.toml"],
        &["train", "--optimiser", &long],
        &["train", "--device", &long],
        &["train", "--checkpoint-every", &long],
        &["train", &format!("--{long}")],
        &["train", &long],
        &["eval", &long],
        &["predict", &long, &long],
        &["lesson", &long],
        &["doctor", &long],
        &[&long],
    ] {
        let ran = place.run(command);
        assert!(matches!(ran.code, Some(2 | 3)), "{:?}: {}", ran.code, ran.err);
        assert!(ran.err.len() < 2_000, "{} characters on stderr: {}", ran.err.len(), &ran.err[..500]);
        assert!(ran.err.starts_with("error: ") && !ran.err.contains("panicked"), "{}", ran.err);
    }
}

#[test]
fn with_json_an_error_is_an_object_too() {
    let place = Place::trained();
    for (code, command) in [
        (2, &["train", "none/such", "--json"][..]),
        (2, &["train", "--network", "dens 3", "--json"]),
        (3, &["eval", "none/such", "--json"]),
        (3, &["predict", "runs/digits-001", "none.png", "--json"]),
        (2, &["lesson", "none", "--json"]),
        (2, &["lr-find", "--steps", "1", "--json"]),
        (2, &["explain", "runs/digits-001", "--layer", "9", "--json"]),
        (5, &["train", "--learning-rate", "1e30", "--device", "cpu", "--json"]),
    ] {
        let ran = place.run(command);
        ran.failed(code, &[]);
        let sentence = ran.err.lines().last().unwrap().strip_prefix("error: ").unwrap();
        assert_eq!(ran.json()["error"], sentence, "{command:?}");
    }
    let list = place.run(&["lesson", "--json"]).ok().json();
    assert!(list["lessons"][0]["name"].is_string(), "{list}");
    let page = place.run(&["lesson", "5", "--device", "cpu", "--json"]).ok().json();
    assert!(page["title"].is_string() && page["blocks"].is_array(), "{page}");
}

#[test]
fn a_refused_command_line_is_an_object_for_each_flag_for_json() {
    let place = Place::new();
    for command in [
        &["predict", "--json-lines"][..],
        &["predict", "r", "a.png", "--jsonl", "--such"],
        &["predict", "r", "a.png", "--json", "--top", "x"],
        &["train", "--json", "--epochs"],
        &["runs", "--json", "--sort", "speed"],
    ] {
        let ran = place.run(command);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(
            ran.err.contains(ran.json()["error"].as_str().unwrap().split(' ').next().unwrap()),
            "{ran:?}"
        );
    }
    assert_eq!(place.run(&["predict", "--csv"]).out, "");
    assert_eq!(place.run(&["predict", "--such", "--", "--json"]).out, "");
}

#[test]
fn a_word_that_is_no_number_is_repeated_as_it_was_given() {
    let place = Place::new();
    let ran = place.run(&["train", "--out", "-.5x", "--device", "cpu"]);
    assert!(ran.code == Some(2) && !ran.err.contains("-0"), "{}", ran.err);
    let train = ["train", "--network", "dense 10", "--device", "cpu", "--learning-rate", "-.5"];
    place.refuses(2, &train, &["-0.5"]);
}

#[test]
#[cfg(unix)]
fn an_error_keeps_its_exit_code_when_nobody_reads_the_answer() {
    let place = Place::new();
    let ran =
        shell(&place, "$W train --learning-rate 1e30 --device cpu --json | true; exit ${PIPESTATUS[0]}");
    ran.failed(5, &[]);
}

#[test]
fn a_fast_dev_run_names_nothing_that_is_left() {
    let place = Place::new();
    let dev = ["train", "--fast-dev-run", "--device", "cpu"];
    for more in [
        &[][..],
        &["--learning-rate", "1e30"],
        &["--learning-rate", "1e30", "--on-nan", "rollback"],
        &["--json"],
    ] {
        let ran = place.run(&[&dev[..], more].concat());
        for words in ["resume", "predict", "saved in", "runs/", "tmp"] {
            assert!(!ran.err.contains(words) && !ran.out.contains(words), "{words}: {ran:?}");
        }
        assert!(ran.err.contains("nothing was saved"), "{}", ran.err);
        assert!(place.files().is_empty());
    }
    let object = place.run(&[&dev[..], &["--json"]].concat()).ok().json();
    assert_eq!(
        (&object["run"], &object["status"], &object["steps"]),
        (&Value::Null, &"done".into(), &1.into())
    );
}

#[test]
fn steps_beyond_all_numbers_are_no_overflow() {
    let place = Place::trained();
    // The training data of a run that has ended are enough for any number of steps, so only its start is tried.
    let mut command = place.command(&["resume-check", "runs/digits-001", "--steps", &u64::MAX.to_string()]);
    let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let ended = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ended, None);
}

#[test]
fn the_difference_of_runs_names_settings_and_state() {
    let place = Place::new();
    let train = ["train", "--epochs", "2", "--device", "cpu", "--network", "dense 10"];
    place.run(&train).ok();
    let more = ["--ema", "0.9", "--validation", "0.2", "--stop-early", "validation-loss patience 9"];
    place.run(&[&train[..], &more].concat()).ok();
    place.run(&[&train[..], &["--optimiser", "adam"]].concat()).ok();
    place.run(&[&train[..], &["--ema", "0.9"]].concat()).ok();
    let diff = |one: &str, two: &str| place.run(&["runs", "diff", one, two]).ok().out;
    let [one, two, three, four] = ["1", "2", "3", "4"].map(|number| format!("runs/digits-00{number}"));

    let said = diff(&one, &two);
    for words in
        ["validation: 0.0 and 0.2", "stop_early: ", "ema: ", "only the second run has a best checkpoint"]
    {
        assert!(said.contains(words), "“{words}” is not in {said}");
    }
    let said = diff(&one, &three);
    assert!(said.contains("optimiser: \"sgd") && said.contains("only that of the second run has"), "{said}");
    // The weights are the same, and only the second has their EMA.
    let said = diff(&one, &four);
    assert!(said.contains("only that of the second run has ema"), "{said}");
    assert!(!said.contains("are equal, bit by bit\nthe models are equal"), "{said}");
    assert!(diff(&four, &one).contains("only that of the first run has ema"));
    place.run(&["train", "--epochs", "1", "--device", "cpu", "--network", "dense 4, relu, dense 10"]).ok();
    let said = diff(&one, "runs/digits-005");
    assert!(said.contains("network: \"dense 10\" and \"dense 4, relu, dense 10\"\n"), "{said}");
    let said = diff(&one, &one);
    assert!(said.contains("are equal, bit by bit") && said.contains("the models are equal"), "{said}");
    assert!(!said.contains(" and "), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn no_bar_is_drawn_after_the_end_of_a_run() {
    let place = Place::new();
    let has_script =
        Command::new("script").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_script {
        println!("NOT CHECKED: there is no `script` to run the program in a terminal");
        return;
    }
    let train = "$W train --epochs 9000 --device cpu";
    for more in [
        "--learning-rate 0.5 --validation 0.2 --stop-early 'validation-loss patience 1'",
        "--max-time 1s",
        "--learning-rate 1e30",
    ] {
        for columns in [60, 140] {
            let terminal = "script -qec \"stty cols $COLS; $LINE\" /dev/null";
            let script = format!("export COLS={columns} LINE=\"{train} {more}\" TERM=xterm; {terminal}");
            let shown = shell(&place, &script).out;
            let end =
                ["the best epoch is", "the time of", "error: "].iter().find_map(|words| shown.find(words));
            let behind = &shown[end.unwrap_or_else(|| panic!("no end: {shown}"))..];
            assert!(shown.contains(" left"), "no bar: {shown}");
            assert!(!behind.contains(" left"), "{behind}");
        }
    }
    let line = "$W train --epochs 2 --device cpu";
    let dumb = shell(&place, &format!("TERM=dumb LINE=\"{line}\" script -qec \"$LINE\" /dev/null")).out;
    assert!(!dumb.contains('\u{1b}'), "{dumb}");
}

/// A name that is no text once ended the program where a pattern was matched; a number beyond the classes, where rows were made.
#[cfg(target_os = "linux")]
#[test]
fn patterns_pass_over_names_that_are_no_text_and_no_more_classes_are_printed_than_there_are() {
    use std::os::unix::ffi::OsStrExt;

    let place = Place::trained();
    place.write("g/ok.png", crate::answers::png(8, 8, |x, y| (x * y) as u8));
    std::fs::write(place.path("g").join(std::ffi::OsStr::from_bytes(b"\xff.txt")), "").unwrap();
    place.write("g/in/ok2.png", crate::answers::png(8, 8, |x, y| (x + y) as u8));
    for (pattern, count) in [("g/o*.png", 1), ("g/**/*.png", 2), ("./g/[i]n/*", 1)] {
        let ran = place.run(&["predict", "runs/digits-001", pattern, "--device", "cpu", "--json"]).ok();
        assert_eq!(ran.json().as_array().unwrap().len(), count, "{pattern}: {}", ran.out);
    }
    let most = u64::MAX.to_string();
    let ran = place
        .run(&["predict", "runs/digits-001", "g/ok.png", "--device", "cpu", "--csv", "--top", &most])
        .ok();
    assert!(ran.out.contains("class_10") && !ran.out.contains("class_11"), "{}", ran.out);
}
