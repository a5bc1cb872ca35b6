//! Folders of pictures: their classes and parts, and bad pictures refused or skipped.

use std::fs;

use image::codecs::jpeg::JpegEncoder;
use wgrad::internals::data::{Dataset, Reading, Rendering, load_again, load_as, load_with};

use crate::files::{Folder, READING, pets, png};
use crate::{assert_data_error, assert_not_found, assert_sentence};

const SKIP: Reading = Reading { skip_bad: true, ..READING };

fn resize(size: &str) -> Reading {
    Reading { resize: Some(size.parse().unwrap()), ..Reading::default() }
}

fn greys(set: &Dataset) -> (Vec<u8>, Vec<u8>) {
    let firsts =
        |part: &wgrad::internals::data::Samples| (0..part.len()).map(|at| part.image(at)[0]).collect();
    (firsts(&set.train), firsts(&set.held_out))
}

#[test]
fn twenty_percent_of_each_class_are_held_out_by_file_name() {
    let folder = pets();
    let set = folder.load().unwrap();
    assert_eq!(set.classes, ["cat", "dog"]);
    assert_eq!(set.train.shape.to_string(), "1×2×3");
    assert_eq!((set.train.labels.len(), &set.held_out.labels[..]), (12, &[0, 0, 1][..]));
    let (train, held_out) = greys(&set);
    assert_eq!(train.len() + held_out.len(), 15);
    let files: Vec<String> = set
        .about
        .held_out_files
        .iter()
        .map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().replace('\\', "/"))
        .collect();
    // Those with the least SHA-256 of their names, by Python's hashlib.
    assert_eq!(files, ["cat/0.png", "cat/6.png", "dog/0.png"]);
    for (file, grey) in files.iter().zip(&held_out) {
        let first = if file.starts_with("cat") { 1 } else { 101 };
        assert_eq!(file[4..5].parse::<u8>().unwrap() + first, *grey);
    }
    assert_eq!(folder.load().unwrap(), set);
    // A picture more moves at most one to the other part.
    let more = pets().with("cat/new.png", &png(3, 2, &[99])).load().unwrap();
    let stayed = held_out.iter().filter(|grey| greys(&more).1.contains(grey)).count();
    assert!(stayed >= held_out.len() - 1, "{held_out:?} became {:?}", greys(&more).1);
}

