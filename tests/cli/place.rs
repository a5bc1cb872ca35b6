//! A fresh directory to run the program in, and the program's results.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

#[path = "../common/cache.rs"]
mod cache;

pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// A place with `runs/digits-001`: two epochs of the default network.
    pub fn trained() -> Place {
        let place = Place::new();
        place.run(&["train", "--epochs", "2", "--device", "cpu"]).ok();
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Place {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// Every file below the directory, with its contents.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(self.folder.path(), self.folder.path(), &mut files);
        files
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wgrad"));
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        for name in ["WGRAD_DATA", "WGPU_BACKEND", "WGPU_ADAPTER_NAME"] {
            command.env_remove(name);
        }
        command.env("XDG_DATA_HOME", self.path("home"));
        cache::keep_apart(&mut command);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Runs a command that must be refused. It prints nothing on stdout, one sentence on stderr, and changes no file.
    #[track_caller]
    pub fn refuses(&self, code: i32, arguments: &[&str], words: &[&str]) {
        let before = self.files();
        let ran = self.run(arguments);
        ran.failed(code, words);
        assert_eq!(ran.out, "", "{arguments:?} was refused, but printed an answer");
        let after = self.files();
        assert!(before == after, "{arguments:?} left {:?} behind {:?}", after.keys(), before.keys());
    }
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
        if path.is_dir() {
            // A directory is left behind as well, when it is.
            files.insert(name + "/", Vec::new());
            collect(root, &path, files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// The program's output and exit code.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn of(command: &mut Command) -> Ran {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(!format!("{out}{err}").contains("(os error "), "a number of the system is shown: {err}");
        Ran { code: output.status.code(), out, err }
    }

    #[track_caller]
    pub fn ok(self) -> Ran {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self
    }

    /// Stdout as the one JSON value that is all of it.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.out.lines().count(), 1, "{}", self.out);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// Checks the exit code and the last line of stderr. The line is one sentence with all of `words`.
    #[track_caller]
    pub fn failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.err.contains("panicked"), "{}", self.err);
        let last = self.err.lines().last().unwrap_or_default();
        let Some(sentence) = last.strip_prefix("error: ") else {
            panic!("the last line is not the error: {}", self.err);
        };
        assert!(!sentence.contains(". ") && !sentence.ends_with('.'), "not one sentence: {sentence}");
        for word in words {
            assert!(sentence.contains(word), "“{word}” is not in “{sentence}”");
        }
    }
}

/// An IDX file of unsigned bytes.
pub fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|size| file.extend(size.to_be_bytes()));
    file.extend(bytes);
    file
}

/// Writes a data set of 4×4 images into `folder`. Images of class 0 are bright on the left, of class 1 on the right.
/// `held_out` are the labels of the held-out part, whatever its images show.
pub fn halves(place: &Place, folder: &str, train: usize, held_out: &[u8]) {
    let image = |class: usize, at: usize| -> Vec<u8> {
        (0..16)
            .map(|pixel| if (pixel % 4 / 2 == 1) == (class == 1) { 200 + (at % 50) as u8 } else { 0 })
            .collect()
    };
    let images = |count: usize| -> Vec<u8> { (0..count).flat_map(|at| image(at % 2, at)).collect() };
    let labels: Vec<u8> = (0..train).map(|at| (at % 2) as u8).collect();
    let part = |name: &str, labels: &[u8]| {
        let count = labels.len();
        let file = |kind: &str| format!("{folder}/{name}-{kind}-ubyte");
        place.write(&file("images-idx3"), idx(&[count as u32, 4, 4], &images(count)));
        place.write(&file("labels-idx1"), idx(&[count as u32], labels));
    };
    part("train", &labels);
    part("t10k", held_out);
}
