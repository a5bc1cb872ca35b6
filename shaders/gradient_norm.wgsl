// norm = √Σ_p sums[p], into the last row of the step's metrics   sums: (PARTIALS)
// One invocation owns a share of the sums; the first owns the row: the norm, and 1 if it is finite, else 0.

const PARTIALS: u32 = 64u;
const SLOTS: u32 = 1u;
const PITCH: u32 = 65u;              // rows of a step in the metrics; the last belongs to no sample

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> metrics: array<f32>;    // (SLOTS, PITCH, 2)

var<workgroup> shares: array<f32, 64>;

@compute @workgroup_size(64)
fn gradient_norm(@builtin(local_invocation_index) own: u32) {
    var share = 0.0;
    for (var p = own; p < PARTIALS; p += 64u) {
        share += sums[p];
    }
    shares[own] = share;
    workgroupBarrier();
    if own == 0u {
        var sum = 0.0;
        for (var i = 0u; i < 64u; i++) {
            sum += shares[i];
        }
        let norm = sqrt(sum);
        // By its bits: a compiler may take it that there are no NaNs.
        let finite = (bitcast<u32>(sum) & 0x7f800000u) != 0x7f800000u;
        let at = (step.slot * PITCH + PITCH - 1u) * 2u;
        metrics[at] = norm;
        metrics[at + 1u] = select(0.0, 1.0, finite);
    }
}
