//! IDX files with prefixes, as EMNIST has them: their splits, transposed images and names of classes.

use std::fs;
use std::path::Path;

use wgrad::internals::data::{
    EMNIST_SPLITS, NAMES, Places, Reading, Source, is_same, known, load, load_again, load_with, locate, size,
};
use wgrad::internals::program::shape::Shape;

use crate::files::{Folder, READING, TRAIN_IMAGES, gzip, idx};
use crate::{assert_data_error, assert_not_found, assert_setting_error, assert_usage_error};

const TRANSPOSE: Reading = Reading { transpose: Some(true), ..READING };

/// The folder with the files of a set: 4 images of 2×3 to train on, 2 held out, with labels from 1 to 3.
fn with_set(folder: Folder, prefix: &str) -> Folder {
    let file = |name: &str| format!("{prefix}-{name}-ubyte");
    let pixels: Vec<u8> = (0..24).map(|at| at * 10).collect();
    folder
        .with(&file("train-images-idx3"), &idx(8, &[4, 2, 3], &pixels))
        .with(&file("train-labels-idx1"), &idx(8, &[4], &[1, 3, 2, 1]))
        .with(&file("test-images-idx3"), &idx(8, &[2, 2, 3], &pixels[6..18]))
        .with(&file("test-labels-idx1"), &idx(8, &[2], &[2, 1]))
}

fn set(prefix: &str) -> Folder {
    with_set(Folder::empty(), prefix)
}

fn of(folder: &Folder, prefix: &str) -> String {
    folder.file(prefix).to_str().unwrap().to_owned()
}

#[test]
fn one_prefix_is_read_as_it_is() {
    let folder = set("my-letters");
    let set = folder.load().unwrap();
    assert_eq!((set.train.len(), set.held_out.len()), (4, 2));
    assert_eq!((set.train.labels.as_slice(), set.train.shape), (&[1, 3, 2, 1][..], Shape::image(1, 2, 3)));
    assert_eq!(set.classes, ["0", "1", "2", "3"]);
    assert_eq!((set.about.origin.as_str(), set.about.notes.len()), ("four IDX files", 0));
    let path = of(&folder, "my-letters");
    let named = load(&path).unwrap();
    assert_eq!(size(&path, &READING).unwrap(), Some(named.size()));
    assert_eq!((named.digest, named.classes), (set.digest, set.classes));
}

#[test]
fn compressed_and_plain_files_are_mixed_and_a_part_has_one_prefix() {
    let expected = set("a").load().unwrap().digest;
    let packed = |name: &str| gzip(&fs::read(set("a").file(name)).unwrap());
    let images = "a-train-images-idx3-ubyte";
    let mixed = set("a").without(images).with(&format!("{images}.gz"), &packed(images));
    assert_eq!(mixed.load().unwrap().digest, expected);
    // Of one file in both, the plain one is read.
    let both = set("a").with(&format!("{images}.gz"), b"damaged");
    assert_eq!(both.load().unwrap().digest, expected);
    // Of held-out parts, that of t10k is read, and a note says so.
    let mut folder = set("a");
    for kind in ["images-idx3", "labels-idx1"] {
        let bytes = fs::read(folder.file(&format!("a-test-{kind}-ubyte"))).unwrap();
        folder = folder.with(&format!("a-t10k-{kind}-ubyte"), &bytes);
    }
    let set = folder.load().unwrap();
    assert_eq!((set.digest, set.about.notes.len()), (expected, 1));
    assert!(set.about.notes[0].contains("files of “test” are not read"), "{:?}", set.about.notes);
}

#[test]
fn several_prefixes_are_listed_and_one_is_named() {
    let folder = with_set(with_set(set("emnist-letters"), "emnist-digits"), "b");
    let words = ["several data sets (b, emnist-digits, emnist-letters)", &of(&folder, "b")];
    assert_usage_error(folder.load(), &words);
    for prefix in ["b", "emnist-digits"] {
        let named = load(&of(&folder, prefix)).unwrap();
        assert_eq!(named.digest, set("b").load().unwrap().digest);
    }
    let words =
        ["there is no data set", "holds b, emnist-digits, emnist-letters", "did you mean “emnist-digits”?"];
    assert_usage_error(load(&of(&folder, "emnist-digit")), &words);
    // Files without a prefix were always read beside others.
    let pixels = [7; 24];
    let bare = Folder::good().with("b-train-images-idx3-ubyte", &idx(8, &[4, 2, 3], &pixels));
    assert_eq!(bare.load().unwrap().digest, Folder::good().load().unwrap().digest);
    let incomplete = set("a").with(TRAIN_IMAGES, b"");
    assert_not_found(incomplete.load(), &["has no train-labels"]);
    let both = set("a").with("test_batch.bin", b"");
    assert_data_error(both.load(), &["IDX files", "CIFAR-10", "a folder of its own"]);
}

