//! `wgrad bench`: what it measures, writes and refuses. No time is asserted.

use serde_json::Value;

use crate::place::Place;

/// The smallest product and the smallest training step.
const PRODUCT: [&str; 5] = ["bench", "sgemm 64", "--quick", "--device", "cpu"];
const STEP: [&str; 6] = ["bench", "train 784", "batch 1", "--quick", "--device", "cpu"];

#[track_caller]
fn assert_positive(value: &Value, key: &str) {
    assert!(value[key].as_f64().is_some_and(|number| number > 0.0), "{key} of {value}");
}

#[test]
fn words_select_the_work_and_the_report_is_complete() {
    let place = Place::new();
    let files = ["--json", "report.json", "--svg", "bars.svg"];
    let ran = place.run(&[&PRODUCT[..], &files].concat()).ok();
    for word in
        ["machine", "ceilings, measured now", "sgemm 64×128×784", "plain twins", "CPU engine", "No verdict"]
    {
        assert!(ran.out.contains(word), "“{word}” is not in {}", ran.out);
    }
    assert!(!ran.out.contains("batch"), "{}", ran.out);
    let report = place.json("report.json");
    for key in ["processor", "cores", "system", "load_average", "wgrad", "wgpu", "optimised"] {
        assert!(report["machine"].get(key).is_some(), "no {key} in {report}");
    }
    let [device] = report["devices"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&device["name"], &device["kind"]), (&"CPU engine".into(), &"cpu".into()));
    assert_positive(&device["ceiling"], "copy_gbytes");
    assert_positive(&device["ceiling"], "matmul_gflops");
    let [group] = report["groups"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&group["name"], &group["kind"]), (&"sgemm 64×128×784".into(), &"sgemm".into()));
    let [plain, fast] = group["rows"].as_array().unwrap().as_slice() else { panic!("{group}") };
    assert_eq!((&plain["plain"], &fast["plain"]), (&true.into(), &false.into()));
    let measured = &fast["measured"];
    for key in ["median", "least", "most", "measurements"] {
        assert_positive(&measured["seconds"], key);
    }
    for key in ["dispatches", "seconds_per_dispatch", "gflops", "fraction_of_ceiling"] {
        assert_positive(measured, key);
    }
    assert_positive(&report, "seconds");
    assert!(report["verdict"].is_string() && report["quick"] == true);
    let svg = String::from_utf8(place.read("bars.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.ends_with("</svg>\n") && svg.contains("sgemm 64×128×784"),
        "{svg}"
    );
}

#[test]
fn a_profile_of_training_steps_is_a_table_and_a_trace() {
    let place = Place::new();
    let ran = place.run(&[&STEP[..], &["--profile", "--json", "report.json"]].concat()).ok();
    for word in ["train 784-128-10, batch 1", "samples/s", "where the time goes", "total", "matmul"] {
        assert!(ran.out.contains(word), "“{word}” is not in {}", ran.out);
    }
    assert!(ran.err.contains("bench-trace.json"), "{}", ran.err);
    let events = place.json("bench-trace.json")["traceEvents"].clone();
    let named = |name: &str| events.as_array().unwrap().iter().filter(|event| event["name"] == name).count();
    // A profile for the plain twins and one for the CPU engine.
    assert_eq!(named("process_name"), 2, "{events}");
    assert!(named("dense_softmax_loss") > 0, "{events}");
    let row = &place.json("report.json")["groups"][0]["rows"][1]["measured"];
    assert_positive(row, "samples_per_second");
    assert_positive(row, "profiled_steps");
    assert!(row["profile"].as_array().unwrap().iter().any(|row| row["kernel"] == "matmul"), "{row}");
}

#[test]
fn an_adapter_is_measured_by_its_name() {
    let place = Place::new();
    let ran = place.run(&["bench", "sgemm 64", "--quick", "--device", "gpu", "--json", "report.json"]).ok();
    assert!(!ran.out.contains("plain twins"), "{}", ran.out);
    let report = place.json("report.json");
    assert_ne!(report["devices"][0]["driver"], "");
    let tuning = report["devices"][0]["tuning"].as_str().unwrap();
    assert!(tuning.contains("narrow matmul"), "{tuning}");
    assert_positive(&report["groups"][0]["rows"][0]["measured"], "gflops");
}

#[test]
fn bad_files_words_and_devices_are_refused_before_measuring() {
    let place = Place::new();
    place.write("folder/kept", "kept");
    let with = |more: &[&'static str]| [&PRODUCT[..], more].concat();
    place.refuses(1, &with(&["--json", "none/report.json"]), &["none/report.json", "its folder exists"]);
    place.refuses(1, &with(&["--svg", "folder"]), &["folder", "it is a folder"]);
    place.refuses(1, &with(&["--profile=none/trace.json"]), &["none/trace.json", "its folder exists"]);
    place.refuses(2, &["bench", "sgemn"], &["“sgemn”", "sgemm 64×128×784", "train cnn, batch 64"]);
    place.refuses(2, &["bench", "--device", "no such adapter"], &["--device", "“no such adapter”"]);
}
