//! `wgrad predict` on files, folders, patterns and stdin, and its remarks about pictures that are unlike the others.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::answers::png;
use crate::place::{Place, Ran};

/// A stroke of 3 pixels in a square of `side` pixels: across for the class 0, down for the class 1.
fn stroke(side: u32, class: u32, at: u32, ink: u8, paper: u8) -> Vec<u8> {
    let (scale, start) = (side / 12, 2 + at % 6);
    png(side, side, |x, y| {
        let place = if class == 0 { y } else { x } / scale;
        if (start..start + 3).contains(&place) { ink } else { paper }
    })
}

const NAMES: [&str; 2] = ["across", "down"];

/// A place with a run on bright strokes on black.
fn strokes() -> Place {
    let place = Place::new();
    for (class, at) in (0..2).flat_map(|class| (0..20).map(move |at| (class, at))) {
        let file = format!("strokes/{}/{at}.png", NAMES[class as usize]);
        place.write(&file, stroke(12, class, at, 200 + at as u8, 0));
    }
    let train = ["train", "strokes", "--network", "dense 16, relu, dense 2", "--epochs", "40", "-b", "8"];
    place.run(&[&train[..], &["--device", "cpu", "--quiet"]].concat()).ok();
    place
}

fn predict(place: &Place, more: &[&str]) -> Ran {
    place.run(&[&["predict", "runs/strokes-001", "--device", "cpu"], more].concat())
}

#[test]
fn files_folders_and_patterns_are_read() {
    let place = strokes();
    place.write("in/1.png", stroke(12, 0, 1, 220, 0)).write("in/deep/2.png", stroke(24, 1, 2, 220, 0));
    place
        .write("in/notes.txt", "no")
        .write("in/.hidden.png", "no")
        .write("x[1].png", stroke(12, 1, 0, 210, 0));
    let names = |more: &[&str]| -> Vec<String> {
        let json = predict(&place, &[more, &["--json"]].concat()).ok().json();
        json.as_array().unwrap().iter().map(|row| row["file"].as_str().unwrap().replace('\\', "/")).collect()
    };
    assert_eq!(names(&["in"]), ["in/1.png", "in/deep/2.png"]);
    // A shell that replaces no patterns; a file with such a name is itself.
    assert_eq!(names(&["in/*.png", "x[1].png"]), ["in/1.png", "x[1].png"]);
    assert_eq!(names(&["in/**/*.png"]), ["in/1.png", "in/deep/2.png"]);
    let ran = predict(&place, &["in"]).ok();
    assert!(ran.out.starts_with("in/1.png: across   (across "), "{}", ran.out);
    assert!(
        ran.err.contains("in: 1 file is not named like PNG or JPEG pictures and left out"),
        "{}",
        ran.err
    );
    place.write("none/x.txt", "");
    let refuses = |more: &[&str], words: &[&str]| {
        let ran = predict(&place, more);
        ran.failed(3, words);
        assert!(ran.out.is_empty() && !ran.err.contains("skipped"), "{ran:?}");
    };
    refuses(&["none"], &["none has no PNG or JPEG picture"]);
    refuses(&["no*.png"], &["no file matches no*.png"]);
    refuses(&["gone.png"], &["gone.png isn't there"]);
}

