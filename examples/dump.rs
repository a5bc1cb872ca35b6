//! Every dispatch of many lowered networks, as text to compare before and after a change of the lowering.
//!
//! `combinations` is plain data; `lowered` alone knows the API (port that); the rest prints.
//!
//! A line of a dispatch: `  kernel | constants | gate or - | b0[start..end] Role Element, …`; buffers are numbered
//! in each section in the order of their first appearance. Lines that begin with `~` are extras (memory, what
//! is noted of layers): leave them out with `grep -v '^~'`.

use std::collections::HashMap;

// ---------------------------------------------------------------- what is lowered

#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    Naive,
    Cpu,
    Gpu,
    Software,
    Subgroups,
}

const ALL: [From; 5] = [From::Naive, From::Cpu, From::Gpu, From::Software, From::Subgroups];

#[derive(Clone, Debug)]
struct Combination {
    network: &'static str,
    loss: &'static str,
    /// Channels, height, width.
    shape: [usize; 3],
    classes: usize,
    batch: usize,
    versions: From,
    /// A choice on top, as `--tuning` takes it; empty for none.
    tuning: &'static str,
    half: bool,
    edges: &'static [usize],
    fuse: bool,
    /// As one step is explained: behaves as in prediction, and keeps all buffers.
    as_in_prediction: bool,
    keep: bool,
    /// Samples of the train, validation and held-out part; 0 for no such part.
    parts: [usize; 3],
    augment: &'static str,
    binding_bytes: u64,
    optimiser: &'static str,
    clip_norm: Option<f32>,
    clip_value: Option<f32>,
    accumulate: usize,
    average: Option<f32>,
    label_smoothing: f32,
    class_weights: &'static [f32],
}

const PLAIN: Combination = Combination {
    network: "dense 32, relu, dense 10",
    loss: "cross-entropy",
    shape: [1, 8, 8],
    classes: 10,
    batch: 64,
    versions: From::Naive,
    tuning: "",
    half: false,
    edges: &[],
    fuse: true,
    as_in_prediction: false,
    keep: false,
    parts: [300, 60, 90],
    augment: "none",
    binding_bytes: 128 << 20,
    optimiser: "sgd momentum 0.9",
    clip_norm: None,
    clip_value: None,
    accumulate: 1,
    average: None,
    label_smoothing: 0.0,
    class_weights: &[],
};

/// Those that are lowered by all versions, fused and not.
const NETWORKS: &[&str] = &[
    "dense 32, relu, dense 10",
    "dense 10",
    "flatten, dense 12, tanh, dense 10",
    "dense 256, relu, dense 20, sigmoid, dense 10",
    "dense 32, tanh, dense 32, leaky-relu 0.1, dense 33, gelu, dense 32, silu, dense 10, sigmoid",
    "tanh, dense 20, softmax, dense 12, relu, relu, dense 10, relu",
    "dense 32, layernorm, relu, dropout 0.3, dense 24, batchnorm, tanh, dropout 0.1, dense 10",
    "conv 8 3x3 pad 1, relu, maxpool 2, conv 12 3x3 pad 1 groups 4 no-bias, gelu, avgpool 2 stride 1, dense 10",
    "conv 6 3x3 stride 2 pad 1 no-bias, batchnorm, silu, conv 8 2x2 dilation 2, sigmoid, globalavgpool, dense 10",
    "conv 8 3x3 pad 1, relu, residual { conv 8 3x3 pad 1, relu, conv 8 3x3 pad 1 }, relu, flatten, dense 10",
    "conv 8 3x3 pad 1, tanh, residual { dropout 0.2, conv 8 3x3 pad 1, batchnorm }, relu, \
     residual { maxpool 3 stride 1 pad 1, conv 8 1x1 no-bias }, sigmoid, \
     residual { batchnorm, relu, conv 12 3x3 stride 2 pad 1 }, globalavgpool, dense 10",
    "dense 32, sigmoid, residual { dense 32, tanh, dense 32 }, tanh, residual { layernorm, dense 32 }, gelu, \
     residual { relu, dense 32 }, dense 10",
    "dense 24, tanh, residual { residual { dense 24, relu }, dropout 0.1, dense 24 }, silu, \
     residual { dropout 0.4 }, residual { tanh }, dense 24, sigmoid, residual { softmax, dense 24 }, dense 10",
    "residual { conv 2 3x3 pad 1 }, leaky-relu, residual { avgpool 3 stride 1 pad 1 }, flatten, \
     residual { dense 128, relu }, relu, dense 10",
    "flatten, residual { tanh, dense 64 }, relu, dense 10, residual { dense 10 }",
];

