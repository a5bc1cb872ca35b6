//! Shaders that are refused before they run. None of these needs an adapter.

use wgrad::Error;
use wgrad::internals::kernel::{Consts, Kernel};
use wgrad::internals::table::{self, ACTIVATION, COLUMN_SUMS, MATMUL, MATMUL_VECTORS, SGD};

use super::{CustomKernel, wgrad};

fn refusal(custom: &CustomKernel) -> String {
    match wgrad::internals::verify::custom::CustomKernel::read(&custom.path(), custom.kernel) {
        Err(Error::Usage(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(kernel: &'static Kernel, changes: &[(&str, &str)], said: &[&str]) {
    let refusal = refusal(&CustomKernel::changed(kernel, changes));
    for text in said {
        assert!(refusal.contains(text), "“{text}” is not in: {refusal}");
    }
}

#[test]
fn built_in_shaders_fulfil_their_contracts() {
    for kernel in table::ALL {
        let custom = CustomKernel::new(kernel, kernel.wgsl);
        let read = wgrad::internals::verify::custom::CustomKernel::read(&custom.path(), kernel)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            read.shader.workgroup_size.map(|size| size as usize),
            kernel.workgroup_size(&Consts::default())
        );
        assert_eq!(read.digest.len(), 64);
    }
}

/// A shader that was written for an earlier version is still read.
#[test]
fn former_names_of_bindings_are_read() {
    let former = [(&table::GATHER_BATCH, "y"), (&table::GATHER_DENSE_TILED, "targets")];
    for (kernel, name) in former {
        let custom = CustomKernel::new(kernel, &kernel.wgsl.replace("batch_labels", name));
        wgrad::internals::verify::custom::CustomKernel::read(&custom.path(), kernel)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let other = [("batch_labels: array", "classes: array"), ("batch_labels[row]", "classes[row]")];
    refused(&table::GATHER_BATCH, &other, &["binding(5)", "batch_labels: array<u32>"]);
}

/// Also those of a kernel, a field of `step`, and a function in `common.wgsl`.
#[test]
fn former_names_of_kernels_and_identifiers_are_read() {
    let read = |kernel: &'static Kernel, former: &[(&str, &str)]| {
        let text = former.iter().fold(kernel.wgsl.to_owned(), |text, (now, then)| {
            assert!(text.contains(now), "{now} in {}", kernel.name);
            text.replace(now, then)
        });
        let own = CustomKernel::new(kernel, &text);
        wgrad::internals::verify::custom::CustomKernel::read(&own.path(), kernel)
            .unwrap_or_else(|error| panic!("{error}"));
    };
    read(&table::EMA, &[("fn ema(", "fn average("), ("ema_decay", "average"), ("ema_weights", "averages")]);
    read(&table::FROBENIUS_NORMALISE, &[("fn frobenius_normalise", "fn unit_size")]);
    read(
        &table::MATMUL_F16,
        &[("fn matmul_f16", "fn matmul_half"), ("activation_derivative", "activation_slope")],
    );
    read(&table::PACK_F16, &[("fn pack_f16", "fn pack_half"), ("packed", "halves")]);
    read(&table::GRADIENT_PARTS, &[("non_finite", "flaws")]);
    read(&table::MATMUL_COOPERATIVE, &[("TILE", "EDGE")]);
    // Another mistake is shown in its line, with the present name.
    let text = table::EMA.wgsl.replace("step.ema_decay", "step.average;").replace("fn ema", "fn average");
    let line = 1 + table::EMA.wgsl.lines().position(|line| line.contains("step.ema_decay")).unwrap();
    let refusal = refusal(&CustomKernel::new(&table::EMA, &text));
    for said in [format!("custom.wgsl:{line}:"), "step.ema_decay;".to_owned()] {
        assert!(refusal.contains(&said), "“{said}” is not in: {refusal}");
    }
}

#[test]
fn a_mistake_is_shown_where_it_is() {
    // Line and column in the file, as an editor counts them.
    let line = 1 + COLUMN_SUMS.wgsl.lines().position(|line| line.contains("sum += x[")).unwrap();
    let place = |column: usize| format!("custom.wgsl:{line}:{column}: ");
    let indented = "        sum += x[row * COLUMNS + ];\n";
    let caret = format!("{}^", " ".repeat(33));
    refused(
        &COLUMN_SUMS,
        &[("COLUMNS + column];\n    }", "COLUMNS + ];\n    }")],
        &[&place(34), "expected expression", indented, &caret],
    );
    // A shader that parses may still not be valid: a wrong type, an unknown name.
    refused(
        &COLUMN_SUMS,
        &[("sum += x[row", "sum += y[row")],
        &[&place(16), "no definition in scope for identifier: `y`"],
    );
    refused(&COLUMN_SUMS, &[("sum += x[row * COLUMNS + column]", "sum = true")], &[&place(9)]);
    refused(&COLUMN_SUMS, &[("var sum = 0.0;", "var sum = 0.0;\n    sum = flat_index(1u);")], &[":18:"]);
}

#[test]
fn bindings_are_those_of_the_contract() {
    let x = "@group(0) @binding(0) var<storage, read> x: array<f32>;";
    let wanted = "@group(0) @binding(0): expected var<storage, read> x: array<f32>, got ";
    for (instead, got) in [
        ("var<private> x: array<f32, 4096>;", "nothing"),
        (
            "@group(0) @binding(0) var<storage, read> z: array<f32>; var<private> x: array<f32, 4096>;",
            "z: array<f32>",
        ),
        ("@group(0) @binding(0) var<storage, read_write> x: array<f32>;", "var<storage, read_write> x"),
        ("@group(0) @binding(0) var<storage, read> x: array<f32, 4096>;", "of a fixed length"),
    ] {
        refused(&COLUMN_SUMS, &[(x, instead)], &[wanted, got]);
    }
    let more = format!("{x}\n@group(0) @binding(2) var<storage, read> more: array<f32>;");
    refused(&COLUMN_SUMS, &[(x, &more)], &["those 2 alone", "more: array<f32>"]);
    let more = format!("{x}\n@group(1) @binding(1) var<uniform> more: f32;");
    refused(&COLUMN_SUMS, &[(x, &more)], &["those 2 alone", "more: f32"]);
}

#[test]
fn vec4_bindings_are_allowed_if_every_length_is_a_multiple_of_four() {
    // SGD's lengths are, and its shader binds vec4s; scalars are allowed as well.
    let single: Vec<(&str, &str)> = vec![
        ("gradients: array<vec4<f32>>", "gradients: array<f32>"),
        ("gradients[i] + decay", "gradients[4u * i] + decay"),
    ];
    let custom = CustomKernel::changed(&SGD, &single);
    wgrad::internals::verify::custom::CustomKernel::read(&custom.path(), &SGD).unwrap();
    refused(
        &ACTIVATION,
        &[("x: array<f32>", "x: array<vec4<f32>>"), ("LEAK, x[i])", "LEAK, x[i].x)")],
        &["expected var<storage, read> x: array<f32>, got var<storage, read> x: array<vec4<f32>>"],
    );
}

#[test]
fn constants_and_the_entry_point_are_those_of_the_contract() {
    refused(
        &COLUMN_SUMS,
        &[("const ROWS: u32 = 64u;", "const ROWS = 64u;")],
        &["expected a line “const ROWS: u32 = 64u;”"],
    );
    refused(
        &COLUMN_SUMS,
        &[("const ROWS: u32 = 64u;", "const ROWS: i32 = 64i;"), ("row < ROWS", "row < u32(ROWS)")],
        &["const ROWS: expected u32, got i32"],
    );
    refused(
        &COLUMN_SUMS,
        &[("fn column_sums(", "fn sums_of_columns(")],
        &["“@compute fn column_sums” alone", "“sums_of_columns”"],
    );
    let second = "@compute @workgroup_size(1) fn other() {}\n@compute @workgroup_size(64)";
    refused(&COLUMN_SUMS, &[("@compute @workgroup_size(64)", second)], &["alone", "“other”, “column_sums”"]);
    refused(
        &COLUMN_SUMS,
        &[("var sum = 0.0;", "var sum = more;"), ("const ROWS", "override more: f32 = 0.0;\nconst ROWS")],
        &["more: expected a const"],
    );
}

#[test]
fn limits_are_those_of_a_browser() {
    refused(
        &COLUMN_SUMS,
        &[("workgroup_size(64)", "workgroup_size(512)")],
        &["at most 256 invocations", "512×1×1"],
    );
    refused(
        &COLUMN_SUMS,
        &[("workgroup_size(64)", "workgroup_size(COLUMNS)")],
        &["the workgroup size follows a constant"],
    );
    // A choice of tiles is one of workgroups, and no other constant is.
    refused(
        &MATMUL_VECTORS,
        &[("@workgroup_size(SIDE, SIDE)", "@workgroup_size(SIDE, min(SIDE, K))")],
        &["the workgroup size follows a constant", "TILE=32u BLOCK=4u"],
    );
    refused(
        &MATMUL,
        &[
            ("const TILE: u32 = 32u;", "const TILE: u32 = 64u;"),
            ("const TILE_K: u32 = 32u;", "const TILE_K: u32 = 64u;"),
        ],
        &["workgroup memory: expected at most 16384 bytes, got 34816"],
    );
}

#[test]
fn check_refuses_an_unknown_kernel_and_the_cpu_engine() {
    let custom = CustomKernel::new(&COLUMN_SUMS, COLUMN_SUMS.wgsl);
    let path = custom.path();
    let path = path.to_str().unwrap();
    let check = |kernel: &str, path: &str, device: &str| {
        wgrad(&["lesson", "check", path, "--kernel", kernel, "--device", device])
    };
    check("colum_sums", path, "gpu").refused(2, &["no kernel “colum_sums”, did you mean “column_sums”?"]);
    check("column_sums", path, "cpu").refused(2, &["--device cpu", "runs the twin"]);
    wgrad(&["lesson", "check", path]).refused(2, &["--kernel"]);
}
