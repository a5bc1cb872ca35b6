//! Tests that need an adapter. Without one they fail and name `./setup`, as the program does.

use wgrad::internals::engine::adapter::Device;
use wgrad::internals::table;

use crate::checked::assert_checked;
use crate::common::adapter;
use crate::place::{Place, Ran};
use crate::tiles::offers_tiles;

#[test]
fn training_on_an_adapter_gives_the_loss_of_the_cpu_engine() {
    let place = Place::new();
    let train =
        |device: &str| place.run(&["train", "--epochs", "1", "--device", device, "--json"]).ok().json();
    let (gpu, cpu) = (train("gpu"), train("cpu"));
    assert_eq!(gpu["device"], "gpu");
    assert_ne!(gpu["adapter"], "CPU engine");
    let record = place.json("runs/digits-001/run.json");
    assert_eq!(record["adapter"], gpu["adapter"]);
    assert_ne!(record["driver"], "");
    let [one, two] = [&gpu, &cpu].map(|json| json["held_out_loss"].as_f64().unwrap());
    assert!((one - two).abs() < 1e-3, "{one} on the adapter, {two} on the CPU engine");
    // A model trained on one device is measured on the other.
    place.run(&["eval", "runs/digits-002", "--device", "gpu"]).ok();
}

#[test]
fn devices_lists_the_adapter_that_is_chosen() {
    let place = Place::new();
    let devices = place.run(&["devices"]).ok().out;
    for word in ["kind", "backend", "driver", "largest binding", "CPU engine", "--device cpu"] {
        assert!(devices.contains(word), "“{word}” is not in {devices}");
    }
    let name = devices.lines().next().unwrap();
    // Usable tiles, unusable ones, or none.
    let cooperative = devices.lines().find_map(|line| line.trim().strip_prefix("cooperative matrix "));
    let ends = ["; usable with tiles of 16×16", "; usable with tiles of 8×8", "; none that is usable"];
    assert!(
        cooperative.is_some_and(|line| line == "none" || ends.iter().any(|end| line.ends_with(end))),
        "{devices}"
    );
    let ran = place.run(&["doctor", "--device", "no such adapter"]);
    ran.failed(2, &["--device", "“no such adapter”", name]);
    let mut command = place.command(&["train", "--epochs", "1"]);
    Ran::of(command.env("WGPU_ADAPTER_NAME", "nonsense"))
        .failed(2, &["WGPU_ADAPTER_NAME", "“nonsense”", name]);
    assert!(place.files().is_empty());
}

/// Whether the best adapter is a software one.
fn is_software() -> bool {
    wgrad::internals::engine::adapter::is_software(&adapter().get_info())
}

#[test]
fn auto_is_a_gpu_or_the_cpu_engine_and_a_named_adapter_counts() {
    let place = Place::new();
    let train = ["train", "--epochs", "1", "--json"];
    let auto = place.run(&train).ok();
    assert_eq!(auto.json()["device"], "auto");
    assert_eq!(auto.json()["adapter"] == "CPU engine", is_software());
    if is_software() {
        let line = auto.err.lines().find(|line| line.starts_with("device ")).unwrap();
        assert!(line.contains("there is no GPU here") && line.contains("--device gpu takes"), "{line}");
    }
    let name = Device::Gpu(adapter()).name();
    let mut command = place.command(&train);
    let named = Ran::of(command.env("WGPU_ADAPTER_NAME", &name)).ok();
    assert_eq!(named.json()["adapter"], *name);
    let devices = place.run(&["devices"]).ok().out;
    let taken = if is_software() { "--device cpu and auto" } else { "--device auto and gpu" };
    assert!(devices.contains(taken), "{devices}");
}

#[test]
fn a_run_is_resumed_on_the_adapter_that_it_began_on() {
    let place = Place::new();
    let name = Device::Gpu(adapter()).name();
    let mut command = place.command(&["train", "--epochs", "1"]);
    Ran::of(command.env("WGPU_ADAPTER_NAME", &name)).ok();
    let run = "runs/digits-001";
    assert_eq!(place.json("runs/digits-001/run.json")["device"], "auto");
    let resumed = |epochs: &str, more: &[&str]| {
        let resume = ["train", "--resume", run, "--json", "--epochs", epochs];
        place.run(&[&resume[..], more].concat()).ok()
    };
    let ran = resumed("2", &[]);
    assert_eq!(ran.json()["adapter"], *name);
    assert!(!ran.err.contains("the run began on"), "{}", ran.err);
    let ran = resumed("3", &["--device", "cpu"]);
    assert_eq!(ran.json()["adapter"], "CPU engine");
    assert!(ran.err.contains("the run began on"), "{}", ran.err);
    place.run(&["resume-check", run, "--steps", "4"]).ok();
}

#[test]
fn a_network_too_large_for_the_adapter_is_refused_with_the_memory_that_it_needs() {
    let place = Place::new();
    let arguments =
        ["train", "--device", "gpu", "--network", "dense 30000, dense 30000, dense 30000, dense 10"];
    place.refuses(4, &arguments, &["needs", "MiB, the device offers", "use a smaller network"]);
}

#[test]
fn doctor_fails_for_a_named_kernel_that_the_device_can_not_run() {
    let adapter = adapter();
    let device = Device::Gpu(adapter.clone());
    let lacking = table::ALL.iter().find_map(|kernel| Some((kernel.name, device.lacks(kernel)?)));
    let what = "that doctor fails for a kernel that can't run";
    let on_lavapipe = if offers_tiles(&adapter) { Vec::new() } else { vec![what] };
    let Some((name, lacking)) = lacking else {
        let left_out = [(what, format!("{} can run every kernel", device.name()))];
        return assert_checked(&adapter, "doctor", &[], &left_out, &on_lavapipe);
    };
    assert_checked(&adapter, "doctor", &[what], &[], &on_lavapipe);
    let doctor =
        |kernels: &[&str]| Place::new().run(&[&["doctor", "--device", &device.name()], kernels].concat());
    let said = ["these kernels could not be tried", name, &lacking, "another --device"];
    doctor(&[name]).failed(2, &said);
    // The kernels before and after it are checked.
    let ran = doctor(&["sgd", name, "column_sums"]);
    ran.failed(2, &said);
    let rows: Vec<&str> = ran.out.lines().skip(1).collect();
    let [sgd, left, sums] = rows[..] else { panic!("{}", ran.out) };
    assert!(sgd.starts_with("sgd ") && sgd.ends_with(" s"), "{sgd}");
    assert!(left.starts_with(name) && left.contains("not available"), "{left}");
    assert!(sums.starts_with("column_sums ") && sums.ends_with(" s"), "{sums}");
    doctor(&["sgd"]).ok();
}
