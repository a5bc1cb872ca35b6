//! Folders of IDX files: the spellings and types that are read, and each error.

use std::fs;
use std::process::Command;

use crate::files::{Folder, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, gzip, idx};
use crate::not_checked::not_checked;
use crate::{assert_data_error, assert_not_found};

#[test]
fn a_good_folder_is_read() {
    let folder = Folder::good();
    let set = folder.load().unwrap();
    assert_eq!(set.name, folder.path().to_str().unwrap());
    assert_eq!(set.classes, ["0", "1", "2"]);
    assert_eq!(set.train.shape.to_string(), "1×2×3");
    assert_eq!(set.train.labels, [0, 2, 1, 0]);
    assert_eq!(set.train.image(1), [60, 70, 80, 90, 100, 110]);
    assert_eq!(set.held_out.labels, [1, 2]);
}

#[test]
fn names_may_be_spelt_in_several_ways() {
    let expected = Folder::good().load().unwrap().digest;
    let packed = gzip(&fs::read(Folder::good().file(TRAIN_IMAGES)).unwrap());
    let spelt = [
        Folder::good()
            .renamed(TRAIN_IMAGES, "train-images.idx3-ubyte")
            .renamed(TRAIN_LABELS, "train-labels.idx1-ubyte")
            .renamed(TEST_IMAGES, "test-images-idx3-ubyte")
            .renamed(TEST_LABELS, "test-labels.idx1-ubyte"),
        Folder::good().without(TRAIN_IMAGES).with("train-images-idx3-ubyte.gz", &packed),
        // Compression shows in the content: a browser unpacks a file and leaves its name, or packs
        // it.
        Folder::good().renamed(TRAIN_LABELS, "train-labels.idx1-ubyte.gz"),
        Folder::good().with(TRAIN_IMAGES, &packed),
    ];
    for folder in spelt {
        assert_eq!(folder.load().unwrap().digest, expected);
    }
}

#[test]
fn colours_are_separated_into_channels() {
    // Two images of 1×2 pixels with 3 channels.
    let pixels = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];
    let set = Folder::empty()
        .with("train-images-idx4-ubyte", &idx(8, &[2, 1, 2, 3], &pixels))
        .with(TRAIN_LABELS, &idx(8, &[2], &[0, 1]))
        .with("test-images.idx4-ubyte", &idx(8, &[1, 1, 2, 3], &pixels[..6]))
        .with("test-labels-idx1-ubyte", &idx(8, &[1], &[1]))
        .load()
        .unwrap();
    assert_eq!(set.train.shape.to_string(), "3×1×2");
    assert_eq!(set.train.pixels, [1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16]);
    assert_eq!(set.held_out.pixels, [1, 4, 2, 5, 3, 6]);
}

#[test]
fn labels_may_be_wider() {
    let wide = |labels: [i32; 4]| {
        let short: Vec<u8> = labels.iter().flat_map(|&label| (label as i16).to_be_bytes()).collect();
        let long: Vec<u8> = labels.iter().flat_map(|label| label.to_be_bytes()).collect();
        [idx(0x0b, &[4], &short), idx(0x0c, &[4], &long)]
    };
    for bytes in wide([0, 2, 300, 32_767]) {
        let set = Folder::good().with(TRAIN_LABELS, &bytes).load().unwrap();
        assert_eq!(set.train.labels, [0, 2, 300, 32_767]);
        assert_eq!(set.classes.len(), 32_768);
    }
    for bytes in wide([0, 1, -2, 2]) {
        let folder = Folder::good().with(TRAIN_LABELS, &bytes);
        assert_data_error(folder.load(), &[TRAIN_LABELS, "label -2 at index 2", "0 to 65535"]);
    }
    let [_, most] = wide([0, 1, 2, 65_535]);
    let set = Folder::good().with(TRAIN_LABELS, &most).load().unwrap();
    assert_eq!((set.classes.len(), set.train.labels[3]), (65_536, 65_535));
    let [_, more] = wide([0, 1, 2, 65_536]);
    let folder = Folder::good().with(TRAIN_LABELS, &more);
    assert_data_error(folder.load(), &[TRAIN_LABELS, "label 65536 at index 3", "0 to 65535"]);
}

