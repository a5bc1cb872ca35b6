//! Files that the program writes and reads back: models, recipes, run directories. What is written
//! comes back the same, and what is no such file is refused with a sentence.

mod classifier;
mod face;
mod model;
mod observer;
mod recipe;
mod run;

use wgrad::{Error, Result};

/// The message of an error of this kind, which must be one sentence with all of `words`.
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