#[test]
fn a_picture_on_stdin_is_read() {
    let place = strokes();
    let from_stdin = |bytes: &[u8], more: &[&str]| {
        let mut command =
            place.command(&[&["predict", "runs/strokes-001", "-", "--device", "cpu"], more].concat());
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        // It may have ended before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    };
    let ran = from_stdin(&stroke(12, 1, 3, 220, 0), &[]).ok();
    assert!(ran.out.starts_with("stdin: down   (down "), "{}", ran.out);
    from_stdin(b"", &[]).failed(3, &["stdin is empty"]);
    from_stdin(b"none", &[]).failed(3, &["stdin is neither a PNG nor a JPEG"]);
    from_stdin(b"", &["-"]).failed(2, &["- is given twice"]);
}

#[test]
fn unreadable_pictures_are_skipped_and_named() {
    let place = strokes();
    place.write("a.png", stroke(12, 0, 1, 220, 0)).write("b.png", "none");
    let ran = predict(&place, &["a.png", "b.png", "c.png"]);
    ran.failed(3, &["2 of 3 pictures could not be read (as b.png), so mend what is skipped or leave it out"]);
    assert_eq!(ran.out.lines().count(), 1);
    for said in ["skipped: b.png is neither a PNG nor a JPEG picture", "skipped: c.png isn't there"] {
        assert!(ran.err.contains(said), "“{said}” is not in {}", ran.err);
    }
    let ran = predict(&place, &["b.png", "a.png", "--json"]);
    assert_eq!(ran.code, Some(3));
    let json = ran.json();
    assert_eq!((json[0]["file"].as_str(), json[1]["class"].as_str()), (Some("b.png"), Some("across")));
    assert!(json[0]["error"].as_str().unwrap().contains("neither a PNG nor a JPEG"), "{json}");
    predict(&place, &["b.png", "c.png"]).failed(3, &["none of the 2 pictures can be read"]);
    let none = predict(&place, &["b.png", "c.png", "--json"]);
    assert_eq!(none.code, Some(3));
    assert!(none.json()["error"].is_string(), "{}", none.out);
}

#[test]
fn only_what_the_command_line_names_itself_must_be_readable() {
    let place = strokes();
    place.write("in/a.png", stroke(12, 0, 1, 220, 0)).write("in/b.png", "none").write("in/none/x.txt", "");
    for found in [&["in"][..], &["in/*.png"], &["i*"], &["in/*.png", "in/n*"]] {
        let ran = predict(&place, found).ok();
        assert!(ran.err.contains("skipped: in/b.png is neither"), "{}", ran.err);
        assert!(ran.err.contains(" pictures could not be read"), "{}", ran.err);
    }
    for named in [&["in/a.png", "in/b.png"][..], &["in", "in/none"], &["in", "x*.png"], &["in", "c.png"]] {
        let ran = predict(&place, named);
        ran.failed(3, &["pictures could not be read"]);
        assert_eq!(ran.out.lines().count(), 1, "{}", ran.out);
    }
}

#[test]
fn pictures_of_one_colour_are_counted() {
    let place = strokes();
    place.write("a.png", stroke(12, 0, 1, 220, 0));
    (0..70).for_each(|at| _ = place.write(&format!("plain/{at:02}.png"), png(12, 12, |_, _| at)));
    let ran = predict(&place, &["plain", "a.png"]).ok();
    assert!(ran.err.contains("70 of 71 pictures are of one colour once they are read (as plain/00.png)"));
    assert!(ran.err.lines().count() < 12, "{}", ran.err);
    let one = predict(&place, &["plain/05.png", "a.png"]).ok().err;
    assert!(
        one.contains("plain/05.png is of one colour once it is read, so its class says nothing"),
        "{one}"
    );
}

#[test]
fn answers_are_lines_of_json_or_a_table() {
    let place = strokes();
    place.write("a, b.png", stroke(12, 0, 1, 220, 0)).write("c.png", stroke(12, 1, 1, 220, 0));
    let both = ["a, b.png", "no.png", "c.png"];
    let read = |more: &[&str]| {
        let ran = predict(&place, &[&both[..], more].concat());
        ran.failed(3, &["1 of 3 pictures could not be read (as no.png)"]);
        ran.out
    };
    let lines = read(&["--json-lines", "--top", "1"]);
    let rows: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!((&rows[0]["class"], &rows[2]["class"]), (&"across".into(), &"down".into()));
    assert!(rows[1]["error"].as_str().unwrap().contains("isn't there"), "{lines}");
    assert_eq!(rows[2]["classes"].as_array().unwrap().len(), 1);
    let array = predict(&place, &["a, b.png", "c.png", "--json", "--top", "1"]).ok().json();
    assert_eq!((&array[0], &array[1]), (&rows[0], &rows[2]));
    let csv = read(&["--csv"]);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "file,class,probability,error");
    assert!(lines[1].starts_with("\"a, b.png\",across,0.") || lines[1].starts_with("\"a, b.png\",across,1."));
    assert_eq!(lines[2], "no.png,,,\"no.png isn't there, so check the path\"");
    let csv = predict(&place, &["c.png", "--csv", "--top", "2"]).ok().out;
    assert!(csv.starts_with("file,class,probability,class_2,probability_2,error\nc.png,down,"), "{csv}");
    assert_eq!(predict(&place, &["c.png", "--csv", "--json"]).code, Some(2));
}

