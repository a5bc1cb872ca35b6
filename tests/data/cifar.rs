//! CIFAR's binary formats, and each of their errors.

use std::fs;

use wgrad::internals::data::{Reading, load_with};

use crate::files::{Folder, RECORD, TRAIN_IMAGES, cifar, record};
use crate::{assert_data_error, assert_not_found, assert_setting_error};

#[test]
fn records_become_images_and_names_classes() {
    let set = cifar().load().unwrap();
    assert_eq!(set.classes, ["airplane", "automobile", "bird"]);
    assert_eq!(set.train.shape.to_string(), "3×32×32");
    assert_eq!((&set.train.labels[..], &set.held_out.labels[..]), (&[0, 2, 1, 2][..], &[1, 0][..]));
    let firsts: Vec<u8> = (0..4).map(|at| set.train.image(at)[0]).collect();
    assert_eq!(firsts, [10, 20, 30, 40]);
    assert_eq!(
        (set.held_out.image(1)[0], set.held_out.image(1)[1], set.held_out.image(1).len()),
        (60, 7, 3072)
    );
    assert_eq!(set.about.origin, "CIFAR-10's binary files");
    // Planes of colours are kept as they are: red, green, blue.
    let mut colours = vec![0];
    [1u8, 2, 3].iter().for_each(|value| colours.extend([*value; 1024]));
    let set = cifar().with("test_batch.bin", &colours).load().unwrap();
    assert_eq!([0, 1023, 1024, 2048, 3071].map(|at| set.held_out.pixels[at]), [1, 1, 2, 3, 3]);
}

#[test]
fn batches_are_read_in_the_order_of_their_numbers() {
    let mut folder = cifar();
    for number in 3..=11 {
        folder = folder.with(&format!("data_batch_{number}.bin"), &record(0, number));
    }
    let set = folder.load().unwrap();
    assert_eq!((set.train.len(), set.train.image(12)[0]), (13, 11));
    // Others of the kind and what else lies there are not read.
    let before = cifar().load().unwrap().digest;
    let others =
        cifar().with("readme.html", b"<html>").with("data_batch_02.bin", b"").with_folder("pictures");
    assert_eq!(others.load().unwrap().digest, before);
}

#[test]
fn missing_files_are_named() {
    for name in ["data_batch_1.bin", "test_batch.bin", "batches.meta.txt"] {
        assert_not_found(cifar().without(name).load(), &["has no", name, "binary version"]);
    }
    let gap = cifar().renamed("data_batch_2.bin", "data_batch_3.bin");
    assert_not_found(gap.load(), &["has no data_batch_2.bin"]);
    let python = Folder::empty().with("data_batch_1", b"").with("test_batch", b"");
    assert_data_error(python.load(), &["Python version", "binary version"]);
    let both = cifar().with(TRAIN_IMAGES, b"");
    assert_data_error(both.load(), &["IDX", "CIFAR-10", "a folder of its own"]);
}

#[test]
fn damaged_records_are_refused() {
    for length in [0, 1, RECORD - 1, RECORD + 1, 2 * RECORD - 1] {
        let folder = cifar().with("data_batch_2.bin", &vec![0; length]);
        let words = [&format!("has {length} bytes"), "data_batch_2.bin", "3073", "again"];
        assert_data_error(folder.load(), &words);
    }
    let folder = cifar().with("test_batch.bin", &[record(0, 1), record(3, 1)].concat());
    assert_data_error(folder.load(), &["test_batch.bin", "label 3 at index 1", "names only 3 classes"]);
    let folder = cifar().without("test_batch.bin").with_folder("test_batch.bin");
    assert_not_found(folder.load(), &["has no test_batch.bin"]);
}

#[test]
fn names_of_classes_are_checked() {
    let names = |bytes: &[u8]| cifar().with("batches.meta.txt", bytes);
    assert_data_error(names(b"").load(), &["batches.meta.txt", "0 names", "2 to 256"]);
    assert_data_error(names(b"one\n").load(), &["1 names"]);
    assert_data_error(names("a\n".repeat(257).as_bytes()).load(), &["257 names"]);
    assert_data_error(names(b"a\nb\na\n").load(), &["“a” twice"]);
    assert_data_error(names(b"a\n\xff\n").load(), &["not UTF-8"]);
    assert_data_error(names(b"a\nb\x07\nc").load(), &["“b\\x07”", "printable"]);
    assert_data_error(names(&[b'a'; 70_000]).load(), &["70000 bytes", "at most 65536"]);
    // Line ends of Windows, spaces and other alphabets are fine.
    let set = names("  ein Hund\r\nκύων\r\n\r\n狗\r\n".as_bytes()).load().unwrap();
    assert_eq!(set.classes, ["ein Hund", "κύων", "狗"]);
}

