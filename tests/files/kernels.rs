//! The custom kernels that a run directory keeps.

use std::fs;

use wgrad::Error;
use wgrad::internals::train::run::{RunDir, kept_kernel};

#[test]
fn a_kernel_is_kept_as_it_was_given_and_goes_with_an_abandoned_run() {
    let out = tempfile::tempdir().unwrap();
    let run = RunDir::create(out.path(), "digits").unwrap();
    assert_eq!(run.read_kernel("sgd").unwrap(), None);
    for text in ["\u{feff}fn sgd() {}\r\n", "fn sgd() { }"] {
        run.write_kernel("sgd", text).unwrap();
        assert_eq!(run.read_kernel("sgd").unwrap().as_deref(), Some(text));
    }
    fs::write(kept_kernel(run.path(), "sgd"), [0xff]).unwrap();
    assert!(matches!(run.read_kernel("sgd"), Err(Error::Data(_))));
    run.abandon();
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}
