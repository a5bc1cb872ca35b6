use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use wgrad::Error;
use wgrad::internals::data::{Grey, LevelRange, Normaliser, Rendering, Tones};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::train::run::model::{FILE, Model};

use crate::assert_refused;

fn model() -> Model {
    let network: wgrad::internals::network::Network =
        "dense 3, leaky-relu 0.1, flatten, dense 2".parse().unwrap();
    let shape = Shape::image(2, 3, 1);
    let mut model = Model {
        network,
        loss: Loss::CrossEntropy,
        shape,
        classes: vec!["a “cat”".to_owned(), "dog, or\nnot".to_owned()],
        normaliser: Normaliser { mean: vec![0.1, 1.0 / 3.0], std: vec![0.3, f32::MIN_POSITIVE] },
        rendering: Default::default(),
        tones: None,
        parameters: vec![],
        data: "./some \\ data".to_owned(),
    };
    model.parameters = model.arena().initial_values(7);
    model.parameters[..4].copy_from_slice(&[-0.0, f32::MAX, 1e-45, f32::MIN]);
    model
}

#[test]
fn how_pictures_become_bytes_is_kept_and_is_as_before_where_a_file_says_nothing() {
    let levels = LevelRange { low: 1000, high: 1300 };
    let rendering = Rendering { ground: [255; 3], margin: [1, 2, 3], levels, grey: Grey::Rec601 };
    assert_eq!(
        pixel_entries(rendering),
        [
            ("background", "white"),
            ("margin", "#010203"),
            ("levels", "[1000,1300]"),
            ("grey", "rec601"),
            ("channels", "LA"),
            ("resampling", "triangle"),
            ("fit", "pad"),
            ("scale", "1/255"),
        ]
    );
    assert_eq!(
        pixel_entries(Rendering::default())[..3],
        [("background", "black"), ("margin", "black"), ("levels", "[0,65535]"),]
    );
    // Files of earlier versions say only what differs from black and all levels, and so does a run that they began.
    assert_eq!(pixel_entries(Rendering::FORMER), []);
    let former = Rendering { ground: [255; 3], ..Rendering::FORMER };
    assert_eq!(pixel_entries(former), [("background", "white")]);
}

#[test]
fn brightness_and_contrast_are_kept_and_are_missing_in_files_of_earlier_versions() {
    let tones = Some(Tones { brightness: [0.125, 0.5], contrast: [0.0, 0.25] });
    let other = Model { tones, ..model() };
    let (_folder, path) = saved(&other);
    assert_eq!((Model::load(&path).unwrap(), other.usual_tones()), (other.clone(), tones));
    let (_folder, path) = saved(&model());
    let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
    assert!(["brightness", "contrast"].iter().all(|key| !text.contains(key)));
}

/// The entries of a model's metadata about its pixels, which are read back to the same.
#[track_caller]
fn pixel_entries(rendering: Rendering) -> Vec<(&'static str, &'static str)> {
    let model = Model { rendering, ..model() };
    let (_folder, path) = saved(&model);
    assert_eq!(Model::load(&path).unwrap(), model);
    let bytes = fs::read(&path).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..][..size]).unwrap();
    let entries = header["__metadata__"].as_object().unwrap().iter();
    // Nine entries about the network come first, and the checksum is the last.
    let entries = entries.filter(|(key, _)| *key != "checksum").skip(9);
    entries.map(|(key, value)| (leak(key), leak(value.as_str().unwrap()))).collect()
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// A run directory with a model in it.
fn saved(model: &Model) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    model.save(&path).unwrap();
    (folder, path)
}

