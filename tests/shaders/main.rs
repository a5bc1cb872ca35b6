//! Every shader against its row in the kernel table, by reflection: names, bindings and constants. Needs no adapter.

mod bindings;
mod numbers;
mod portable;
#[path = "../common/small.rs"]
#[expect(dead_code, reason = "these networks are lowered and not run")]
mod small;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wgpu::naga::back::spv;
use wgpu::naga::proc::GlobalCtx;
use wgpu::naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use wgpu::naga::{AddressSpace, Module, TypeInner};
use wgrad::internals::kernel::{Const, Consts, Kernel};
use wgrad::internals::table;
use wgrad::internals::verify::cases::cases;

/// WebGPU's default limits, so that the shaders run in a browser too.
const MOST_INVOCATIONS: u32 = 256;
const MOST_WORKGROUP_BYTES: u32 = 16 << 10;
const MOST_STORAGE_BUFFERS: usize = 8;

/// The directives of a shader with cooperative matrices.
const ENABLED: &str = "enable f16; enable wgpu_cooperative_matrix; ";

/// Parses and validates with no more than WebGPU's core, subgroups where they are used, and cooperative
/// matrices, which no browser has, where they are enabled.
fn reflect(wgsl: &str) -> Result<(Module, ModuleInfo), String> {
    let module = wgpu::naga::front::wgsl::parse_str(wgsl).map_err(|error| error.emit_to_string(wgsl))?;
    // f16 packed into words belong to WebGPU's core.
    let mut capabilities = Capabilities::default() | Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    if wgsl.contains("subgroup") {
        capabilities |= Capabilities::SUBGROUP;
    }
    if wgsl.contains(ENABLED) {
        capabilities |= Capabilities::COOPERATIVE_MATRIX | Capabilities::SHADER_FLOAT16;
    }
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|error| error.emit_to_string(wgsl))?;
    Ok((module, info))
}

/// A kernel's shader as it is committed, with `common.wgsl` in front.
fn committed(kernel: &Kernel) -> (Module, ModuleInfo) {
    reflect(&kernel.specialize(&Consts::default())).unwrap_or_else(|error| panic!("{}: {error}", kernel.name))
}

/// Checks every kernel and reports all that fail, by name.
fn for_each_kernel(check: impl Fn(&'static Kernel) -> Result<(), String>) {
    let problems: Vec<String> = table::ALL
        .iter()
        .filter_map(|kernel| check(kernel).err().map(|problem| format!("{}: {problem}", kernel.name)))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, shader: T, table: T) -> Result<(), String> {
    if shader == table { Ok(()) } else { Err(format!("{what}: shader {shader:?}, table {table:?}")) }
}

#[test]
fn every_file_has_a_row_and_every_row_a_file() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let files: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "common.wgsl")
        .collect();
    let rows: BTreeSet<String> = table::ALL.iter().map(|kernel| format!("{}.wgsl", kernel.name)).collect();
    let orphans: Vec<&String> = files.symmetric_difference(&rows).collect();
    assert!(orphans.is_empty(), "only on one side of shaders/ and table::ALL: {orphans:?}");
    assert_eq!(rows.len(), table::ALL.len(), "two rows have one name");
    for kernel in table::ALL {
        let text = std::fs::read_to_string(folder.join(format!("{}.wgsl", kernel.name))).unwrap();
        assert!(text == kernel.wgsl, "the row {} holds another file's text", kernel.name);
    }
}

#[test]
fn the_only_entry_point_has_the_kernels_name() {
    for_each_kernel(|kernel| {
        let (module, _) = committed(kernel);
        let names: Vec<&str> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        equal("entry points", names, vec![kernel.name])
    });
}

#[test]
fn the_first_lines_are_the_equation_and_the_owner() {
    for_each_kernel(|kernel| {
        let mut lines = kernel.wgsl.lines();
        let mut comment = || lines.next().filter(|line| line.starts_with("// ")).unwrap_or_default();
        let (first, second) = (comment(), comment());
        if !first.contains('=') {
            return Err(format!("the first line is no equation in a comment: {first:?}"));
        }
        if !second.contains("owns") {
            return Err(format!("the second line does not say what one invocation owns: {second:?}"));
        }
        // naga knows the functions of subgroups without it, and refuses the directive; of the rest only
        // the experiment goes beyond WebGPU's core.
        let enabled = kernel.wgsl.lines().filter(|line| line.trim_start().starts_with("enable "));
        let enabled: String = enabled.map(|line| format!("{line} ")).collect();
        let expected = if kernel.name == "matmul_cooperative" { ENABLED } else { "" };
        equal("what it enables", enabled.as_str(), expected)
    });
}