#[test]
fn classes_of_no_probability_are_left_out() {
    let place = strokes();
    // The outputs of a trained network, made certain.
    let mut model = wgrad::Model::load(place.path("runs/strokes-001")).unwrap();
    model.parameters.iter_mut().for_each(|value| *value *= 10.0);
    model.save(place.path("sure.safetensors")).unwrap();
    place.write("a.png", stroke(12, 0, 1, 220, 0));
    let said = place.run(&["predict", "sure.safetensors", "a.png", "--device", "cpu"]).ok().out;
    assert_eq!(said, "a.png: across   (across 100.0 %)\n");
}

#[test]
fn dark_strokes_on_paper_are_noted_with_their_inverse() {
    let place = strokes();
    place.write("photo.png", stroke(60, 1, 2, 40, 220)).write("usual.png", stroke(12, 1, 2, 220, 0));
    let plain = predict(&place, &["photo.png"]).ok().err;
    for said in [
        "photo.png is much brighter than the pictures trained on: a mean of 0.6",
        "inverted it is nearer to them and read as down with ",
        " surely than as it is (as ",
        ": add --invert",
    ] {
        assert!(plain.contains(said), "“{said}” is not in {plain}");
    }
    // What is advised is usual.
    let inverted = predict(&place, &["photo.png", "--invert"]).ok();
    assert!(inverted.out.starts_with("photo.png: down"), "{}", inverted.out);
    assert!(!inverted.err.contains("trained on"), "{}", inverted.err);
    let wrong = predict(&place, &["usual.png", "--invert"]).ok().err;
    assert!(wrong.contains("not inverted it is nearer") && wrong.contains("leave --invert out"), "{wrong}");
    assert!(!predict(&place, &["usual.png"]).ok().err.contains("trained on"));
    place.write("pale.png", stroke(12, 1, 2, 60, 30));
    let pale = predict(&place, &["pale.png"]).ok().err;
    assert!(
        pale.contains("pale.png is of much less contrast than the pictures trained on: a deviation of 0.0"),
        "{pale}"
    );
    // Of many pictures one line says it.
    for at in 0..5 {
        place.write(&format!("many/{at}.png"), stroke(12, at % 2, at, 40, 220));
    }
    let many = predict(&place, &["many", "usual.png"]).ok().err;
    assert!(
        many.contains("5 of 6 pictures are much brighter than those trained on (as many/0.png: "),
        "{many}"
    );
    assert!(many.contains("inverted, 5 of them are nearer to those and "), "{many}");
    // A model of an earlier version knows mean and deviation alone.
    let model = wgrad::Model::load(place.path("runs/strokes-001")).unwrap();
    assert!(model.tones.is_some());
    wgrad::Model { tones: None, ..model }.save(place.path("former.safetensors")).unwrap();
    let former = place.run(&["predict", "former.safetensors", "photo.png", "--device", "cpu"]).ok().err;
    assert!(former.contains("photo.png is much brighter"), "{former}");
}

