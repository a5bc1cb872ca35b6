//! Safetensors files as PyTorch writes them: by the crate that its safetensors.torch.save_file calls.

use std::collections::HashMap;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use wgrad::internals::cpu::f16::to_f16;

/// The network of [`layers`], in wgrad's words, on images of 3×6×6.
pub const NETWORK: &str =
    "conv 4 3x3 pad 1, batchnorm, relu, maxpool 2, conv 4 3x3, relu, flatten, dense 5, relu, dense 3";
/// The names of its layers in an `nn.Sequential`, and in a module with names of its own.
pub const NUMBERED: [&str; 5] = ["0", "1", "4", "7", "9"];
pub const NAMED: [&str; 5] = ["conv1", "bn1", "conv2", "fc1", "fc2"];

/// A tensor of a `state_dict`.
#[derive(Clone, Debug)]
pub struct Saved {
    pub name: String,
    pub shape: Vec<usize>,
    pub dtype: Dtype,
    pub bytes: Vec<u8>,
}

impl Saved {
    /// A tensor of f32.
    pub fn new(name: &str, shape: &[usize], values: &[f32]) -> Saved {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Saved { name: name.to_owned(), shape: shape.to_vec(), dtype: Dtype::F32, bytes }
    }

    fn values(&self) -> Vec<f32> {
        self.bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }

    /// The same values in another type, which has them all exactly.
    pub fn to(&self, dtype: Dtype) -> Saved {
        let bytes = |value: f32| match dtype {
            Dtype::F16 => to_f16(value).to_le_bytes().to_vec(),
            Dtype::BF16 => value.to_le_bytes()[2..].to_vec(),
            Dtype::F64 => f64::from(value).to_le_bytes().to_vec(),
            _ => value.to_le_bytes().to_vec(),
        };
        let bytes = self.values().into_iter().flat_map(bytes).collect();
        Saved { dtype, bytes, ..self.clone() }
    }
}

/// The formula of `golden/state_dict.py`.
fn weights(name: String, shape: &[usize], seed: usize) -> Saved {
    let value = |at: usize| ((7 * at + seed) % 23) as f32 / 32.0 - 11.0 / 32.0;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Saved::new(&name, shape, &values)
}

/// The `state_dict` of the network, with the counter of its batch normalisation.
pub fn layers(names: [&str; 5]) -> Vec<Saved> {
    let [conv1, bn1, conv2, fc1, fc2] = names;
    let running = weights(format!("{bn1}.running_var"), &[4], 6);
    let variance: Vec<f32> = running.values().iter().map(|value| 1.0 + value.abs()).collect();
    let counter =
        Saved { dtype: Dtype::I64, ..Saved::new(&format!("{bn1}.num_batches_tracked"), &[], &[7.0, 0.0]) };
    vec![
        weights(format!("{conv1}.weight"), &[4, 3, 3, 3], 1),
        weights(format!("{conv1}.bias"), &[4], 2),
        weights(format!("{bn1}.weight"), &[4], 3),
        weights(format!("{bn1}.bias"), &[4], 4),
        weights(format!("{bn1}.running_mean"), &[4], 5),
        Saved::new(&running.name, &[4], &variance),
        counter,
        weights(format!("{conv2}.weight"), &[4, 4, 3, 3], 7),
        weights(format!("{conv2}.bias"), &[4], 8),
        weights(format!("{fc1}.weight"), &[5, 4], 9),
        weights(format!("{fc1}.bias"), &[5], 10),
        weights(format!("{fc2}.weight"), &[3, 5], 11),
        weights(format!("{fc2}.bias"), &[3], 12),
    ]
}

/// The bytes of a file. The crate puts the tensors into an order of its own.
pub fn file(tensors: &[Saved], metadata: Option<HashMap<String, String>>) -> Vec<u8> {
    let views = tensors.iter().map(|saved| {
        let view = TensorView::new(saved.dtype, saved.shape.clone(), &saved.bytes).unwrap();
        (saved.name.as_str(), view)
    });
    safetensors::serialize(views, metadata).unwrap()
}
