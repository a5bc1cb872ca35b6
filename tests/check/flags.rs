//! The flags that are named for training with a kernel are those with which a run uses it.

use std::path::Path;

use wgrad::internals::kernel::Kernel;
use wgrad::internals::network::lower::{Lowering, Part, TRAIN, lower};
use wgrad::internals::program::rewrite::Rewrites;
use wgrad::internals::program::shape::Shape;
use wgrad::internals::table;
use wgrad::internals::table::choice::Choice;
use wgrad::internals::train::recipe::{Recipe, parse_toml};
use wgrad::internals::verify::custom::{self, how_to_train, replace};

use super::CustomKernel;

/// `--network "dense 10" --clip-norm 1` as the lines of a recipe file.
fn toml(flags: &str) -> String {
    let mut lines = String::new();
    for flag in flags.split("--").filter(|flag| !flag.is_empty()) {
        let (name, value) = flag.trim().split_once(' ').unwrap();
        let value = value.trim_matches('"');
        let is_number = value.parse::<f32>().is_ok();
        let value = if is_number { value.to_owned() } else { format!("\"{value}\"") };
        lines += &format!("{} = {value}\n", name.replace('-', "_"));
    }
    lines
}

/// Whether a run with these flags uses a kernel.
fn uses(flags: &str, kernel: &'static Kernel) -> bool {
    let given = parse_toml(&toml(flags), Path::new("recipe.toml")).unwrap();
    let recipe = Recipe::resolve(&given, 64, 10, 100).unwrap();
    let shapes = recipe.network.shapes(&Shape::image(1, 8, 8)).unwrap();
    let lowered = lower(&Lowering {
        loss: recipe.loss,
        parts: vec![Part { name: TRAIN, samples: 8 }],
        choice: Choice::NAIVE.in_precision(recipe.precision),
        rewrites: Rewrites::NONE.and(Rewrites::F16),
        augment: recipe.augment,
        training: recipe.training(),
        ..Lowering::new(&recipe.network, &Shape::image(1, 8, 8), shapes.last().unwrap().len(), 8)
    });
    let own = custom::CustomKernel::read(&CustomKernel::new(kernel, kernel.wgsl).path(), kernel).unwrap();
    replace(&mut lowered.unwrap().program, &own, false).is_ok()
}

#[test]
fn what_is_said_about_training_with_a_kernel_is_true() {
    for kernel in table::ALL.iter().filter(|kernel| kernel.subgroup.is_none()) {
        let told = how_to_train(kernel);
        let flags = told.as_deref().unwrap_or_default();
        let flags = flags.split_once("--kernel").map_or(flags, |(flags, _)| flags);
        assert_eq!(uses(flags, kernel), told.is_ok(), "{}: {told:?}", kernel.name);
    }
    assert_eq!(how_to_train(&table::BCE_LOSS).unwrap(), "--loss bce --kernel bce_loss");
    assert_eq!(how_to_train(&table::MATMUL_NAIVE).unwrap(), "--kernel matmul");
}
