//! naga's writers for Metal, DirectX 12 and Vulkan, with the options that wgpu gives them.

use wgpu::naga::back::{hlsl, msl, spv};
use wgpu::naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use wgpu::naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use wgpu::naga::{Module, ResourceBinding, ShaderStage};
use wgrad::internals::kernel::{Access, Kernel};

use super::reflect;

/// A shader's needs beyond WebGPU's core, and the oldest language of an adapter that has them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Needs {
    Core,
    Subgroups,
    CooperativeMatrices,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    Msl,
    Hlsl,
    SpirV,
}

impl Language {
    pub const ALL: [Language; 3] = [Language::Msl, Language::Hlsl, Language::SpirV];

    fn capabilities(self) -> Capabilities {
        match self {
            Language::Msl => msl::supported_capabilities(),
            Language::Hlsl => hlsl::supported_capabilities(),
            Language::SpirV => spv::supported_capabilities(),
        }
    }

    /// Writes a kernel's specialised text, with and without run-time checks; returns the bytes written.
    ///
    /// # Errors
    /// The reason, if the language can't express it.
    pub fn write(self, kernel: &Kernel, wgsl: &str) -> Result<usize, String> {
        let (module, _) = reflect(wgsl)?;
        // wgpu hands no writer what the language lacks: an adapter there does not have the feature.
        let info = Validator::new(ValidationFlags::all(), self.capabilities())
            .validate(&module)
            .map_err(|error| format!("{:?}", error.into_inner()))?;
        let needs = if kernel.is_cooperative() {
            Needs::CooperativeMatrices
        } else if wgsl.contains("subgroup") {
            Needs::Subgroups
        } else {
            Needs::Core
        };
        let mut bytes = 0;
        // Custom kernels keep their checks, and those of the table are tested with them.
        for checks in [true, false] {
            let job = Job { kernel, module: &module, info: &info, needs, checks };
            bytes += match self {
                Language::Msl => job.msl()?.len(),
                Language::Hlsl => job.hlsl()?.len(),
                Language::SpirV => 4 * job.spirv()?.len(),
            };
        }
        Ok(bytes)
    }
}

struct Job<'a> {
    kernel: &'a Kernel,
    module: &'a Module,
    info: &'a ModuleInfo,
    needs: Needs,
    checks: bool,
}

