//! A run of an older wgrad is resumed, listed and measured.
//!
//! `fixtures/digits-001` was made by wgrad at commit de0cf73, on a machine with AVX-512, by
//!
//! ```text
//! wgrad train --device cpu --network "conv 4 3x3 pad 1, batchnorm, relu, maxpool 2, dropout 0.1, dense 12,
//!   layernorm, tanh, dense 10" --optimiser "adamw weight-decay 0.05" --learning-rate 0.01
//!   --schedule "plateau patience 1 factor 0.5" --augment "shift 1, brightness 0.1" --clip-norm 1
//!   --batch-size 64 --average 0.9 --stop-early "validation-loss patience 5 gain 0.001" --validation 0.1
//!   --seed 5 --epochs 8 --keep 1 --checkpoint-every 10 --quiet
//! ```
//!
//! and interrupted by Ctrl-C after step 140 of 168, the 14th of epoch 7.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::kills::{RUN, content};
use crate::not_checked::not_checked;
use crate::place::Place;

/// The SHA-256 of the older wgrad's model file, by vector extension.
///
/// Products by AVX-512, by AVX2 and by neither add up in different orders.
struct Written {
    avx512: &'static str,
    avx2: &'static str,
    neither: &'static str,
}

/// The model after the older wgrad resumed the fixture.
///
/// It ran with AVX-512 on hardware, with AVX2 and with neither under `qemu-x86_64 -cpu Haswell` and `-cpu Nehalem`.
const RESUMED: Written = Written {
    avx512: "98ffe5f22decf078b4eb04650689b54f808edd140afc33012cb6553ce881a4f0",
    avx2: "debefb31222465069ac1c141c7e1ea4ba6118ff5597352bc7aefb7c565f260cd",
    neither: "5393e78f276d437f559b2546dccd599bb4b67dcd22649936e54bc5da416df2f1",
};

/// The older wgrad trained by the fixture's `recipe.toml` from the start.
const STRAIGHT: Written = Written {
    avx512: RESUMED.avx512,
    avx2: "eefaa4fae8eeac5bb399c660f163545f60155705cfabf8223ad60ea623e10e6b",
    neither: "1c4e8f9fe0b6e31ce4fe3f4699a832c30c773ce85b3cd8bda265639a9f9772a1",
};

impl Written {
    /// The digest for this machine. There is none where the older wgrad did not run.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn here(&self) -> Option<&'static str> {
        let avx512 = pulp::x86::V4::is_available();
        let avx2 = pulp::x86::V3::is_available();
        Some(if avx512 {
            self.avx512
        } else if avx2 {
            self.avx2
        } else {
            self.neither
        })
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    fn here(&self) -> Option<&'static str> {
        None
    }

    #[track_caller]
    fn assert_is(&self, model: &[u8]) {
        let model = as_written_then(model);
        let digest: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
        match self.here() {
            Some(expected) => assert_eq!(digest, expected, "the older wgrad trained to other bytes"),
            None => not_checked(
                "that the model is the older wgrad's to the byte",
                &format!("its bytes are not known on {} {}", std::env::consts::OS, std::env::consts::ARCH),
            ),
        }
    }
}

/// A model's file as the older wgrad wrote it, which knew no checksum, brightness and contrast.
fn as_written_then(model: &[u8]) -> Vec<u8> {
    let size = u64::from_le_bytes(model[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&model[8..][..size]).unwrap();
    let metadata = header["__metadata__"].as_object_mut().unwrap();
    for key in ["checksum", "brightness", "contrast"] {
        metadata.shift_remove(key).unwrap_or_else(|| panic!("it has no {key}"));
    }
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, &model[8 + size..]].concat()
}

/// A copy of the older run.
fn older_run() -> Place {
    let place = Place::new();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durability/fixtures/digits-001");
    for folder in ["", "checkpoints"] {
        for entry in fs::read_dir(fixture.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&fixture).unwrap().to_str().unwrap();
                place.write(&format!("{RUN}/{name}"), fs::read(&path).unwrap());
            }
        }
    }
    place
}

#[test]
fn an_older_run_is_resumed_and_ends_with_the_bytes_that_the_older_wgrad_wrote() {
    let place = older_run();
    let (before, epochs) = content(&place, RUN);
    assert_eq!((before.len(), epochs.len()), (140, 6));
    let ran = place.run(&["train", "--resume", RUN, "--quiet"]).ok();
    assert!(ran.err.contains("resume  runs/digits-001 after step 14 of epoch 7"), "{}", ran.err);
    RESUMED.assert_is(&place.read(&format!("{RUN}/model.safetensors")));

    let (losses, all_epochs) = content(&place, RUN);
    assert_eq!((losses.len(), all_epochs.len()), (168, 8));
    assert!(losses.starts_with(&before) && all_epochs.starts_with(&epochs));
    let accuracy = all_epochs[7]["held_out_accuracy"].as_f64().unwrap();
    // The older wgrad got 88.89 %; on another processor a few of the 360 samples may be classified differently.
    assert!((accuracy - 0.8889).abs() < 0.02, "{accuracy}");
    let record = place.json(&format!("{RUN}/run.json"));
    assert_eq!((&record["status"], &record["resumes"]), (&"done".into(), &1.into()));
    assert_eq!(record["steps"], 168);
}

#[test]
fn an_older_recipe_trains_to_the_bytes_that_the_older_wgrad_wrote() {
    let place = older_run();
    place.run(&["train", &format!("{RUN}/recipe.toml"), "--quiet"]).ok();
    STRAIGHT.assert_is(&place.read("runs/digits-002/model.safetensors"));
    assert_eq!(content(&place, "runs/digits-002").0.len(), 168);
}

#[test]
fn an_older_run_works_in_runs_summary_eval_and_resume_check() {
    let place = older_run();
    let listed = place.run(&["runs"]).ok().out;
    let row = listed.lines().find(|line| line.starts_with("digits-001")).expect("the run has a row");
    let network =
        "conv 4 3x3 pad 1, batchnorm, relu, maxpool 2, dropout 0.1, dense 12, layernorm, tanh, dense 10";
    let words: Vec<&str> = row.split_whitespace().take(6).collect();
    assert_eq!(words, ["digits-001", "interrupted", "6", "88.61", "%", "2026-11-30T12:39:03Z"]);
    assert!(row.ends_with(network), "{row}");

    let summary = place.run(&["summary", RUN, "--device", "cpu"]).ok().out;
    for layer in ["conv 4 3x3 pad 1", "batchnorm", "dropout 0.1", "layernorm", "dense 10", "982"] {
        assert!(summary.contains(layer), "“{layer}” is not in {summary}");
    }

    // As the older wgrad measured it: the EMA of the weights after epoch 6.
    let measured = place.run(&["eval", RUN, "--device", "cpu", "--json"]).ok().json();
    assert_eq!(measured["samples"], 360);
    let [loss, accuracy] = ["held_out_loss", "held_out_accuracy"].map(|key| measured[key].as_f64().unwrap());
    assert!((loss - 0.5631343664808406).abs() < 1e-4, "{loss}");
    assert!((accuracy - 0.8861111111111111).abs() < 2.0 / 360.0, "{accuracy}");

    let checked = place.run(&["resume-check", RUN, "--steps", "6"]).ok();
    assert!(
        checked.out.starts_with("6 steps from step 140, ") && checked.out.contains("are equal, bit by bit"),
        "{checked:?}"
    );
    let record = wgrad::internals::train::run::RunRecord::load(&place.path(RUN)).unwrap();
    // The record counts whole epochs.
    assert_eq!((record.seed, record.steps, record.parameters), (5, 126, 982));
}
