//! Names from outside: what scripts need stays, and what breaks or turns a line is refused.

use std::fs;

use wgrad::internals::data;
use wgrad::internals::text::unfit_for_a_name;
use wgrad::{Dataset, Error, Samples, Shape};

/// A picture of one grey pixel.
fn picture(value: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let image = image::GrayImage::from_pixel(2, 2, image::Luma([value]));
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A folder of pictures with these classes.
fn folder(classes: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for class in classes {
        fs::create_dir(folder.path().join(class)).unwrap();
        for at in 0..3 {
            fs::write(folder.path().join(class).join(format!("{at}.png")), picture(60 * at + 9)).unwrap();
        }
    }
    folder
}

fn refused(result: Result<Dataset, Error>) -> String {
    match result.unwrap_err() {
        error @ Error::Data(_) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Names that no class may have; the ends of one stay visible in the sentence.
const UNFIT: [&str; 7] =
    ["a\nb", "a\u{1b}[2Jb", "a\u{9b}b", "a\u{2028}b", "a\u{2029}b", "a\u{202e}b", "a\u{2067}b"];
/// Names of which every character is needed.
const FIT: [&str; 6] =
    ["می\u{200c}خواهم", "क्\u{200d}ष", "👩\u{200d}🚀", "❤\u{fe0f}", "e\u{301}te\u{301}", "a\u{200b}b"];

#[test]
#[cfg(unix)]
fn class_folders_with_names_that_break_or_turn_a_line_are_refused() {
    for name in UNFIT {
        let folder = folder(&["other", name]);
        let sentence = refused(data::load(folder.path().to_str().unwrap()));
        assert!(sentence.contains("names a class “a") && sentence.contains("rename it"), "{sentence}");
        assert_eq!(unfit_for_a_name(&sentence), None, "{sentence:?}");
    }
}

#[test]
fn class_folders_keep_what_scripts_need() {
    let folder = folder(&FIT);
    let dataset = data::load(folder.path().to_str().unwrap()).unwrap();
    let mut expected = FIT.map(str::to_owned);
    expected.sort();
    assert_eq!(dataset.classes, expected);
}

#[test]
fn label_files_and_data_sets_in_memory_are_checked_alike() {
    let samples = || Samples { shape: Shape::image(1, 1, 1), pixels: vec![0, 1], labels: vec![0, 1] };
    let of = |name: &str| Dataset::new("mine", vec!["other".into(), name.into()], samples(), samples());
    for name in UNFIT.into_iter().chain(["a\0b"]) {
        let sentence = refused(of(name));
        assert!(sentence.contains("“a") && sentence.contains("rename it"), "{sentence}");
        assert_eq!(unfit_for_a_name(&sentence), None, "{sentence:?}");
    }
    for name in FIT {
        assert_eq!(of(name).unwrap().classes[1], name);
    }
    // A line break ends a name in a label file.
    for name in UNFIT.into_iter().filter(|name| !name.contains('\n')) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("batches.meta.txt"), format!("other\n{name}\n")).unwrap();
        for part in 1..=5 {
            fs::write(folder.path().join(format!("data_batch_{part}.bin")), [0; 3073]).unwrap();
        }
        fs::write(folder.path().join("test_batch.bin"), [0; 3073]).unwrap();
        let sentence = refused(data::load(folder.path().to_str().unwrap()));
        assert!(sentence.contains("batches.meta.txt names a class “a"), "{sentence}");
        assert_eq!(unfit_for_a_name(&sentence), None, "{sentence:?}");
    }
}
