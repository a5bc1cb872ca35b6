// loss[r] = mean_c (max(z, 0) - z·t + log(1 + exp(-|z|)))   dz = (sigmoid(z) - t) / (C · samples)   z, t, dz: (B, C)
// One invocation owns one row: its loss, its gradient and whether its class is correct.

const BATCH: u32 = 64u;
const CLASSES: u32 = 10u;
const SLOTS: u32 = 1u;
const PITCH: u32 = 64u;              // rows of a step in the metrics
const FIRST: u32 = 0u;               // rows of the step in front of this batch

@group(0) @binding(0) var<storage, read> logits: array<f32>;             // (BATCH, CLASSES)
@group(0) @binding(1) var<storage, read> targets: array<f32>;            // (BATCH, CLASSES), 0 to 1
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;      // (BATCH, CLASSES)
@group(0) @binding(3) var<storage, read_write> metrics: array<f32>;      // (SLOTS, PITCH, 2): loss, correct

@compute @workgroup_size(64)
fn bce_loss(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = flat_index(id);
    if row >= BATCH {
        return;
    }
    let start = row * CLASSES;
    let weight = select(0.0, 1.0 / (f32(CLASSES) * f32(step.samples)), FIRST + row < step.samples);
    var loss = 0.0;
    var best = 0u;
    var wanted = 0u;
    for (var c = 0u; c < CLASSES; c++) {
        let z = logits[start + c];
        let t = targets[start + c];
        loss += max(z, 0.0) - z * t + log(1.0 + exp(-abs(z)));
        dlogits[start + c] = (sigmoid(z) - t) * weight;
        best = select(best, c, z > logits[start + best]);
        wanted = select(wanted, c, t > targets[start + wanted]);
    }
    // A single output is compared with the threshold.
    let right = select(best == wanted,
                       (logits[start] > 0.0) == (targets[start] > 0.5), CLASSES == 1u);
    let at = (step.slot * PITCH + FIRST + row) * 2u;
    metrics[at] = loss / f32(CLASSES);
    metrics[at + 1u] = select(0.0, 1.0, right);
}
