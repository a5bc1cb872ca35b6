//! EMNIST's splits from download folder to prediction: transposed, with an empty class, by name and by path.

use crate::answers::png;
use crate::place::{Place, idx};

/// Whether a pixel of a letter is bright, seen upright: a bar in the first, second or last third of its columns.
fn bright(class: u8, column: u32) -> bool {
    column / 3 == u32::from(class)
}

/// A place with two splits in the user's folder, whose images are stored transposed. Letters have labels from 1.
fn place() -> Place {
    let place = Place::new();
    for (split, first) in [("emnist-letters", 1), ("emnist-mnist", 0)] {
        for (part, count) in [("train", 60u32), ("test", 12)] {
            let class = |at: u32| (at % 3) as u8;
            let stored = |at: u32| {
                (0..9).flat_map(move |column| {
                    (0..8).map(move |row| if bright(class(at), column) { 180 + (at + row) as u8 } else { 0 })
                })
            };
            let pixels: Vec<u8> = (0..count).flat_map(stored).collect();
            let labels: Vec<u8> = (0..count).map(|at| first + class(at)).collect();
            let file = |kind: &str| format!("home/wgrad/emnist/{split}-{part}-{kind}-ubyte");
            place.write(&file("images-idx3"), idx(&[count, 9, 8], &pixels));
            place.write(&file("labels-idx1"), idx(&[count], &labels));
        }
    }
    place.write("home/wgrad/emnist/emnist-letters-mapping.txt", "1 65 97\n2 66 98\n3 67 99\n4 68 100\n");
    place
}

const FOLDER: &str = "home/wgrad/emnist";
const TRAIN: [&str; 5] = ["--network", "dense 8, relu, dense 4", "--device", "cpu", "--epochs"];

#[test]
fn a_split_is_trained_on_by_its_name_and_pictures_are_seen_upright() {
    let place = place();
    let words = ["emnist has 2 splits", "emnist-letters, emnist-mnist"];
    place.refuses(2, &["train", "emnist", "--device", "cpu"], &words);
    let ran = place.run(&[&["train", "emnist-letters"], &TRAIN[..], &["6"]].concat()).ok();
    for words in ["images of 1×8×9", "swapped back", "begin at 1, so class 0 is empty", "4 classes"] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    let run = "runs/emnist-letters-001";
    let recipe = String::from_utf8(place.read(&format!("{run}/recipe.toml"))).unwrap();
    assert!(recipe.contains("transpose = true\n"), "{recipe}");
    let found = place.run(&["eval", run, "--device", "cpu", "--json"]).ok().json();
    assert_eq!(found["held_out_accuracy"], 1.0, "{found}");
    let empty = &found["classes"][0];
    assert_eq!(
        (&empty["class"], &empty["samples"], empty["recall"].is_null()),
        (&"0".into(), &0.into(), true)
    );
    assert_eq!(found["classes"][3]["class"], "Cc");
    for class in 0..3 {
        place.write("upright.png", png(9, 8, |x, _| if bright(class, x) { 200 } else { 0 }));
        let found = place.run(&["predict", run, "upright.png", "--device", "cpu", "--csv"]).ok();
        let name = ["Aa", "Bb", "Cc"][usize::from(class)];
        assert!(found.out.contains(&format!("upright.png,{name},")), "{}", found.out);
    }
    place.run(&["explain", run, "--device", "cpu"]).ok();
    place.run(&["train", "--resume", run, "--epochs", "7", "--device", "cpu"]).ok();
    // A validation part and balanced weights have an empty class too.
    let more = ["--validation", "0.2", "--class-weights", "balanced"];
    place.run(&[&["train", "emnist-letters"], &TRAIN[..], &["2"], &more].concat()).ok();
}

#[test]
fn a_split_by_a_path_is_the_same_once_transposed() {
    let place = place();
    let path = format!("{FOLDER}/emnist-letters");
    place.refuses(2, &["data", FOLDER], &["several data sets", &format!("as in {FOLDER}/emnist-letters")]);
    let digest = |arguments: &[&str]| {
        let found = place.run(&[&["data", "--json"], arguments].concat()).ok().json();
        (found["digest"].clone(), found["shape"].to_string())
    };
    let (turned, stored) = (digest(&[&path, "--transpose"]), digest(&[&path]));
    assert_eq!((turned.1.as_str(), stored.1.as_str()), ("[1,8,9]", "[1,9,8]"));
    assert_eq!(digest(&["emnist-letters"]), turned);
    assert_eq!(digest(&["emnist-letters", "--transpose"]), turned);
    // The run's own data are read as by the run, named or not; others as their flags say.
    place.run(&[&["train", &path, "--transpose"], &TRAIN[..], &["6"]].concat()).ok();
    let run = "runs/emnist-letters-001";
    for data in [None, Some(path.as_str()), Some("emnist-letters")] {
        let arguments = [&["eval", run], data.as_slice(), &["--device", "cpu", "--json"]].concat();
        assert_eq!(place.run(&arguments).ok().json()["held_out_accuracy"], 1.0, "{data:?}");
    }
    place.run(&["train", "--resume", run, "--epochs", "7", "--device", "cpu"]).ok();
    place.run(&["import", "x", "--classes", &path, "--network", "dense 4"]).failed(3, &["x doesn't exist"]);
    place.refuses(2, &["data", "digits", "--transpose"], &["--transpose is for IDX files", "leave it out"]);
}

#[test]
fn a_recipe_turns_transposing_off_and_one_of_an_earlier_run_never_had_it() {
    let place = place();
    place.run(&[&["train", "emnist-letters"], &TRAIN[..], &["1"]].concat()).ok();
    let recipe = String::from_utf8(place.read("runs/emnist-letters-001/recipe.toml")).unwrap();
    let off = recipe.replace("transpose = true", "transpose = false");
    let earlier = recipe.replace("transpose = true\n", "");
    assert!(off != recipe && earlier != recipe);
    for (at, text) in [(2, off), (3, earlier)] {
        place.write("other.toml", text);
        let ran = place.run(&["train", "other.toml", "--device", "cpu"]).ok();
        assert!(ran.err.contains("images of 1×9×8") && !ran.err.contains("swapped"), "{}", ran.err);
        let run = format!("runs/emnist-letters-00{at}");
        let kept = String::from_utf8(place.read(&format!("{run}/recipe.toml"))).unwrap();
        assert!(kept.contains("transpose = false\n"), "{kept}");
        // What the name would turn is measured as it was trained on.
        place.run(&["eval", &run, "--device", "cpu"]).ok();
        place.run(&["explain", &run, "--device", "cpu"]).ok();
    }
    let by_hand = "data = 'emnist-letters'\ndevice = 'cpu'\nepochs = 1\n";
    place.write("by_hand.toml", by_hand);
    let ran = place.run(&["train", "by_hand.toml"]).ok();
    assert!(ran.err.contains("images of 1×8×9"), "{}", ran.err);
}

/// Nothing but the set is downloaded for one of its splits.
#[cfg(feature = "download")]
#[test]
fn a_split_is_downloaded_with_its_set() {
    let place = Place::new();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = place.run(&["data", "get", "emnist-letters", "--from", &format!("http://{nobody}/")]);
    ran.failed(1, &["gzip.zip can't be reached"]);
    assert!(ran.err.starts_with("emnist: handwritten letters"), "{}", ran.err);
}
