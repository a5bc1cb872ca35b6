// w = w - learning_rate · (SCALE · x + DECAY · w)   w, x: (LENGTH), a matrix and its orthogonalised direction
// One invocation owns one element.
//
// Jordan et al., "Muon: An optimizer for hidden layers in neural networks"
// (2024). SCALE is 0.2 · √(the longer side), by Liu et al., "Muon is Scalable
// for LLM Training" (2025): steps are then as large as AdamW's, and one
// learning rate serves both.

const LENGTH: u32 = 1024u;
const SCALE: f32 = 1.0;
const DECAY: f32 = 0.0;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;

@compute @workgroup_size(64)
fn muon(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat_index(id);
    if i < LENGTH {
        let w = parameters[i];
        parameters[i] = w - step.learning_rate * (SCALE * x[i] + DECAY * w);
    }
}
