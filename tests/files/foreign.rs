//! Safetensors files of PyTorch become models, and models that PyTorch wrote anew are read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;
use wgrad::internals::data::{Normaliser, Rendering};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::train::run::model::Model;
use wgrad::internals::train::run::{Adopted, Weights};
use wgrad::{Device, Error, Result};

use crate::assert_refused;
use crate::state_dict::{NAMED, NETWORK, NUMBERED, Saved, file, layers};

/// What `golden/state_dict.py` computes.
const OUTPUTS: [f32; 3] = [0.0949171, 0.1938251, -0.1754382];

/// A file of these tensors, which lives as long as the folder.
fn written(tensors: &[Saved], metadata: Option<HashMap<String, String>>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("torch.safetensors");
    fs::write(&path, file(tensors, metadata)).unwrap();
    (folder, path)
}

/// A model without parameters.
fn bare(network: &str) -> Model {
    Model {
        network: network.parse().unwrap(),
        loss: Loss::CrossEntropy,
        shape: Shape::image(3, 6, 6),
        classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
        normaliser: Normaliser { mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] },
        rendering: Rendering::default(),
        tones: None,
        parameters: Vec::new(),
        data: String::new(),
    }
}

fn import(tensors: &[Saved], network: &str) -> Result<(Model, Adopted)> {
    let (_folder, path) = written(tensors, None);
    bare(network).import(&path)
}

fn outputs(model: Model) -> Vec<f32> {
    let image: Vec<u8> = (0..3 * 6 * 6).map(|at| ((37 * at + 11) % 256) as u8).collect();
    let mut classifier = model.classifier(&Device::choose("cpu").unwrap()).unwrap();
    classifier.outputs(&[image]).unwrap().remove(0)
}

#[track_caller]
fn assert_golden(model: Model) {
    let ours = outputs(model);
    for (ours, golden) in ours.iter().zip(OUTPUTS) {
        assert!((ours - golden).abs() < 1e-5, "{ours} is not {golden}");
    }
    assert_eq!(ours.len(), OUTPUTS.len());
}

#[test]
fn a_state_dict_becomes_a_model_that_computes_what_pytorch_does() {
    let (model, adopted) = import(&layers(NUMBERED), NETWORK).unwrap();
    assert!(adopted.renamed.is_empty() && adopted.converted.is_empty(), "{adopted:?}");
    assert_eq!(adopted.taken.len(), 12);
    assert_golden(model.clone());
    // It is a model like any other.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    assert_eq!(Model::load(&path).unwrap(), model);
    assert_golden(Model::load(&path).unwrap());
}

#[test]
fn layers_with_names_of_their_own_are_matched_by_shape() {
    let (model, adopted) = import(&layers(NAMED), NETWORK).unwrap();
    assert_golden(model);
    assert_eq!(adopted.renamed[0], ("conv1.weight".to_owned(), "0.weight".to_owned()));
    assert_eq!(adopted.renamed[11], ("fc2.bias".to_owned(), "9.bias".to_owned()));
    // Also without the numbers of layers that have no weights, as where one side flattens by itself.
    let shorter = NETWORK.replace(", flatten", "");
    assert_golden(import(&layers(NUMBERED), &shorter).unwrap().0);
    // A prefix that all have is none of theirs: DataParallel and torch.compile add one.
    let behind = NUMBERED.map(|name| format!("module._orig_mod.{name}"));
    let (model, adopted) = import(&layers(behind.each_ref().map(String::as_str)), NETWORK).unwrap();
    assert_golden(model);
    assert_eq!(adopted.renamed[2], ("module._orig_mod.1.weight".to_owned(), "1.weight".to_owned()));
}