#[test]
fn a_prefix_with_one_part_and_damaged_files_are_refused() {
    for part in ["train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1"] {
        let name = format!("a-{part}-ubyte");
        assert_not_found(set("a").without(&name).load(), &["has no", &name, "with or without .gz"]);
        // Those of another prefix don't stand in.
        let other = set("a").renamed(&name, &format!("b-{part}-ubyte"));
        assert_not_found(load(&of(&other, "a")), &["has no", &name]);
        let bytes = fs::read(set("a").file(&name)).unwrap();
        let short = set("a").with(&name, &bytes[..bytes.len() - 1]);
        assert_data_error(short.load(), &[&name, "ends after"]);
    }
    let labels = set("a").with("a-test-labels-idx1-ubyte", &idx(8, &[3], &[1, 1, 1]));
    assert_data_error(labels.load(), &["3 labels for the 2 images"]);
}

#[test]
fn rows_and_columns_are_swapped_if_asked_for() {
    let folder = set("a");
    let plain = folder.load().unwrap();
    let turned = folder.load_with(&TRANSPOSE).unwrap();
    assert_eq!(turned.train.shape, Shape::image(1, 3, 2));
    assert_eq!(turned.train.image(0), [0, 30, 10, 40, 20, 50]);
    assert_eq!(turned.held_out.image(1), [120, 150, 130, 160, 140, 170]);
    assert!(turned.about.transposed && !plain.about.transposed && turned.digest != plain.digest);
    assert_eq!(turned.about.origin, "four IDX files, transposed");
    let path = folder.path().to_str().unwrap();
    assert_eq!(size(path, &TRANSPOSE).unwrap().unwrap(), turned.size());
    // Colours stay together.
    let colours = Folder::empty()
        .with("train-images-idx4-ubyte", &idx(8, &[2, 1, 2, 3], &[1, 2, 3, 4, 5, 6, 9, 9, 9, 8, 8, 8]))
        .with("train-labels-idx1-ubyte", &idx(8, &[2], &[0, 1]))
        .with("test-images-idx4-ubyte", &idx(8, &[1, 1, 2, 3], &[1, 2, 3, 4, 5, 6]))
        .with("test-labels-idx1-ubyte", &idx(8, &[1], &[1]));
    let set = colours.load_with(&TRANSPOSE).unwrap();
    assert_eq!((set.train.shape, set.train.image(0)), (Shape::image(3, 2, 1), &[1, 4, 2, 5, 3, 6][..]));
}

#[test]
fn transposing_other_data_is_refused() {
    let words = ["⟨transpose⟩ is for IDX files", "leave it out"];
    assert_setting_error(crate::files::cifar().load_with(&TRANSPOSE), "transpose", &words);
    assert_setting_error(crate::files::pets().load_with(&TRANSPOSE), "transpose", &words);
    assert_setting_error(load_with("digits", &TRANSPOSE), "transpose", &words);
    let resize = Reading { resize: "8x8".parse().ok(), ..TRANSPOSE };
    assert_setting_error(set("a").load_with(&resize), "resize", &["folders of pictures"]);
    assert_setting_error(crate::files::pets().load_with(&resize), "transpose", &words);
    // A run that is resumed has it in its recipe, off or on.
    let off = Reading { transpose: Some(false), ..READING };
    load_with("digits", &off).unwrap();
    load_again("digits", &TRANSPOSE, "").unwrap();
}

