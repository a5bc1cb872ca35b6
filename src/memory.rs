//! Memory that this process may still take: the machine's, its control groups' and its own limits.
//!
//! Linux has all of this in files; elsewhere it is unknown, and nothing is refused.

use std::fmt;
use std::fs;
use std::path::{Component, Path};

/// Memory that something takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Bytes that are used, and so must be somewhere in memory.
    pub resident: u64,
    /// Addresses that are reserved, used or not.
    pub address: u64,
}

impl Need {
    /// Memory that is used as soon as it is reserved.
    pub const fn of(bytes: u64) -> Need {
        Need { resident: bytes, address: bytes }
    }

    /// What is still to be taken after `taken`.
    pub fn beyond(self, taken: Need) -> Need {
        Need {
            resident: self.resident.saturating_sub(taken.resident),
            address: self.address.saturating_sub(taken.address),
        }
    }

    /// The larger of both.
    pub fn or(self, other: Need) -> Need {
        Need { resident: self.resident.max(other.resident), address: self.address.max(other.address) }
    }

    /// With memory that is used as soon as it is reserved.
    pub fn plus(self, bytes: u64) -> Need {
        Need { resident: self.resident.saturating_add(bytes), address: self.address.saturating_add(bytes) }
    }
}

/// What bounds the memory of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The memory of the machine that other processes leave.
    Machine,
    /// The limit of a control group, as a container has.
    ControlGroup,
    /// The limit of its addresses, `ulimit -v`.
    AddressSpace,
    /// The limit of its data, `ulimit -d`.
    Data,
}

/// Bytes that are left under a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    bytes: u64,
    bound: Bound,
}

/// The memory that is left for this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    resident: Option<Left>,
    address: Option<Left>,
}

/// More memory is needed than is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// Bytes that are needed.
    pub needed: u64,
    /// Bytes that are left.
    pub left: u64,
    /// What bounds them.
    pub bound: Bound,
}

impl Room {
    /// The memory that is left now.
    pub fn now() -> Room {
        Room::under(Path::new("/"))
    }

    /// The memory that is left by the files of a system whose root is `root`.
    pub fn under(root: &Path) -> Room {
        let least = |all: [Option<Left>; 2]| all.into_iter().flatten().min_by_key(|left| left.bytes);
        let taken = fs::read_to_string(root.join("proc/self/status")).unwrap_or_default();
        let limits = fs::read_to_string(root.join("proc/self/limits")).unwrap_or_default();
        let limited = |name: &str, size: &str, bound| {
            let limit: u64 = limits
                .lines()
                .find_map(|line| line.strip_prefix(name))?
                .split_whitespace()
                .next()?
                .parse()
                .ok()?;
            Some(Left { bytes: limit.saturating_sub(kibibytes(&taken, size)?), bound })
        };
        Room {
            resident: least([of_machine(root), of_control_groups(root)]),
            address: least([
                limited("Max address space", "VmSize:", Bound::AddressSpace),
                limited("Max data size", "VmData:", Bound::Data),
            ]),
        }
    }

    /// Bytes that are left; none when nothing is known.
    pub fn bytes(&self) -> Option<u64> {
        [self.resident, self.address].into_iter().flatten().map(|left| left.bytes).min()
    }

    /// The memory that is left after `need` has been taken.
    pub fn after(&self, need: Need) -> Room {
        let less = |left: Option<Left>, bytes| {
            left.map(|left: Left| Left { bytes: left.bytes.saturating_sub(bytes), ..left })
        };
        Room { resident: less(self.resident, need.resident), address: less(self.address, need.address) }
    }

    /// Checks that something fits.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self, need: Need) -> Result<(), Shortage> {
        for (needed, left) in [(need.resident, self.resident), (need.address, self.address)] {
            if let Some(Left { bytes, bound }) = left.filter(|left| left.bytes < needed) {
                return Err(Shortage { needed, left: bytes, bound });
            }
        }
        Ok(())
    }
}

/// Checks that memory of `bytes` bytes can be taken now.
///
/// # Errors
/// What is missing.
pub fn check(bytes: u64) -> Result<(), Shortage> {
    Room::now().check(Need::of(bytes))
}

/// Checks that there is memory for a process that takes `need` in all, part of which it has taken.
///
/// # Errors
/// What is missing.
pub fn check_whole(need: Need) -> Result<(), Shortage> {
    Room::now().check(need.beyond(taken()))
}

/// The memory that this process has taken; zero where that is unknown.
pub fn taken() -> Need {
    let status = fs::read_to_string(Path::new("/").join("proc/self/status")).unwrap_or_default();
    let bytes = |name| kibibytes(&status, name).unwrap_or_default();
    Need { resident: bytes("VmRSS:"), address: bytes("VmSize:") }
}