#[test]
fn values_of_other_types_become_f32() {
    for dtype in [Dtype::F16, Dtype::BF16, Dtype::F64] {
        let tensors: Vec<Saved> = layers(NUMBERED)
            .iter()
            .map(|saved| if saved.dtype == Dtype::F32 { saved.to(dtype) } else { saved.clone() })
            .collect();
        let (model, adopted) = import(&tensors, NETWORK).unwrap();
        assert_eq!(adopted.converted, [dtype.to_string()]);
        assert_golden(model);
    }
    // Literal bytes: 1, −2, the smallest f16, 0.5; and a value that f32 lacks.
    let bias = |dtype, bytes: &[u8]| {
        let saved = Saved { name: "1.bias".to_owned(), shape: vec![3], dtype, bytes: bytes.to_vec() };
        let weight = Saved::new("1.weight", &[3, 108], &[0.0; 324]);
        import(&[weight, saved], "flatten, dense 3").map(|(model, _)| outputs(model))
    };
    assert_eq!(bias(Dtype::F16, &[0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00]).unwrap(), [1.0, -2.0, 2f32.powi(-24)]);
    assert_eq!(bias(Dtype::BF16, &[0x80, 0x3f, 0x00, 0xc0, 0x00, 0x3f]).unwrap(), [1.0, -2.0, 0.5]);
    let large: Vec<u8> = [1.0, 1e300, 2.0].iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    assert_refused(bias(Dtype::F64, &large), Error::Data, &["index 1 of “1.bias”", "inf as F32", "finite"]);
    let whole: Vec<u8> = [1, 2, 3].iter().flat_map(|value: &i64| value.to_le_bytes()).collect();
    assert_refused(bias(Dtype::I64, &whole), Error::Data, &["“1.bias” as I64", "save it as F32"]);
}

#[test]
fn what_is_missing_left_over_or_of_another_shape_is_named() {
    let all = layers(NUMBERED);
    let without =
        |name: &str| -> Vec<Saved> { all.iter().filter(|saved| saved.name != name).cloned().collect() };
    let with = |name: &str, shape: &[usize]| -> Vec<Saved> {
        let values = vec![0.0; shape.iter().product()];
        [without(name), vec![Saved::new(name, shape, &values)]].concat()
    };
    for (tensors, words) in [
        (without("7.bias"), ["nothing that fits 7 (weight 5×4, bias 5)", "left over are 7 (weight 5×4)"]),
        (with("9.weight", &[4, 5]), ["“9.weight” of shape 4×5", "needs 3×5"]),
        (with("11.weight", &[2]), ["no use", "“11.weight” (2)"]),
        (with("9.bias", &[4]), ["“9.bias” of shape 4,", "needs 3"]),
        (
            vec![],
            ["nothing that fits 0 (weight 4×3×3×3, bias 4), 1 (weight 4, bias 4, ", "nothing is left over"],
        ),
    ] {
        assert_refused(import(&tensors, NETWORK), Error::Data, &words);
    }
    // Another network than the file's.
    let other = import(&layers(NAMED), "flatten, dense 5, relu, dense 3");
    assert_refused(
        other,
        Error::Data,
        &["nothing that fits 1 (weight 5×108, bias 5)", "conv1", "fc1 (weight 5×4"],
    );
    // Layers that could be one or another.
    let twins = |one: &str, two: &str| {
        let weight = |name: &str| Saved::new(&format!("{name}.weight"), &[3, 3], &[0.5; 9]);
        let bias = |name: &str| Saved::new(&format!("{name}.bias"), &[3], &[0.5; 3]);
        let first = [Saved::new("in.weight", &[3, 108], &[0.1; 324]), bias("in")];
        [&first[..], &[weight(one), bias(one), weight(two), bias(two)]].concat()
    };
    let network = "flatten, dense 3, relu, dense 3, relu, dense 3";
    assert_refused(
        import(&twins("out", "hidden"), network),
        Error::Data,
        &["has hidden, out where the network has 3, 5", "weight 3×3, bias 3", "rename"],
    );
    assert_eq!(import(&twins("l10", "l9"), network).unwrap().1.renamed[2].0, "l9.weight");
}

#[test]
fn values_that_are_not_finite_are_refused() {
    let mut tensors = layers(NUMBERED);
    tensors[2] = Saved::new("1.weight", &[4], &[1.0, f32::NAN, 1.0, 1.0]);
    assert_refused(import(&tensors, NETWORK), Error::Data, &["index 1 of “1.weight”", "NaN", "finite"]);
}

#[test]
fn a_network_that_does_not_go_with_shape_or_classes_is_a_setting() {
    let (_folder, path) = written(&layers(NUMBERED), None);
    let mut model = bare(NETWORK);
    model.classes.pop();
    for error in
        [model.import(&path), bare("flatten, conv 3 3x3").import(&path)].map(|result| result.unwrap_err())
    {
        assert!(matches!(&error, Error::Setting { key: "network", .. }), "{error:?}");
    }
    assert_refused(bare(NETWORK).import(Path::new("nowhere")), Error::NotFound, &["nowhere doesn't exist"]);
    let zip = path.with_file_name("model.pt");
    fs::write(&zip, b"PK\x03\x04 this is a file of torch.save").unwrap();
    assert_refused(
        bare(NETWORK).import(&zip),
        Error::Data,
        &["not a safetensors file", "save_file of safetensors.torch"],
    );
}

