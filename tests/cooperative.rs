//! Training with cooperative matrices: an adapter that has them learns as in f32 and repeats to the bit, any other is
//! refused. Needs an adapter: run `./setup`.

#[path = "common/checked.rs"]
mod checked;
mod common;
#[path = "common/tiles.rs"]
mod tiles;

use checked::assert_checked;
use common::adapter;
use tiles::offers_tiles;
use wgrad::internals::data;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::cooperative::{offered, tile_sizes};
use wgrad::internals::kernel::precision::Precision;
use wgrad::internals::network::lower::HELD_OUT;
use wgrad::internals::table::MATMUL_COOPERATIVE;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::session::Session;
use wgrad::internals::train::trainer::Trainer;
use wgrad::internals::verify::experimental::Experimental;
use wgrad::{Error, Result};

fn session(network: &str, precision: Precision, experimental: Experimental) -> Result<Session> {
    let digits = data::load("digits")?;
    let recipe = Recipe {
        network: network.parse()?,
        batch_size: 32,
        precision,
        experimental,
        ..Recipe::defaults_for("digits", 64, 10, digits.train.len())
    };
    Session::new(recipe, digits, Device::Gpu(adapter()))
}

const NETWORK: &str = "dense 64, relu, dense 32, relu, dense 10";

fn trained(precision: Precision, experimental: Experimental) -> Trainer {
    let mut trainer = session(NETWORK, precision, experimental).unwrap().start().unwrap();
    trainer.epoch(1, &mut |_| {}).unwrap();
    trainer
}

#[test]
fn networks_learn_by_cooperative_matrices_or_are_refused_with_the_reason() {
    let (f16, cooperative) = (Precision::F16, Experimental::COOPERATIVE_MATRIX);
    let device = Device::Gpu(adapter());
    let what = "that networks learn by cooperative matrices";
    let fits = offers_tiles(&adapter());
    let on_lavapipe = if fits { vec![what] } else { Vec::new() };
    let Some(lacking) = device.lacks(&MATMUL_COOPERATIVE) else {
        assert_checked(&adapter(), "training", &[what], &[], &on_lavapipe);
        return learns();
    };
    let left_out = [(what, format!("{} {lacking}", device.name()))];
    assert_checked(&adapter(), "training", &[], &left_out, &on_lavapipe);
    // An adapter with such tiles lacks something else.
    assert_eq!(
        lacking.contains("needs cooperative matrices of 8×8×8 or 16×16×16 of f16"),
        !fits,
        "{lacking}"
    );
    let Err(Error::Setting { problem: refusal, .. }) = session(NETWORK, f16, cooperative) else {
        panic!("it was not refused")
    };
    for words in ["⟨experimental cooperative-matrix⟩", &device.name(), &lacking, "leave it out", "⟨device⟩"]
    {
        assert!(refusal.contains(words), "“{words}” is not in “{refusal}”");
    }
    if offered(&adapter()) == "none" {
        assert!(lacking.contains("of f16 with sums in f32, and it offers none"), "{lacking}");
    }
    // Without it, everything goes on.
    session(NETWORK, f16, Experimental::None).unwrap().lower().unwrap();
}

fn learns() {
    let (f16, cooperative) = (Precision::F16, Experimental::COOPERATIVE_MATRIX);
    let settled = session(NETWORK, f16, cooperative).unwrap();
    let lowered = settled.lower().unwrap();
    assert_eq!(lowered.cooperative_tile_sizes(), [tile_sizes(&adapter())[0]]);
    // Two layers forwards, their weights' gradients, and one's inputs'; the last has 10 outputs.
    assert_eq!(lowered.by_cooperative_matrices().0, 5);

    // The recipe gets the adapter's tile sizes, so that the run continues with them; others are refused.
    let all = tile_sizes(&adapter()).iter().map(usize::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(settled.recipe.experimental.to_string(), format!("cooperative-matrix {all}"));
    for tile in [8, 16] {
        let named = session(NETWORK, f16, format!("cooperative-matrix {tile}").parse().unwrap());
        match (tile_sizes(&adapter()).contains(&tile), named) {
            (true, Ok(named)) => assert_eq!(named.lower().unwrap().cooperative_tile_sizes(), [tile]),
            (false, Err(Error::Setting { problem: refusal, .. })) => {
                assert!(refusal.contains(&format!("has no tiles of {tile}, it offers")), "{refusal}");
            }
            (has, named) => panic!("{tile}: {has}, {:?}", named.err()),
        }
    }

    let [mut once, again] = [(); 2].map(|()| trained(f16, cooperative));
    let (one, two) = (once.snapshot().unwrap(), { again }.snapshot().unwrap());
    assert_eq!(one.difference(&two), None);
    let loss = once.measure(HELD_OUT).unwrap().loss;
    let single = trained(Precision::F32, Experimental::None).measure(HELD_OUT).unwrap().loss;
    println!("{loss} by cooperative matrices, {single} in f32");
    // Nine times what ten steps may be off with one factor in f16 (tests/training.rs): here
    // both are, and the epoch has 45 steps.
    assert!(loss != single && (loss - single).abs() < 0.09 * single, "{loss} and {single}");
    for epoch in 2..=20 {
        once.epoch(epoch, &mut |_| {}).unwrap();
    }
    // From 96 %, which f16 reaches in tests/training.rs, the accuracy of 360 samples is off by one in
    // a hundred, from one adapter's roundings to another's: two of those less.
    let measure = once.measure(HELD_OUT).unwrap();
    println!("after 20 epochs {measure:?}");
    assert!(measure.accuracy > 0.94, "{measure:?}");

    let unfit = session("dense 63, relu, dense 10", f16, cooperative).unwrap();
    let Err(Error::Setting { problem: refusal, .. }) = unfit.lower() else { panic!("it was not refused") };
    let least = tile_sizes(&adapter()).pop().unwrap();
    assert!(refusal.contains(&format!("are all multiples of {least}, and this network has")), "{refusal}");
}