/// A good folder in which one file has other bytes.
#[track_caller]
fn refuse(name: &str, bytes: &[u8], words: &[&str]) {
    let mut words = words.to_vec();
    words.push(name);
    assert_data_error(Folder::good().with(name, bytes).load(), &words);
    // The same content compressed is refused the same way.
    assert_data_error(Folder::good().with(name, &gzip(bytes)).load(), &words);
}

#[test]
fn a_missing_file_is_named() {
    for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
        let folder = Folder::good().without(name);
        let place = folder.path().to_str().unwrap();
        assert_not_found(folder.load(), &[place, "has no", name, ".gz"]);
    }
    assert_not_found(Folder::empty().load(), &["has no", TRAIN_IMAGES]);
    // Labels of another prefix don't stand in.
    let folder = Folder::good().renamed(TEST_LABELS, "test-labels-idx1-ubyte");
    assert_not_found(folder.load(), &["has no", TEST_LABELS]);
}

#[test]
fn cut_short_files_are_refused() {
    refuse(TRAIN_IMAGES, &[], &["ends within its header"]);
    refuse(TRAIN_IMAGES, &idx(8, &[4, 2, 3], &[])[..15], &["ends within its header"]);
    refuse(TRAIN_IMAGES, &idx(8, &[4, 2, 3], &[0; 23]), &["after 23 of the 24 bytes", "4 images of 1×2×3"]);
    refuse(TEST_LABELS, &idx(8, &[2], &[0]), &["after 1 of the 2 bytes", "2 labels"]);
    refuse(TEST_LABELS, &idx(0x0c, &[2], &[0; 7]), &["after 7 of the 8 bytes"]);
    let packed = gzip(&idx(8, &[4, 2, 3], &(0..24).collect::<Vec<_>>()));
    for length in 2..packed.len() {
        let folder = Folder::good().with(TRAIN_IMAGES, &packed[..length]);
        assert_data_error(folder.load(), &[TRAIN_IMAGES, "ends ", "copy or download it again"]);
    }
}

#[test]
fn damaged_or_overlong_files_are_refused() {
    refuse(TRAIN_IMAGES, &idx(8, &[4, 2, 3], &[0; 25]), &["goes on after the 24 bytes"]);
    refuse(TRAIN_LABELS, &idx(8, &[4], &[0; 5]), &["goes on after the 4 bytes"]);
    let good = idx(8, &[4, 2, 3], &(0..24).collect::<Vec<_>>());
    let mut packed = gzip(&good);
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    let folder = Folder::good().with(TRAIN_IMAGES, &packed);
    assert_data_error(folder.load(), &[TRAIN_IMAGES, "damaged gzip data"]);
    let mut trailed = gzip(&good);
    trailed.extend([1; 20]);
    let folder = Folder::good().with(TRAIN_IMAGES, &trailed);
    assert_data_error(folder.load(), &[TRAIN_IMAGES, "damaged gzip data"]);
}

#[test]
fn other_formats_and_types_are_refused() {
    refuse(TRAIN_IMAGES, b"\x89PNG and so on", &["begins with the bytes [89, 50, 4e, 47]"]);
    refuse(TRAIN_LABELS, b"<html>404</html>", &["begins with the bytes", "labels"]);
    refuse(TRAIN_IMAGES, &idx(8, &[4], &[0; 4]), &["1-dimensional", "3 or 4", "swapped"]);
    refuse(TRAIN_LABELS, &idx(8, &[4, 2, 3], &[0; 24]), &["3-dimensional", "swapped"]);
    refuse(TRAIN_IMAGES, &idx(8, &[4, 6], &[0; 24]), &["2-dimensional", "3 or 4"]);
    refuse(TRAIN_IMAGES, &idx(8, &[], &[]), &["0-dimensional"]);
    refuse(TRAIN_IMAGES, &idx(8, &[1; 255], &[0]), &["255-dimensional"]);
    refuse(TRAIN_IMAGES, &idx(0x0d, &[4, 2, 3], &[0; 96]), &["32-bit floats", "unsigned bytes"]);
    refuse(TRAIN_IMAGES, &idx(0x77, &[4, 2, 3], &[0; 96]), &["unknown type 0x77"]);
    refuse(TRAIN_LABELS, &idx(0x0e, &[4], &[0; 32]), &["64-bit floats", "16- or 32-bit integers"]);
}

