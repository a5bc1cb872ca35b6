// dx[r, c] = y[r, c] · (dy[r, c] - Σ_j dy[r, j]·y[r, j])   y, dy, dx: (ROWS, COLUMNS); y is the softmax
// One invocation owns one row.

const ROWS: u32 = 64u;
const COLUMNS: u32 = 10u;
const ADD: bool = false;             // dx += instead of dx =

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn softmax_backward(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = flat_index(id);
    if row >= ROWS {
        return;
    }
    let start = row * COLUMNS;
    var dot = 0.0;
    for (var c = 0u; c < COLUMNS; c++) {
        dot += dy[start + c] * y[start + c];
    }
    for (var c = 0u; c < COLUMNS; c++) {
        var gradient = y[start + c] * (dy[start + c] - dot);
        if ADD {
            gradient += dx[start + c];
        }
        dx[start + c] = gradient;
    }
}