#[test]
fn train_and_test_are_taken_as_they_are() {
    let parts = || {
        Folder::empty()
            .with("train/a b/1.png", &png(2, 2, &[1]))
            .with("train/größe/1.png", &png(2, 2, &[2]))
            .with("train/größe/zwei Worte.PNG", &png(2, 2, &[3]))
            .with("test/größe/1.png", &png(2, 2, &[4]))
    };
    let set = parts().load().unwrap();
    assert_eq!(set.classes, ["a b", "größe"]);
    assert_eq!((&set.train.labels[..], &set.held_out.labels[..]), (&[0, 1, 1][..], &[1][..]));
    assert_eq!(greys(&set), (vec![1, 2, 3], vec![4]));
    assert!(set.about.origin.contains("train and test") && set.about.notes.is_empty());
    let beside = parts().with("more/a b/1.png", b"").with("README.txt", b"hello").load().unwrap();
    assert_eq!(beside.digest, set.digest);
    assert_eq!(beside.about.notes.len(), 1);
    assert_sentence(&beside.about.notes[0], &["more was not read", "beside train and test"]);
    let unknown = parts().with("test/c/1.png", &png(2, 2, &[1]));
    assert_data_error(unknown.load(), &["test", "c has no counterpart in", "train", "can't be learnt"]);
    let half = Folder::empty().with("train/a/1.png", b"").with("train/b/1.png", b"");
    assert_not_found(half.load(), &["class folders in train", "no folder test or val", "name train itself"]);
    // A validation part of its own changes the digest, so a run that began without it is still known.
    for name in ["val", "valid", "validation"] {
        let part = parts().with(&format!("{name}/größe/9.png"), &png(2, 2, &[9]));
        let path = part.path().to_str().unwrap().to_owned();
        let with = part.load().unwrap();
        assert_eq!(
            with.validation.as_ref().map(|part| (part.labels[..] == [1], part.pixels[0])),
            Some((true, 9))
        );
        assert_sentence(
            &with.about.notes[0],
            &[&format!("{name} with its 1 picture is the validation part")],
        );
        assert!(with.digest != set.digest && with.train == set.train && with.held_out == set.held_out);
        let again = |digest: &str| load_again(&path, &Reading::default(), digest).unwrap();
        assert_eq!((again(&with.digest), again(&set.digest).validation), (with.clone(), None));
        assert_eq!(again(&set.digest).digest, set.digest);
        assert_eq!(again("sha256:other").digest, with.digest);
    }
    let no_test =
        Folder::empty().with("train/a/1.png", &png(2, 2, &[1])).with("train/b/1.png", &png(2, 2, &[2]));
    let held = no_test.with("val/b/1.png", &png(2, 2, &[3])).load().unwrap();
    assert_eq!((greys(&held).1, held.validation), (vec![3], None));
    assert_sentence(
        &held.about.notes[0],
        &["no folder test", "val with its 1 picture is held out", "⟨validation 0.1⟩"],
    );
    let both = parts().with("val/a b/1.png", b"").with("valid/a b/1.png", b"");
    assert_data_error(both.load(), &["val", "valid", "both named like a validation part"]);
    // Without folders in it, train is a class like any other.
    let classes = Folder::empty();
    let classes = ["train/1.png", "train/2.png", "car/1.png", "car/2.png"]
        .iter()
        .fold(classes, |folder, file| folder.with(file, &png(1, 1, &[1])));
    assert_eq!(classes.load().unwrap().classes, ["car", "train"]);
}

#[test]
fn colours_and_sizes_are_those_of_the_pictures() {
    let folder = Folder::empty()
        .with("a/1.png", &png(3, 1, &[1, 2, 3]))
        .with("a/2.png", &png(3, 1, &[4, 5, 6]))
        .with("b/1.png", &png(3, 1, &[7, 8, 9]))
        .with("b/2.png", &png(3, 1, &[10, 11, 12]));
    let set = folder.load().unwrap();
    assert_eq!(set.train.shape.to_string(), "3×1×3");
    let all = [&set.train.pixels[..], &set.held_out.pixels[..]].concat();
    assert!(all.chunks(9).any(|image| image == [7, 7, 7, 8, 8, 8, 9, 9, 9]));
    let alpha = Folder::empty();
    let alpha = ["a/1.png", "a/2.png", "b/1.png", "b/2.png"]
        .iter()
        .fold(alpha, |folder, file| folder.with(file, &png(1, 1, &[1, 2, 3, 4])));
    assert_eq!(alpha.load().unwrap().train.shape.channels, 4);
    let mut jpeg = Vec::new();
    JpegEncoder::new(&mut jpeg).encode_image(&image::RgbImage::new(3, 1)).unwrap();
    let mixed = folder.with("a/3.jpeg", &jpeg).load().unwrap();
    assert_eq!(mixed.train.len() + mixed.held_out.len(), 5);
}

