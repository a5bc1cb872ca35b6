//! `wgrad train --kernel`.

use std::fs;
use std::path::Path;

use serde_json::Value;
use wgrad::internals::table::{
    COLUMN_SUMS, MATMUL_F16, MATMUL_NAIVE, SGD, SGD_MOMENTUM, SQUARED_ERROR, WEIGHT_GRADIENT,
};

use super::{CustomKernel, Ran, wgrad};

fn train(out: &Path, more: &[&str]) -> Ran {
    let mut arguments = vec!["train", "digits", "--network", "dense 16, relu, dense 10", "--epochs", "4"];
    arguments.extend(["--json", "--out", out.to_str().unwrap()]);
    arguments.extend(more);
    wgrad(&arguments)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn custom_kernels_train_to_the_accuracy_of_ours_and_the_run_says_so() {
    let out = tempfile::tempdir().unwrap();
    let ours = train(out.path(), &["--device", "gpu"]);
    ours.passed();
    // Another order of the sum, other workgroups.
    let product = CustomKernel::changed(
        &MATMUL_NAIVE,
        &[
            ("var k = 0u; k < K; k++", "var j = 0u; j < K; j++"),
            ("let left", "let k = K - 1u - j;\n        let left"),
            ("@workgroup_size(64)", "@workgroup_size(32)"),
        ],
    );
    let sgd = CustomKernel::changed(&SGD_MOMENTUM, &[("@workgroup_size(64)", "@workgroup_size(32)")]);
    let [product, sgd] = [("matmul", &product), ("sgd_momentum", &sgd)]
        .map(|(name, custom)| format!("{name}={}", custom.path().display()));
    let theirs = train(out.path(), &["--device", "gpu", "--kernel", &product, "--kernel", &sgd]);
    theirs.passed();
    let [ours, theirs] = [ours, theirs].map(|ran| json(&ran.stdout));
    let accuracy = |of: &Value| of["held_out_accuracy"].as_f64().unwrap();
    assert!(accuracy(&ours) > 0.85, "{ours}");
    assert!((accuracy(&ours) - accuracy(&theirs)).abs() < 0.01, "{ours} {theirs}");

    let run = Path::new(theirs["run"].as_str().unwrap());
    let record = json(&fs::read_to_string(run.join("run.json")).unwrap());
    let kernels = record["kernels"].as_array().unwrap();
    assert_eq!(kernels.len(), 2, "{record}");
    assert_eq!(kernels[0]["name"], "matmul");
    assert_eq!(kernels[0]["sha256"].as_str().unwrap().len(), 64);
    let recipe = fs::read_to_string(run.join("recipe.toml")).unwrap();
    assert!(recipe.contains("custom.wgsl"), "{recipe}");
    // An explanation is of our kernels, and says so.
    let explained = wgrad(&["explain", run.to_str().unwrap(), "--device", "gpu", "--json"]);
    explained.passed();
    for part in ["custom kernels, matmul (", "custom.wgsl), sgd_momentum (", "the built-in ones are shown"] {
        assert!(explained.stderr.contains(part), "“{part}” is not in {}", explained.stderr);
    }
}

#[test]
fn a_kernel_that_never_ends_is_stopped_after_the_time_that_it_was_given() {
    let out = tempfile::tempdir().unwrap();
    // The same loop as in the check of a lesson, in a kernel that training uses.
    let endless = CustomKernel::changed(&COLUMN_SUMS, &[("row < ROWS; row++", "row < ROWS; row += 0u")]);
    let kernel = format!("column_sums={}", endless.path().display());
    train(out.path(), &["--device", "gpu", "--kernel", &kernel, "--kernel-timeout", "2"])
        .refused(6, &["was stopped after 2 s", "--timeout 20", "and wgrad train --kernel-timeout as well"]);
    for wrong in ["0", "-1", "soon", "86401"] {
        let ran = train(out.path(), &["--device", "cpu", &format!("--kernel-timeout={wrong}")]);
        assert!(ran.code == Some(2) && ran.stderr.contains("--kernel-timeout"), "{wrong}: {}", ran.stderr);
    }
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "a run was begun");
}

