//! The sets with names, the folders that are searched for them, normalisation and splits.

use std::ffi::OsStr;
use std::fs;
use std::path::{MAIN_SEPARATOR_STR, Path};

use wgrad::internals::data::{Dataset, Normaliser, Places, Samples, Source, load, locate, split_validation};
use wgrad::internals::program::shape::Shape;

use crate::files::{Folder, TRAIN_IMAGES};
use crate::{assert_data_error, assert_not_found, assert_setting_error, assert_usage_error};

const MNIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/mnist");

fn histogram(labels: &[u32]) -> [usize; 10] {
    let mut counts = [0; 10];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts
}

fn sum(pixels: &[u8]) -> u64 {
    pixels.iter().map(|&value| u64::from(value)).sum()
}

#[test]
fn digits_are_built_in() {
    let Dataset { name, classes, train, held_out, digest, .. } = load("digits").unwrap();
    assert_eq!(name, "digits");
    assert_eq!(classes, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    assert_eq!(train.shape.to_string(), "1×8×8");
    assert_eq!((train.len(), held_out.len()), (1437, 360));
    assert_eq!((train.pixels.len(), held_out.pixels.len()), (1437 * 64, 360 * 64));
    // The class counts that UCI gives for the test part of optdigits.
    let (train_counts, held_counts) = (histogram(&train.labels), histogram(&held_out.labels));
    let counts: Vec<usize> = train_counts.iter().zip(held_counts).map(|(a, b)| a + b).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    // The first line of the file is held out: a 0 that begins 0,0,5,13,9,1,0,0.
    assert_eq!(held_out.labels[..4], [0, 5, 0, 5]);
    assert_eq!(held_out.image(0)[..8], [0, 0, 80, 207, 143, 16, 0, 0]);
    assert_eq!(train.labels[..5], [1, 2, 3, 4, 6]);
    assert_eq!(train.pixels.iter().max(), Some(&255));
    // Sums and digest by Python's csv, gzip and hashlib.
    assert_eq!((sum(&train.pixels), sum(&held_out.pixels)), (7_158_930, 1_794_871));
    assert_eq!(digest, "sha256:0f4eecee8f411e549191c0f83e81ca370f72fdb4e1ceaa0a80fd6a6ea4af2c81");
}

#[test]
fn mnist_is_read_whole() {
    let Dataset { name, classes, train, held_out, digest, .. } = load(MNIST).unwrap();
    assert_eq!((name.as_str(), classes.len()), (MNIST, 10));
    assert_eq!(train.shape, Shape::image(1, 28, 28));
    assert_eq!((train.len(), held_out.len()), (60_000, 10_000));
    assert_eq!(train.labels[..5], [5, 0, 4, 1, 9]);
    assert_eq!(held_out.labels[..5], [7, 2, 1, 0, 4]);
    let counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949];
    assert_eq!(histogram(&train.labels), counts);
    // Sums and digest by Python's gzip and hashlib.
    assert_eq!((sum(&train.pixels), sum(&held_out.pixels)), (1_567_298_545, 264_923_200));
    assert_eq!(digest, "sha256:c64fcb4aa4e1350a8730c2baa8a6cfa81366d02c982208700d1db676223163b7");
    // The values that everyone writes as 0.1307 and 0.3081.
    let Normaliser { mean, std } = Normaliser::of(&train);
    assert!((mean[0] - 0.130_660_5).abs() < 1e-6 && (std[0] - 0.308_107_8).abs() < 1e-6);
}

#[test]
fn mnist_is_looked_for_in_order() {
    let root = tempfile::tempdir().unwrap();
    let place = |folder: &str| {
        let folder = root.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("train-images.idx3-ubyte.gz"), "").unwrap();
        Source::Folder(folder)
    };
    let cwd = root.path().join("here");
    let elsewhere = root.path().join("elsewhere");
    let user = root.path().join("home");
    let find = |env: Option<&OsStr>| locate("mnist", &Places { cwd: &cwd, variable: env, user: Some(&user) });
    let env = Some(elsewhere.as_os_str());

    let places = ["elsewhere/mnist", "elsewhere", "here/data/mnist", "here/mnist", "home/mnist"]
        .map(|place| place.replace('/', MAIN_SEPARATOR_STR));
    let missing = places.each_ref().map(|place| root.path().join(place).display().to_string());
    assert_not_found(find(env), &missing.each_ref().map(String::as_str));
    assert_not_found(find(None), &[&places[2], "WGRAD_DATA", "t10k-labels-idx1-ubyte"]);
    // Each place wins over the ones before it in this list.
    for folder in places.iter().rev() {
        let expected = place(folder);
        assert_eq!(find(env).unwrap(), expected);
    }
    let beside = Source::Folder(cwd.join("data/mnist"));
    assert_eq!(find(None).unwrap(), beside);
    assert_eq!(find(Some(OsStr::new(""))).unwrap(), beside);
    assert_eq!(locate("digits", &Places { cwd: &cwd, variable: env, user: None }).unwrap(), Source::Digits);
}

