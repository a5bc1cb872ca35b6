//! Checks that a test has checked everything on lavapipe, and prints what it left out elsewhere.

#[path = "not_checked.rs"]
pub mod not_checked;

use std::collections::BTreeSet;

use not_checked::not_checked;

/// On lavapipe exactly `on_lavapipe` has been checked; elsewhere what was left out is printed with its reason.
#[track_caller]
pub fn assert_checked(
    adapter: &wgpu::Adapter,
    what: &str,
    checked: &[&str],
    left_out: &[(&str, String)],
    on_lavapipe: &[&str],
) {
    let name = adapter.get_info().name;
    if name.contains("llvmpipe") {
        let [checked, wanted] = [checked, on_lavapipe].map(|names| names.iter().collect::<BTreeSet<_>>());
        let missing: Vec<_> = wanted.difference(&checked).collect();
        let unexpected: Vec<_> = checked.difference(&wanted).collect();
        assert!(
            missing.is_empty() && unexpected.is_empty(),
            "{what} on {name}: not checked {missing:?}, and not in this test's list {unexpected:?}; left out \
             {left_out:?}"
        );
    }
    left_out.iter().for_each(|(left_out, why)| not_checked(&format!("{what}: {left_out}"), why));
}
