//! Every shader, with the constants that it is used with, translates to the languages of Metal, DirectX 12 and Vulkan.
//!
//! naga writes them as wgpu has it do; whether Apple's and Microsoft's compilers take the result shows only on
//! their systems.

use std::collections::{BTreeMap, BTreeSet};

use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::kernel::{Consts, Kernel};
use wgrad::internals::network::loss::Loss;
use wgrad::internals::network::lower::{HELD_OUT, Part, TRAIN, Training};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::table;
use wgrad::internals::table::choice::Choice;
use wgrad::internals::verify::cases::{bench_cases, cases};

use super::small::Small;
use super::writers::Language;

/// A kernel that a language can't express: a part of its text, the language, and a part of the reason.
type Refusal = (&'static str, &'static str, Language, &'static str);

/// All refusals. Adapters of such a language don't run these kernels.
const REFUSED: [Refusal; 3] = [
    // wgpu offers no cooperative matrices on DirectX 12.
    ("matmul_cooperative", "coop_mat8x8", Language::Hlsl, "COOPERATIVE_MATRIX"),
    ("matmul_cooperative", "coop_mat16x16", Language::Hlsl, "COOPERATIVE_MATRIX"),
    // Adapters of Metal offer tiles of 8 only.
    ("matmul_cooperative", "coop_mat16x16", Language::Msl, "8×8"),
];

/// Networks with every kind of layer, for images of 8×8.
const NETWORKS: [&str; 4] = [
    "dense 16, relu, dense 8, tanh, dense 4",
    "conv 8 3x3 pad 1, relu, maxpool 2, conv 16 3x3 stride 2 pad 1, leaky-relu 0.1, flatten, dense 16, sigmoid, \
     dropout 0.3, dense 4",
    "conv 4 3x3 pad 1 groups 2, batchnorm, gelu, residual { conv 4 3x3 pad 1, batchnorm, silu }, avgpool 2, \
     layernorm, globalavgpool, dense 4",
    "dense 256, layernorm, silu, dense 16, batchnorm, softmax, dense 4",
];

const OPTIMISERS: [&str; 7] = ["sgd", "adagrad", "rmsprop", "adam", "adamw", "lion", "muon"];

/// Specialised texts, each once.
#[derive(Default)]
struct Texts(BTreeMap<String, &'static Kernel>);

impl Texts {
    fn add(&mut self, kernel: &'static Kernel, consts: &Consts) {
        self.0.insert(kernel.specialize(consts), kernel);
    }

    /// Adds the shaders of a lowered network.
    fn add_network(&mut self, small: &Small) {
        let program = small.lower().unwrap().program;
        program.steps.iter().for_each(|dispatch| self.add(dispatch.kernel, &dispatch.consts));
    }

    fn of_cases() -> Texts {
        let mut texts = Texts::default();
        for kernel in table::ALL {
            for case in cases(kernel).into_iter().chain(bench_cases(kernel)) {
                texts.add(kernel, &case.consts);
            }
        }
        texts
    }

    fn of_networks() -> Texts {
        let mut texts = Texts::default();
        let of = |network| Small {
            shape: Shape::image(8, 8, 2),
            classes: 4,
            batch: 16,
            parts: vec![Part { name: TRAIN, samples: 32 }, Part { name: HELD_OUT, samples: 16 }],
            ..Small::new(network, Loss::CrossEntropy)
        };
        let f16 = Choice::GPU.in_precision(Precision::F16);
        let choices = [Choice::NAIVE, Choice::GPU, Choice::SOFTWARE, Choice::SOFTWARE_SUBGROUPS, f16];
        let cooperative = table::COOPERATIVE_TILES.map(|tile| f16.with_cooperative(&[tile]));
        for network in NETWORKS {
            for choice in choices.into_iter().chain(cooperative) {
                texts.add_network(&Small { choice, ..of(network) });
            }
        }
        for optimiser in OPTIMISERS {
            let training = Training {
                clip_norm: Some(1.0),
                ema: Some(0.99),
                accumulate: 2,
                label_smoothing: 0.1,
                class_weights: vec![1.0, 2.0, 1.0, 0.5],
                ..Training::with(optimiser.parse().unwrap())
            };
            texts.add_network(&Small { training, ..of(NETWORKS[0]) });
        }
        for loss in [Loss::Bce, Loss::Mse, Loss::SquaredError] {
            texts.add_network(&Small { loss, ..of(NETWORKS[0]) });
        }
        let augment = "shift 1, rotate 8".parse().unwrap();
        texts.add_network(&Small { augment, ..of(NETWORKS[1]) });
        texts
    }

    /// Writes all in every language. Returns those that are refused and not listed, or listed and not refused.
    fn unexpected(&self, refused: &[Refusal]) -> BTreeSet<String> {
        let mut unexpected = BTreeSet::new();
        for (wgsl, kernel) in &self.0 {
            for language in Language::ALL {
                let listed = refused.iter().find(|(name, part, other, _)| {
                    *name == kernel.name && wgsl.contains(part) && *other == language
                });
                match (language.write(kernel, wgsl), listed) {
                    (Ok(bytes), None) if bytes > 1_000 => {}
                    (Err(why), Some((.., expected))) if why.contains(expected) => {}
                    (outcome, _) => {
                        unexpected.insert(format!("{} in {language:?}: {outcome:?}", kernel.name));
                    }
                }
            }
        }
        unexpected
    }

    fn kernels(&self) -> BTreeSet<&str> {
        self.0.values().map(|kernel| kernel.name).collect()
    }
}

#[track_caller]
fn assert_none(unexpected: BTreeSet<String>) {
    assert!(unexpected.is_empty(), "{}", Vec::from_iter(unexpected).join("\n"));
}

#[test]
fn every_case_translates_to_metal_directx_and_vulkan() {
    let texts = Texts::of_cases();
    assert_none(texts.unexpected(&REFUSED));
    assert_eq!(texts.kernels(), table::ALL.iter().map(|kernel| kernel.name).collect());
    assert!(texts.0.len() >= 800, "{} texts", texts.0.len());
    for (name, part, ..) in REFUSED {
        let seen = texts.0.iter().any(|(wgsl, kernel)| kernel.name == name && wgsl.contains(part));
        assert!(seen, "no case of {name} with {part}: take it from the list");
    }
}

#[test]
fn every_shader_of_small_networks_translates_to_metal_directx_and_vulkan() {
    let texts = Texts::of_networks();
    assert_none(texts.unexpected(&REFUSED));
    let kernels = texts.kernels();
    assert!(
        texts.0.len() >= 250 && kernels.len() >= 60,
        "{} texts, {} kernels",
        texts.0.len(),
        kernels.len()
    );
}

#[test]
fn unlisted_and_stale_refusals_are_found() {
    let mut texts = Texts::default();
    table::COOPERATIVE_TILES.iter().for_each(|tile| {
        texts.add(&table::MATMUL_COOPERATIVE, &Consts::default().with("TILE", (*tile).into()));
    });
    assert_eq!(texts.unexpected(&[]).len(), 2, "both sizes are refused by HLSL in the same words");
    assert_none(texts.unexpected(&REFUSED));

    let mut texts = Texts::default();
    texts.add(&table::MATMUL_NAIVE, &Consts::default());
    assert_none(texts.unexpected(&[]));
    let not_so = [("matmul_naive", "fn matmul_naive", Language::Msl, "a reason")];
    assert_eq!(texts.unexpected(&not_so).len(), 1);
    // An entry point that the kernel doesn't have, and a buffer that it doesn't bind.
    for (before, after) in
        [("fn matmul_naive(", "fn other("), ("@group(0) @binding(0)", "@group(0) @binding(9)")]
    {
        let wgsl = table::MATMUL_NAIVE.specialize(&Consts::default());
        assert!(wgsl.contains(before));
        let fake = Texts([(wgsl.replacen(before, after, 1), &table::MATMUL_NAIVE)].into());
        let found = fake.unexpected(&[]);
        assert!(!found.is_empty() && found.iter().all(|line| line.contains("Err")), "{after}: {found:?}");
    }
}