#[test]
fn other_names_are_looked_for_and_the_error_says_how_to_download_them() {
    let root = tempfile::tempdir().unwrap();
    let (cwd, user) = (root.path().join("here"), root.path().join("home"));
    let find = |name: &str| locate(name, &Places { cwd: &cwd, variable: None, user: Some(&user) });
    for (name, file) in [
        ("fashion-mnist", "t10k-labels-idx1-ubyte.gz"),
        ("emnist", "emnist-letters-test-labels-idx1-ubyte.gz"),
        ("cifar-10", "test_batch.bin"),
        ("cifar-100", "fine_label_names.txt"),
    ] {
        // Folders without data hide none behind them, but are named where there is no other.
        fs::create_dir_all(cwd.join("data").join(name)).unwrap();
        assert_not_found(find(name), &[name, "was not found in", "download it with", "home"]);
        let notes = cwd.join("data").join(name).join("notes.txt");
        fs::write(&notes, "").unwrap();
        assert_eq!(find(name).unwrap(), Source::Folder(cwd.join("data").join(name)));
        for folder in [user.join(name), cwd.join(name), cwd.join("data").join(name)] {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), "").unwrap();
            assert_eq!(find(name).unwrap(), Source::Folder(folder));
        }
        // Folders of pictures have no names to know them by.
        fs::remove_file(cwd.join("data").join(name).join(file)).unwrap();
        fs::create_dir(cwd.join("data").join(name).join("train")).unwrap();
        assert_eq!(find(name).unwrap(), Source::Folder(cwd.join("data").join(name)));
    }
}

#[test]
fn an_incomplete_mnist_is_not_skipped() {
    let folder = Folder::good().without(TRAIN_IMAGES);
    let places = Places { cwd: Path::new("/nowhere"), variable: Some(folder.path().as_os_str()), user: None };
    let found = locate("mnist", &places).unwrap();
    assert_eq!(found, Source::Folder(folder.path().to_owned()));
    assert_not_found(folder.load(), &["has no train-images-idx3-ubyte"]);
}

