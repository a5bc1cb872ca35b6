// loss[r] = -Σ_c a[r, c]·log p[r, c]   dz = (p·Σ_j a[r, j] - a) / samples   z, dz, p = softmax(z), a: (B, C)
// One invocation owns one row: its loss, its gradient and whether the largest logit is the label's.
//
// softmax_loss with class weights and label smoothing, as in PyTorch's
// cross_entropy: a[r, c] is the class's weight times 1 - SMOOTHING for the label,
// plus the weight times SMOOTHING / CLASSES for every class.
// (Szegedy et al., "Rethinking the Inception Architecture", 2016.)

const BATCH: u32 = 64u;
const CLASSES: u32 = 10u;
const SLOTS: u32 = 1u;
const PITCH: u32 = 64u;              // rows of a step in the metrics
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const SMOOTHING: f32 = 0.0;

@group(0) @binding(0) var<storage, read> logits: array<f32>;             // (BATCH, CLASSES)
@group(0) @binding(1) var<storage, read> labels: array<u32>;             // (BATCH)
@group(0) @binding(2) var<storage, read> weights: array<f32>;            // (CLASSES)
@group(0) @binding(3) var<storage, read_write> dlogits: array<f32>;      // (BATCH, CLASSES)
@group(0) @binding(4) var<storage, read_write> metrics: array<f32>;      // (SLOTS, PITCH, 2): loss, correct

fn target_of(c: u32, label: u32) -> f32 {
    return weights[c] * (select(0.0, 1.0 - SMOOTHING, c == label) + SMOOTHING / f32(CLASSES));
}

@compute @workgroup_size(64)
fn weighted_loss(@builtin(global_invocation_id) id: vec3<u32>) {
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
    var total = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        sum += exp(logits[start + c] - maximum);
        total += target_of(c, label);
    }
    let size = log(sum);
    // Rows past the end of the data have weight 0.
    let weight = select(0.0, 1.0 / f32(step.samples), FIRST + row < step.samples);
    var loss = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        let logit = logits[start + c] - maximum;
        let wanted = target_of(c, label);
        loss += wanted * (size - logit);
        dlogits[start + c] = (exp(logit) / sum * total - wanted) * weight;
    }
    let at = (step.slot * PITCH + FIRST + row) * 2u;
    metrics[at] = loss;
    metrics[at + 1u] = select(0.0, 1.0, best == label);
}