#[test]
fn mixed_sizes_and_channels_say_how_to_be_resized() {
    let size = pets().with("dog/9.png", &png(2, 3, &[1]));
    let words = ["dog", "9.png is 1×3×2", "0.png is 1×2×3", "⟨resize 32x32⟩"];
    assert_data_error(size.load(), &words);
    assert_data_error(size.load_with(&SKIP), &words);
    let set = size.load_with(&resize("4x4")).unwrap();
    assert_eq!((set.train.shape.to_string(), set.train.len() + set.held_out.len()), ("1×4×4".into(), 16));

    let channels = pets().with("dog/9.png", &png(3, 2, &[1, 2, 3]));
    assert_data_error(channels.load(), &["9.png is 3×2×3", "1×2×3", "⟨resize 3x2x3⟩"]);
    assert_data_error(channels.load_with(&resize("4x4")), &["9.png is 3×4×4", "⟨resize 3x4x4⟩"]);
    assert_eq!(channels.load_with(&resize("3x2x3")).unwrap().train.shape.to_string(), "3×2×3");
    assert_eq!(channels.load_with(&resize("1x2x3")).unwrap().train.shape.to_string(), "1×2×3");

    let both = pets().with("dog/9.png", &png(8, 8, &[1, 2, 3]));
    assert_data_error(both.load(), &["9.png is 3×8×8", "⟨resize 3x32x32⟩"]);
    let large = pets().with("dog/9.png", &png(513, 2, &[1]));
    assert_data_error(large.load(), &["9.png is 1×2×513", "1 to 512 pixels", "⟨resize 32x32⟩"]);

    // A network's own size is what its data are brought to.
    let shape = wgrad::internals::program::shape::Shape::image(3, 5, 5);
    let path = both.path().to_str().unwrap().to_owned();
    assert_eq!(
        load_as(&path, &shape, &Rendering::default(), &Reading::default()).unwrap().held_out.shape,
        shape
    );
}

#[test]
fn bad_pictures_are_named_or_counted() {
    let folder = pets()
        .with("cat/Notiz für dich.txt", b"hello")
        .with("dog/cut.png", &png(3, 2, &[1])[..40])
        .with("dog/empty.jpg", b"");
    assert_data_error(
        folder.load(),
        &["Notiz für dich.txt", "neither a PNG nor a JPEG", "convert it", "⟨skip_bad⟩"],
    );
    let set = folder.load_with(&SKIP).unwrap();
    assert_eq!(set.train.len() + set.held_out.len(), 15);
    assert_eq!(set.about.skipped.len(), 3);
    for (sentence, name) in set.about.skipped.iter().zip(["Notiz für dich.txt", "cut.png", "empty.jpg"]) {
        assert_sentence(sentence, &[name]);
    }
    assert_eq!(set.digest, pets().load().unwrap().digest);
    // Hidden files are no pictures and no mistakes.
    let hidden = pets().with("cat/.DS_Store", b"").with(".git/config", b"").with(".cache/x.png", b"");
    assert_eq!(hidden.load().unwrap().digest, set.digest);
    // The remaining pictures must still be a data set.
    let none = pets().with("fish/1.png", b"no").with("fish/2.png", b"no");
    assert_data_error(none.load_with(&SKIP), &["none of the pictures", "“fish”"]);
    let one = pets().with("fish/1.png", b"no").with("fish/2.png", &png(3, 2, &[1]));
    assert_data_error(one.load_with(&SKIP), &["“fish”", "one picture", "takes two"]);
    let all = Folder::empty().with("a/1.png", b"no").with("b/1.png", b"no");
    assert_data_error(all.load_with(&SKIP), &["none of the pictures can be read"]);
    let test = Folder::empty()
        .with("train/a/1.png", &png(1, 1, &[1]))
        .with("train/b/1.png", &png(1, 1, &[1]))
        .with("test/a/1.png", b"no");
    assert_data_error(test.load_with(&SKIP), &["no picture to hold out"]);
}

#[test]
fn folders_that_are_no_classes_are_refused() {
    let empty = pets().with_folder("fish");
    assert_data_error(empty.load(), &["class folder", "fish is empty", "remove it"]);
    let single = Folder::empty().with("cat/1.png", &png(1, 1, &[1])).with("cat/2.png", &png(1, 1, &[1]));
    assert_data_error(single.load(), &["only one class folder, “cat”", "2 to 65536 classes"]);
    let deep = pets().with("cat/more/1.png", b"");
    assert_data_error(deep.load(), &["more is a folder in the class folder “cat”"]);
    let loose = pets().with("stray.JPG", b"");
    assert_data_error(loose.load(), &["stray.JPG lies outside the class folders"]);
    let flat = Folder::empty().with("1.png", b"").with("2.png", b"");
    assert_data_error(flat.load(), &["pictures, but no folders", "each class into a folder"]);
    let nothing = Folder::empty().with("notes.txt", b"");
    assert_not_found(
        nothing.load(),
        &["no files of a data set", "train-images-idx3-ubyte", "data_batch_1.bin", "PNG or JPEG"],
    );
    let hollow = Folder::empty().with_folder("train").with_folder("test");
    assert_data_error(hollow.load(), &["has no class folders"]);
    let lonely = pets().with("fish/1.png", &png(3, 2, &[1]));
    assert_data_error(lonely.load(), &["“fish”", "one picture", "add one"]);
}