/// A record of CIFAR-100, whose red plane begins with `first`.
fn fine_record(coarse: u8, fine: u8, first: u8) -> Vec<u8> {
    [vec![coarse], record(fine, first)].concat()
}

/// A small set in CIFAR-100's binary format: 3 images to train on, 2 held out, 3 classes in 2 coarse ones.
fn cifar_100() -> Folder {
    Folder::empty()
        .with("train.bin", &[fine_record(1, 0, 10), fine_record(0, 2, 20), fine_record(1, 1, 30)].concat())
        .with("test.bin", &[fine_record(1, 1, 50), fine_record(0, 2, 60)].concat())
        .with("fine_label_names.txt", b"apple\nbaby\nbear\n")
        .with("coarse_label_names.txt", b"mammals\nfruit\n")
}

#[test]
fn the_fine_classes_of_cifar_100_are_read() {
    let folder = cifar_100().with("SHA256SUMS", b"");
    let set = folder.load().unwrap();
    assert_eq!(
        (&set.classes[..], set.about.origin.as_str()),
        (&["apple", "baby", "bear"].map(str::to_owned)[..], "CIFAR-100's binary files")
    );
    assert_eq!(set.train.shape.to_string(), "3×32×32");
    assert_eq!((&set.train.labels[..], &set.held_out.labels[..]), (&[0, 2, 1][..], &[1, 2][..]));
    assert_eq!((0..3).map(|at| set.train.image(at)[0]).collect::<Vec<_>>(), [10, 20, 30]);
    assert_eq!((set.held_out.image(1)[0], set.held_out.image(1)[3071]), (60, 7));
    let size = wgrad::internals::data::size(folder.path().to_str().unwrap(), &Reading::default());
    assert_eq!(size.unwrap(), Some(set.size()));
    // Coarse classes are of no use but to find damage.
    assert_eq!(cifar_100().without("coarse_label_names.txt").load().unwrap().digest, set.digest);
}

#[test]
fn damage_in_cifar_100_is_named() {
    for name in ["train.bin", "test.bin", "fine_label_names.txt"] {
        assert_not_found(cifar_100().without(name).load(), &["has no", name, "CIFAR-100's binary version"]);
    }
    for length in [0, RECORD, RECORD + 2, 2 * RECORD + 1] {
        let folder = cifar_100().with("train.bin", &vec![0; length]);
        let words = [&format!("has {length} bytes"), "train.bin", "3074", "two classes", "again"];
        assert_data_error(folder.load(), &words);
    }
    let fine = cifar_100().with("test.bin", &[fine_record(0, 0, 1), fine_record(0, 3, 1)].concat());
    let words = ["test.bin", "label 3 at index 1", "fine_label_names.txt names only 3 classes"];
    assert_data_error(fine.load(), &words);
    let coarse = cifar_100().with("test.bin", &fine_record(2, 0, 1));
    let words = ["test.bin", "label 2 at index 0", "coarse_label_names.txt names only 2 classes"];
    assert_data_error(coarse.load(), &words);
    let names = cifar_100().with("fine_label_names.txt", b"\xff");
    assert_data_error(names.load(), &["fine_label_names.txt", "not UTF-8"]);
    let python = Folder::empty().with("train", b"").with("test", b"").with("meta", b"");
    assert_data_error(python.load(), &["CIFAR-100", "Python version", "binary version"]);
    let both = cifar_100().with("data_batch_1.bin", b"");
    assert_data_error(both.load(), &["files of CIFAR-10", "of CIFAR-100", "a folder of its own"]);
    assert_data_error(cifar_100().with(TRAIN_IMAGES, b"").load(), &["IDX", "CIFAR-100"]);
    // A file train.bin alone says nothing about the pictures beside it.
    assert_eq!(crate::files::pets().with("train.bin", b"").load().unwrap().classes, ["cat", "dog"]);
}

#[test]
fn settings_of_pictures_are_refused() {
    let folder = cifar();
    let resize = Reading { resize: "8x8".parse().ok(), ..Reading::default() };
    let skip_bad = Reading { skip_bad: true, ..Reading::default() };
    let leave_out = ["folders of pictures", "leave it out"];
    assert_setting_error(folder.load_with(&resize), "resize", &leave_out);
    assert_setting_error(folder.load_with(&skip_bad), "skip_bad", &leave_out);
    assert_setting_error(load_with("digits", &resize), "resize", &["digits"]);
    assert_setting_error(Folder::good().load_with(&skip_bad), "skip_bad", &leave_out);
    fs::metadata(folder.path()).unwrap();
}