#[test]
fn unknown_names_are_usage_errors() {
    assert_usage_error(load("mnits"), &["“mnits”", "did you mean “mnist”?", "digits", "folder"]);
    assert_usage_error(load("/no/such/folder"), &["“/no/such/folder”", "folder"]);
    assert_usage_error(load(""), &["digits", "mnist"]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert_usage_error(load(file), &[file, "is a file", "folder"]);
    assert_usage_error(load(&format!("{file}/below")), &["folder"]);
    assert_data_error(load("a\0b"), &["can't be opened"]);
}

#[test]
fn digests_are_equal_only_for_equal_data() {
    let digest = |folder: Folder| folder.load().unwrap().digest;
    let good = digest(Folder::good());
    assert_eq!(good, digest(Folder::good()));
    let idx = crate::files::idx;
    let changed = [
        // One pixel, one label, the class count, and the same bytes as 3×2 images.
        Folder::good().with(crate::files::TEST_IMAGES, &idx(8, &[2, 2, 3], &[7; 12])),
        Folder::good().with(crate::files::TEST_LABELS, &idx(8, &[2], &[1, 1])),
        Folder::good().with(crate::files::TRAIN_LABELS, &idx(8, &[4], &[0, 2, 1, 3])),
        Folder::good()
            .with(TRAIN_IMAGES, &idx(8, &[4, 3, 2], &(0..24).map(|v| v * 10).collect::<Vec<_>>()))
            .with(
                crate::files::TEST_IMAGES,
                &idx(8, &[2, 3, 2], &(0..12).map(|v| v * 10).collect::<Vec<_>>()),
            ),
    ];
    for folder in changed {
        assert_ne!(good, digest(folder));
    }
}

fn samples(channels: usize, pixels: &[u8], labels: &[u32]) -> Samples {
    let shape = Shape::image(channels, 1, 2);
    Samples { shape, pixels: pixels.to_vec(), labels: labels.to_vec() }
}

#[test]
fn subsets_keep_the_order_asked_for() {
    let all = samples(1, &[1, 2, 3, 4, 5, 6], &[7, 8, 9]);
    assert_eq!(all.subset(&[2, 0]), samples(1, &[5, 6, 1, 2], &[9, 7]));
    assert!(all.subset(&[]).is_empty());
}

#[test]
fn channels_are_normalised_apart() {
    // Channel 0 is 0, 255, 255, 0; channel 1 is always 51.
    let Normaliser { mean, std } = Normaliser::of(&samples(2, &[0, 255, 51, 51, 255, 0, 51, 51], &[0, 0]));
    assert_eq!(mean, [0.5, 0.2]);
    assert_eq!(std, [0.5, 1.0]);
    let nearly = Normaliser::of(&samples(1, &[9, 9, 9, 10], &[0, 0]));
    assert!((nearly.std[0] * 255.0 - 0.433_012_7).abs() < 1e-6);
    assert_eq!(Normaliser::of(&samples(1, &[], &[])), Normaliser { mean: vec![0.0], std: vec![1.0] });
}

#[test]
fn validation_is_stratified_and_repeatable() {
    let train = load("digits").unwrap().train;
    let (rest, validation) = split_validation(train.clone(), 0.1, 10, 3).unwrap();
    assert_eq!((rest.len(), validation.len()), (1293, 144));
    for (of_class, chosen) in histogram(&train.labels).iter().zip(histogram(&validation.labels)) {
        assert!((chosen as f64 - *of_class as f64 * 0.1).abs() < 1.0);
    }
    // Nothing is lost or doubled: pixels and labels together are the same multiset.
    let sorted = |parts: &[&Samples]| {
        let mut all: Vec<(Vec<u8>, u32)> = parts
            .iter()
            .flat_map(|part| (0..part.len()).map(|i| (part.image(i).to_vec(), part.labels[i])))
            .collect();
        all.sort();
        all
    };
    assert_eq!(sorted(&[&train]), sorted(&[&rest, &validation]));
    let again = split_validation(train.clone(), 0.1, 10, 3).unwrap();
    assert_eq!(again, (rest, validation.clone()));
    assert_ne!(split_validation(train, 0.1, 10, 4).unwrap().1, validation);
}

#[test]
fn validation_samples_of_a_seed_never_change() {
    let pixels: Vec<u8> = (0..40).collect();
    let labels: Vec<u32> = (0..20).map(|index| index / 10).collect();
    let (_, validation) = split_validation(samples(1, &pixels, &labels), 0.3, 2, 42).unwrap();
    let indices: Vec<u8> = validation.pixels.iter().step_by(2).map(|value| value / 2).collect();
    assert_eq!(indices, [1, 5, 7, 14, 16, 19]);
}

#[test]
fn small_classes_are_split_sensibly() {
    let split = |labels: &[u32], fraction| {
        split_validation(samples(1, &vec![0; labels.len() * 2], labels), fraction, 4, 0)
            .map(|(rest, validation)| (rest.labels, validation.labels))
    };
    // A tenth of 10 is 1, though no class has a whole one to give.
    assert_eq!(split(&[0, 0, 0, 1, 1, 1, 1, 2, 2, 2], 0.1).unwrap().1, [1]);
    // No class loses its last training sample.
    assert_eq!(split(&[0, 1, 2, 2, 2], 0.9).unwrap(), (vec![0, 1, 2], vec![2, 2]));
    assert_eq!(split(&[3, 3], 0.5).unwrap(), (vec![3], vec![3]));
    assert_setting_error(split(&[0, 0, 0], 0.1), "validation", &["0.1 of 3", "empty"]);
    assert_setting_error(split(&[0, 1, 2], 0.9), "validation", &["0.9 of 3", "empty"]);
    assert_setting_error(split(&[], 0.5), "validation", &["0.5 of 0", "empty"]);
    for fraction in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
        assert_setting_error(split(&[0, 0], fraction), "validation", &["above 0 and below 1"]);
    }
    assert_data_error(split(&[0, 4], 0.5), &["sample 1", "label 4", "4 classes"]);
}
