//! Profiles: they count what ran, add up, and change nothing. These tests need an adapter. Without
//! one they fail: run `./setup`.

mod common;

use std::ops::ControlFlow;

use common::adapter;
use wgrad::internals::data;
use wgrad::internals::engine::Engine;
use wgrad::internals::engine::adapter::Device;
use wgrad::internals::engine::checks::Checks;
use wgrad::internals::engine::cpu::CpuEngine;
use wgrad::internals::engine::gpu::GpuEngine;
use wgrad::internals::engine::profile::{Clock, Profile, Profiler, trace};
use wgrad::internals::network::lower::{HELD_OUT, Lowered, TRAIN};
use wgrad::internals::program::MAX_STEPS;
use wgrad::internals::train::recipe::Recipe;
use wgrad::internals::train::session::Session;

/// The steps to profile: more than a first submission has, fewer than an epoch.
const WANTED: usize = 7;
const STEPS: usize = 20;

fn session(network: &str) -> Session {
    let mut digits = data::load("digits").unwrap();
    digits.train = digits.train.subset(&(0..800).collect::<Vec<_>>());
    let defaults = Recipe::defaults_for("digits", 64, 10, digits.train.len());
    let recipe = Recipe { network: network.parse().unwrap(), batch_size: 32, ..defaults };
    Session::new(recipe, digits, Device::Gpu(adapter())).unwrap()
}

/// The parameters after some steps and a measurement, by their bits.
fn train(session: &Session, lowered: &Lowered, engine: Box<dyn Engine>) -> Vec<u32> {
    let mut trainer = session.open_on(engine, lowered.clone()).unwrap();
    trainer.advance(STEPS, &mut |_| ControlFlow::Continue(())).unwrap();
    trainer.measure(HELD_OUT).unwrap();
    trainer.parameters().unwrap().into_iter().map(f32::to_bits).collect()
}

/// Checks that a profile changes no parameter of a run, and returns the profile.
fn profiled(
    network: &str,
    profiler: &Profiler,
    open: impl Fn(&Lowered, Option<&Profiler>) -> Box<dyn Engine>,
) -> (Profile, Lowered) {
    let session = session(network);
    let lowered = session.lower().unwrap();
    let plain = train(&session, &lowered, open(&lowered, None));
    profiler.watch(lowered.program.section(TRAIN), WANTED);
    assert_eq!(train(&session, &lowered, open(&lowered, Some(profiler))), plain);
    let profile = profiler.profile(&lowered.program);
    assert_whole(&profile, &lowered);
    (profile, lowered)
}

/// Every dispatch of every wanted step is there, in order.
#[track_caller]
fn assert_whole(profile: &Profile, lowered: &Lowered) {
    let section = lowered.program.section(TRAIN);
    assert_eq!(profile.steps(), WANTED);
    let expected = (0..WANTED as u32).flat_map(|step| section.clone().map(move |at| (step, at)));
    let seen = profile.spans.iter().map(|span| (span.step, span.dispatch));
    assert!(seen.eq(expected), "{:?}", profile.spans);
    let starts: Vec<f64> = profile.spans.iter().map(|span| span.start).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    assert!(profile.spans.iter().all(|span| span.seconds >= 0.0));
    assert!(profile.spans.iter().any(|span| span.seconds > 0.0));
}

fn on_gpu(lowered: &Lowered, profiler: Option<&Profiler>) -> Box<dyn Engine> {
    let program = lowered.program.clone();
    Box::new(match profiler {
        None => GpuEngine::new(&adapter(), program, Checks::On).unwrap(),
        Some(profiler) => GpuEngine::with_profiler(&adapter(), program, Checks::On, profiler).unwrap(),
    })
}

fn on_cpu(lowered: &Lowered, profiler: Option<&Profiler>) -> Box<dyn Engine> {
    let engine = CpuEngine::fast(lowered.program.clone()).unwrap();
    Box::new(match profiler {
        None => engine,
        Some(profiler) => engine.with_profiler(profiler),
    })
}

const SMALL: &str = "dense 16, relu, dense 10";

#[test]
fn the_clock_of_an_adapter_times_dispatches_and_changes_no_weight() {
    let (profile, _) = profiled(SMALL, &Profiler::default(), on_gpu);
    // Lavapipe and every desktop GPU have one.
    assert_eq!(profile.clock, Clock::Device);
}

