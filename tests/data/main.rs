//! Data sets from names and folders, and pictures from files; bad input is refused.

mod cifar;
mod content;
mod emnist;
mod files;
mod folders;
mod foreign;
mod fuzz;
mod images;
#[path = "../common/not_checked.rs"]
mod not_checked;
mod pictures;
mod sets;

use wgrad::{Error, Result};

/// The message of an `Error::Data`, which must be one sentence with all of `words`.
#[track_caller]
fn assert_data_error<T>(result: Result<T>, words: &[&str]) {
    match result.map(|_| ()) {
        Err(Error::Data(message)) => assert_sentence(&message, words),
        other => panic!("expected Error::Data with {words:?}, got {other:?}"),
    }
}

/// The same for `Error::NotFound`.
#[track_caller]
fn assert_not_found<T>(result: Result<T>, words: &[&str]) {
    match result.map(|_| ()) {
        Err(Error::NotFound(message)) => assert_sentence(&message, words),
        other => panic!("expected Error::NotFound with {words:?}, got {other:?}"),
    }
}

/// The same for `Error::Setting`, whose setting must be marked.
#[track_caller]
fn assert_setting_error<T>(result: Result<T>, setting: &str, words: &[&str]) {
    match result.map(|_| ()) {
        Err(Error::Setting { key, problem }) if key == setting => {
            assert_sentence(&problem, words);
            assert!(problem.contains(&format!("⟨{key}")), "{key} is not marked in “{problem}”");
        }
        other => panic!("expected Error::Setting of {setting} with {words:?}, got {other:?}"),
    }
}

/// The same for `Error::Usage`.
#[track_caller]
fn assert_usage_error<T>(result: Result<T>, words: &[&str]) {
    match result.map(|_| ()) {
        Err(Error::Usage(message)) => assert_sentence(&message, words),
        other => panic!("expected Error::Usage with {words:?}, got {other:?}"),
    }
}

#[track_caller]
fn assert_sentence(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "“{word}” is not in “{message}”");
    }
    assert!(!message.contains('\n') && !message.contains(". "), "not one sentence: “{message}”");
}
