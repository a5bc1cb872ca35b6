//! The ceilings of a device, measured in the same run: no kernel is expected to be faster.

use std::time::Instant;

use rayon::prelude::*;

use super::contender::Contender;
use super::machine::Ceiling;
use super::work::product;
use crate::engine::adapter::Device;
use crate::engine::copying::Copying;
use crate::error::Result;

/// The size in bytes of each buffer of a copy.
const BYTES: usize = 64 << 20;
/// Rows and columns of the matrices.
const SIZES: [usize; 4] = [512, 1_024, 2_048, 4_096];

/// Measures both ceilings of a device by the best of several times.
///
/// # Errors
/// When the device fails.
pub(super) fn measure(contender: &Contender, quick: bool) -> Result<Ceiling> {
    let rounds = if quick { 3 } else { 7 };
    let copy = match &contender.of {
        Device::Cpu { .. } => copy_on_cpu(rounds),
        Device::Gpu(adapter) => {
            let copying = Copying::new(adapter, BYTES as u64)?;
            let seconds: Vec<f64> = (0..rounds).map(|_| copying.run(4)).collect::<Result<_>>()?;
            least(seconds)
        }
    };
    Ok(Ceiling {
        copy_gbytes: 2.0 * BYTES as f64 / copy * 1e-9,
        matmul_gflops: best_product(contender, quick)?,
    })
}

fn least(seconds: impl IntoIterator<Item = f64>) -> f64 {
    seconds.into_iter().fold(f64::INFINITY, f64::min)
}

/// Seconds of a copy by all cores.
fn copy_on_cpu(rounds: usize) -> f64 {
    const CHUNK: usize = 1 << 20;
    let (from, mut to) = (vec![1u8; BYTES], vec![0u8; BYTES]);
    // A further round, as the first one faults the pages in.
    least((0..=rounds).map(|_| {
        let begun = Instant::now();
        let chunks = to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK));
        chunks.for_each(|(to, from)| to.copy_from_slice(from));
        begun.elapsed().as_secs_f64()
    }))
}

/// GFLOP/s of the best of ever larger products, up to one that takes long enough.
fn best_product(contender: &Contender, quick: bool) -> Result<f64> {
    let (enough, rounds) = if quick { (0.005, 3) } else { (0.05, 5) };
    let mut best = 0.0;
    for size in SIZES {
        let mut runner = product(size, size, size).job(contender)?.start(contender)?;
        // Some drivers compile when a pipeline is first used.
        runner.run(1)?;
        let seconds = least((0..rounds).map(|_| runner.run(1)).collect::<Result<Vec<_>>>()?);
        best = f64::max(best, 2.0 * (size as f64).powi(3) / seconds * 1e-9);
        if seconds > enough {
            break;
        }
    }
    Ok(best)
}
