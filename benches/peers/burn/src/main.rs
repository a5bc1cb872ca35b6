//! burn, on its CPU backend (flex) or through wgpu: the peer of `../run` written in Rust.
//!
//! Batches are put together on the host and uploaded, as burn's own data loaders do; all
//! images at once as floats would be more than one binding may hold on some adapters. Losses
//! are added up on the device and read once an epoch.

mod data;
mod network;

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
#[cfg(feature = "wgpu")]
use burn::tensor::DeviceKind;
use burn::tensor::{Device, Int, Tensor, TensorData};
use serde_json::{Value, json};

use data::{Part, Shuffle};
use network::Network;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let argument = std::env::args().nth(1).ok_or("the one argument is a task as JSON, or --versions")?;
    if argument == "--versions" {
        return say(json!({ "version": format!("burn {}", version()) }));
    }
    let mut peer = Peer::open(&serde_json::from_str(&argument)?)?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        say(match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["train", count] => {
                let epochs: Result<Vec<Value>> = (0..count.parse()?).map(|_| peer.timed_epoch()).collect();
                json!({ "epochs": epochs? })
            }
            ["measure"] => json!({ "accuracy": peer.accuracy()? }),
            _ => return Err(format!("no such command: {line}").into()),
        })?;
    }
    Ok(())
}

fn say(answer: Value) -> Result<()> {
    println!("{answer}");
    Ok(io::stdout().flush()?)
}

/// The version of burn that this was built with, from the lock file.
fn version() -> &'static str {
    let rest = include_str!("../Cargo.lock").split("name = \"burn\"\nversion = \"").nth(1);
    rest.and_then(|rest| rest.split('"').next()).unwrap_or("of unknown version")
}

/// The CPU backend, or the first adapter of a kind as `wgrad devices` calls it.
fn device(kind: &str) -> Result<Device> {
    Ok(match kind {
        #[cfg(feature = "flex")]
        "cpu" => Device::flex(),
        #[cfg(feature = "wgpu")]
        "software" => Device::wgpu(DeviceKind::Cpu),
        #[cfg(feature = "wgpu")]
        "discrete" => Device::wgpu(DeviceKind::DiscreteGpu(0)),
        #[cfg(feature = "wgpu")]
        "integrated" => Device::wgpu(DeviceKind::IntegratedGpu(0)),
        #[cfg(feature = "wgpu")]
        "virtual" => Device::wgpu(DeviceKind::VirtualGpu(0)),
        other => return Err(format!("this build has no backend for the adapter “{other}”").into()),
    })
}

struct Peer {
    device: Device,
    network: Network,
    optimiser: ModuleOptimizer,
    rate: f64,
    batch: usize,
    train: Part,
    held_out: Part,
    shuffle: Shuffle,
}

impl Peer {
    fn open(task: &Value) -> Result<Peer> {
        let text = |key: &str| task[key].as_str().ok_or(format!("the task has no text “{key}”"));
        let number = |key: &str| task[key].as_u64().ok_or(format!("the task has no number “{key}”"));
        let device = device(text("adapter")?)?.autodiff();
        device.seed(number("seed")?);
        Ok(Peer {
            network: Network::parse(text("layers")?, &device)?,
            optimiser: match text("optimiser")? {
                "sgd" => SgdConfig::new().init(),
                // Its own default of epsilon is a thousand times the others'.
                "adam" => AdamConfig::new().with_epsilon(1e-8).init(),
                other => return Err(format!("no optimiser {other}").into()),
            },
            rate: task["rate"].as_f64().ok_or("the task has no learning rate")?,
            batch: number("batch")? as usize,
            train: Part::read(text("data")?, "train")?,
            held_out: Part::read(text("data")?, "t10k")?,
            shuffle: Shuffle::new(number("seed")?),
            device,
        })
    }

    fn timed_epoch(&mut self) -> Result<Value> {
        let start = Instant::now();
        let loss = self.epoch()?;
        Ok(json!({ "seconds": start.elapsed().as_secs_f64(), "loss": loss }))
    }

    fn epoch(&mut self) -> Result<f32> {
        let order = self.shuffle.order(self.train.labels.len());
        let criterion = CrossEntropyLossConfig::new().init(&self.device);
        let mut total = Tensor::<1>::zeros([1], &self.device.clone().inner());
        for chosen in order.chunks_exact(self.batch) {
            let (images, labels) = self.train.batch(chosen, &self.device);
            let loss = criterion.forward(self.network.forward(images), labels);
            total = total + loss.clone().inner();
            let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
            self.network = self.optimiser.step(self.rate, self.network.clone(), gradients);
        }
        self.device.sync().map_err(|error| format!("{error:?}"))?;
        Ok(total.into_scalar::<f32>() / (order.len() / self.batch) as f32)
    }

    fn accuracy(&self) -> Result<f64> {
        let (network, device) = (self.network.valid(), self.device.clone().inner());
        let everything: Vec<usize> = (0..self.held_out.labels.len()).collect();
        let mut hits = 0.0;
        for some in everything.chunks(1000) {
            let (images, labels) = self.held_out.batch(some, &device);
            let found = network.forward(images).argmax(1).squeeze_dim::<1>(1);
            hits += f64::from(found.equal(labels).int().sum().into_scalar::<i32>());
        }
        Ok(hits / everything.len() as f64)
    }
}

impl Part {
    /// These samples on a device: N × 1 × H × W and N.
    fn batch(&self, chosen: &[usize], device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let [height, width] = self.size;
        let mut pixels = Vec::with_capacity(chosen.len() * height * width);
        for &sample in chosen {
            pixels.extend_from_slice(&self.pixels[sample * height * width..][..height * width]);
        }
        let labels: Vec<i32> = chosen.iter().map(|&sample| self.labels[sample]).collect();
        (
            Tensor::from_data(TensorData::new(pixels, [chosen.len(), 1, height, width]), device),
            Tensor::from_data(TensorData::new(labels, [chosen.len()]), device),
        )
    }
}
