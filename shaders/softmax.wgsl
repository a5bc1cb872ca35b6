// y[r, c] = exp(x[r, c] - m[r]) / Σ_j exp(x[r, j] - m[r])   x, y: (ROWS, COLUMNS), m = row maximum
// One invocation owns one row.

const ROWS: u32 = 64u;
const COLUMNS: u32 = 10u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn softmax(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = flat_index(id);
    if row >= ROWS {
        return;
    }
    let start = row * COLUMNS;
    var maximum = x[start];
    for (var c = 1u; c < COLUMNS; c++) {
        maximum = max(maximum, x[start + c]);
    }
    var sum = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        sum += exp(x[start + c] - maximum);
    }
    for (var c = 0u; c < COLUMNS; c++) {
        y[start + c] = exp(x[start + c] - maximum) / sum;
    }
}
