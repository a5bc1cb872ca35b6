//! `wgrad devices`: every adapter, the best first, and what it offers.

use wgrad::engine::adapter::{adapters, driver, kind};
use wgrad::error::Result;
use wgrad::program::mebibytes;

use super::console::answer;

pub fn run() -> Result<()> {
    let adapters = adapters();
    for adapter in &adapters {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let subgroups = match (info.subgroup_min_size, info.subgroup_max_size) {
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        answer(format_args!("{}", info.name))?;
        answer(format_args!("  kind               {}", kind(&info)))?;
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
    }
    if adapters.is_empty() {
        answer(format_args!(
            "no adapter answers (Vulkan, Metal or DirectX 12); ./setup installs a software one"
        ))?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    answer(format_args!("CPU engine\n  cores              {cores}\n  always there: --device cpu"))
}
