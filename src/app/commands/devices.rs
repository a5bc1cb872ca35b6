//! `wgrad devices`: every adapter with its limits, the best first.

use std::time::Duration;

use wgpu::Adapter;
use wgrad::Result;
use wgrad::internals::engine::adapter::{Device, adapters, driver, is_software, kind, name};
use wgrad::internals::engine::cooperative::{offered, tile_sizes};
use wgrad::internals::program::mebibytes;
use wgrad::internals::tune::{Origin, cached, measure};

use super::console::{answer, note};
use crate::app::cli;

pub fn run(arguments: &cli::DevicesArgs) -> Result<()> {
    let adapters = adapters();
    let gpu = adapters.first().is_some_and(|best| !is_software(&best.get_info()));
    for (at, adapter) in adapters.iter().enumerate() {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let subgroups = match (info.subgroup_min_size, info.subgroup_max_size) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        answer(format_args!("{}", name(&info)))?;
        answer(format_args!("  kind               {}", kind(&info)))?;
        if at == 0 {
            let kinds = if gpu { "auto and gpu" } else { "gpu" };
            answer(format_args!("  taken by           --device {kinds}"))?;
        }
        answer(format_args!("  backend            {}", info.backend))?;
        answer(format_args!("  driver             {}", driver(&info)))?;
        answer(format_args!("  largest binding    {}", mebibytes(limits.max_storage_buffer_binding_size)))?;
        answer(format_args!("  largest buffer     {}", mebibytes(limits.max_buffer_size)))?;
        answer(format_args!(
            "  storage buffers    {} per shader",
            limits.max_storage_buffers_per_shader_stage
        ))?;
        answer(format_args!(
            "  workgroup          {} invocations, {}",
            limits.max_compute_invocations_per_workgroup,
            mebibytes(limits.max_compute_workgroup_storage_size.into())
        ))?;
        answer(format_args!(
            "  workgroups         {} per dimension",
            limits.max_compute_workgroups_per_dimension
        ))?;
        answer(format_args!("  subgroup size      {subgroups}"))?;
        answer(format_args!("  cooperative matrix {}", cooperative(adapter)))?;
        tuning(&Device::Gpu(adapter.clone()), arguments.tune)?;
    }
    if adapters.is_empty() {
        answer(format_args!(
            "no adapter answers (Vulkan, Metal or DirectX 12); ./setup installs a software one"
        ))?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kinds = if gpu { "cpu" } else { "cpu and auto" };
    answer(format_args!("CPU engine\n  cores              {cores}\n  taken by           --device {kinds}"))
}

/// The shapes of cooperative matrices, and those that wgrad uses.
fn cooperative(adapter: &Adapter) -> String {
    let offered = offered(adapter);
    match tile_sizes(adapter).first() {
        Some(tile) => format!("{offered}; usable with tiles of {tile}×{tile}"),
        None if offered == "none" => offered,
        None => format!("{offered}; none that is usable"),
    }
}

/// Prints the kernels that training uses on an adapter, measured if asked.
fn tuning(device: &Device, measures: bool) -> Result<()> {
    if measures {
        let tuned = measure(device, Duration::MAX);
        tuned.problems.iter().for_each(|problem| note(format_args!("{}: {problem}", device.name())));
        if matches!(tuned.origin, Origin::Now(_, None)) {
            note(format_args!("{}: not kept, so the next run measures again", device.name()));
        }
        let lines = tuned.lines();
        let first = lines.iter().enumerate().map(|(at, line)| (if at == 0 { "tuning" } else { "" }, line));
        return first.into_iter().try_for_each(|(name, line)| answer(format_args!("  {name:<18} {line}")));
    }
    let known = cached(device).unwrap_or_else(|problem| {
        note(format_args!("{}: {problem}", device.name()));
        None
    });
    match known {
        Some(choice) => answer(format_args!("  tuning             {choice}")),
        None => answer(format_args!(
            "  tuning             not measured yet; --tune does it, or the first training"
        )),
    }
}
