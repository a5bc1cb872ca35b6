//! The cache of measurements: a file in the user's cache directory.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Measured, Outcome};
use crate::data::files::{hex, write_atomically};
use crate::data::platform::cache_folder;
use crate::engine::adapter::Device;
use crate::error::Error;
use crate::kernel::COMMON;
use crate::table::choice::{Class, Picks, Variant};
use crate::text::{joined, reason, shown};

/// The values that a choice depends on.
///
/// A change of one makes it be measured again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    adapter: String,
    /// The numbers of its maker and of its model.
    vendor: u32,
    device: u32,
    backend: String,
    driver: String,
    driver_info: String,
    wgrad: String,
    /// SHA-256 of all shaders of a choice, which may change between releases.
    shaders: String,
}

impl Key {
    /// The key of an adapter; the CPU engine has none.
    pub fn of(device: &Device) -> Option<Key> {
        let Device::Gpu(adapter) = device else { return None };
        let info = adapter.get_info();
        Some(Key {
            adapter: info.name,
            vendor: info.vendor,
            device: info.device,
            backend: info.backend.to_string(),
            driver: info.driver,
            driver_info: info.driver_info,
            wgrad: env!("CARGO_PKG_VERSION").to_owned(),
            shaders: shaders(),
        })
    }
}

fn shaders() -> String {
    let mut hasher = Sha256::new();
    hasher.update(COMMON);
    for variant in Class::ALL.iter().flat_map(|class| class.variants()) {
        hasher.update(variant.to_string());
        hasher.update(variant.kernel.map_or("", |kernel| kernel.wgsl));
    }
    hex(hasher.finalize())
}

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    /// The latest last.
    #[serde(default)]
    adapters: Vec<AdapterEntry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AdapterEntry {
    key: Key,
    choice: String,
    measured: Vec<CandidateEntry>,
}