impl Job<'_> {
    /// The kernel's buffers and the step's scalars: whether each is written.
    fn bindings(&self) -> Vec<(ResourceBinding, bool)> {
        let binds = self.kernel.binds.iter().enumerate();
        let buffers = binds.map(|(at, bind)| {
            (ResourceBinding { group: 0, binding: at as u32 }, bind.access != Access::Read)
        });
        buffers.chain([(ResourceBinding { group: 1, binding: 0 }, false)]).collect()
    }

    fn entry_point(&self) -> Option<(ShaderStage, String)> {
        Some((ShaderStage::Compute, self.kernel.name.to_owned()))
    }

    fn policies(&self) -> BoundsCheckPolicies {
        let policy = if self.checks { BoundsCheckPolicy::Restrict } else { BoundsCheckPolicy::Unchecked };
        BoundsCheckPolicies { index: policy, buffer: policy, image_load: policy, ..Default::default() }
    }

    fn msl(&self) -> Result<String, String> {
        let bindings = self.bindings();
        let slots = 0..bindings.len() as u8;
        let sizes_buffer = Some(slots.end);
        let resources = bindings.into_iter().zip(slots).map(|((binding, mutable), slot)| {
            (binding, msl::BindTarget { buffer: Some(slot), mutable, ..Default::default() })
        });
        let resources =
            msl::EntryPointResources { resources: resources.collect(), sizes_buffer, ..Default::default() };
        let options = msl::Options {
            lang_version: if self.needs == Needs::CooperativeMatrices { (2, 3) } else { (2, 1) },
            per_entry_point_map: [(self.kernel.name.to_owned(), resources)].into(),
            fake_missing_bindings: false,
            bounds_check_policies: self.policies(),
            zero_initialize_workgroup_memory: self.checks,
            force_loop_bounding: self.checks,
            emit_int_div_checks: self.checks,
            ..Default::default()
        };
        let pipeline = msl::PipelineOptions { entry_point: self.entry_point(), ..Default::default() };
        let (text, made) = msl::write_string(self.module, self.info, &options, &pipeline)
            .map_err(|error| error.to_string())?;
        one_entry_point(made.entry_point_names)?;
        // The writer has every size, the language one.
        if text.contains("simdgroup_half16x16") {
            return Err("Metal multiplies matrices of 8×8".to_owned());
        }
        Ok(text)
    }

    fn hlsl(&self) -> Result<String, String> {
        // 5.1 is that of the compiler in every Windows; the others need dxcompiler.dll.
        let model = match self.needs {
            Needs::Core => hlsl::ShaderModel::V5_1,
            Needs::Subgroups => hlsl::ShaderModel::V6_0,
            Needs::CooperativeMatrices => hlsl::ShaderModel::V6_2,
        };
        let target = |(at, (binding, _))| {
            (binding, hlsl::BindTarget { register: at, restrict_indexing: true, ..Default::default() })
        };
        let options = hlsl::Options {
            shader_model: model,
            binding_map: (0..).zip(self.bindings()).map(target).collect(),
            fake_missing_bindings: false,
            zero_initialize_workgroup_memory: self.checks,
            restrict_indexing: self.checks,
            force_loop_bounding: self.checks,
            // wgpu passes the number of workgroups here, which HLSL has no builtin for.
            special_constants_binding: Some(hlsl::BindTarget { space: 1, ..Default::default() }),
            ..Default::default()
        };
        let pipeline = hlsl::PipelineOptions { entry_point: self.entry_point() };
        let mut text = String::new();
        let made = hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(self.module, self.info, None)
            .map_err(|error| error.to_string())?;
        one_entry_point(made.entry_point_names)?;
        Ok(text)
    }

    fn spirv(&self) -> Result<Vec<u32>, String> {
        use spv::Capability as C;
        let mut capabilities = vec![C::Shader];
        let mut version = (1, 0);
        if self.needs != Needs::Core {
            version = (1, 3);
            capabilities.extend([C::GroupNonUniform, C::GroupNonUniformVote, C::GroupNonUniformArithmetic]);
            capabilities.extend([C::GroupNonUniformBallot, C::GroupNonUniformShuffle]);
            capabilities.extend([C::GroupNonUniformShuffleRelative, C::GroupNonUniformQuad]);
        }
        if self.needs == Needs::CooperativeMatrices {
            version = (1, 6);
            capabilities.extend([C::Float16, C::StorageBuffer16BitAccess]);
            capabilities.extend([C::UniformAndStorageBuffer16BitAccess]);
            capabilities.extend([C::CooperativeMatrixKHR, C::VulkanMemoryModel]);
        }
        let options = spv::Options {
            lang_version: version,
            capabilities: Some(capabilities.into_iter().collect()),
            bounds_check_policies: self.policies(),
            zero_initialize_workgroup_memory: if self.checks {
                spv::ZeroInitializeWorkgroupMemoryMode::Polyfill
            } else {
                spv::ZeroInitializeWorkgroupMemoryMode::None
            },
            force_loop_bounding: self.checks,
            emit_int_div_checks: self.checks,
            ..Default::default()
        };
        let pipeline = spv::PipelineOptions {
            shader_stage: ShaderStage::Compute,
            entry_point: self.kernel.name.to_owned(),
        };
        spv::write_vec(self.module, self.info, &options, Some(&pipeline)).map_err(|error| error.to_string())
    }
}

/// Checks that the writer gave the only entry point a name.
fn one_entry_point<E: ToString>(names: Vec<Result<String, E>>) -> Result<(), String> {
    let names: Vec<String> =
        names.into_iter().collect::<Result<_, E>>().map_err(|error| error.to_string())?;
    if names.len() == 1 { Ok(()) } else { Err(format!("{} entry points", names.len())) }
}
