//! A run uses a kernel with the settings that wgrad names for it.

use std::path::Path;

use wgrad::internals::kernel::Kernel;
use wgrad::internals::network::lower::{Lowering, Part, TRAIN, lower};
use wgrad::internals::program::shape::Shape;
use wgrad::internals::table;
use wgrad::internals::table::choice::Choice;
use wgrad::internals::train::recipe::{Recipe, parse_toml};
use wgrad::internals::tune::Tuning;
use wgrad::internals::verify::custom::{self, NeededSetting, name_in_settings, needed_settings, replace};

use super::CustomKernel;

/// Whether a run with these settings uses a kernel.
fn uses(settings: &[NeededSetting], kernel: &'static Kernel) -> bool {
    let line = |NeededSetting { key, value }: &NeededSetting| {
        let is_number = value.parse::<f32>().is_ok();
        if is_number { format!("{key} = {value}\n") } else { format!("{key} = \"{value}\"\n") }
    };
    let toml: String = settings.iter().map(line).collect();
    let given = parse_toml(&toml, Path::new("recipe.toml")).unwrap();
    let recipe = Recipe::resolve(&given, 64, 10, 100).unwrap();
    let shapes = recipe.network.shapes(&Shape::image(1, 8, 8)).unwrap();
    let choice = match &recipe.tuning {
        Tuning::Fixed(picks) => Choice::NAIVE.with(picks),
        _ => Choice::NAIVE,
    };
    let lowered = lower(&Lowering {
        loss: recipe.loss,
        parts: vec![Part { name: TRAIN, samples: 8 }],
        choice: choice.in_precision(recipe.precision),
        rewrites: recipe.rewrites.resolve(true, recipe.precision),
        augment: recipe.augment,
        training: recipe.training(),
        ..Lowering::new(&recipe.network, &Shape::image(1, 8, 8), shapes.last().unwrap().len(), 8)
    });
    let custom = custom::CustomKernel::read(&CustomKernel::new(kernel, kernel.wgsl).path(), kernel).unwrap();
    replace(&mut lowered.unwrap().program, &custom, false).is_ok()
}

#[test]
fn the_settings_named_for_a_kernel_make_a_run_use_it() {
    for kernel in table::ALL.iter().filter(|kernel| kernel.subgroup.is_none()) {
        let needed = needed_settings(kernel);
        let settings = needed.clone().unwrap_or_default();
        assert_eq!(uses(&settings, kernel), needed.is_ok(), "{}: {needed:?}", kernel.name);
    }
    let needed = needed_settings(&table::BCE_LOSS).unwrap();
    assert_eq!(needed, [NeededSetting { key: "loss", value: "bce" }]);
    assert_eq!(needed[0].to_string(), "⟨loss bce⟩");
    assert_eq!(name_in_settings(&table::MATMUL_NAIVE), "matmul");
    assert!(needed_settings(&table::MATMUL_NAIVE).unwrap().is_empty());
}
