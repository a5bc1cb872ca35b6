//! Numbers that Rust and WGSL both have are equal.

use std::mem::offset_of;

use wgpu::naga::{AddressSpace, Expression, Literal, Module, Scalar, TypeInner};
use wgrad::internals::kernel::rng::Purpose;
use wgrad::internals::kernel::{Activation, COMMON, Const, Epilogue, FLAT_WIDTH, Step};
use wgrad::internals::table;

use super::{committed, reflect};

#[test]
fn the_step_uniform_is_the_step_struct() {
    // The closure fails to compile when the Rust field has another type.
    macro_rules! field {
        ($name:ident: $rust:ty, $scalar:expr) => {{
            let _: fn(Step) -> $rust = |step| step.$name;
            (stringify!($name).to_owned(), offset_of!(Step, $name), $scalar)
        }};
    }
    let fields = vec![
        field!(slot: u32, Scalar::U32),
        field!(first: u32, Scalar::U32),
        field!(samples: u32, Scalar::U32),
        field!(index: u32, Scalar::U32),
        field!(learning_rate: f32, Scalar::F32),
        field!(momentum: f32, Scalar::F32),
        field!(seed: u32, Scalar::U32),
        field!(epoch: u32, Scalar::U32),
        field!(mean_correction: f32, Scalar::F32),
        field!(square_correction: f32, Scalar::F32),
        field!(ema_decay: f32, Scalar::F32),
    ];
    let (module, _) = reflect(COMMON).unwrap();
    let globals: Vec<_> = module.global_variables.iter().map(|(_, global)| global).collect();
    let [uniform] = globals.as_slice() else { panic!("common.wgsl declares one variable") };
    let binding = uniform.binding.as_ref().unwrap();
    assert_eq!((binding.group, binding.binding), (1, 0));
    assert_eq!(uniform.space, AddressSpace::Uniform);
    let TypeInner::Struct { members, span } = &module.types[uniform.ty].inner else { panic!("no struct") };
    let reflected: Vec<(String, usize, Scalar)> = members
        .iter()
        .map(|member| {
            let scalar = module.types[member.ty].inner.scalar().unwrap();
            (member.name.clone().unwrap(), member.offset as usize, scalar)
        })
        .collect();
    assert_eq!(reflected, fields);
    assert_eq!(*span as usize, size_of::<Step>());
}

/// The value of a `const` of type u32.
fn constant(module: &Module, name: &str) -> u32 {
    let found = module.constants.iter().find(|(_, constant)| constant.name.as_deref() == Some(name));
    let (_, found) = found.unwrap_or_else(|| panic!("there is no const {name}"));
    match module.global_expressions[found.init] {
        Expression::Literal(Literal::U32(value)) => value,
        ref other => panic!("const {name} is {other:?}"),
    }
}

#[test]
fn numbers_that_stand_in_rust_and_in_wgsl_are_equal() {
    let (common, _) = reflect(COMMON).unwrap();
    assert_eq!(constant(&common, "FLAT_WIDTH") as usize, FLAT_WIDTH);
    for (name, activation) in [
        ("IDENTITY", Activation::Identity),
        ("RELU", Activation::Relu),
        ("LEAKY_RELU", Activation::LeakyRelu(0.01)),
        ("SIGMOID", Activation::Sigmoid),
        ("TANH", Activation::Tanh),
        ("GELU", Activation::Gelu),
        ("SILU", Activation::Silu),
    ] {
        assert_eq!(Const::Uint(constant(&common, name)), activation.consts().0, "{name}");
    }
    for (name, purpose) in [("PURPOSE_AUGMENT", Purpose::Augment), ("PURPOSE_DROPOUT", Purpose::Dropout)] {
        assert_eq!(constant(&common, name), purpose as u32, "{name}");
    }
    for kernel in table::ALL.iter().filter(|kernel| kernel.consts.contains(&"EPILOGUE")) {
        let (module, _) = committed(kernel);
        for (name, epilogue) in
            [("PLAIN", Epilogue::Plain), ("BIAS", Epilogue::Bias), ("DERIVATIVE", Epilogue::Derivative)]
        {
            assert_eq!(constant(&module, name), epilogue as u32, "{} {name}", kernel.name);
        }
    }
}