const TUNINGS: &[&str] = &[
    "first separate, weights separate",
    "last separate, weights separate",
    "first separate, last separate",
    "narrow matmul_vectors tile 32 block 4, small matmul, long matmul_slices slice 128, large matmul_vectors tile 64 block 4, huge matmul_vectors tile 128 block 8, weights weight_gradient_tiled, conv conv_register, conv-weights conv_weights_register, first pixel_dense_tiled, last separate",
    "long matmul, large matmul_vectors tile 64 block 8, weights weight_gradient_vectors tile 64 block 8, first pixel_dense_tiled, last dense_loss_subgroup",
    "weights weight_gradient, first pixel_dense_subgroup",
];

const OPTIMISERS: &[&str] = &[
    "sgd",
    "sgd momentum 0.9 nesterov weight-decay 0.01",
    "sgd momentum 0.9 dampening 0.25",
    "sgd weight-decay 0.1 decoupled",
    "adagrad",
    "rmsprop",
    "rmsprop momentum 0.9",
    "rmsprop centred momentum 0.5",
    "adam",
    "adamw",
    "lion weight-decay 0.1",
    "muon",
    "muon weight-decay 0.1",
];

fn combinations() -> Vec<Combination> {
    let mut all = Vec::new();
    for network in NETWORKS {
        for versions in ALL {
            for fuse in [true, false] {
                all.push(Combination { network, versions, fuse, ..PLAIN });
            }
        }
    }
    let ends =
        ["dense 32, relu, dense 10", "dense 10", "dense 32, sigmoid, dense 16, relu, dropout 0.2, dense 10"];
    for network in ends {
        for tuning in TUNINGS {
            for versions in [From::Subgroups, From::Gpu] {
                all.push(Combination { network, tuning, versions, ..PLAIN });
            }
        }
    }
    // Losses, and what is behind the logits.
    for loss in ["bce", "mse", "squared-error"] {
        for network in ["dense 32, relu, dense 10", "dense 32, relu, dense 10, sigmoid", "dense 10"] {
            for versions in [From::Naive, From::Subgroups] {
                all.push(Combination { network, loss, versions, ..PLAIN });
            }
        }
        all.push(Combination {
            network: "dense 12, relu, dense 1",
            loss,
            classes: 2,
            shape: [3, 6, 5],
            ..PLAIN
        });
    }
    for optimiser in OPTIMISERS {
        for network in ["dense 32, relu, dense 10", "conv 4 3x3, batchnorm, relu, dense 10"] {
            all.push(Combination { network, optimiser, versions: From::Subgroups, ..PLAIN });
        }
        all.push(Combination { optimiser, versions: From::Naive, fuse: false, ..PLAIN });
    }
    // Several batches to a step, with everything else that a step may do.
    for versions in ALL {
        for network in [NETWORKS[0], NETWORKS[3], NETWORKS[6], NETWORKS[10], NETWORKS[11], NETWORKS[12]] {
            let samples = 288; // Whole steps, for batch normalisation.
            let accumulated = Combination {
                network,
                versions,
                accumulate: 3,
                batch: 32,
                parts: [samples, 60, 90],
                ..PLAIN
            };
            all.push(accumulated.clone());
            all.push(Combination {
                clip_norm: Some(1.0),
                clip_value: Some(0.5),
                average: Some(0.99),
                label_smoothing: 0.1,
                class_weights: &[1.0, 2.0, 0.5, 1.0, 1.0, 1.0, 3.0, 1.0, 1.0, 1.0],
                optimiser: "adam",
                fuse: versions != From::Software,
                ..accumulated
            });
        }
        all.push(Combination { versions, label_smoothing: 0.1, ..PLAIN });
        all.push(Combination { versions, average: Some(0.9), clip_norm: Some(1.0), ..PLAIN });
        all.push(Combination { versions, augment: "shift 2, rotate 10, flip", ..PLAIN });
        all.push(Combination { versions, clip_value: Some(0.1), parts: [300, 0, 0], ..PLAIN });
        all.push(Combination { versions, parts: [0, 0, 50], average: Some(0.9), ..PLAIN });
        // As explained: one sample, all buffers kept.
        for network in [NETWORKS[0], NETWORKS[6], NETWORKS[10], NETWORKS[12]] {
            let one =
                Combination { network, versions, batch: 1, as_in_prediction: true, keep: true, ..PLAIN };
            all.push(Combination { fuse: false, ..one.clone() });
            all.push(one);
        }
        // Sizes that are no multiples of anything, in batches that don't divide; whole words; few and many.
        for (network, shape, batch) in [
            ("dense 33, relu, dense 17, tanh, dense 10", [3, 5, 7], 31),
            ("dense 32, relu, dense 10", [3, 6, 5], 20),
            ("dense 32, relu, dense 10", [2, 4, 4], 12),
            ("dense 10", [1, 8, 8], 1),
            ("dense 512, relu, dense 256, relu, dense 10", [1, 28, 28], 128),
            ("dense 128, relu, dense 10", [1, 28, 28], 64),
            ("dense 1024, relu, dense 1024, relu, dense 10", [1, 28, 28], 256),
            (
                "conv 16 3x3 pad 1, relu, maxpool 2, conv 32 3x3 pad 1, relu, maxpool 2, flatten, dense 128, relu, dropout 0.3, dense 10",
                [1, 28, 28],
                64,
            ),
        ] {
            all.push(Combination { network, shape, batch, versions, ..PLAIN });
        }
        // Data that are bound in chunks.
        let chunked = Combination { shape: [1, 60, 60], batch: 40, binding_bytes: 1 << 20, ..PLAIN };
        all.push(Combination {
            network: "dense 12, relu, dense 10",
            parts: [600, 100, 0],
            versions,
            ..chunked
        });
    }
    // Half precision, and cooperative matrices.
    let halves = [
        "dense 32, tanh, dense 64, relu, dense 16, relu, dense 12",
        "dense 32, sigmoid, residual { dense 32, relu, dropout 0.1, dense 32 }, tanh, dense 33, relu, dense 12",
        "conv 8 3x3 pad 1, relu, residual { conv 8 3x3 pad 1 }, flatten, dense 64, layernorm, relu, dense 12",
    ];
    for network in halves {
        for versions in [From::Naive, From::Cpu, From::Gpu, From::Subgroups] {
            for edges in [&[][..], &[16, 8], &[8]] {
                for fuse in [true, false] {
                    let half =
                        Combination { half: true, classes: 12, network, versions, edges, fuse, ..PLAIN };
                    all.push(half);
                }
            }
            let more = Combination { half: true, edges: &[16, 8], classes: 12, network, versions, ..PLAIN };
            all.push(Combination { accumulate: 2, optimiser: "muon", average: Some(0.9), ..more });
        }
    }
    all
}

