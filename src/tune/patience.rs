//! Tests of a run that stops measuring early, and of the run after it.

use std::time::Duration;

use super::Tuned;
use super::cache::load;
use super::cache::tests::{key, measured};
use crate::engine::adapter::Device;
use crate::table;
use crate::table::choice::{Class, Picks, Variant};

#[test]
fn the_next_run_measures_the_classes_that_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tuning.toml");
    // The CPU engine has no candidates, so each class that is begun takes its default.
    let device = Device::Cpu { reason: None };
    let register = Variant::of(&table::MATMUL_REGISTER);
    let begun = (Picks::default().with(Class::Long, register), measured());
    let measure = |known, patience| {
        Tuned::default(&device).measure(&device, Some(file.clone()), &key("1"), known, patience)
    };
    let cut = measure(begun.clone(), Duration::ZERO);
    assert_eq!(cut.choice.get(Class::Long), Some(register));
    assert!(cut.problems[0].contains("narrow, small, large"), "{:?}", cut.problems);
    assert_eq!(load(&file, &key("1")), Ok(Some(begun.clone())));
    let whole = measure(begun, Duration::MAX);
    assert!(whole.problems.is_empty(), "{:?}", whole.problems);
    assert_eq!(whole.choice, device.choice().picks().with(Class::Long, register));
    assert_eq!(load(&file, &key("1")), Ok(Some((whole.choice, measured()))));
}
