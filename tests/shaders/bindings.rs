//! Group 0, the buffers, against the table's `binds`.

use wgpu::naga::valid::{GlobalUse, ModuleInfo};
use wgpu::naga::{AddressSpace, Module, Scalar, StorageAccess, TypeInner, VectorSize};
use wgrad::internals::kernel::{Access, Element};
use wgrad::internals::verify::cases::{bench_cases, cases};

use super::{committed, equal, for_each_kernel};

/// A storage binding as a line of text, to compare shader and table at a glance.
fn describe(index: usize, name: &str, writes: bool, element: Element) -> String {
    format!("{index} {name}: {} {element:?}", if writes { "read_write" } else { "read" })
}

struct Storage {
    index: usize,
    name: String,
    writes: bool,
    uses: GlobalUse,
    inner: TypeInner,
}

impl Storage {
    fn is_vector(&self) -> bool {
        matches!(self.inner, TypeInner::Vector { size: VectorSize::Quad, scalar: Scalar::F32 })
    }

    fn element(&self) -> Element {
        match self.inner {
            TypeInner::Scalar(Scalar::F32) => Element::Real,
            // f16 lie two to a word, as pack_f16.wgsl writes them.
            TypeInner::Scalar(Scalar::U32 | Scalar::F16) => Element::Uint,
            _ if self.is_vector() => Element::Real,
            ref other => panic!("{} holds {other:?}; f32, vec4<f32>, u32 and f16 are allowed", self.name),
        }
    }
}

/// The bindings of group 0, in order.
fn storage((module, info): &(Module, ModuleInfo)) -> Vec<Storage> {
    let globals = module.global_variables.iter();
    let mut found: Vec<Storage> = globals
        .filter_map(|(handle, global)| {
            let binding = global.binding.as_ref().filter(|binding| binding.group == 0)?;
            let AddressSpace::Storage { access } = global.space else {
                panic!("{:?} is in group 0 and no storage", global.name)
            };
            let TypeInner::Array { base, .. } = module.types[global.ty].inner else {
                panic!("{:?} is no array", global.name)
            };
            Some(Storage {
                index: binding.binding as usize,
                name: global.name.clone().unwrap_or_default(),
                writes: access.contains(StorageAccess::STORE),
                uses: info.get_entry_point(0)[handle],
                inner: module.types[base].inner.clone(),
            })
        })
        .collect();
    found.sort_by_key(|binding| binding.index);
    found
}

#[test]
fn bindings_are_those_of_the_table() {
    for_each_kernel(|kernel| {
        let bindings = storage(&committed(kernel));
        let in_shader: Vec<String> = bindings
            .iter()
            .map(|binding| describe(binding.index, &binding.name, binding.writes, binding.element()))
            .collect();
        let rows = kernel.binds.iter().enumerate();
        let in_table: Vec<String> = rows
            .map(|(at, bind)| describe(at, bind.name, bind.access != Access::Read, bind.element))
            .collect();
        equal("bindings", in_shader, in_table)?;
        // For engines, `Write` means that the content before does not matter.
        for (binding, bind) in bindings.iter().zip(kernel.binds) {
            let expected = match bind.access {
                Access::Read => GlobalUse::READ,
                Access::Write if !kernel.consts.contains(&"ADD") => GlobalUse::WRITE,
                Access::Set => GlobalUse::WRITE,
                Access::Write | Access::Update => GlobalUse::READ | GlobalUse::WRITE,
            };
            equal(&format!("use of {}", bind.name), binding.uses, expected)?;
        }
        Ok(())
    });
}

#[test]
fn vectors_are_bound_to_whole_fours() {
    for_each_kernel(|kernel| {
        let bindings = storage(&committed(kernel));
        for case in cases(kernel) {
            for (binding, len) in bindings.iter().zip((kernel.lens)(&case.consts)) {
                if binding.is_vector() && !len.is_multiple_of(4) {
                    return Err(format!("{} of {len} words holds vec4s ({})", binding.name, case.consts));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn no_more_words_are_touched_than_are_bound() {
    for_each_kernel(|kernel| {
        for consts in cases(kernel).iter().chain(&bench_cases(kernel)).map(|case| &case.consts) {
            let (touched, bound) = ((kernel.touched)(consts), (kernel.lens)(consts));
            let within =
                touched.len() == bound.len() && touched.iter().zip(&bound).all(|(some, all)| some <= all);
            if !within || kernel.bytes(consts) == 0 {
                return Err(format!("{consts}: touches {touched:?} of {bound:?}"));
            }
        }
        Ok(())
    });
}