#[test]
fn headers_of_huge_pictures_take_no_memory() {
    // 30,000,000 pixels in four bytes each, of which nothing follows.
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(6000u32.to_be_bytes());
    bytes.extend(5000u32.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..]);
    bytes.extend(crc.sum().to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    let folder = pets().with("cat/bomb.png", &bytes);
    assert_data_error(folder.load(), &["bomb.png", "takes more than 64 MiB to decode", "scale"]);
}

#[cfg(unix)]
#[test]
fn links_pipes_and_names_that_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt;

    let folder = pets();
    std::os::unix::fs::symlink("nowhere", folder.file("cat/link.png")).unwrap();
    assert_data_error(folder.load(), &["link.png", "isn't there"]);
    let folder = pets();
    std::os::unix::fs::symlink(folder.file("dog/0.png"), folder.file("dog/same.png")).unwrap();
    assert_eq!(folder.load().unwrap().train.len(), 13);
    let folder = pets();
    let pipe = folder.file("cat/pipe.png");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    assert_data_error(folder.load(), &["pipe.png", "is not a file"]);
    let folder = pets();
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"d\xf6g"));
    fs::rename(folder.file("dog"), &odd).unwrap();
    assert_data_error(folder.load(), &["printable text in UTF-8", "rename it"]);
    // Files may be called anything.
    let folder = pets();
    let odd = folder.file("dog").join(std::ffi::OsStr::from_bytes(b"\xff.png"));
    fs::rename(folder.file("dog/1.png"), odd).unwrap();
    assert_eq!(load_with(folder.path().to_str().unwrap(), &SKIP).unwrap().about.skipped.len(), 0);
}

#[test]
fn class_names_are_compared_as_they_look() {
    // As macOS writes an é, and as the others do.
    let folder = Folder::empty();
    let folder =
        folder.with("train/the\u{301}/1.png", &png(2, 2, &[1])).with("train/eau/1.png", &png(2, 2, &[2]));
    let folder =
        folder.with("test/th\u{e9}/1.png", &png(2, 2, &[3])).with("test/eau/1.png", &png(2, 2, &[4]));
    let set = folder.load().unwrap();
    assert_eq!(set.classes, ["eau", "the\u{301}"]);
    let held_out = (0..2).map(|at| (set.held_out.labels[at], set.held_out.image(at)[0]));
    assert!(held_out.clone().any(|one| one == (1, 3)) && held_out.clone().any(|one| one == (0, 4)));
    // Both forms in one folder are told apart by nobody.
    let twice = folder.with("train/th\u{e9}/2.png", &png(2, 2, &[5]));
    assert_data_error(twice.load(), &["are one name", "so move the pictures of one into the other"]);
}

#[test]
fn files_that_systems_put_among_pictures_are_left_out() {
    let mut folder = pets();
    let plain = folder.load().unwrap();
    for file in [
        "cat/Thumbs.db",
        "dog/desktop.ini",
        "Desktop.ini",
        "cat/.DS_Store",
        "@eaDir/x.png",
        "cat/@eaDir/0.png",
        "__MACOSX/cat/0.png",
    ] {
        folder = folder.with(file, b"no picture");
    }
    assert_eq!(folder.load().unwrap(), plain);
    // Others may be pictures by mistake, and are not left out without a word.
    assert_data_error(folder.with("cat/notes.db", b"no picture").load(), &["notes.db"]);
}