#[test]
fn a_damaged_file_is_refused_or_read_without_a_panic() {
    let (_folder, path) = written(&layers(NAMED), None);
    let whole = fs::read(&path).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let mut refused = 0;
    for at in 0..header {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, damaged).unwrap();
        refused += usize::from(bare(NETWORK).import(&path).is_err());
    }
    assert!(refused > header * 9 / 10, "{refused} of {header}");
    for length in [0, 7, 8, header - 1, header, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let error = bare(NETWORK).import(&path).unwrap_err();
        assert!(matches!(error, Error::Data(_)), "{length}: {error:?}");
    }
}

/// The tensors and the metadata of a model that wgrad wrote.
fn reread(path: &Path) -> (Vec<Saved>, HashMap<String, String>) {
    let bytes = fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let saved = tensors.iter().map(|(name, view)| Saved {
        name: name.to_owned(),
        shape: view.shape().to_vec(),
        dtype: view.dtype(),
        bytes: view.data().to_vec(),
    });
    (saved.collect(), header.metadata().clone().unwrap())
}

#[test]
fn a_model_that_pytorch_has_written_anew_is_read_with_its_counters() {
    let model = import(&layers(NUMBERED), NETWORK).unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    model.save(&path).unwrap();
    let (mut tensors, metadata) = reread(&path);
    assert!(metadata.contains_key("checksum"));
    tensors.push(layers(NUMBERED).swap_remove(6));
    assert_eq!(tensors.last().unwrap().name, "1.num_batches_tracked");
    // The weights may have been trained further, so the checksum is no more the file's.
    let bias = tensors.iter().position(|saved| saved.name == "9.bias").unwrap();
    tensors[bias] = Saved::new("9.bias", &[3], &[1.0, 2.0, 3.0]);
    let (_folder, other) = written(&tensors, Some(metadata.clone()));
    let loaded = Model::load(&other).unwrap();
    assert_eq!(Model { parameters: vec![], ..loaded.clone() }, Model { parameters: vec![], ..model.clone() });
    let arena = loaded.arena();
    assert_eq!(loaded.parameters[arena.find("9.bias").unwrap().start..][..3], [1.0, 2.0, 3.0]);
    // As wgrad writes it, the checksum counts.
    let mut damaged = fs::read(&path).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&path, damaged).unwrap();
    assert_refused(Model::load(&path), Error::Data, &["checksum doesn't match"]);
    // Anything else that the network lacks is still refused.
    tensors.push(Saved::new("1.batches", &[1], &[1.0]));
    let (_folder, other) = written(&tensors, Some(metadata));
    assert_refused(Model::load(&other), Error::Data, &["“1.batches”", "no use"]);
}

/// The parameters that another network takes from a file, and their values.
fn adopt(tensors: &[Saved], network: &str) -> Result<(Adopted, Vec<f32>)> {
    let (_folder, path) = written(tensors, Some(HashMap::from([("format".to_owned(), "pt".to_owned())])));
    let arena = bare(network).arena();
    let mut values = vec![9.0; arena.len()];
    let adopted = Weights::load(&path)?.weights.adopt(&arena, &mut values)?;
    let taken = arena.find(&adopted.taken[0]).unwrap();
    Ok((adopted.clone(), values[taken.start..][..3].to_vec()))
}

#[test]
fn a_run_begins_with_the_weights_of_a_state_dict() {
    for names in [NUMBERED, NAMED] {
        let (adopted, first) = adopt(&layers(names), NETWORK).unwrap();
        assert_eq!((adopted.taken.len(), adopted.missing.len(), adopted.unused.len()), (12, 0, 0));
        assert_eq!(first, [-10.0 / 32.0, -3.0 / 32.0, 4.0 / 32.0]);
    }
    // A last layer for other classes is drawn at random, whatever the others are called.
    let other = NETWORK.replace("dense 3", "dense 2");
    let (adopted, _) = adopt(&layers(NUMBERED), &other).unwrap();
    assert_eq!(
        (adopted.taken.len(), &adopted.reshaped[..]),
        (10, &["9.weight", "9.bias"].map(String::from)[..])
    );
    let (adopted, _) = adopt(&layers(NAMED), &other).unwrap();
    assert_eq!((adopted.taken.len(), adopted.missing.len(), adopted.unused.len()), (10, 2, 2));
    // Nothing fits.
    let none = adopt(&layers(NAMED), "flatten, dense 7, dense 3");
    assert_refused(
        none,
        Error::Data,
        &["nothing that fits 1 (weight 7×108, bias 7), 2 (weight 3×7", "conv1 (weight"],
    );
    // More layers of a kind than the file has.
    let ambiguous = adopt(&layers(NAMED), "conv 4 3x3 pad 1, conv 4 3x3, conv 4 3x3, dense 3");
    assert_refused(ambiguous, Error::Data, &["has conv2 where the network has 1, 2", "weight 4×4×3×3"]);
}

