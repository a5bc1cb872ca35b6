//! What needs an adapter: without one these fail and name `./setup`, as the program does.

use crate::place::{Place, Ran};

#[test]
fn training_on_an_adapter_gives_what_the_cpu_engine_gives() {
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
    // Tiles that can be used, or some that can't, or none.
    let cooperative = devices.lines().find_map(|line| line.trim().strip_prefix("cooperative matrix "));
    let ends = ["; usable with tiles of 16×16", "; usable with tiles of 8×8", "; none that is usable"];
    assert!(
        cooperative.is_some_and(|told| told == "none" || ends.iter().any(|end| told.ends_with(end))),
        "{devices}"
    );
    let ran = place.run(&["doctor", "--device", "no such adapter"]);
    ran.failed(2, &["--device", "“no such adapter”", name]);
    let mut command = place.command(&["train", "--epochs", "1"]);
    Ran::of(command.env("WGPU_ADAPTER_NAME", "nonsense"))
        .failed(2, &["WGPU_ADAPTER_NAME", "“nonsense”", name]);
    assert!(place.files().is_empty());
}

#[test]
fn a_network_beyond_the_adapter_is_refused_with_what_is_needed() {
    let place = Place::new();
    let arguments =
        ["train", "--device", "gpu", "--network", "dense 30000, dense 30000, dense 30000, dense 10"];
    place.refuses(4, &arguments, &["needs", "MiB, the device offers", "use a smaller network"]);
}