// ---------------------------------------------------------------- the API

struct Argument {
    /// The same for arguments in the same buffer.
    buffer: usize,
    role: String,
    element: String,
    start: usize,
    len: usize,
}

struct Line {
    kernel: String,
    consts: String,
    gate: bool,
    arguments: Vec<Argument>,
}

struct Section {
    name: String,
    lines: Vec<Line>,
}

/// Lines about the rest, with buffers by `buffer` of an argument.
enum Extra {
    Text(String),
    /// In the train section.
    Buffers(String, Vec<Option<(usize, usize, usize)>>),
}

fn lowered(what: &Combination) -> Result<(Vec<Section>, Vec<Extra>), String> {
    use wgrad::kernel::precision::Precision;
    use wgrad::network::lower::{HELD_OUT, Lowering, Part, TRAIN, Training, VALIDATION, lower};
    use wgrad::program::rewrite::Rewrites;
    use wgrad::program::shape::Shape;
    use wgrad::program::{Limits, Role, View};
    use wgrad::table::choice::Choice as Versions;

    let text = |error: wgrad::error::Error| error.to_string();
    let mut versions = match what.versions {
        From::Naive => Versions::NAIVE,
        From::Cpu => Versions::CPU,
        From::Gpu => Versions::GPU,
        From::Software => Versions::SOFTWARE,
        From::Subgroups => Versions::SOFTWARE_SUBGROUPS,
    };
    if !what.tuning.is_empty() {
        versions = versions.with(&what.tuning.parse().map_err(text)?);
    }
    if what.half {
        versions = versions.in_precision(Precision::Half);
    }
    if !what.edges.is_empty() {
        versions = versions.with_cooperative(what.edges);
    }
    let [channels, height, width] = what.shape;
    let parts = [TRAIN, VALIDATION, HELD_OUT].into_iter().zip(what.parts);
    let lowered = lower(&Lowering {
        network: &what.network.parse().map_err(text)?,
        loss: what.loss.parse().map_err(text)?,
        shape: &Shape::image(channels, height, width),
        classes: what.classes,
        batch: what.batch,
        parts: parts
            .filter(|(_, samples)| *samples > 0)
            .map(|(name, samples)| Part { name, samples })
            .collect(),
        choice: versions,
        rewrites: if what.fuse {
            Rewrites::ALL
        } else if what.half {
            Rewrites::NONE.and("half")
        } else {
            Rewrites::NONE
        },
        as_in_prediction: what.as_in_prediction,
        keep: what.keep,
        limits: Limits { binding_bytes: what.binding_bytes, ..Limits::WEBGPU },
        augment: what.augment.parse().map_err(text)?,
        training: Training {
            clip_norm: what.clip_norm,
            clip_value: what.clip_value,
            accumulate: what.accumulate,
            average: what.average,
            label_smoothing: what.label_smoothing,
            class_weights: what.class_weights.to_vec(),
            ..Training::with(what.optimiser.parse().map_err(text)?)
        },
    })
    .map_err(text)?;
    let program = &lowered.program;
    let sections = program.sections.iter().map(|(name, range)| Section {
        name: name.clone(),
        lines: program.steps[range.clone()]
            .iter()
            .map(|dispatch| Line {
                kernel: dispatch.kernel.name.to_owned(),
                consts: dispatch.consts.to_string(),
                gate: dispatch.gate.is_some(),
                arguments: dispatch
                    .args
                    .iter()
                    .map(|view| Argument {
                        buffer: view.buf.0,
                        role: format!("{:?}", program.bufs[view.buf.0].role),
                        element: format!("{:?}", program.bufs[view.buf.0].element),
                        start: view.start,
                        len: view.len,
                    })
                    .collect(),
            })
            .collect(),
    });
    let place = |view: View| (view.buf.0, view.start, view.len);
    let roles = [
        Role::Data,
        Role::Parameters,
        Role::Gradients,
        Role::Optimiser,
        Role::Guard,
        Role::Activations,
        Role::Metrics,
    ];
    let bytes: Vec<String> = roles.iter().map(|role| format!("{role:?} {}", program.bytes(*role))).collect();
    let mut extras = vec![
        Extra::Text(format!("bytes {}", bytes.join(", "))),
        Extra::Text(format!(
            "slots {}, pitch {}, gates {:?}",
            lowered.slots,
            lowered.pitch(),
            program.open_gates()
        )),
    ];
    for boundary in &lowered.program.observed.boundaries {
        extras.push(Extra::Buffers(
            "boundary: value, gradient".to_owned(),
            vec![boundary.value.map(place), boundary.gradient.map(place)],
        ));
    }
    for made in &lowered.program.observed.activated {
        extras.push(Extra::Buffers(
            format!("activated {} by {:?}", made.layer, made.activation),
            vec![Some(place(made.value))],
        ));
    }
    Ok((sections.collect(), extras))
}