/// A dense layer whose weights all have one value, and whose biases have it as well.
fn dense(name: &str, outputs: usize, inputs: usize, value: f32) -> [Saved; 2] {
    let weight = Saved::new(&format!("{name}.weight"), &[outputs, inputs], &vec![value; outputs * inputs]);
    [weight, Saved::new(&format!("{name}.bias"), &[outputs], &vec![value; outputs])]
}

/// What a network takes from a file: the first value of each parameter taken.
fn firsts(tensors: &[Saved], network: &str) -> Result<Vec<(String, f32)>> {
    let (_folder, path) = written(tensors, None);
    let arena = bare(network).arena();
    let mut values = vec![9.0; arena.len()];
    let adopted = Weights::load(&path)?.weights.adopt(&arena, &mut values)?;
    let first = |name: &String| (name.clone(), values[arena.find(name).unwrap().start]);
    Ok(adopted.taken.iter().map(first).collect())
}

#[test]
fn names_that_agree_by_chance_put_no_layer_in_the_place_of_another() {
    // Functional activations have no numbers: net.2 is the third layer there, and the second here.
    let counted = [
        dense("net.0", 8, 108, 1.0),
        dense("net.1", 8, 8, 2.0),
        dense("net.2", 8, 8, 3.0),
        dense("net.3", 7, 8, 4.0),
    ];
    let network = "dense 8, relu, dense 8, relu, dense 8, relu, dense 3";
    let taken = firsts(&counted.concat(), network).unwrap();
    let expected = [
        ("0.weight", 1.0),
        ("0.bias", 1.0),
        ("2.weight", 2.0),
        ("2.bias", 2.0),
        ("4.weight", 3.0),
        ("4.bias", 3.0),
    ];
    assert_eq!(taken, expected.map(|(name, value)| (name.to_owned(), value)));
    // One name that agrees is less than all layers in their order.
    let one = [dense("0", 8, 108, 1.0), dense("b", 3, 8, 2.0)];
    let taken = firsts(&one.concat(), "dense 8, relu, dense 3").unwrap();
    assert_eq!(taken.len(), 4);
    // The front of a longer network of the same numbers is taken by its names.
    let longer = [dense("0", 8, 108, 1.0), dense("2", 8, 8, 2.0), dense("4", 8, 8, 3.0)];
    let taken = firsts(&longer.concat(), "dense 8, relu, dense 8, relu, dense 3").unwrap();
    assert_eq!(taken.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [1.0, 1.0, 2.0, 2.0]);
    // Neither names nor order tell which of four layers three are.
    let four =
        [dense("n.0", 8, 8, 1.0), dense("n.1", 8, 8, 2.0), dense("n.2", 8, 8, 3.0), dense("n.3", 8, 8, 4.0)];
    let ambiguous = firsts(
        &[&dense("n.9", 8, 108, 5.0)[..], &four.concat()].concat(),
        "dense 8, dense 8, dense 8, dense 3",
    );
    assert_refused(ambiguous, Error::Data, &["n.0, n.1, n.2, n.3", "which is which"]);
}

#[test]
fn no_half_of_a_layer_is_taken() {
    let conv = [
        Saved::new("0.weight", &[4, 3, 3, 3], &[1.0; 108]),
        Saved::new("0.bias", &[4], &[1.0; 4]),
        Saved::new("2.weight", &[3, 64], &[2.0; 192]),
        Saved::new("2.bias", &[3], &[2.0; 3]),
    ];
    let taken = firsts(&conv, "conv 4 5x5 pad 1, flatten, dense 3").unwrap();
    assert_eq!(taken.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["2.weight", "2.bias"]);
}

#[test]
fn a_variance_below_zero_is_refused() {
    let mut tensors = layers(NUMBERED);
    let at = tensors.iter().position(|saved| saved.name == "1.running_var").unwrap();
    tensors[at] = Saved::new("1.running_var", &[4], &[1.0, 0.0, -0.5, 1.0]);
    assert_refused(
        import(&tensors, NETWORK),
        Error::Data,
        &["-0.5 at index 2 of “1.running_var”", "not negative"],
    );
}
