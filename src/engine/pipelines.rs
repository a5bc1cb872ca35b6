//! Pipelines and bind groups, made before the first step.

use std::collections::HashMap;

use wgpu::{
    BindGroup, BindGroupDescriptor, BindGroupEntry, BindGroupLayout, BindGroupLayoutDescriptor,
    BindGroupLayoutEntry, BindingResource, BindingType, Buffer, BufferBinding, BufferBindingType,
    ComputePipeline, ComputePipelineDescriptor, ErrorFilter, PipelineCompilationOptions,
    PipelineLayoutDescriptor, ShaderModuleDescriptor, ShaderRuntimeChecks, ShaderSource, ShaderStages,
};

use super::checks::Checks;
use crate::error::{Error, Result};
use crate::kernel::{Access, Consts, Kernel, Step};
use crate::program::{Dispatch, Program, View};
use crate::text::joined;

/// A dispatch, ready to be encoded.
pub(super) struct Stage {
    pub pipeline: ComputePipeline,
    pub group: BindGroup,
    pub groups: [u32; 3],
}

/// The bind group layouts: one for the step's scalars, one made for each pipeline.
pub(super) struct Layouts {
    slots: BindGroupLayout,
}

impl Layouts {
    pub fn new(device: &wgpu::Device) -> Layouts {
        let entry = entry(0, BufferBindingType::Uniform, true);
        Layouts {
            slots: device.create_bind_group_layout(&BindGroupLayoutDescriptor {
                label: Some("step"),
                entries: &[entry],
            }),
        }
    }

    pub fn bind_slots(&self, device: &wgpu::Device, slots: &Buffer) -> BindGroup {
        let binding = BufferBinding {
            buffer: slots,
            offset: 0,
            size: std::num::NonZero::new(size_of::<Step>() as u64),
        };
        device.create_bind_group(&BindGroupDescriptor {
            label: Some("step"),
            layout: &self.slots,
            entries: &[BindGroupEntry { binding: 0, resource: BindingResource::Buffer(binding) }],
        })
    }

    fn of(&self, device: &wgpu::Device, kernel: &Kernel) -> BindGroupLayout {
        let binds = kernel.binds.iter().enumerate();
        let entries: Vec<BindGroupLayoutEntry> = binds
            .map(|(at, bind)| {
                entry(at as u32, BufferBindingType::Storage { read_only: bind.access == Access::Read }, false)
            })
            .collect();
        device.create_bind_group_layout(&BindGroupLayoutDescriptor {
            label: Some(kernel.name),
            entries: &entries,
        })
    }
}

fn entry(binding: u32, ty: BufferBindingType, has_dynamic_offset: bool) -> BindGroupLayoutEntry {
    BindGroupLayoutEntry {
        binding,
        visibility: ShaderStages::COMPUTE,
        ty: BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    }
}

/// Makes a pipeline for every (kernel, constants) and a bind group for every dispatch.
pub(super) struct Stages<'a> {
    pub device: &'a wgpu::Device,
    pub layouts: Layouts,
    pub checks: Checks,
    pub made: HashMap<(&'static str, Consts), (ComputePipeline, BindGroupLayout)>,
    pub bufs: &'a [Buffer],
}

impl Stages<'_> {
    pub fn make_all(mut self, program: &Program) -> Result<Vec<Stage>> {
        program.steps.iter().map(|dispatch| self.make(dispatch)).collect()
    }

    fn make(&mut self, dispatch: &Dispatch) -> Result<Stage> {
        let key = (dispatch.kernel.name, dispatch.consts.clone());
        let (pipeline, layout) = match self.made.get(&key) {
            Some(made) => made.clone(),
            None => {
                let made = self.compile(dispatch.kernel, &dispatch.consts)?;
                self.made.insert(key, made.clone());
                made
            }
        };
        let views = dispatch.args.iter().enumerate();
        let entries: Vec<BindGroupEntry> = views
            .map(|(at, view)| BindGroupEntry {
                binding: at as u32,
                resource: BindingResource::Buffer(BufferBinding {
                    buffer: &self.bufs[view.buf.0],
                    offset: view.start as u64 * 4,
                    size: std::num::NonZero::new(self.reach(*view) as u64 * 4),
                }),
            })
            .collect();
        let group = self.device.create_bind_group(&BindGroupDescriptor {
            label: Some(&dispatch.label()),
            layout: &layout,
            entries: &entries,
        });
        Ok(Stage { pipeline, group, groups: dispatch.kernel.groups(&dispatch.consts) })
    }

    /// Words that a binding of this view covers.
    fn reach(&self, view: View) -> usize {
        match self.checks {
            Checks::On | Checks::Off => view.len,
            Checks::Wide => (self.bufs[view.buf.0].size() / 4) as usize - view.start,
        }
    }

    fn compile(
        &self,
        kernel: &'static Kernel,
        consts: &Consts,
    ) -> Result<(ComputePipeline, BindGroupLayout)> {
        let problems = self.device.push_error_scope(ErrorFilter::Validation);
        let source = ShaderSource::Wgsl(kernel.specialize(consts).into());
        let descriptor = ShaderModuleDescriptor { label: Some(kernel.name), source };
        let module = match self.checks {
            // SAFETY: without checks a shader that indexes out of bounds, loops for ever or divides by zero is undefined
            // behaviour. Trusted shaders are ours and do none of these: `tests/parity.rs` runs every kernel on every
            // awkward shape with checks on, between guard words.
            Checks::Off if kernel.trusted => unsafe {
                self.device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked())
            },
            _ => self.device.create_shader_module(descriptor),
        };
        let layout = self.layouts.of(self.device, kernel);
        let pipeline_layout = self.device.create_pipeline_layout(&PipelineLayoutDescriptor {
            label: Some(kernel.name),
            bind_group_layouts: &[Some(&layout), Some(&self.layouts.slots)],
            immediate_size: 0,
        });
        let pipeline = self.device.create_compute_pipeline(&ComputePipelineDescriptor {
            label: Some(kernel.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(kernel.name),
            compilation_options: PipelineCompilationOptions {
                // Our kernels write their workgroup memory before they read it.
                zero_initialize_workgroup_memory: !kernel.trusted,
                ..Default::default()
            },
            cache: None,
        });
        match pollster::block_on(problems.pop()) {
            Some(error) => Err(Error::Failure(format!(
                "the shader {} with {consts} doesn't compile on this device ({}): update its driver, or use \
                 another ⟨device⟩",
                kernel.name,
                joined(error)
            ))),
            None => Ok((pipeline, layout)),
        }
    }
}