#[test]
fn sizes_out_of_range_are_refused() {
    refuse(TRAIN_IMAGES, &idx(8, &[0, 2, 3], &[]), &["no images", "at least one"]);
    refuse(TRAIN_IMAGES, &idx(8, &[4, 0, 3], &[]), &["1×0×3", "1 to 512 pixels"]);
    refuse(TRAIN_IMAGES, &idx(8, &[1, 513, 1], &[0; 513]), &["1×513×1", "1 to 512 pixels"]);
    refuse(TRAIN_IMAGES, &idx(8, &[1, 1, 513], &[0; 513]), &["1×1×513"]);
    refuse(TRAIN_IMAGES, &idx(8, &[1, 1, 1, 5], &[0; 5]), &["5×1×1", "1 to 4 channels"]);
    refuse(TRAIN_IMAGES, &idx(8, &[1, 1, 1, 0], &[]), &["0×1×1", "1 to 4 channels"]);
    // These promise more than a process can address, so allocating it would abort.
    let all = u32::MAX;
    refuse(TRAIN_IMAGES, &idx(8, &[all, 512, 512, 4], &[0; 9]), &["after 9 of the 4503599626321920"]);
    refuse(TRAIN_IMAGES, &idx(8, &[all, all, all, all], &[0; 9]), &["×4294967295×"]);
    refuse(TRAIN_LABELS, &idx(0x0c, &[all], &[0; 9]), &["4294967295 labels", "4 images"]);
    let folder = Folder::good().with(TRAIN_IMAGES, &idx(8, &[1, 512, 512, 4], &[0; 1 << 20]));
    assert_data_error(folder.load(), &[TRAIN_LABELS, "4 labels for the 1 images"]);
}

#[test]
fn parts_must_fit_together() {
    refuse(TRAIN_LABELS, &idx(8, &[3], &[0, 1, 2]), &["3 labels", "4 images", TRAIN_IMAGES]);
    refuse(TEST_LABELS, &idx(8, &[2], &[1, 3]), &["label 3 at index 1", "end at 2", TRAIN_LABELS]);
    refuse(TEST_IMAGES, &idx(8, &[2, 3, 2], &[0; 12]), &["1×3×2", "1×2×3", TRAIN_IMAGES]);
    // Labels 1 and 3 alone still make 4 classes, some without samples.
    let set = Folder::good().with(TRAIN_LABELS, &idx(8, &[4], &[1, 3, 3, 1])).load().unwrap();
    assert_eq!(set.classes.len(), 4);
}

#[test]
fn a_gzip_bomb_is_stopped_at_the_promised_length() {
    // One byte too many, then damage: reading on would meet the damage and report that instead.
    let mut bytes = gzip(&idx(8, &[4, 2, 3], &[0; 24]));
    bytes.extend(gzip(&[0]));
    bytes.extend([0xff; 100]);
    let folder = Folder::good().with(TRAIN_IMAGES, &bytes);
    assert_data_error(folder.load(), &[TRAIN_IMAGES, "goes on after the 24 bytes"]);
}

#[test]
fn unreadable_files_are_refused() {
    let folder = Folder::good().without(TRAIN_IMAGES);
    fs::create_dir(folder.file(TRAIN_IMAGES)).unwrap();
    assert_data_error(folder.load(), &[TRAIN_IMAGES, "can't be read", "not a regular file"]);
}

#[cfg(unix)]
#[test]
fn pipes_and_forbidden_files_are_refused() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::good().without(TRAIN_IMAGES);
    // Reading a pipe that nobody writes to would wait for ever.
    assert!(Command::new("mkfifo").arg(folder.file(TRAIN_IMAGES)).status().unwrap().success());
    assert_data_error(folder.load(), &[TRAIN_IMAGES, "not a regular file"]);

    let folder = Folder::good();
    fs::set_permissions(folder.file(TEST_LABELS), fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read it all the same.
    if fs::File::open(folder.file(TEST_LABELS)).is_err() {
        assert_data_error(folder.load(), &[TEST_LABELS, "can't be read", "permissions"]);
    } else {
        not_checked("that a forbidden file is refused", "these tests run as the superuser, who may read it");
        folder.load().unwrap();
    }
}