#[test]
fn what_the_network_sees_is_saved() {
    let place = strokes();
    place.write("a.png", stroke(24, 0, 1, 40, 220)).write("in/b/1.png", stroke(12, 1, 1, 220, 0));
    place.write("in/c/1.png", stroke(12, 1, 1, 210, 0));
    let ran = predict(&place, &["a.png", "--invert", "--save-input", "seen.png"]).ok();
    assert!(ran.err.contains("what the network saw is in seen.png"), "{}", ran.err);
    let seen = image::load_from_memory(&place.read("seen.png")).unwrap();
    assert_eq!((seen.width(), seen.height(), seen.color().channel_count()), (12, 12, 1));
    assert_eq!((seen.to_luma8().get_pixel(0, 0).0, seen.to_luma8().get_pixel(0, 4).0), ([35], [215]));
    let ran = predict(&place, &["in", "--save-input", "out/seen"]).ok();
    assert!(ran.err.contains("what the network saw is in out/seen: 2 PNG files"), "{}", ran.err);
    assert!(place.path("out/seen/b-1.png").is_file() && place.path("out/seen/c-1.png").is_file());
    let refuses = |code, more: &[&str], words: &[&str]| {
        let before = place.files();
        predict(&place, more).failed(code, words);
        assert!(before == place.files(), "{more:?}");
    };
    refuses(2, &["in", "--save-input", "x.png"], &["the file x.png for 2 pictures", "name a folder"]);
    refuses(2, &["a.png", "--save-input", "."], &["write over the picture", "a.png"]);
    refuses(2, &["a.png", "--save-input", "x.jpg"], &["writes PNG files", "x.jpg"]);
    // What is there stays.
    place.write("photo.jpg", "photo").write("notes", "notes").write("mine/1.png", "mine");
    for file in ["photo.jpg", "notes", "runs/strokes-001/model.safetensors"] {
        refuses(2, &["a.png", "--save-input", file], &["writes PNG files", file]);
        refuses(2, &["a.png", "in/b/1.png", "--save-input", file], &["writes PNG files", file]);
    }
    refuses(2, &["in/b/1.png", "--save-input", "mine"], &["write over mine/1.png", "name another folder"]);
    refuses(2, &["in", "--save-input", "out/seen"], &["write over out/seen/b-1.png"]);
    refuses(2, &["in", "--save-input", "seen.png"], &["the file seen.png for 2 pictures"]);
    predict(&place, &["a.png", "in/b/1.png", "in/c/1.png", "--save-input", "mine"]).ok();
    assert_eq!(place.read("mine/1.png"), b"mine");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", place.path("mine/b-1.png")).unwrap();
        std::os::unix::fs::symlink("nowhere", place.path("link")).unwrap();
        predict(&place, &["in", "--save-input", "mine"]).failed(2, &["write over mine/b-1.png"]);
        predict(&place, &["a.png", "--save-input", "link"]).failed(2, &["writes PNG files"]);
        assert!(!place.path("mine/nowhere").exists() && !place.path("nowhere").exists());
        std::fs::remove_file(place.path("mine/b-1.png")).unwrap();
        std::fs::remove_file(place.path("link")).unwrap();
        predict(&place, &["a.png", "--save-input", "/dev/null"]).ok();
        refuses(2, &["in", "--save-input", "/dev/null"], &["the file /dev/null for 2 pictures"]);
    }
    refuses(
        1,
        &["a.png", "--save-input", "no/such/x.png"],
        &["x.png can't be written (no such file or folder)"],
    );
}

#[test]
fn pictures_of_another_shape_are_fitted_as_asked() {
    let place = strokes();
    // Bright on the left and right, of which the middle shows nothing.
    place.write("wide.png", png(48, 12, |x, _| if (12..36).contains(&x) { 9 } else { 250 }));
    let seen = |more: &[&str]| {
        let ran = predict(&place, &[&["wide.png", "--save-input", "seen.png"], more].concat()).ok();
        let seen = image::load_from_memory(&place.read("seen.png")).unwrap().into_luma8();
        ([(0, 0), (0, 5), (6, 5)].map(|(x, y)| seen.get_pixel(x, y).0[0]), ran.err)
    };
    let (pixels, said) = seen(&[]);
    assert_eq!(pixels, [0, 250, 9]);
    assert!(said.contains("wide.png (48×12 pixels) has another shape"), "{said}");
    assert!(
        said.contains("it is padded; --fit crop takes the middle, --fit stretch fills the image"),
        "{said}"
    );
    assert_eq!(seen(&["--fit", "pad"]).0, pixels);
    let (pixels, said) = seen(&["--fit", "stretch"]);
    assert!(pixels == [250, 250, 9] && said.contains("it is stretched"), "{pixels:?} {said}");
    let (pixels, said) = seen(&["--fit", "crop"]);
    assert!(pixels == [9, 9, 9] && said.contains("it is cropped to the middle"), "{pixels:?} {said}");
    assert!(!predict(&place, &["strokes/down/1.png"]).ok().err.contains("shape"));
    assert_eq!(predict(&place, &["wide.png", "--fit", "zoom"]).code, Some(2));
}
