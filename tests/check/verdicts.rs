//! Right and wrong shaders, writes outside, forgotten elements, endless loops.

use std::time::{Duration, Instant};

use wgrad::internals::table::{COLUMN_SUMS, MATMUL_NAIVE};

use super::CustomKernel;

#[test]
fn a_good_shader_passes_with_its_speed_and_the_command_to_train() {
    // Another workgroup, another order, other names.
    let custom = CustomKernel::new(
        &COLUMN_SUMS,
        "const ROWS: u32 = 1u;
const COLUMNS: u32 = 1u;
const ADD: bool = true;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
fn element(row: u32, column: u32) -> f32 { return x[row * COLUMNS + column]; }
@compute @workgroup_size(32)
fn column_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    let mine = flat_index(id);
    if mine < COLUMNS {
        var total = select(0.0, sums[mine], ADD);
        for (var row = ROWS; row > 0u; row--) { total += element(row - 1u, mine); }
        sums[mine] = total;
    }
}",
    );
    let ran = custom.check(&[]);
    ran.passed();
    for said in
        ["workgroup 32×1×1", "14 of 14 cases", "times the built-in", "wgrad train --kernel column_sums="]
    {
        assert!(ran.stdout.contains(said), "“{said}” is not in {ran:#?}");
    }
}

#[test]
fn the_first_wrong_element_is_shown_with_its_inputs_and_what_was_expected() {
    // Right as long as A is stored row by row, so in case 0.
    let custom = CustomKernel::changed(
        &MATMUL_NAIVE,
        &[("a[select(row * K + k, k * M + row, TRANSPOSE_A)]", "a[row * K + k]")],
    );
    let said = [
        "case 1",
        "TRANSPOSE_A=true",
        "c[",
        "expected",
        "from a[0] = ",
        "a[7] = ",
        "b[0] = ",
        "extra[0]",
        "C = A·B",
    ];
    custom.check(&[]).refused(6, &said);
}

#[test]
fn a_write_past_the_end_is_seen() {
    let custom =
        CustomKernel::changed(&COLUMN_SUMS, &[("    if column >= COLUMNS {\n        return;\n    }\n", "")]);
    custom.check(&[]).refused(6, &["sums[1] was written, but sums ends at 0"]);
}

#[test]
fn a_forgotten_element_is_seen() {
    let custom = CustomKernel::changed(
        &COLUMN_SUMS,
        &[("if column >= COLUMNS {", "if column >= COLUMNS || column == 5u {")],
    );
    custom.check(&[]).refused(6, &["case 2", "sums[5] was never written, expected"]);
}

#[test]
fn a_shader_may_ask_how_long_its_bindings_are() {
    let custom = CustomKernel::changed(
        &COLUMN_SUMS,
        &[("if column >= COLUMNS {", "if column >= arrayLength(&sums) {")],
    );
    let ran = custom.check(&["--no-timing"]);
    ran.passed();
    assert!(ran.stdout.contains("arrayLength"), "{ran:#?}");
}

#[test]
fn extensions_that_no_device_has_are_refused_with_their_position() {
    for name in ["f16", "clip_distances", "wgpu_int16"] {
        let custom = CustomKernel::new(&COLUMN_SUMS, &format!("\n  enable {name};\n{}", COLUMN_SUMS.wgsl));
        custom
            .check(&[])
            .refused(2, &["custom.wgsl:2:10: ", &format!(" may enable {name}: "), "leave it out"]);
    }
}

#[test]
fn a_shader_that_loops_for_ever_is_stopped() {
    let custom = CustomKernel::changed(&COLUMN_SUMS, &[("row < ROWS; row++", "row < ROWS; row += 0u")]);
    let start = Instant::now();
    custom
        .check(&["--timeout", "3"])
        .refused(6, &["stopped after 3 s", "in case 0", "loops for ever", "--timeout 30"]);
    assert!(start.elapsed() < Duration::from_secs(8), "it took {:?}", start.elapsed());
}

#[test]
fn a_report_longer_than_a_pipe_does_not_block() {
    let line = format!("const long = {}!;", "1 + ".repeat(50_000));
    let custom = CustomKernel::new(&COLUMN_SUMS, &line);
    let start = Instant::now();
    let ran = custom.check(&["--timeout", "20"]);
    ran.refused(2, &["custom.wgsl:1:"]);
    assert!(ran.stderr.len() < 4_000, "{} bytes", ran.stderr.len());
    assert!(!ran.stderr.contains("stopped"), "after {:?}: {}", start.elapsed(), ran.stderr);
    // No line of the report is as long as the file's, but a name is.
    let name = "x".repeat(200_000);
    let ran = CustomKernel::new(&COLUMN_SUMS, &format!("const a = {name};")).check(&["--timeout", "20"]);
    ran.refused(2, &["custom.wgsl:1:"]);
    assert!(!ran.stderr.contains("stopped"), "{}", ran.stderr.len());
}
