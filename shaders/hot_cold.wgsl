// moved[w] = positions[w] ± 1, whichever way Σ_b (x[b]·weights - goals[b])² is smaller   weights = starts + positions · step
// One invocation owns one weight, and tries it a step up and a step down while the others stay.
//
// A learning rule without a gradient; a weight whose two errors are equal stays.
// x: (BATCH, INPUTS)  goals: (BATCH, OUTPUTS)  starts, positions, moved, weights: (OUTPUTS, INPUTS)
//
// Weights walk on a grid: a position counts steps from the start, and whole
// numbers are exact. Adding a small step to a weight a thousand times is not:
// each sum is rounded, and the weight drifts.

const BATCH: u32 = 1u;
const INPUTS: u32 = 1u;
const OUTPUTS: u32 = 1u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> goals: array<f32>;
@group(0) @binding(2) var<storage, read> starts: array<f32>;
@group(0) @binding(3) var<storage, read> positions: array<f32>;
@group(0) @binding(4) var<storage, read_write> tries: array<f32>;    // (OUTPUTS, INPUTS, 2): the error a step up, a step down
@group(0) @binding(5) var<storage, read_write> moved: array<f32>;
@group(0) @binding(6) var<storage, read_write> weights: array<f32>;  // after the move

// The learning rate is the length of a step.
fn weight_at(i: u32, positions_tried: vec2<f32>) -> vec2<f32> {
    return starts[i] + positions_tried * step.learning_rate;
}

@compute @workgroup_size(64)
fn hot_cold(@builtin(global_invocation_id) id: vec3<u32>) {
    let own = flat_index(id);
    if own >= OUTPUTS * INPUTS {
        return;
    }
    let output = own / INPUTS;
    // The first component is for the step up, the second for the step down.
    var errors = vec2(0.0);
    for (var b = 0u; b < BATCH; b++) {
        var predictions = vec2(0.0);
        for (var k = 0u; k < INPUTS; k++) {
            let i = output * INPUTS + k;
            let tried = positions[i] + select(vec2(0.0), vec2(1.0, -1.0), i == own);
            predictions += x[b * INPUTS + k] * weight_at(i, tried);
        }
        let differences = predictions - goals[b * OUTPUTS + output];
        errors += differences * differences;
    }
    var next = positions[own];
    if errors.x < errors.y {
        next += 1.0;
    } else if errors.y < errors.x {
        next -= 1.0;
    }
    tries[own * 2u] = errors.x;
    tries[own * 2u + 1u] = errors.y;
    moved[own] = next;
    weights[own] = weight_at(own, vec2(next)).x;
}
