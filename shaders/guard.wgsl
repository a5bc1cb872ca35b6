// guard = (stop, |g|)   history[slot] = (|g|, flaws)   stop = 1 once any of flaws is not 0   |g| = √Σ sums
// One workgroup owns everything; an invocation adds up every 64th part, and then they are added in pairs.
//
// Every update asks guard[0] first: a step with a flaw changes no weight, and neither does any that
// was submitted behind it. The host sets it back to 0.

const PARTS: u32 = 64u;
const SLOTS: u32 = 1u;

@group(0) @binding(0) var<storage, read> sums: array<f32>;               // (PARTS)
@group(0) @binding(1) var<storage, read> flaws: array<u32>;              // (PARTS)
@group(0) @binding(2) var<storage, read_write> guard_words: array<f32>;  // stop, norm
@group(0) @binding(3) var<storage, read_write> history: array<f32>;      // (SLOTS, 2): norm, flaws

var<workgroup> sum_of: array<f32, 64>;
var<workgroup> flaws_of: array<u32, 64>;

@compute @workgroup_size(64)
fn guard(@builtin(local_invocation_index) lane: u32) {
    var sum = 0.0;
    var found = 0u;
    for (var part = lane; part < PARTS; part += 64u) {
        sum += sums[part];
        found += flaws[part];
    }
    sum_of[lane] = sum;
    flaws_of[lane] = found;
    for (var half = 32u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sum_of[lane] += sum_of[lane + half];
            flaws_of[lane] += flaws_of[lane + half];
        }
    }
    if lane == 0u {
        let norm = sqrt(sum_of[0]);
        guard_words[0] = select(guard_words[0], 1.0, flaws_of[0] > 0u);
        guard_words[1] = norm;
        history[step.slot * 2u] = norm;
        history[step.slot * 2u + 1u] = f32(flaws_of[0]);
    }
}