// ---------------------------------------------------------------- how it is printed

fn main() {
    for what in combinations() {
        let plain = format!("{PLAIN:?}");
        // What differs from the plain combination, and always network and versions.
        let fields = |text: &str| -> Vec<String> {
            let mut fields = vec![String::new()];
            let (mut depth, mut quoted) = (0i32, false);
            for letter in text.trim_start_matches("Combination { ").trim_end_matches(" }").chars() {
                match letter {
                    '"' => quoted = !quoted,
                    '[' | '(' | '{' if !quoted => depth += 1,
                    ']' | ')' | '}' if !quoted => depth -= 1,
                    _ => {}
                }
                match letter {
                    ',' if depth == 0 && !quoted => fields.push(String::new()),
                    _ => fields.last_mut().unwrap().push(letter),
                }
            }
            fields.iter().map(|field| field.trim().to_owned()).collect()
        };
        let (usual, own) = (fields(&plain), fields(&format!("{what:?}")));
        let shown: Vec<&String> = own
            .iter()
            .zip(&usual)
            .filter(|(own, usual)| own != usual || own.starts_with("network") || own.starts_with("versions"))
            .map(|(own, _)| own)
            .collect();
        println!("## {}", shown.iter().map(|field| field.as_str()).collect::<Vec<_>>().join("; "));
        let (sections, extras) = match lowered(&what) {
            Ok(lowered) => lowered,
            Err(error) => {
                println!("error: {error}\n");
                continue;
            }
        };
        let mut in_train: HashMap<usize, usize> = HashMap::new();
        for section in &sections {
            println!("# {}: {} dispatches", section.name, section.lines.len());
            let mut numbers: HashMap<usize, usize> = HashMap::new();
            for line in &section.lines {
                let arguments: Vec<String> = line
                    .arguments
                    .iter()
                    .map(|argument| {
                        let next = numbers.len();
                        let number = numbers.entry(argument.buffer).or_insert(next);
                        let Argument { role, element, start, len, .. } = argument;
                        format!("b{number}[{start}..{}] {role} {element}", start + len)
                    })
                    .collect();
                let gate = if line.gate { "gate" } else { "-" };
                println!("  {} | {} | {gate} | {}", line.kernel, line.consts, arguments.join(", "));
            }
            if section.name == "train" {
                in_train = numbers;
            }
        }
        for extra in extras {
            match extra {
                Extra::Text(text) => println!("~ {text}"),
                Extra::Buffers(text, places) => {
                    let places: Vec<String> = places
                        .iter()
                        .map(|place| match place {
                            None => "-".to_owned(),
                            Some((buffer, start, len)) => match in_train.get(buffer) {
                                Some(number) => format!("b{number}[{start}..{}]", start + len),
                                None => format!("?[{start}..{}]", start + len),
                            },
                        })
                        .collect();
                    println!("~ {text}: {}", places.join(", "));
                }
            }
        }
        println!();
    }
}
