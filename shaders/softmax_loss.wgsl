// loss[r] = log Σ_c exp(z[r, c]) - z[r, label r]   dz = (softmax(z) - one_hot(label)) / samples   z, dz: (B, C)
// One invocation owns one row: its loss, its gradient and whether the largest logit is the label's.

const BATCH: u32 = 64u;
const CLASSES: u32 = 10u;
const SLOTS: u32 = 1u;
const PITCH: u32 = 64u;              // rows of a step in the metrics
const FIRST: u32 = 0u;               // rows of the step in front of this batch

@group(0) @binding(0) var<storage, read> logits: array<f32>;             // (BATCH, CLASSES)
@group(0) @binding(1) var<storage, read> labels: array<u32>;             // (BATCH)
@group(0) @binding(2) var<storage, read_write> dlogits: array<f32>;      // (BATCH, CLASSES)
@group(0) @binding(3) var<storage, read_write> metrics: array<f32>;      // (SLOTS, PITCH, 2): loss, correct

@compute @workgroup_size(64)
fn softmax_loss(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = flat_index(id);
    if row >= BATCH {
        return;
    }
    let start = row * CLASSES;
    let label = labels[row];
    var best = 0u;
    var maximum = logits[start];
    for (var c = 1u; c < CLASSES; c++) {
        let logit = logits[start + c];
        best = select(best, c, logit > maximum);
        maximum = max(maximum, logit);
    }
    var sum = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        sum += exp(logits[start + c] - maximum);
    }
    // Rows past the end of the data have weight 0.
    let weight = select(0.0, 1.0 / f32(step.samples), FIRST + row < step.samples);
    for (var c = 0u; c < CLASSES; c++) {
        let probability = exp(logits[start + c] - maximum) / sum;
        dlogits[start + c] = (probability - select(0.0, 1.0, c == label)) * weight;
    }
    let at = (step.slot * PITCH + FIRST + row) * 2u;
    metrics[at] = log(sum) - (logits[start + label] - maximum);
    metrics[at + 1u] = select(0.0, 1.0, best == label);
}
