//! The examples run on the CPU engine; custom kernels need an adapter.

#[path = "../examples/custom_kernel.rs"]
#[allow(dead_code)]
mod custom_kernel;
#[path = "../examples/predict.rs"]
#[allow(dead_code)]
mod predict;
#[path = "../examples/program.rs"]
#[allow(dead_code)]
mod program;
#[path = "../examples/train.rs"]
#[allow(dead_code)]
mod train;

use std::path::Path;

#[test]
fn train_saves_a_model_that_predict_loads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    assert!(train::run("cpu", &path).unwrap() > 0.9);
    let found = predict::run("cpu", Some(path), &[]).unwrap();
    let labels = wgrad::Dataset::load("digits").unwrap().held_out.labels;
    let right = found.iter().zip(&labels);
    assert!(right.filter(|(one, label)| one.class == **label as usize).count() >= 8);
}

#[test]
fn predict_trains_a_small_model_when_it_is_given_none() {
    assert_eq!(predict::run("cpu", None, &[]).unwrap().len(), 10);
}

#[test]
fn a_program_by_hand_agrees_with_the_twins() {
    let y = program::run("cpu").unwrap();
    assert!(y.chunks(4).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5));
}

#[test]
fn a_custom_kernel_is_checked_and_trains() {
    let shader = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/custom_kernel.wgsl");
    assert!(custom_kernel::run("gpu", &shader).unwrap().unwrap() > 0.8);
    assert_eq!(custom_kernel::run("cpu", &shader).unwrap(), None);
}
