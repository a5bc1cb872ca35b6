//! Reflection: a custom shader is checked against the row of the kernel table.

use wgpu::naga::proc::GlobalCtx;
use wgpu::naga::{
    AddressSpace, Expression, Function, GlobalVariable, Handle, Module, Scalar, ShaderStage, StorageAccess,
    Type, TypeInner,
};

use super::source::{Fault, compile};
use crate::kernel::{Access, Bind, Consts, Element, Kernel, SHAPES};
use crate::table::former;
use crate::verify::cases::{cases, real};

// WebGPU's default limits, so that a custom shader runs in a browser too.
const MOST_INVOCATIONS: u32 = 256;
const MOST_ALONG_Z: u32 = 64;
const MOST_WORKGROUP_BYTES: u32 = 16 << 10;
/// The most bytes of a value, and of all variables of an invocation.
///
/// A browser allows 8 KiB. Drivers take gigabytes to compile a shader with large ones.
const MOST_PRIVATE_BYTES: u32 = 64 << 10;

/// Facts by reflection about a shader that fulfils a contract.
#[derive(Clone, Debug)]
pub struct Shader {
    pub workgroup_size: [u32; 3],
    /// Bytes of workgroup memory.
    pub workgroup_bytes: u32,
    /// Whether it uses `arrayLength`.
    pub asks_length: bool,
}

impl Shader {
    /// Checks a text against the contract of `ours`, as written and with the constants of every case.
    pub(super) fn examine(text: &str, ours: &Kernel) -> Result<Shader, Fault> {
        let (module, _) = compile(text, ours, &Consts::default())?;
        let shader = form(&module, ours).map_err(Fault::whole)?;
        let shape = |consts: &Consts| consts.only(SHAPES);
        let mut sizes = vec![(Consts::default(), shader.workgroup_size)];
        for case in cases(ours).iter().chain([&real(ours)]) {
            let named = |fault: Fault| Fault {
                message: format!("{} (with the constants {})", fault.message, case.consts),
                ..fault
            };
            let (module, _) = compile(text, ours, &case.consts).map_err(named)?;
            let special = form(&module, ours).map_err(|message| named(Fault::whole(message)))?;
            // Only the constants of tiles may change the workgroup size.
            let known = sizes.iter().find(|(of, _)| *of == shape(&case.consts));
            if known.is_none() {
                sizes.push((shape(&case.consts), special.workgroup_size));
            } else if known.is_some_and(|(_, size)| *size != special.workgroup_size) {
                return Err(named(Fault::whole(
                    "the workgroup size follows a constant that dispatches set: give it one of its own"
                        .to_owned(),
                )));
            }
        }
        Ok(shader)
    }
}

fn form(module: &Module, ours: &Kernel) -> Result<Shader, String> {
    let workgroup_size = entry_point(module, ours)?;
    constants(module, ours)?;
    bindings(module, ours)?;
    let context: GlobalCtx = module.to_ctx();
    let shared = module.global_variables.iter().filter(|(_, var)| var.space == AddressSpace::WorkGroup);
    let sizes = shared.map(|(_, var)| module.types[var.ty].inner.size(context));
    let workgroup_bytes = sizes.fold(0, u32::saturating_add);
    if workgroup_bytes > MOST_WORKGROUP_BYTES {
        return Err(expected(
            "workgroup memory",
            &format!("at most {MOST_WORKGROUP_BYTES} bytes"),
            &workgroup_bytes.to_string(),
        ));
    }
    memory(module)?;
    let asks_length = functions(module)
        .flat_map(|function| function.expressions.iter())
        .any(|(_, expression)| matches!(expression, Expression::ArrayLength(_)));
    Ok(Shader { workgroup_size, workgroup_bytes, asks_length })
}

fn functions(module: &Module) -> impl Iterator<Item = &Function> {
    let functions = module.functions.iter().map(|(_, function)| function);
    functions.chain(module.entry_points.iter().map(|entry| &entry.function))
}

/// Checks the sizes of values and variables.
fn memory(module: &Module) -> Result<(), String> {
    let size = |ty: Handle<Type>| module.types[ty].inner.size(module.to_ctx());
    let most = format!("at most {MOST_PRIVATE_BYTES} bytes");
    if let Some(large) = module.types.iter().map(|(ty, _)| size(ty)).find(|size| *size > MOST_PRIVATE_BYTES) {
        return Err(expected("a type", &most, &large.to_string()));
    }
    let globals = module.global_variables.iter().filter(|(_, var)| var.space == AddressSpace::Private);
    let locals = functions(module).flat_map(|function| function.local_variables.iter());
    let sizes = globals.map(|(_, var)| size(var.ty)).chain(locals.map(|(_, var)| size(var.ty)));
    let total = sizes.fold(0, u32::saturating_add);
    if total > MOST_PRIVATE_BYTES {
        return Err(expected("variables of an invocation", &most, &total.to_string()));
    }
    Ok(())
}

fn expected(what: &str, wanted: &str, got: &str) -> String {
    format!("{what}: expected {wanted}, got {got}")
}

