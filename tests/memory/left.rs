//! The memory that a process has left, read from the files of systems of every kind.

use std::fs;

use wgrad::internals::memory::{Bound, Need, Room, taken, zeros};

const MIB: u64 = 1 << 20;

/// A system of these files.
fn system(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

/// Bytes that are left, and what bounds them.
fn left(room: &Room) -> Option<(u64, Bound)> {
    room.check(Need::of(u64::MAX)).err().map(|shortage| (shortage.left, shortage.bound))
}

fn resident(files: &[(&str, &str)]) -> Option<(u64, Bound)> {
    left(&Room::under(system(files).path()))
}

const MACHINE: (&str, &str) =
    ("proc/meminfo", "MemTotal:       4194304 kB\nMemFree:         1024 kB\nMemAvailable:    2097152 kB\n");

#[test]
fn a_system_without_such_files_bounds_nothing() {
    let room = Room::under(system(&[]).path());
    assert_eq!(room, Room::default());
    assert_eq!(room.bytes(), None);
    assert!(room.check(Need::of(u64::MAX)).is_ok());
}

#[test]
fn a_machine_leaves_what_it_says_is_available() {
    assert_eq!(resident(&[MACHINE]), Some((2048 * MIB, Bound::Machine)));
}

#[test]
fn of_nested_groups_of_version_2_the_one_with_the_least_left_counts() {
    let files = [
        MACHINE,
        ("proc/self/cgroup", "0::/outer/inner\n"),
        ("sys/fs/cgroup/outer/inner/memory.max", "max\n"),
        ("sys/fs/cgroup/outer/inner/memory.current", "1048576\n"),
        ("sys/fs/cgroup/outer/memory.max", "104857600\n"),
        ("sys/fs/cgroup/outer/memory.current", "73400320\n"),
        // 10 MiB of it are files, which give way.
        (
            "sys/fs/cgroup/outer/memory.stat",
            "anon 62914560\nfile 10485760\ninactive_file 8388608\nactive_file 2097152\n",
        ),
    ];
    assert_eq!(resident(&files), Some((40 * MIB, Bound::ControlGroup)));
    // The inner group may have less.
    let inner = ("sys/fs/cgroup/outer/inner/memory.max", "3145728\n");
    assert_eq!(resident(&[&files[..], &[inner]].concat()), Some((2 * MIB, Bound::ControlGroup)));
    let high = ("sys/fs/cgroup/outer/inner/memory.high", "2097152\n");
    assert_eq!(resident(&[&files[..], &[high]].concat()), Some((MIB, Bound::ControlGroup)));
}

#[test]
fn a_group_that_has_taken_more_than_its_limit_leaves_nothing() {
    let files = [
        ("proc/self/cgroup", "0::/full\n"),
        ("sys/fs/cgroup/full/memory.max", "1048576\n"),
        ("sys/fs/cgroup/full/memory.current", "2097152\n"),
    ];
    assert_eq!(resident(&files), Some((0, Bound::ControlGroup)));
}

#[test]
fn groups_of_version_1_count_and_those_without_a_limit_do_not() {
    let files = [
        MACHINE,
        ("proc/self/cgroup", "9:name=systemd:/\n4:memory:/a/b\n2:cpu,cpuacct:/other\n"),
        ("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "4096\n"),
        ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "52428800\n"),
        ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "31457280\n"),
        (
            "sys/fs/cgroup/memory/a/memory.stat",
            "inactive_file 1\ntotal_inactive_file 5242880\ntotal_active_file 5242880\n",
        ),
    ];
    assert_eq!(resident(&files), Some((30 * MIB, Bound::ControlGroup)));
    assert_eq!(resident(&files[..4]), Some((2048 * MIB, Bound::Machine)));
}

#[test]
fn both_versions_side_by_side_are_read() {
    let files = [
        MACHINE,
        ("proc/self/cgroup", "4:memory:/job\n0::/job\n"),
        ("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "20971520\n"),
        ("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "10485760\n"),
        ("sys/fs/cgroup/unified/job/cgroup.procs", "1\n"),
    ];
    assert_eq!(resident(&files), Some((10 * MIB, Bound::ControlGroup)));
}

#[test]
fn in_a_container_the_group_is_the_root_of_what_is_mounted() {
    let mounted = [("sys/fs/cgroup/memory.max", "10485760\n"), ("sys/fs/cgroup/memory.current", "5242880\n")];
    for path in ["0::/\n", "0::/docker/0123\n", "0::/../../other\n"] {
        let files = [&mounted[..], &[("proc/self/cgroup", path)]].concat();
        assert_eq!(resident(&files), Some((5 * MIB, Bound::ControlGroup)), "{path}");
    }
    let first = [
        ("proc/self/cgroup", "4:memory:/docker/0123\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "10485760\n"),
        ("sys/fs/cgroup/memory/memory.usage_in_bytes", "5242880\n"),
    ];
    assert_eq!(resident(&first), Some((5 * MIB, Bound::ControlGroup)));
}

#[test]
fn limits_of_the_process_count_against_what_it_has_reserved() {
    let limits = |address: &str, data: &str| {
        format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max data size             {data:<20} unlimited            bytes     \n\
             Max address space         {address:<20} unlimited            bytes     \n"
        )
    };
    let status =
        ("proc/self/status", "VmPeak:   9999 kB\nVmSize:   2048 kB\nVmRSS:     512 kB\nVmData:   1024 kB\n");
    let under = |address: &str, data: &str| {
        let limits = limits(address, data);
        let room = Room::under(system(&[status, ("proc/self/limits", &limits)]).path());
        left(&room)
    };
    assert_eq!(under("unlimited", "unlimited"), None);
    assert_eq!(under("10485760", "unlimited"), Some((8 * MIB, Bound::AddressSpace)));
    assert_eq!(under("10485760", "4194304"), Some((3 * MIB, Bound::Data)));
    assert_eq!(under("1048576", "unlimited"), Some((0, Bound::AddressSpace)));
}

#[test]
fn a_shortage_says_what_is_needed_and_what_is_left_where() {
    let limits = "Max address space         10485760             unlimited            bytes     \n";
    let files = [MACHINE, ("proc/self/status", "VmSize:   2048 kB\n"), ("proc/self/limits", limits)];
    let room = Room::under(system(&files).path());
    assert_eq!(room.bytes(), Some(8 * MIB));
    assert!(room.check(Need::of(8 * MIB)).is_ok());
    assert!(room.check(Need { resident: 100 * MIB, address: 0 }).is_ok());
    let refused = |need| room.check(need).unwrap_err().to_string();
    assert_eq!(
        refused(Need::of(9 * MIB)),
        "needs about 9.0 MiB of memory, and 8.0 MiB are left under the limit of its address space (ulimit -v)"
    );
    assert_eq!(
        refused(Need::of(4096 * MIB)),
        "needs about 4096.0 MiB of memory, and 2048.0 MiB are left on this machine"
    );
}

#[test]
fn this_process_has_taken_memory_and_impossible_sizes_are_a_shortage() {
    if cfg!(target_os = "linux") {
        let Need { resident, address } = taken();
        assert!(resident > 0 && address >= resident);
        assert!(Room::now().bytes().is_some());
    }
    assert_eq!(zeros::<f32>(3).unwrap(), [0.0; 3]);
    let shortage = zeros::<u64>(usize::MAX / 16).unwrap_err();
    assert!(shortage.needed > 1 << 40, "{shortage:?}");
}