#[test]
fn unused_or_wrong_custom_kernels_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let refused = |custom: &CustomKernel, name: &str, device: &str, code: i32, said: &[&str]| {
        let kernel = format!("{name}={}", custom.path().display());
        train(out.path(), &["--device", device, "--kernel", &kernel]).refused(code, said);
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "a run was begun");
    };
    let good = CustomKernel::new(&SGD, SGD.wgsl);
    refused(&good, "sgd", "cpu", 2, &["the CPU engine runs twins"]);
    refused(&good, "sgdd", "gpu", 2, &["did you mean “sgd”?"]);
    refused(&good, "column_sums", "gpu", 2, &["“@compute fn column_sums” alone"]);
    let f16 = CustomKernel::new(&SGD, &format!("enable f16;\n{}", SGD.wgsl));
    refused(&f16, "sgd", "gpu", 2, &["custom.wgsl:1:8: only a matmul_cooperative may enable f16"]);
    let unused = CustomKernel::new(&SQUARED_ERROR, SQUARED_ERROR.wgsl);
    refused(&unused, "squared_error", "gpu", 2, &["never uses it", "softmax_loss"]);
    let wrong = CustomKernel::changed(&COLUMN_SUMS, &[("row < ROWS", "row + 1u < ROWS")]);
    refused(&wrong, "column_sums", "gpu", 6, &["case 0", "sums[0] is 0, expected"]);
}

#[test]
fn a_warning_names_f16_products_that_stay_built_in() {
    let out = tempfile::tempdir().unwrap();
    let product = CustomKernel::new(&MATMUL_NAIVE, MATMUL_NAIVE.wgsl);
    let f16 = CustomKernel::new(&MATMUL_F16, MATMUL_F16.wgsl);
    let [product, f16] = [("matmul", &product), ("matmul_f16", &f16)]
        .map(|(name, custom)| format!("{name}={}", custom.path().display()));
    let train = |more: &[&str]| {
        let ran = train(out.path(), &[&["--device", "gpu", "--kernel", &product], more].concat());
        ran.passed();
        ran.stderr
    };
    let said =
        "matmul_naive does not compute every product: those of f16 are computed by the built-in matmul_f16";
    assert!(train(&["--precision", "f16"]).contains(said));
    assert!(!train(&["--precision", "f16", "--kernel", &f16]).contains("of f16"));
    assert!(!train(&[]).contains("of f16"));
}

/// What is advised for a kernel that a run doesn't use makes a run use it, or is refused by the device alone.
#[test]
fn the_settings_that_are_advised_for_an_unused_kernel_are_taken() {
    let out = tempfile::tempdir().unwrap();
    let train = |custom: &str, more: &[&str]| {
        train(out.path(), &[&["--device", "gpu", "--kernel", custom], more].concat())
    };
    let gradient = CustomKernel::new(&WEIGHT_GRADIENT, WEIGHT_GRADIENT.wgsl);
    let gradient = format!("weight_gradient={}", gradient.path().display());
    let said = "--network \"dense 64, relu, dense 10\" --rewrites gradients --tuning \"weights weight_gradient\" --kernel \
                weight_gradient=FILE";
    train(&gradient, &[]).refused(2, &["never uses it", said]);
    let all = ["--rewrites", "gradients", "--tuning", "weights weight_gradient"];
    train(&gradient, &all).passed();
    // A former name, and the rewrite without the precision that it makes.
    let f16 = CustomKernel::new(&MATMUL_F16, MATMUL_F16.wgsl);
    let f16 = format!("matmul_half={}", f16.path().display());
    let said = "try --precision f16 --kernel matmul_f16=FILE without --rewrites";
    train(&f16, &["--rewrites", "f16"]).refused(2, &["never uses it", said]);
    train(&f16, &["--precision", "f16"]).passed();
}
