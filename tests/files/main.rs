//! Models, recipes and run directories, written and read back, or refused.

mod classifier;
mod face;
mod foreign;
mod model;
mod observer;
mod overflow;
mod recipe;
mod run;
#[path = "../common/state_dict.rs"]
mod state_dict;

use wgrad::{Error, Result};

/// Checks that a result is the error of a setting that its sentence marks.
#[track_caller]
fn assert_setting_refused<T>(result: Result<T>, words: &[&str]) {
    let error = result.map(|_| ()).expect_err("this should have been refused");
    let Error::Setting { key, problem } = &error else { panic!("{error:?}") };
    assert!(problem.contains(&format!("⟨{key}")), "{problem}");
    for word in words {
        assert!(error.to_string().contains(word), "“{word}” is not in “{error}”");
    }
}

/// Checks an error's kind and message. The message is one sentence with all of `words`.
#[track_caller]
fn assert_refused<T>(result: Result<T>, kind: fn(String) -> Error, words: &[&str]) {
    let error = result.map(|_| ()).expect_err("this should have been refused");
    let message = error.to_string();
    assert_eq!(format!("{error:?}"), format!("{:?}", kind(error.marked().to_owned())));
    for word in words {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    assert!(!message.contains('\n') && !message.contains(". "), "not one sentence: “{message}”");
}