/// A candidate: its time, or why it may not win.
#[derive(Debug, Serialize, Deserialize)]
struct CandidateEntry {
    class: String,
    variant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// The most entries of the file.
const MOST: usize = 16;
/// The longest file that is read.
const MOST_BYTES: u64 = 1 << 20;
/// The file in the cache directory.
const FILE: &str = "wgrad/tuning.toml";

/// The path of the file; none where there is no cache directory.
pub(super) fn file() -> Option<PathBuf> {
    cache_folder().map(|folder| folder.join(FILE))
}

/// The measured classes of an adapter, and their measurements.
pub(super) type Known = (Picks, Vec<Measured>);

/// The cache's entry for an adapter, if there is one.
///
/// A missing file is empty.
///
/// # Errors
/// A sentence about the file's problem.
pub(super) fn load(file: &Path, key: &Key) -> Result<Option<Known>, String> {
    let problem = |why: String| {
        format!("the cache {} can't be used ({why}), so the kernels are measured again", shown(file))
    };
    let entries = read(file).map_err(problem)?.adapters;
    let entry = entries.into_iter().rev().find(|entry| entry.key == *key);
    entry.map(|entry| entry.known().map_err(problem)).transpose()
}

fn read(file: &Path) -> Result<File, String> {
    let found = match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        found => found.map_err(|error| reason(&error).to_string())?,
    };
    if !found.is_file() || found.len() > MOST_BYTES {
        return Err(format!("it is no file of at most {MOST_BYTES} bytes"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| reason(&error).to_string())?;
    toml::from_str(&text).map_err(|error| joined(error.message()))
}

impl AdapterEntry {
    fn known(&self) -> Result<Known, String> {
        let choice: Picks = self.choice.parse().map_err(|error: Error| error.marked().to_owned())?;
        Ok((choice, self.measured.iter().map(CandidateEntry::known).collect::<Result<_, _>>()?))
    }
}

impl CandidateEntry {
    fn of(measured: &Measured) -> CandidateEntry {
        let (seconds, refused) = match &measured.outcome {
            Outcome::Seconds(seconds) => (Some(*seconds), None),
            Outcome::Refused(why) => (None, Some(why.clone())),
        };
        CandidateEntry {
            class: measured.class.name().to_owned(),
            variant: measured.variant.to_string(),
            seconds,
            refused,
        }
    }

    fn known(&self) -> Result<Measured, String> {
        let both = format!("{} {}", self.class, self.variant);
        let choice: Picks = both.parse().map_err(|error: Error| error.marked().to_owned())?;
        let (class, variant): (Class, Variant) = choice.iter().next().ok_or("a line names nothing")?;
        let outcome = match (self.seconds, &self.refused) {
            (Some(seconds), None) => Outcome::Seconds(seconds),
            (None, Some(why)) => Outcome::Refused(why.clone()),
            _ => return Err(format!("{both} has neither a time nor a reason, or both")),
        };
        Ok(Measured { class, variant, outcome })
    }
}

/// Writes the measurements of an adapter into the file.
///
/// Entries of other adapters stay.
///
/// # Errors
/// A sentence when it can't be written.
pub(super) fn store(file: &Path, key: &Key, choice: &Picks, measured: &[Measured]) -> Result<(), String> {
    let problem = |why: String| format!("{why}; so the kernels will be measured again");
    // A file that can't be read is replaced.
    let File { mut adapters } = read(file).unwrap_or_default();
    adapters.retain(|entry| entry.key != *key);
    adapters.push(AdapterEntry {
        key: key.clone(),
        choice: choice.to_string(),
        measured: measured.iter().map(CandidateEntry::of).collect(),
    });
    adapters.drain(..adapters.len().saturating_sub(MOST));
    let text = toml::to_string(&File { adapters }).map_err(|error| problem(joined(error)))?;
    let text =
        format!("# Which kernels are fastest, as wgrad has measured it: may be removed at any time.\n{text}");
    if let Some(folder) = file.parent() {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| problem(format!("{} can't be made ({})", shown(folder), reason(&error))))?;
    }
    write_atomically(file, text.as_bytes()).map_err(|error| problem(error.marked().to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::table;
    use crate::table::choice::Choice;

    pub fn key(driver_info: &str) -> Key {
        Key {
            adapter: "An “adapter”\n[1]".to_owned(),
            vendor: 0x10005,
            device: 0,
            backend: "vulkan".to_owned(),
            driver: "llvmpipe".to_owned(),
            driver_info: driver_info.to_owned(),
            wgrad: "0.1.0".to_owned(),
            shaders: shaders(),
        }
    }

    pub fn measured() -> Vec<Measured> {
        let one = |variant, outcome| Measured { class: Class::Long, variant, outcome };
        vec![
            one(Variant::of(&table::MATMUL), Outcome::Seconds(1.25e-5)),
            one(Variant::of(&table::MATMUL_REGISTER), Outcome::Refused("its c[0] is 1 and not 2".to_owned())),
        ]
    }

    #[test]
    fn stored_measurements_are_for_the_same_adapter_and_driver_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/tuning.toml");
        let (old, new) = (Choice::GPU.picks(), Choice::SOFTWARE.picks());
        assert_eq!(load(&file, &key("1")), Ok(None));
        store(&file, &key("1"), &old, &measured()).unwrap();
        assert_eq!(load(&file, &key("1")), Ok(Some((old.clone(), measured()))));
        assert_eq!(load(&file, &key("2")), Ok(None));
        store(&file, &key("2"), &new, &[]).unwrap();
        store(&file, &key("1"), &new, &measured()[..1]).unwrap();
        assert_eq!(load(&file, &key("1")), Ok(Some((new.clone(), measured()[..1].to_vec()))));
        assert_eq!(load(&file, &key("2")), Ok(Some((new.clone(), Vec::new()))));
        // Beyond the most entries the oldest is dropped.
        for driver in 3..=MOST + 1 {
            store(&file, &key(&driver.to_string()), &old, &[]).unwrap();
        }
        assert_eq!(load(&file, &key("2")), Ok(None));
        assert_eq!(load(&file, &key("1")), Ok(Some((new.clone(), measured()[..1].to_vec()))));
        let beside = std::fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "nothing temporary is left");
    }

    #[test]
    fn former_names_of_kernels_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tuning.toml");
        let choice = Choice::SOFTWARE_SUBGROUPS.picks();
        let variant = Variant::of(&table::GATHER_DENSE_TILED);
        let measured = [Measured { class: Class::First, variant, outcome: Outcome::Seconds(1e-5) }];
        store(&file, &key("1"), &choice, &measured).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let former =
            text.replace("gather_dense_", "pixel_dense_").replace("dense_softmax_loss_", "dense_loss_");
        assert!(former.contains("pixel_dense_tiled") && former.contains("dense_loss_subgroup"), "{former}");
        std::fs::write(&file, former).unwrap();
        assert_eq!(load(&file, &key("1")), Ok(Some((choice, measured.to_vec()))));
    }

    #[test]
    fn a_damaged_file_is_told_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tuning.toml");
        let choice = Choice::GPU.picks();
        store(&file, &key("1"), &choice, &measured()).unwrap();
        let whole = std::fs::read_to_string(&file).unwrap();
        let damaged = [
            whole[..whole.find(", small").unwrap()].to_owned(),
            whole.replace("narrow matmul", "narrow matmull"),
            whole.replace("seconds", "hours"),
            whole.replace("class = \"long\"", "class = \"\""),
            "adapters = 3".to_owned(),
            "\u{0}".to_owned(),
        ];
        for text in damaged {
            std::fs::write(&file, &text).unwrap();
            let problem = load(&file, &key("1")).unwrap_err();
            assert!(
                problem.contains("tuning.toml can't be used (") && problem.contains("measured again"),
                "{problem}"
            );
            assert!(!problem.contains('\n'), "{problem}");
            store(&file, &key("1"), &choice, &measured()).unwrap();
            assert_eq!(load(&file, &key("1")), Ok(Some((choice.clone(), measured()))));
        }
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert!(load(&file, &key("1")).is_err());
        std::fs::write(&file, " ".repeat(MOST_BYTES as usize + 1)).unwrap();
        assert!(load(&file, &key("1")).unwrap_err().contains("no file of at most"));
    }

    #[test]
    fn an_unwritable_cache_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        let problem = store(&blocked.join("tuning.toml"), &key("1"), &Picks::default(), &[]).unwrap_err();
        assert!(problem.contains("can't be made") && problem.contains("measured again"), "{problem}");
        // A folder in the file's place.
        assert!(load(folder.path(), &key("1")).unwrap_err().contains("no file"));
        assert!(store(folder.path(), &key("1"), &Picks::default(), &[]).is_err());
    }
}
