// loss[r] = SCALE · Σ_c (p - t)²   dp = FACTOR · SCALE · (p - t) / samples   p, t, dp: (B, C)
// One invocation owns one row: its loss, its gradient and whether its class is correct.
//
// FACTOR 2 is the derivative; FACTOR 1 drops the 2, as many first lessons do (the
// learning rate makes up for it). SCALE 1/C gives the mean over the outputs.

const BATCH: u32 = 64u;
const CLASSES: u32 = 10u;
const SLOTS: u32 = 1u;
const PITCH: u32 = 64u;              // rows of a step in the metrics
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const FACTOR: f32 = 2.0;
const SCALE: f32 = 1.0;

@group(0) @binding(0) var<storage, read> predictions: array<f32>;         // (BATCH, CLASSES)
@group(0) @binding(1) var<storage, read> targets: array<f32>;             // (BATCH, CLASSES)
@group(0) @binding(2) var<storage, read_write> dpredictions: array<f32>;  // (BATCH, CLASSES)
@group(0) @binding(3) var<storage, read_write> metrics: array<f32>;       // (SLOTS, PITCH, 2): loss, correct

@compute @workgroup_size(64)
fn squared_error(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = flat_index(id);
    if row >= BATCH {
        return;
    }
    let start = row * CLASSES;
    let weight = select(0.0, 1.0 / f32(step.samples), FIRST + row < step.samples);
    var sum = 0.0;
    var best = 0u;
    var wanted = 0u;
    for (var c = 0u; c < CLASSES; c++) {
        let delta = predictions[start + c] - targets[start + c];
        sum += delta * delta;
        dpredictions[start + c] = FACTOR * SCALE * delta * weight;
        best = select(best, c, predictions[start + c] > predictions[start + best]);
        wanted = select(wanted, c, targets[start + c] > targets[start + wanted]);
    }
    // A single output is compared with the threshold.
    let right = select(best == wanted,
                       (predictions[start] > 0.5) == (targets[start] > 0.5), CLASSES == 1u);
    let at = (step.slot * PITCH + FIRST + row) * 2u;
    metrics[at] = SCALE * sum;
    metrics[at + 1u] = select(0.0, 1.0, right);
}