#[test]
fn emnists_names_find_its_splits_and_turn_them() {
    let root = tempfile::tempdir().unwrap();
    let (cwd, user) = (root.path().join("here"), root.path().join("home"));
    let find = |name: &str| locate(name, &Places { cwd: &cwd, variable: None, user: Some(&user) });
    for name in EMNIST_SPLITS {
        assert!(NAMES.contains(&name));
        assert_eq!(known(name).unwrap().name, "emnist");
        let words =
            [name, "was not found in", &*user.join("emnist").display().to_string(), "⟨download emnist⟩"];
        assert_not_found(find(name), &words);
    }
    assert_not_found(
        find("emnist"),
        &["emnist was not found", "its splits are emnist-balanced, emnist-letters"],
    );
    // A split is looked for where it is: a folder without it is passed over.
    let file = |folder: &Path, name: &str| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(format!("{name}-test-labels-idx1-ubyte.gz")), "").unwrap();
    };
    file(&user.join("emnist"), "emnist-letters");
    file(&cwd.join("emnist"), "emnist-digits");
    let split = |folder: &Path, prefix: &str| Source::Split {
        folder: folder.to_owned(),
        prefix: prefix.to_owned(),
        transposed: true,
    };
    assert_eq!(find("emnist-letters").unwrap(), split(&user.join("emnist"), "emnist-letters"));
    assert_eq!(find("emnist-digits").unwrap(), split(&cwd.join("emnist"), "emnist-digits"));
    file(&cwd.join("data").join("emnist"), "emnist-digits");
    assert_eq!(find("emnist-digits").unwrap(), split(&cwd.join("data").join("emnist"), "emnist-digits"));
    // A folder of the user's own is found as before the name was known.
    let own = cwd.join("emnist-balanced");
    fs::create_dir(&own).unwrap();
    assert_eq!(find("emnist-balanced").unwrap(), Source::Folder(own));
    // The same files by a path are read as they are.
    let path = user.join("emnist").join("emnist-letters");
    let Source::Split { transposed, .. } = find(path.to_str().unwrap()).unwrap() else { panic!("a split") };
    assert!(!transposed);
}

#[test]
fn emnist_by_a_path_is_read_as_stored_with_advice() {
    let folder = set("emnist-letters");
    let path = of(&folder, "emnist-letters");
    let set = load(&path).unwrap();
    assert!(!set.about.transposed && set.about.notes[0].contains("⟨transpose⟩ swaps them back"));
    for given in [true, false] {
        let reading = Reading { transpose: Some(given), ..READING };
        let set = load_with(&path, &reading).unwrap();
        assert_eq!((set.about.transposed, set.about.notes.len()), (given, 0));
    }
    assert!(is_same(&path, &format!("{path}/")));
    assert!(!is_same(&path, &of(&folder, "emnist-digits")));
}

#[test]
fn a_mapping_names_the_classes() {
    let mapped = |text: &[u8]| set("a").with("a-mapping.txt", text);
    let letters = mapped(b"1 65 97\n2 66 98\r\n\n  3 0x43 \n").load();
    assert_data_error(letters, &["a-mapping.txt", "“3 0x43”", "line 4", "remove it"]);
    let classes = |text: &str| mapped(text.as_bytes()).load().unwrap().classes;
    assert_eq!(classes("1 65 97\n2 66 98\r\n\n  3 67 \n"), ["0", "Aa", "Bb", "C"]);
    assert_eq!(classes("3 960\n2 29399\n1 48\n9 50\n"), ["label 0", "0", "狗", "π"]);
    assert_eq!(set("a").with("b-mapping.txt", b"none").load().unwrap().classes[1], "1");
    for (text, words) in [
        (&b""[..], &["is empty"][..]),
        (b"one 65\n", &["“one 65”", "line 1"]),
        (b"1\n", &["“1”"]),
        (b"-1 65\n", &["“-1 65”"]),
        (b"70000 65\n", &["“70000 65”"]),
        (b"1 65\n2 55296\n", &["“2 55296”", "line 2"]),
        (b"1 65\n1 66\n", &["the label 1 again", "line 2"]),
        (b"1 65\n2 65\n", &["the name “A” again", "line 2"]),
        (b"1 65\n2 7\n3 66\n", &["“\\x07”", "printable"]),
        (b"1 65\n2 66\n", &["no line for the label 3"]),
        (b"\xff\xfe", &["not UTF-8"]),
        (&[b'1'; (2 << 20) + 1], &["at most"]),
    ] {
        assert_data_error(mapped(text).load(), &[&["a-mapping.txt"], words].concat());
    }
    let folder = set("a").with_folder("a-mapping.txt");
    assert_data_error(folder.load(), &["a-mapping.txt", "not a regular file"]);
}
