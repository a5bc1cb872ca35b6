//! Candidates on the adapter: one with a wrong result never wins. Needs an adapter: run `./setup`.

#[path = "common/checked.rs"]
mod checked;
mod common;

use std::time::Duration;

use checked::assert_checked;
use common::adapter;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::kernel::{Kernel, WorkgroupSizes};
use wgrad::internals::table::choice::{Choice, Class, Picks, Variant};
use wgrad::internals::table::{MATMUL_NAIVE, MATMUL_REGISTER};
use wgrad::internals::tune::{Origin, Outcome, Race, Tuning, candidates, race};

/// The naive product with something changed, under a name of its own.
fn variant(name: &'static str, change: impl Fn(&str) -> String) -> Variant {
    let wgsl = change(&MATMUL_NAIVE.wgsl.replace("fn matmul_naive", &format!("fn {name}")));
    let wgsl: &'static str = wgsl.leak();
    let workgroup_sizes = WorkgroupSizes::new();
    Variant::of(Box::leak(Box::new(Kernel { name, wgsl, workgroup_sizes, ..MATMUL_NAIVE })))
}

fn of_products(candidates: &[Variant]) -> Race {
    let device = Device::Gpu(adapter());
    race(Class::Small, Choice::SOFTWARE, candidates, &mut |program| device.open(program))
}

/// Why a candidate may not win.
fn refusal(race: &Race, name: &str) -> String {
    let found = race.measured.iter().find(|one| one.variant.to_string() == name).expect("it was raced");
    match &found.outcome {
        Outcome::Refused(why) => why.clone(),
        Outcome::Seconds(seconds) => panic!("{name} took {seconds} s"),
    }
}

#[test]
fn classes_beyond_the_patience_keep_their_defaults() {
    let device = Device::Gpu(adapter());
    let tuned = wgrad::internals::tune::measure(&device, Duration::ZERO);
    assert_eq!(tuned.choice, device.choice().picks());
    assert!(tuned.measured.is_empty() && matches!(tuned.origin, Origin::Now(_, None)), "{tuned:?}");
    let [problem] = &tuned.problems[..] else { panic!("{:?}", tuned.problems) };
    assert!(
        problem.contains("has the default for narrow, small") && problem.contains("measures on"),
        "{problem}"
    );
}

#[test]
fn a_candidate_that_is_wrong_never_wins() {
    // It computes nothing at all, so no other is faster.
    let idle = variant("matmul_idle", |wgsl| wgsl.replace("k < K", "k < 0u"));
    // The last term of each sum is missing.
    let short = variant("matmul_short", |wgsl| wgsl.replace("k < K", "k < K - 1u"));
    let invalid = variant("matmul_invalid", |wgsl| format!("{wgsl}\nfn f() -> f32 {{ return 1u; }}\n"));
    assert_ne!(idle.kernel.unwrap().wgsl, MATMUL_NAIVE.wgsl.replace("matmul_naive", "matmul_idle"));

    let register = Variant::of(&MATMUL_REGISTER);
    let race = of_products(&[idle, short, invalid, register]);
    assert_eq!(race.winner, register);
    for name in ["matmul_idle", "matmul_short"] {
        let why = refusal(&race, name);
        assert!(why.starts_with("its c[") && why.contains(" and not "), "{why}");
    }
    assert!(refusal(&race, "matmul_invalid").contains("matmul_invalid"));
    let problem = race.problem().unwrap();
    for word in ["small matmul_idle not", "small matmul_short not", "not chosen: "] {
        assert!(problem.contains(word), "“{word}” is not in “{problem}”");
    }

    // Nor does a wrong default, when another is right.
    let wrong = Choice::SOFTWARE.with(&Picks::default().with(Class::Small, short));
    let device = Device::Gpu(adapter());
    let race = wgrad::internals::tune::race(Class::Small, wrong, &[short, register], &mut |program| {
        device.open(program)
    });
    assert_eq!(race.winner, register);
}

/// The candidates of each class on lavapipe.
const ON_LAVAPIPE: [(&str, &[&str]); 10] = [
    ("narrow", &["matmul_register", "matmul_subgroup"]),
    ("small", &["matmul_register", "matmul_subgroup"]),
    ("long", &["matmul_register", "matmul_subgroup"]),
    ("large", &["matmul_subgroup"]),
    ("huge", &["matmul_subgroup"]),
    ("weights", &["weight_gradient", "weight_gradient_subgroup"]),
    ("conv", &["conv_subgroup"]),
    ("conv-weights", &["conv_weights_subgroup"]),
    ("first", &["separate", "gather_dense_subgroup"]),
    ("last", &["separate", "dense_softmax_loss_subgroup"]),
];

#[test]
fn every_candidate_of_this_adapter_is_right_and_one_of_them_wins() {
    let adapter = adapter();
    let device = Device::Gpu(adapter.clone());
    assert_eq!(Class::ALL.map(Class::name), ON_LAVAPIPE.map(|(class, _)| class));
    for (class, (name, on_lavapipe)) in Class::ALL.into_iter().zip(ON_LAVAPIPE) {
        let candidates = candidates(class, &device);
        let names: Vec<String> = candidates.iter().map(Variant::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_checked(&adapter, &format!("candidates of {name}"), &names, &[], on_lavapipe);
        assert!(
            candidates.contains(&device.choice().variant(class)),
            "{class:?}: the default is one of them"
        );
        let race = race(class, device.choice(), &candidates, &mut |program| device.open(program));
        assert_eq!(race.problem(), None);
        assert!(candidates.contains(&race.winner), "{race:?}");
    }
}

/// The candidates for real GPUs, on any adapter: it shows that they are right, not how fast they are.
#[test]
fn the_candidates_of_real_gpus_are_right() {
    let device = Device::Gpu(adapter());
    for class in [Class::Small, Class::Long, Class::Large, Class::Weights] {
        let on_gpus = class.variants().iter().filter(|variant| variant.on_gpus).copied();
        let candidates: Vec<Variant> = on_gpus.collect();
        assert!(candidates.contains(&Choice::GPU.variant(class)), "{class:?}: the default is one of them");
        let race = race(class, Choice::GPU, &candidates, &mut |program| device.open(program));
        assert_eq!(race.problem(), None);
        let raced = |variant: &Variant| race.measured.iter().any(|one| one.variant == *variant);
        assert!(candidates.iter().all(raced), "{class:?}: {:?}", race.measured);
    }
}

#[test]
fn a_choice_that_the_device_cannot_run_is_refused_with_advice() {
    // No adapter has subgroups of 3.
    let kernel = Kernel {
        name: "matmul_odd",
        subgroup: Some(3),
        workgroup_sizes: WorkgroupSizes::new(),
        ..MATMUL_NAIVE
    };
    let odd = Variant::of(Box::leak(Box::new(kernel)));
    let tuning = Tuning::Fixed(Picks::default().with(Class::Large, odd));
    let device = Device::Gpu(adapter());
    assert!(!tuning.runs_on(&device));
    let error = tuning.choice(&device).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let message = error.to_string();
    for word in
        ["tuning says large matmul_odd", &device.name(), "use tuning = \"auto\"", "name another variant"]
    {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    // A choice is for shaders; the CPU engine has its own functions.
    let cpu = Device::Cpu { reason: None };
    assert_eq!(tuning.choice(&cpu).unwrap().picks(), Choice::CPU.picks());
}
