// s[c] = Σ_r x[r, c]   x: (ROWS, COLUMNS)  s: (COLUMNS)
// One invocation owns one column. It is the gradient of a dense layer's bias.

const ROWS: u32 = 64u;
const COLUMNS: u32 = 128u;
const ADD: bool = false;             // s += instead of s =

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn column_sums(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = flat_index(id);
    if column >= COLUMNS {
        return;
    }
    var sum = 0.0;
    for (var row = 0u; row < ROWS; row++) {
        sum += x[row * COLUMNS + column];
    }
    if ADD {
        sum += sums[column];
    }
    sums[column] = sum;
}
