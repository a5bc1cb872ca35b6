// z = x·Wᵀ + b   loss[r] = log Σ_c exp(z[r, c]) - z[r, label r]   dz = (softmax(z) - one_hot(label)) / samples   dx = (dz·W) · activation'(x)
// One invocation owns one row: its logits, its loss and their gradient, the gradient of x, and whether the largest logit is the label's.
//
// The last layer and its loss, forward and backward, in place of matmul, softmax_loss and matmul in three
// dispatches, for layers so small that a dispatch costs as much as the work. x is an activation's output,
// and dx the gradient of the activation's input. For adapters that run on the CPU and have subgroups of
// exactly 8 (lavapipe): W is the same for all rows, so each invocation loads another class and shuffles
// it to the others. I must be a multiple of 4.
//
// x, dx: (B, I)  W: (C, I)  b: (C)  z, dz: (B, C)

const BATCH: u32 = 64u;
const INPUTS: u32 = 128u;
const CLASSES: u32 = 10u;            // at most 32: a row's logits are in registers
const SLOTS: u32 = 1u;
const PITCH: u32 = 64u;              // rows of a step in the metrics
const FIRST: u32 = 0u;               // rows of the step in front of this batch
const ACTIVATION: u32 = 0u;          // of the layer whose output x is
const LEAK: f32 = 0.01;

const FOURS: u32 = INPUTS / 4u;      // vec4s in a row of x and of W
const SUBGROUP: u32 = 8u;            // the adapter's subgroup size
const LOADS: u32 = (CLASSES + SUBGROUP - 1u) / SUBGROUP;

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read_write> logits: array<f32>;
@group(0) @binding(5) var<storage, read_write> dlogits: array<f32>;
@group(0) @binding(6) var<storage, read_write> metrics: array<f32>;      // (SLOTS, PITCH, 2): loss, correct
@group(0) @binding(7) var<storage, read_write> dx: array<vec4<f32>>;

@compute @workgroup_size(SUBGROUP)
fn dense_softmax_loss_subgroup(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    // An invocation beyond the last class or row repeats it and stores nothing.
    let row = min(flat_index(id), BATCH - 1u);
    let real = flat_index(id) < BATCH;
    var at_weight: array<u32, LOADS>;
    for (var i = 0u; i < LOADS; i++) {
        at_weight[i] = min(i * SUBGROUP + lane, CLASSES - 1u) * FOURS;
    }
    // The compiler unrolls the loops over i and c, so that their indices are constants.
    var z: array<f32, CLASSES>;
    for (var four = 0u; four < FOURS; four++) {
        let left = x[row * FOURS + four];
        var right: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            right[i] = weight[at_weight[i] + four];
        }
        for (var c = 0u; c < CLASSES; c++) {
            z[c] += dot(left, subgroupShuffle(right[c / SUBGROUP], c % SUBGROUP));
        }
    }
    let start = row * CLASSES;
    let label = labels[row];
    var best = 0u;
    var maximum = z[0] + bias[0];
    var wanted = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        z[c] += bias[c];
        best = select(best, c, z[c] > maximum);
        maximum = max(maximum, z[c]);
        wanted = select(wanted, z[c], c == label);
    }
    var sum = 0.0;
    for (var c = 0u; c < CLASSES; c++) {
        sum += exp(z[c] - maximum);
    }
    // Rows past the end of the data have weight 0.
    let weigh = select(0.0, 1.0 / f32(step.samples), FIRST + row < step.samples);
    var dz: array<f32, CLASSES>;
    for (var c = 0u; c < CLASSES; c++) {
        let probability = exp(z[c] - maximum) / sum;
        dz[c] = (probability - select(0.0, 1.0, c == label)) * weigh;
    }
    if real {
        for (var c = 0u; c < CLASSES; c++) {
            logits[start + c] = z[c];
            dlogits[start + c] = dz[c];
        }
        let at = (step.slot * PITCH + FIRST + row) * 2u;
        metrics[at] = log(sum) - (wanted - maximum);
        metrics[at + 1u] = select(0.0, 1.0, best == label);
    }

    for (var four = 0u; four < FOURS; four++) {
        let y = x[row * FOURS + four];
        var right: array<vec4<f32>, LOADS>;
        for (var i = 0u; i < LOADS; i++) {
            right[i] = weight[at_weight[i] + four];
        }
        var total: vec4<f32>;
        for (var c = 0u; c < CLASSES; c++) {
            total += dz[c] * subgroupShuffle(right[c / SUBGROUP], c % SUBGROUP);
        }
        for (var i = 0u; i < 4u; i++) {
            total[i] *= activation_derivative(ACTIVATION, LEAK, y[i]);
        }
        if real {
            dx[row * FOURS + four] = total;
        }
    }
}