#[test]
fn without_a_clock_submissions_are_timed_and_no_weight_changes() {
    let (profile, _) = profiled(SMALL, &Profiler::by_submission(), on_gpu);
    assert_eq!(profile.clock, Clock::Submission);
    assert!(profile.caption().contains("upper bounds"), "{}", profile.caption());
}

#[test]
fn the_cpu_engine_is_timed_and_no_weight_changes() {
    let (profile, _) = profiled(SMALL, &Profiler::default(), on_cpu);
    assert_eq!(profile.clock, Clock::Host);
    let rows = profile.by_kernel();
    // All versions of a kernel have one function.
    assert!(rows.iter().any(|row| row.kernel == "dense_softmax_loss"), "{rows:?}");
}

#[test]
fn rows_add_up_and_leave_out_the_first_step() {
    let (profile, lowered) = profiled(SMALL, &Profiler::default(), on_cpu);
    let dispatches = profile.spans.len() / WANTED;
    let seconds: f64 = profile.spans[dispatches..].iter().map(|span| span.seconds).sum();
    for rows in [profile.by_kernel(), profile.by_dispatch()] {
        assert_eq!(rows.iter().map(|row| row.calls).sum::<usize>(), dispatches * (WANTED - 1));
        assert!((rows.iter().map(|row| row.seconds).sum::<f64>() - seconds).abs() < 1e-9);
        assert!((rows.iter().map(|row| row.fraction).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(rows.windows(2).all(|pair| pair[0].seconds >= pair[1].seconds));
    }
    let steps = &lowered.program.steps[lowered.program.section(TRAIN)];
    let of_a_step: usize = steps.iter().map(|dispatch| (dispatch.kernel.flops)(&dispatch.consts)).sum();
    let of_all: f64 = profile.by_kernel().iter().map(|row| row.flops).sum();
    assert_eq!(of_all, (of_a_step * (WANTED - 1)) as f64);
    assert!(profile.caption().contains("7 steps"), "{}", profile.caption());
}

#[test]
fn a_trace_has_every_dispatch_inside_its_step() {
    let (profile, _) = profiled(SMALL, &Profiler::default(), on_gpu);
    let trace = trace([("wgrad on an adapter".to_owned(), &profile)]);
    let events = trace["traceEvents"].as_array().unwrap();
    let whole: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
    assert_eq!(whole.len(), WANTED + profile.spans.len());
    let number = |event: &serde_json::Value, key: &str| event[key].as_f64().unwrap();
    let mut end_of_step = 0.0;
    for event in whole {
        let end = number(event, "ts") + number(event, "dur");
        if event["name"].as_str().unwrap().starts_with("step ") {
            end_of_step = end;
        }
        // Times are rounded to nanoseconds.
        assert!(number(event, "ts") >= 0.0 && end <= end_of_step + 0.002, "{event}");
    }
    assert_eq!(events[0]["args"]["name"], "wgrad on an adapter");
}

#[test]
fn more_dispatches_than_timestamps_fit_into_several_submissions() {
    let session = session(SMALL);
    let lowered = session.lower().unwrap();
    let (profiler, section) = (Profiler::default(), lowered.program.section(TRAIN));
    // One submission of more dispatches than a query set has room for: what is over comes later.
    let steps = (2 * wgpu::QUERY_SET_MAX_QUERIES as usize / section.len()).min(MAX_STEPS);
    profiler.watch(section.clone(), steps);
    let mut engine = on_gpu(&lowered, Some(&profiler));
    let scalars = vec![wgrad::internals::kernel::Step { samples: 32, ..Default::default() }; steps];
    let ticket = engine.submit(section.clone(), &scalars, lowered.metrics(1)).unwrap();
    engine.wait(ticket).unwrap();
    let first = profiler.profile(&lowered.program).steps();
    assert_eq!(first, wgpu::QUERY_SET_MAX_QUERIES as usize / 2 / section.len());
    let ticket = engine.submit(section, &scalars, lowered.metrics(1)).unwrap();
    engine.wait(ticket).unwrap();
    assert_eq!(profiler.profile(&lowered.program).steps(), 2 * first);
}
