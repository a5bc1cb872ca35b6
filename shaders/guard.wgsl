// norm = √Σ sums   report[slot] = (norm, count)   gates = 0 if count > 0   sums, non_finite: (PARTS)
// One workgroup owns everything; an invocation adds up every 64th part, and pairs of these sums are added.
//
// count is the number of non-finite gradients, from the parts, and of non-finite losses of the step. The
// dispatches of the update take their numbers of workgroups from the gates. So a step with a non-finite
// value changes no weight, and neither does any step behind it, until the host opens the gates again.

const PARTS: u32 = 64u;
const SLOTS: u32 = 1u;
const BATCH: u32 = 64u;              // rows of a step in the report
const ROWS_AT: u32 = 64u;            // their offset in the report, behind the history
const GATES: u32 = 3u;               // words: the workgroups along x, y and z of each dispatch behind them

@group(0) @binding(0) var<storage, read> sums: array<f32>;               // (PARTS)
@group(0) @binding(1) var<storage, read> non_finite: array<u32>;         // (PARTS)
@group(0) @binding(2) var<storage, read_write> norm: array<f32>;         // (1)
@group(0) @binding(3) var<storage, read_write> gates: array<u32>;        // (GATES)
@group(0) @binding(4) var<storage, read_write> report: array<f32>;       // (SLOTS, 2), then (SLOTS, BATCH, 2): loss, correct

var<workgroup> sum_of: array<f32, 64>;
var<workgroup> non_finite_of: array<u32, 64>;

@compute @workgroup_size(64)
fn guard(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    var found = 0u;
    for (var part = lane; part < PARTS; part += 64u) {
        sum += sums[part];
        found += non_finite[part];
    }
    for (var row = lane; row < step.samples; row += 64u) {
        let loss = bitcast<u32>(report[ROWS_AT + (step.slot * BATCH + row) * 2u]);
        found += select(0u, 1u, (loss & EXPONENT) == EXPONENT);
    }
    sum_of[lane] = sum;
    non_finite_of[lane] = found;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sum_of[lane] += sum_of[lane + half];
            non_finite_of[lane] += non_finite_of[lane + half];
        }
    }
    if lane == 0u {
        norm[0] = sqrt(sum_of[0]);
        report[step.slot * 2u] = sqrt(sum_of[0]);
        report[step.slot * 2u + 1u] = f32(non_finite_of[0]);
    }
    workgroupBarrier();
    for (var word = lane; word < GATES; word += 64u) {
        gates[word] = select(gates[word], 0u, non_finite_of[0] > 0u);
    }
}
