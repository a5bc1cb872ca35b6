// t[r, c] = 1 where c is the label of row r, else 0   t: (B, C); with a single column t[r] = label (0 or 1).
// One invocation owns one element of t.

const BATCH: u32 = 64u;
const CLASSES: u32 = 10u;

@group(0) @binding(0) var<storage, read> labels: array<u32>;          // (BATCH)
@group(0) @binding(1) var<storage, read_write> targets: array<f32>;   // (BATCH, CLASSES)

@compute @workgroup_size(64)
fn one_hot(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat_index(id);
    if at >= BATCH * CLASSES {
        return;
    }
    let label = labels[at / CLASSES];
    let hot = select(at % CLASSES, 1u, CLASSES == 1u);
    targets[at] = select(0.0, 1.0, label == hot);
}