/// The entry point's workgroup size.
fn entry_point(module: &Module, ours: &Kernel) -> Result<[u32; 3], String> {
    let entries = &module.entry_points;
    let named = entries.iter().find(|entry| entry.name == ours.name && entry.stage == ShaderStage::Compute);
    let (Some(entry), 1) = (named, entries.len()) else {
        let names: Vec<String> = entries.iter().map(|entry| format!("“{}”", entry.name)).collect();
        let got = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(expected("entry points", &format!("“@compute fn {}” alone", ours.name), &got));
    };
    if let Some((_, constant)) = module.overrides.iter().next() {
        let name = constant.name.as_deref().unwrap_or("an override");
        return Err(expected(name, "a const", "an override, which nothing here sets"));
    }
    let [x, y, z] = entry.workgroup_size;
    let product = x.saturating_mul(y).saturating_mul(z);
    if product > MOST_INVOCATIONS || z > MOST_ALONG_Z {
        let wanted = format!("at most {MOST_INVOCATIONS} invocations, and {MOST_ALONG_Z} along z");
        return Err(expected("the workgroup", &wanted, &format!("{x}×{y}×{z}")));
    }
    Ok(entry.workgroup_size)
}

/// Checks that every constant of the row is declared with its type.
fn constants(module: &Module, ours: &Kernel) -> Result<(), String> {
    for name in ours.consts {
        let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
        let got = found.map_or_else(
            || "no such const".to_owned(),
            |(_, constant)| describe(module, &module.types[constant.ty].inner),
        );
        let declaration = format!("const {name}: ");
        let ours = ours.wgsl.lines().find_map(|line| line.strip_prefix(&declaration)?.split_once(" ="));
        let wanted = ours.map_or("u32", |(kind, _)| kind);
        if got != wanted {
            return Err(expected(&format!("const {name}"), wanted, &got));
        }
    }
    Ok(())
}

/// The WGSL name of a type that contracts have.
fn describe(module: &Module, inner: &TypeInner) -> String {
    match inner {
        TypeInner::Scalar(Scalar::F32) => "f32".to_owned(),
        TypeInner::Scalar(Scalar::F16) => "f16".to_owned(),
        TypeInner::Scalar(Scalar::U32) => "u32".to_owned(),
        TypeInner::Scalar(Scalar::I32) => "i32".to_owned(),
        TypeInner::Scalar(Scalar::BOOL) => "bool".to_owned(),
        TypeInner::Vector { size, scalar } => {
            format!("vec{}<{}>", *size as u8, describe(module, &TypeInner::Scalar(*scalar)))
        }
        TypeInner::Array { base, size: wgpu::naga::ArraySize::Dynamic, .. } => {
            format!("array<{}>", describe(module, &module.types[*base].inner))
        }
        TypeInner::Array { base, .. } => {
            format!("array<{}, of a fixed length>", describe(module, &module.types[*base].inner))
        }
        _ => "another type".to_owned(),
    }
}

/// Checks that the storage bindings are those of the row.
fn bindings(module: &Module, ours: &Kernel) -> Result<(), String> {
    let globals: Vec<&GlobalVariable> = module.global_variables.iter().map(|(_, global)| global).collect();
    for (index, bind) in ours.binds.iter().enumerate() {
        let at = |global: &&&GlobalVariable| {
            global.binding.as_ref().is_some_and(|at| at.group == 0 && at.binding as usize == index)
        };
        let got = globals
            .iter()
            .find(at)
            .map_or_else(|| "nothing".to_owned(), |global| declaration(module, global));
        let wanted = allowed(ours, index, bind, bind.name);
        let is_former =
            former::bindings(bind.name).any(|name| allowed(ours, index, bind, name).contains(&got));
        if !wanted.contains(&got) && !is_former {
            return Err(expected(&format!("@group(0) @binding({index})"), &wanted.join(" or "), &got));
        }
    }
    let extra = globals.iter().filter(|global| global.space != AddressSpace::Uniform).find(|global| {
        let beyond =
            |at: &wgpu::naga::ResourceBinding| at.group != 0 || at.binding as usize >= ours.binds.len();
        global.binding.as_ref().is_some_and(beyond)
    });
    let mut uniforms = globals.iter().filter(|global| global.space == AddressSpace::Uniform);
    // One uniform is the Step of common.wgsl.
    match extra.or(uniforms.nth(1)) {
        Some(extra) => Err(expected(
            "bindings",
            &format!("those {} alone", ours.binds.len()),
            &format!("“{}” as well", declaration(module, extra)),
        )),
        None => Ok(()),
    }
}

/// The declarations that a binding may have.
///
/// Elements are scalars, or vectors of four where the length is a multiple of four in every case. Cooperative matrices
/// are loaded from f16, two per word.
fn allowed(ours: &Kernel, index: usize, bind: &Bind, name: &str) -> Vec<String> {
    let access = if bind.access == Access::Read { "read" } else { "read_write" };
    let scalar = match bind.element {
        Element::Real => "f32",
        Element::Uint if ours.is_cooperative() => "f16",
        Element::Uint => "u32",
    };
    let fours = cases(ours).iter().all(|case| (ours.lens)(&case.consts)[index].is_multiple_of(4));
    let vector = (fours && scalar != "f16").then(|| format!("vec4<{scalar}>"));
    [Some(scalar.to_owned()), vector]
        .into_iter()
        .flatten()
        .map(|element| format!("var<storage, {access}> {name}: array<{element}>"))
        .collect()
}

/// A variable as WGSL declares it.
fn declaration(module: &Module, global: &GlobalVariable) -> String {
    let name = global.name.as_deref().unwrap_or("_");
    let space = match global.space {
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => "storage, read_write",
        AddressSpace::Storage { .. } => "storage, read",
        AddressSpace::Uniform => "uniform",
        _ => "another address space",
    };
    format!("var<{space}> {name}: {}", describe(module, &module.types[global.ty].inner))
}
