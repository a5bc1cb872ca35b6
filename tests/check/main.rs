//! Custom kernels: `wgrad lesson check`, `start` and `hint`, and `wgrad train --kernel`.
//!
//! Most of these tests need an adapter. Without one they fail: run `./setup`.

mod contract;
mod exercises;
mod foreign;
mod later;
mod memory;
mod once;
mod settings;
mod training;
mod verdicts;

#[path = "../common/cache.rs"]
mod cache;
#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use wgrad::internals::kernel::Kernel;

/// A shader in a temporary file.
pub struct CustomKernel {
    folder: TempDir,
    kernel: &'static Kernel,
}

impl CustomKernel {
    pub fn new(kernel: &'static Kernel, text: &str) -> CustomKernel {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("custom.wgsl"), text).unwrap();
        CustomKernel { folder, kernel }
    }

    /// The built-in shader with parts of its text replaced, each of which occurs exactly once.
    pub fn changed(kernel: &'static Kernel, changes: &[(&str, &str)]) -> CustomKernel {
        let mut text = kernel.wgsl.to_owned();
        for (from, to) in changes {
            assert_eq!(text.matches(from).count(), 1, "{from} in {}", kernel.name);
            text = text.replace(from, to);
        }
        CustomKernel::new(kernel, &text)
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("custom.wgsl")
    }

    /// Runs `wgrad lesson check` on it.
    pub fn check(&self, more: &[&str]) -> Ran {
        let path = self.path();
        let mut arguments = vec!["lesson", "check", "--device", "gpu", "--kernel", self.kernel.name];
        arguments.push(path.to_str().unwrap());
        arguments.extend(more);
        wgrad(&arguments)
    }
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn wgrad(arguments: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
    let output = cache::keep_apart(&mut command).args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Ran {
    /// It ended with this code and said all of this on stderr.
    pub fn refused(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for text in said {
            assert!(self.stderr.contains(text), "“{text}” is not in {self:#?}");
        }
    }

    pub fn passed(&self) {
        assert_eq!(self.code, Some(0), "{self:#?}");
    }
}
