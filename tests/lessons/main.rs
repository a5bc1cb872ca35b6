//! The lessons: their numbers against published ones, on the twins and on the adapter; their pages; wrong settings.
//! A missing adapter is a failure.

#[path = "../common/mod.rs"]
mod common;
mod docs;
mod errors;
mod first;
mod learning;
mod networks;
mod overflow;
mod pages;
mod rule;
mod workbench;

use wgrad::internals::engine::adapter::Device;
use wgrad::internals::report::page::{Page, Table};
use wgrad::internals::teach::lessons::machine::Machine;
use wgrad::internals::teach::lessons::options::LessonOptions;
use wgrad::internals::teach::lessons::{find, run};

/// Both kinds of twins, and the shaders.
fn machines() -> [Machine; 3] {
    [Machine::plain(), Machine::oracle(), Machine::of(&Device::Gpu(common::adapter()))]
}

/// Runs a lesson on every machine.
fn everywhere(lesson: &str, options: &LessonOptions, check: impl Fn(&Page)) {
    let lesson = find(lesson).unwrap();
    for machine in machines() {
        println!("lesson {} on {}", lesson.id, machine.name);
        check(&run(lesson, options, &machine).unwrap());
    }
}

fn table<'a>(page: &'a Page, title: &str) -> &'a Table {
    let titles: Vec<&str> = page.tables().map(|table| table.title.as_str()).collect();
    let found = page.tables().find(|table| table.title == title);
    found.unwrap_or_else(|| panic!("no table “{title}”; there are {titles:?}"))
}

/// Equal to a relative 1e-5, or to 1e-6 near zero.
#[track_caller]
fn close(numbers: &[f64], expected: &[f64]) {
    assert_eq!(numbers.len(), expected.len(), "{numbers:?}, expected {expected:?}");
    for (number, expected) in numbers.iter().zip(expected) {
        let allowed = (1e-5 * expected.abs()).max(1e-6);
        assert!((number - expected).abs() <= allowed, "{number}, expected {expected}");
    }
}