/// The memory that a process takes, in bytes.
pub fn of_process(process: u32) -> Option<u64> {
    let status = fs::read_to_string(Path::new("/").join(format!("proc/{process}/status"))).ok()?;
    Some(kibibytes(&status, "VmRSS:")? + kibibytes(&status, "VmSwap:").unwrap_or(0))
}

/// `len` zeros, or what is missing for them.
///
/// # Errors
/// What is missing.
pub fn zeros<T: Clone + Default>(len: usize) -> Result<Vec<T>, Shortage> {
    // The standard library has no zeroed memory that may fail, so this asks for it first.
    let tried = Vec::<T>::new().try_reserve_exact(len);
    tried.map_err(|_| {
        let room = Room::now();
        let left = room.address.or(room.resident).unwrap_or(Left { bytes: 0, bound: Bound::Machine });
        Shortage {
            needed: (len as u64).saturating_mul(size_of::<T>() as u64),
            left: left.bytes,
            bound: left.bound,
        }
    })?;
    Ok(vec![T::default(); len])
}

/// As the middle of a sentence: `needs about 3.0 GiB of memory, and 512.0 MiB are left …`.
impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let bound = match self.bound {
            Bound::Machine => "on this machine",
            Bound::ControlGroup => "under the memory limit of its control group",
            Bound::AddressSpace => "under the limit of its address space (ulimit -v)",
            Bound::Data => "under the limit of its data (ulimit -d)",
        };
        write!(
            f,
            "needs about {} of memory, and {} are left {bound}",
            mebibytes(self.needed),
            mebibytes(self.left)
        )
    }
}

/// A size in B, KiB or MiB, for messages.
pub fn mebibytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

/// The value of a line such as `VmSize:  123 kB`, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

fn of_machine(root: &Path) -> Option<Left> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    Some(Left { bytes: kibibytes(&text, "MemAvailable:")?, bound: Bound::Machine })
}

/// The least that the groups of this process leave, from its own up to the root.
fn of_control_groups(root: &Path) -> Option<Left> {
    let mounted = root.join("sys/fs/cgroup");
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    // A line is a number, controllers and a path. Version 2 has the number 0 and no controllers.
    let paths = groups.lines().filter_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let memory = controllers.split(',').any(|controller| controller == "memory");
        (memory || controllers.is_empty()).then_some((memory, path))
    });
    let left = paths.flat_map(|(first_version, path)| {
        let mounted = if first_version { mounted.join("memory") } else { mounted.clone() };
        let path = Path::new(path.trim_start_matches('/'));
        // A group outside of this process's namespace isn't mounted.
        let path = if path.components().all(|part| matches!(part, Component::Normal(_))) {
            path
        } else {
            Path::new("")
        };
        let groups: Vec<_> = path.ancestors().map(|group| mounted.join(group)).collect();
        groups
            .into_iter()
            .filter_map(move |group| if first_version { of_version_1(&group) } else { of_version_2(&group) })
    });
    left.min().map(|bytes| Left { bytes, bound: Bound::ControlGroup })
}

fn of_version_1(group: &Path) -> Option<u64> {
    let (limit, taken) = (number(group, "memory.limit_in_bytes")?, number(group, "memory.usage_in_bytes")?);
    Some(limit.saturating_sub(taken.saturating_sub(cache(group, "total_"))))
}

fn of_version_2(group: &Path) -> Option<u64> {
    // Above `high` a group is slowed down until it stands still, above `max` it is killed.
    let limits = ["memory.max", "memory.high"].map(|name| number(group, name));
    let limit = limits.into_iter().flatten().min()?;
    Some(limit.saturating_sub(number(group, "memory.current")?.saturating_sub(cache(group, ""))))
}

/// Bytes of a group that are files read and written, which give way.
fn cache(group: &Path, prefix: &str) -> u64 {
    let text = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let of = |line: &str| -> Option<u64> {
        let (name, bytes) = line.strip_prefix(prefix)?.split_once(' ')?;
        matches!(name, "active_file" | "inactive_file").then(|| bytes.trim().parse().ok())?
    };
    text.lines().filter_map(of).sum()
}

/// The number in a file; none for `max`.
fn number(group: &Path, name: &str) -> Option<u64> {
    fs::read_to_string(group.join(name)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_of_a_process_is_known_while_it_lives() {
        let used = super::of_process(std::process::id()).unwrap();
        assert!((1 << 20..1 << 40).contains(&used), "{used}");
        assert_eq!(super::of_process(u32::MAX), None);
    }
}