#[test]
fn cooperative_matrices_need_their_capability_and_become_vulkans() {
    let shader = &table::MATMUL_COOPERATIVE;
    assert!(table::ALL.iter().all(|kernel| kernel.is_cooperative() == (kernel.name == shader.name)));
    for tile in table::COOPERATIVE_TILES {
        let wgsl = shader.specialize(&Consts::default().with("TILE", tile.into()));
        assert_eq!(wgsl.matches(&format!("coop_mat{tile}x{tile}<")).count(), 3);
        let (module, info) = reflect(&wgsl).unwrap();
        let without = Capabilities::SUBGROUP | Capabilities::SHADER_FLOAT16;
        let refused = Validator::new(ValidationFlags::all(), without).validate(&module).unwrap_err();
        assert!(format!("{:?}", refused.as_inner()).contains("COOPERATIVE_MATRIX"), "{refused:?}");
        // All three matrices have this tile size.
        let sizes: BTreeSet<String> = module
            .types
            .iter()
            .filter_map(|(_, kind)| match kind.inner {
                TypeInner::CooperativeMatrix { columns, rows, scalar, role } => {
                    Some(format!("{role:?} {}×{} of {}", rows as u32, columns as u32, 8 * scalar.width))
                }
                _ => None,
            })
            .collect();
        let expected = [("A", 16), ("B", 16), ("C", 32)];
        let expected = expected.map(|(role, bits)| format!("{role} {tile}×{tile} of {bits}"));
        assert_eq!(sizes, BTreeSet::from(expected));
        let words = spv::write_vec(&module, &info, &spv::Options::default(), None).unwrap();
        let text = words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let extension = b"SPV_KHR_cooperative_matrix";
        assert!(text.windows(extension.len()).any(|part| part == extension));
    }
}

#[test]
fn every_constant_of_the_row_has_one_declaration() {
    for_each_kernel(|kernel| {
        for name in kernel.consts {
            let declaration = format!("const {name}: ");
            let count = kernel.wgsl.lines().filter(|line| line.starts_with(&declaration)).count();
            equal(&format!("declarations of {name}"), count, 1)?;
        }
        Ok(())
    });
}

/// Invocations, workgroup memory and storage buffers within WebGPU's defaults.
fn within_limits(kernel: &Kernel, (module, info): &(Module, ModuleInfo)) -> Result<(), String> {
    let entry = &module.entry_points[0];
    let [x, y, z] = entry.workgroup_size;
    // x and y may be 256 each, z only 64.
    if x * y * z > MOST_INVOCATIONS || z > 64 {
        return Err(format!("a workgroup of {x}×{y}×{z} invocations"));
    }
    let context: GlobalCtx = module.to_ctx();
    let shared = module.global_variables.iter().filter(|(_, var)| var.space == AddressSpace::WorkGroup);
    let bytes: u32 = shared.map(|(_, var)| module.types[var.ty].inner.size(context)).sum();
    if bytes > MOST_WORKGROUP_BYTES {
        return Err(format!("{bytes} bytes of workgroup memory"));
    }
    let used = module.global_variables.iter().filter(|(handle, var)| {
        matches!(var.space, AddressSpace::Storage { .. }) && !info.get_entry_point(0)[*handle].is_empty()
    });
    if used.count() > MOST_STORAGE_BUFFERS || kernel.binds.len() > MOST_STORAGE_BUFFERS {
        return Err(format!("more than {MOST_STORAGE_BUFFERS} storage buffers"));
    }
    Ok(())
}

#[test]
fn shaders_are_valid_within_the_limits_as_committed_and_in_every_case() {
    for_each_kernel(|kernel| {
        within_limits(kernel, &committed(kernel))?;
        for case in cases(kernel) {
            let named = |error| format!("{}: {error}", case.consts);
            let reflected = reflect(&kernel.specialize(&case.consts)).map_err(named)?;
            within_limits(kernel, &reflected).map_err(named)?;
        }
        Ok(())
    });
}

#[test]
fn cases_cover_every_choice() {
    for_each_kernel(|kernel| {
        let cases = cases(kernel);
        if cases.is_empty() {
            return Err("has no cases".to_owned());
        }
        let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let mut wanted: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for case in &cases {
            let names: Vec<&str> = case.consts.iter().map(|(name, _)| name).collect();
            equal("constants of a case", names, kernel.consts.to_vec())?;
            for (name, value) in case.consts.iter() {
                let choices: Vec<Const> = match (name, value) {
                    (_, Const::Flag(_)) => vec![Const::Flag(false), Const::Flag(true)],
                    ("EPILOGUE", _) => (0..=2).map(Const::Uint).collect(),
                    // Only a kernel of their own computes the two whose derivative is not in the output.
                    ("ACTIVATION", _) if kernel.name.starts_with("activation") => {
                        (0..=6).map(Const::Uint).collect()
                    }
                    ("ACTIVATION", _) => (0..=4).map(Const::Uint).collect(),
                    _ => continue,
                };
                seen.entry(name).or_default().insert(value.to_string());
                wanted.entry(name).or_default().extend(choices.iter().map(Const::to_string));
            }
        }
        equal("choices seen in the cases", seen, wanted)
    });
}