/// The file of [`model`] with another header.
fn with_header(change: impl FnOnce(&mut Value)) -> (TempDir, PathBuf) {
    let (folder, path) = saved(&model());
    let bytes = fs::read(&path).unwrap();
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&bytes[8..][..size]).unwrap();
    // As an earlier version wrote it, so that more than the checksum is asked.
    header["__metadata__"].as_object_mut().unwrap().remove("checksum").expect("it has a checksum");
    change(&mut header);
    let header = header.to_string();
    let size = (header.len() as u64).to_le_bytes();
    fs::write(&path, [&size[..], header.as_bytes(), &bytes[bytes.len() - data_len()..]].concat()).unwrap();
    (folder, path)
}

fn data_len() -> usize {
    4 * model().arena().count()
}

#[track_caller]
fn assert_header_refused(change: impl FnOnce(&mut Value), words: &[&str]) {
    let (_folder, path) = with_header(change);
    assert_refused(Model::load(&path), Error::Data, words);
}

#[track_caller]
fn assert_metadata_refused(key: &str, value: &str, words: &[&str]) {
    assert_header_refused(|header| header["__metadata__"][key] = json!(value), words);
}

#[test]
fn a_model_comes_back_bit_for_bit_from_its_file_and_its_directory() {
    let model = model();
    let (folder, path) = saved(&model);
    for from in [folder.path(), &path] {
        let loaded = Model::load(from).unwrap();
        assert_eq!(loaded, model);
        let bits = |model: &Model| model.parameters.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&loaded), bits(&model));
    }
}

#[test]
fn equal_models_make_equal_files() {
    let (_one, one) = saved(&model());
    let (_other, other) = saved(&model());
    assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap());
}

#[test]
fn the_safetensors_crate_reads_the_names_and_layouts_of_pytorch() {
    let model = model();
    let (_folder, path) = saved(&model);
    let bytes = fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut names = file.names();
    names.sort();
    assert_eq!(names, ["0.bias", "0.weight", "3.bias", "3.weight"]);
    assert_eq!(file.tensor("0.weight").unwrap().shape(), [3, 6]);
    assert_eq!(file.tensor("3.bias").unwrap().shape(), [2]);
    let arena = model.arena();
    let weight = &model.parameters[arena.params[2].start..][..6];
    let expected: Vec<u8> = weight.iter().flat_map(|value| value.to_le_bytes()).collect();
    assert_eq!(file.tensor("3.weight").unwrap().data(), expected);
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = header.metadata().as_ref().unwrap();
    assert_eq!(metadata["format"], "wgrad");
    assert_eq!(metadata["shape"], "[2,3,1]");
    assert_eq!(metadata["mean"], "[0.1,0.33333334]");
    assert_eq!(metadata["checksum"].len(), 64);
    // The data begin on 8 bytes.
    assert!(u64::from_le_bytes(bytes[..8].try_into().unwrap()).is_multiple_of(8));
}

#[test]
fn the_plain_header_of_the_fixture_is_accepted() {
    let (_folder, path) = with_header(|_| {});
    assert_eq!(Model::load(&path).unwrap(), model());
}

