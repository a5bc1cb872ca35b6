//! Facts about the machine that Linux has in files; unknown on other systems.

use std::fs;

/// The memory that a process takes, in bytes.
pub fn memory_of(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kibibytes = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    };
    Some((kibibytes("VmRSS:")? + kibibytes("VmSwap:").unwrap_or(0)) * 1024)
}

/// The processor's name.
pub(crate) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let (_, name) = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'))?;
    Some(name.trim().to_owned())
}

/// Processes ready to run, averaged over the last minute.
pub(crate) fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_of_a_process_is_known_while_it_lives() {
        let used = super::memory_of(std::process::id()).unwrap();
        assert!((1 << 20..1 << 40).contains(&used), "{used}");
        assert_eq!(super::memory_of(u32::MAX), None);
    }
}
