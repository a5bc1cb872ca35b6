//! Shaders that would take gigabytes to compile.

use wgrad::internals::table::COLUMN_SUMS;

use super::{CustomKernel, wgrad};

const STORED: &str = "    sums[column] = sum;";

#[test]
fn large_values_and_variables_are_refused_before_a_driver_gets_them() {
    let entry = "@compute @workgroup_size(64)";
    for (declaration, function, said) in [
        ("var<private> big: array<f32, 100000000>;", "big[column] = sum; sums[column] = big[0];", "a type"),
        ("", "var big: array<f32, 20000000>; big[column] = sum; sums[column] = big[0];", "a type"),
        ("", "let big = array<f32, 30000000>(); sums[column] = sum + big[column];", "a type"),
        ("const BIG = array<vec4<f32>, 60000000>();", "sums[column] = sum + BIG[column].x;", "a type"),
        (
            "var<private> a: array<f32, 9000>; var<private> b: array<f32, 9000>;",
            "a[column] = sum; b[column] = sum; sums[column] = a[0] + b[0];",
            "variables of an invocation",
        ),
    ] {
        let custom = CustomKernel::changed(
            &COLUMN_SUMS,
            &[(entry, &format!("{declaration}\n{entry}")), (STORED, function)],
        );
        custom.check(&[]).refused(2, &[&format!("{said}: expected at most 65536 bytes, got ")]);
    }
}

#[test]
fn a_deep_text_is_refused_or_ends_only_the_check() {
    let chain = format!("    sums[column] = sum{};", " + sum * 0.0".repeat(60_000));
    let nested = format!("    sums[column] = {}sum{};", "(".repeat(5_000), ")".repeat(5_000));
    for (text, code) in [(chain, 6), (nested, 2)] {
        let said = if code == 6 { "it is nested too deeply" } else { "recursion limit" };
        let custom = CustomKernel::changed(&COLUMN_SUMS, &[(STORED, &text)]);
        let ran = custom.check(&[]);
        ran.refused(code, &["custom.wgsl", said]);
        // `train` finds the kernel by the text before anything has checked it.
        let kernel = format!("matmul={}", custom.path().display());
        let ran = wgrad(&["train", "digits", "--device", "gpu", "--kernel", &kernel]);
        ran.refused(code, &["error: ", "custom.wgsl", said]);
    }
}

/// Each constant has ten of the one before, and the parser makes a copy of every element to change its type.
#[cfg(target_os = "linux")]
#[test]
fn a_check_that_takes_gigabytes_is_stopped() {
    let mut constants = "const a0 = array(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);\n".to_owned();
    for level in 1..8 {
        let ten = vec![format!("a{}", level - 1); 10].join(", ");
        constants += &format!("const a{level} = array({ten});\n");
    }
    let kind = format!("{}f32{}", "array<".repeat(8), ", 10>".repeat(8));
    let constants = format!("{constants}const a: {kind} = a7;\n{}", COLUMN_SUMS.wgsl);
    let ran = CustomKernel::new(&COLUMN_SUMS, &constants).check(&["--timeout", "300"]);
    ran.refused(6, &["custom.wgsl was stopped with more than", "MiB of memory, reading it"]);
}