#[test]
fn a_model_that_could_not_be_loaded_is_not_saved() {
    let good = model();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    let start = good.arena().params[3].start;
    let mut parameters = good.parameters.clone();
    parameters[start + 1] = f32::NAN;
    let short = good.parameters[..10].to_vec();
    let bad = [
        (Model { parameters, ..good.clone() }, "NaN at index 1 of “3.bias”"),
        (Model { parameters: short, ..good.clone() }, "10 words of parameters"),
        (Model { classes: vec![], ..good.clone() }, "the data have 0 classes"),
        (Model { normaliser: Normaliser { mean: vec![], std: vec![] }, ..good.clone() }, "0 means"),
    ];
    for (model, words) in bad {
        assert_refused(model.save(&path), Error::Failure, &["was not written", words]);
    }
    assert_refused(good.save(path.join("file")), Error::Failure, &["can't be written"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_not_a_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("absent");
    assert_refused(Model::load(&path), Error::NotFound, &["absent doesn't exist", "run directory"]);
    assert_refused(Model::load(folder.path()), Error::NotFound, &["has no model.safetensors", "train again"]);

    let path = folder.path().join("file");
    let mut huge = 100_000_001u64.to_le_bytes().to_vec();
    huge.extend(b"{}");
    let mut long = 100_000_000u64.to_le_bytes().to_vec();
    long.extend(b"{}");
    let cases: [(&[u8], &str); 8] = [
        (b"", "it has 0 bytes"),
        (b"\x02\0\0\0", "it has 4 bytes"),
        (&huge, "100000001 bytes, and 100000000 are allowed"),
        (&long, "100000000 bytes, and the file has 10"),
        (&[0xff; 20], "18446744073709551615 bytes"),
        (b"\x02\0\0\0\0\0\0\0[]", "doesn't begin with “{”"),
        (b"\0\0\0\0\0\0\0\0", "doesn't begin with “{”"),
        (b"\x02\0\0\0\0\0\0\0{\xff", "its header: "),
    ];
    for (bytes, words) in cases {
        fs::write(&path, bytes).unwrap();
        assert_refused(Model::load(&path), Error::Data, &["is not a safetensors file or is damaged", words]);
    }
    fs::write(&path, b"\x02\0\0\0\0\0\0\0{}").unwrap();
    assert_refused(Model::load(&path), Error::Data, &["not one that wgrad wrote", "no “format”"]);
}

#[test]
fn a_truncated_or_longer_file_is_refused() {
    let (_folder, path) = saved(&model());
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let words = format!("its tensors take {} bytes, it has {}", data_len(), data_len() - 1);
    assert_refused(Model::load(&path), Error::Data, &[&words]);
    fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
    assert_refused(Model::load(&path), Error::Data, &["is damaged"]);
}

#[test]
fn missing_foreign_or_wrong_metadata_are_refused() {
    let not_ours = "a safetensors file, but not one that wgrad wrote";
    assert_metadata_refused("format", "pt", &[not_ours, "“pt”"]);
    let remove = |key: &'static str| move |header: &mut Value| drop(header["__metadata__"][key].take());
    // A metadata value of null isn't a string, so the whole header is refused.
    assert_header_refused(remove("format"), &["invalid type: null"]);
    for key in ["format_version", "network", "loss", "shape", "classes", "mean", "std", "data"] {
        let without = |header: &mut Value| drop(header["__metadata__"].as_object_mut().unwrap().remove(key));
        assert_header_refused(without, &[&format!("has no “{key}” in its metadata")]);
    }
    assert_metadata_refused("format_version", "2", &["newer wgrad", "format 2", "up to 1"]);
    assert_metadata_refused("format_version", "one", &["“one” as format_version"]);
    assert_metadata_refused("network", "dense 3, rleu", &["layer 2 “rleu”", "did you mean “relu”"]);
    assert_metadata_refused("network", "dense 3, relu, flatten, dense 3", &["gives 3 values", "2 classes"]);
    assert_metadata_refused("network", "dense 1000000000, dense 1000000000", &["more than 1073741824"]);
    assert_metadata_refused("network", &"relu,".repeat(300_000), &["1500000 bytes of text"]);
    assert_metadata_refused("loss", "mae", &["loss: there is no “mae”"]);
    assert_metadata_refused("shape", "[2, 3]", &["shape"]);
    assert_metadata_refused("background", "blakc", &["“blakc” as background", "not a colour"]);
    assert_metadata_refused("grey", "rec610", &["“rec610” as grey", "rec601 or rec709"]);
    for (key, value) in [("channels", "BGR"), ("resampling", "lanczos"), ("fit", "crop"), ("scale", "1")] {
        assert_metadata_refused(key, value, &[&format!("“{value}” as {key}"), "reads pictures with “"]);
    }
    assert_metadata_refused("margin", "auto", &["auto as margin", "not a colour"]);
    assert_metadata_refused("levels", "[7, 7]", &["levels 7 to 7", "no range"]);
    assert_metadata_refused("levels", "[0, 65536]", &["levels"]);
    assert_metadata_refused("shape", "[2, -3, 1]", &["shape"]);
    assert_metadata_refused("shape", "[2, 4294967296, 4294967296]", &["2×4294967296×4294967296"]);
    assert_metadata_refused("classes", "cat", &["classes"]);
    assert_metadata_refused("classes", "[\"cat\"]", &["1 classes"]);
    assert_metadata_refused("classes", &"[".repeat(10_000), &["classes"]);
    assert_metadata_refused("mean", "[0.5]", &["1 means and 2 stds for 2 channels"]);
    assert_metadata_refused("mean", "[0.5, null]", &["mean"]);
    assert_metadata_refused("std", "[0.5, 0.0]", &["std that is not above 0"]);
    assert_metadata_refused("std", "[0.5, 1e39]", &["std"]);
}

#[test]
fn tensors_that_are_not_those_of_the_network_are_refused() {
    let rename = |from: &'static str, to: &'static str| {
        move |header: &mut Value| {
            let tensor = header.as_object_mut().unwrap().remove(from).unwrap();
            header[to] = tensor;
        }
    };
    assert_header_refused(rename("3.bias", "2.bias"), &["no tensor “3.bias”"]);
    let extra = |header: &mut Value| {
        let end = data_len();
        header["4.bias"] = json!({ "dtype": "F32", "shape": [0], "data_offsets": [end, end] });
    };
    assert_header_refused(extra, &["a tensor “4.bias”", "no use"]);
    let shape = |header: &mut Value| header["0.weight"]["shape"] = json!([6, 3]);
    assert_header_refused(shape, &["“0.weight” of shape 6×3", "needs 3×6"]);
    let dtype = |header: &mut Value| header["0.weight"]["dtype"] = json!("I32");
    assert_header_refused(dtype, &["“0.weight” as I32", "F32"]);
    // The safetensors crate finds gaps and overlaps.
    let overlap = |header: &mut Value| header["0.bias"]["data_offsets"] = json!([0, 12]);
    assert_header_refused(overlap, &["invalid offset"]);
    let absurd = |header: &mut Value| header["0.bias"]["shape"] = json!([1u64 << 62, 1u64 << 62]);
    assert_header_refused(absurd, &["overflow"]);
}

#[test]
fn weights_that_are_not_finite_are_refused() {
    let (_folder, path) = with_header(|_| {});
    let good = fs::read(&path).unwrap();
    for (value, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut bytes = good.clone();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&value.to_le_bytes());
        fs::write(&path, bytes).unwrap();
        assert_refused(Model::load(&path), Error::Data, &[&format!("{shown} at index 1 of “3.bias”")]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A good file with some bytes changed, or cut.
    #[test]
    fn damaged_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        has_checksum in any::<bool>(),
    ) {
        // Saving waits for the disk, so the good file is made once.
        static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(saved(&model()).1).unwrap());
        // Without its checksum, so that damage gets further.
        static OLDER: LazyLock<Vec<u8>> = LazyLock::new(|| {
            let at = GOOD.windows(8).position(|bytes| bytes == b"checksum").expect("it has a checksum");
            [&GOOD[..at], b"checkzum", &GOOD[at + 8..]].concat()
        });
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let mut bytes = if has_checksum { GOOD.clone() } else { OLDER.clone() };
        let end = bytes.len();
        for (index, value) in changes {
            bytes[index.index(end)] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(end));
        }
        fs::write(&path, &bytes).unwrap();
        match Model::load(&path) {
            // A model that can be loaded can be saved again.
            Ok(model) => model.save(&path).unwrap(),
            Err(Error::Data(message)) => {
                prop_assert!(message.starts_with(&*path.display().to_string()), "{}", message);
                prop_assert!(!message.contains('\n'), "{}", message);
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
