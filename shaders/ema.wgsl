// a = a + (1 - ema_decay) · (w - a)   w, a: (LENGTH), the whole parameter arena
// One invocation owns four neighbouring parameters.
//
// The exponential moving average of the weights; ema_decay depends on the step, so
// the host computes it.

const LENGTH: u32 = 1024u;           // words; arenas are padded to multiples of 64

@group(0) @binding(0) var<storage, read> parameters: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> ema_weights: array<vec4<f32>>;

@compute @workgroup_size(64)
fn ema(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i < LENGTH / 4u {
        let before = ema_weights[i];
        ema_weights[i] = before + (1.0 - step.ema_decay) * (parameters[i] - before);
    }
}
