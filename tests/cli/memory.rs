//! What does not fit the memory is refused with a sentence, and never ends the process.

use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use wgrad::internals::memory::Room;

use crate::checked::not_checked::not_checked;
use crate::place::{Place, Ran, halves, idx};

/// Runs the program with at most so many MiB of addresses.
fn under(place: &Place, mebibytes: u64, arguments: &[&str]) -> Option<Ran> {
    if !cfg!(target_os = "linux") {
        not_checked("that too little memory is refused", "only Linux tells how much is left");
        return None;
    }
    let plain = place.command(arguments);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit -v {}; exec \"$0\" \"$@\"", mebibytes * 1024));
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(place.path(""));
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(Ran::of(&mut command))
}

#[test]
fn too_few_addresses_end_with_a_sentence_or_with_success() {
    let place = Place::trained();
    let train = ["train", "--epochs", "1", "--device", "cpu", "--network"];
    let commands: [&[&str]; 5] = [
        &[&train[..], &["dense 32, relu, dense 10"]].concat(),
        &[&train[..], &["dense 2048, relu, dense 2048, relu, dense 10"]].concat(),
        &["eval", "runs/digits-001", "--device", "cpu"],
        &["data", "digits"],
        &["doctor", "sgd", "--device", "cpu"],
    ];
    for mebibytes in [100, 200, 400, 800, 8000] {
        for arguments in commands {
            let Some(ran) = under(&place, mebibytes, arguments) else { return };
            match ran.code {
                Some(0) => {}
                // Threads take addresses too.
                Some(code) if ran.err.contains("makes no more threads") => {
                    ran.failed(code, &["or of memory"])
                }
                Some(code) => ran.failed(code, &["MiB"]),
                None => panic!("{arguments:?} was ended with {mebibytes} MiB: {}", ran.err),
            }
        }
    }
}

#[test]
fn a_network_that_does_not_fit_is_refused_before_the_data_are_read() {
    let place = Place::new();
    halves(&place, "set", 20, &[0, 1]);
    // The images end early, which reading them would find.
    place.write("set/train-images-idx3-ubyte", idx(&[20, 4, 4], &[0; 100]));
    let wide = "dense 4096, relu, dense 4096, relu, dense 2";
    let arguments = ["train", "set", "--device", "cpu", "--batch-size", "4", "--network"];
    let Some(ran) = under(&place, 300, &[&arguments[..], &[wide]].concat()) else { return };
    ran.failed(4, &["the run needs", "MiB", "use a smaller network"]);
    place.run(&[&arguments[..], &["dense 2"]].concat()).failed(3, &["ends after 100"]);
}

#[test]
fn a_small_file_that_unpacks_to_more_than_the_memory_is_refused() {
    let place = Place::new();
    halves(&place, "set", 20, &[0, 1]);
    // 300 MiB of zeros behind a header that is true.
    const IMAGES: u32 = 300 * 16;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&idx(&[IMAGES, 256, 256], &[])).unwrap();
    (0..300).for_each(|_| packed.write_all(&vec![0; 1 << 20]).unwrap());
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 4 << 20, "{}", packed.len());
    std::fs::remove_file(place.path("set/train-images-idx3-ubyte")).unwrap();
    place.write("set/train-images-idx3-ubyte.gz", packed);
    place.write(
        "set/train-labels-idx1-ubyte",
        idx(&[IMAGES], &[vec![0; IMAGES as usize - 1], vec![1]].concat()),
    );
    for command in [&["data", "set"][..], &["train", "set", "--device", "cpu", "--batch-size", "2"]] {
        let Some(ran) = under(&place, 250, command) else { return };
        assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
        ran.failed(ran.code.unwrap(), &["MiB"]);
    }
}

#[test]
fn an_announcement_says_what_is_needed_and_what_is_available() {
    let ran = Place::new().run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    let line = ran.err.lines().find(|line| line.starts_with("memory")).expect("memory is announced");
    assert!(line.starts_with("memory  about ") && line.contains(" MiB for the whole run"), "{line}");
    assert_eq!(line.contains("are available"), Room::now().bytes().is_some(), "{line}");
}

#[test]
fn pictures_that_do_not_fit_the_memory_are_refused_before_they_are_read() {
    let place = Place::new();
    // 512 × 512 pixels of one colour in 3 channels take 3 kB as a file, and 768 KiB in memory.
    let picture = image::RgbImage::from_pixel(512, 512, image::Rgb([200, 10, 10]));
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    let file = file.into_inner();
    assert!(file.len() < 16_384, "{}", file.len());
    for (class, count) in [("a", 150), ("b", 150)] {
        (0..count).for_each(|at| _ = place.write(&format!("set/{class}/{at}.png"), &file));
    }
    // The last one is damaged, which reading would find.
    place.write("set/b/last.png", &file[..20]);
    for command in [&["data", "set"][..], &["train", "set", "--device", "cpu"]] {
        let Some(ran) = under(&place, 250, command) else { return };
        assert!(matches!(ran.code, Some(3 | 4)), "{ran:?}");
        ran.failed(ran.code.unwrap(), &["MiB"]);
    }
    place.run(&["data", "set"]).failed(3, &["last.png"]);
}

/// A file of a grey picture, far smaller than the picture.
fn large_picture(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_fn(width, height, |x, y| image::Luma([(x / 64 + y / 64) as u8]));
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

#[test]
fn pictures_to_classify_are_decoded_in_the_memory_that_is_left() {
    let place = Place::trained();
    let file = large_picture(16_000, 5_400);
    assert!(file.len() < 1 << 20, "{}", file.len());
    (0..4).for_each(|at| _ = place.write(&format!("large/{at}.png"), &file));
    place.write("small.png", large_picture(28, 28));
    let predict = ["predict", "runs/digits-001", "--device", "cpu", "large", "small.png"];
    let classes = place.run(&predict).ok().out;
    assert_eq!(classes.lines().count(), 5);
    for mebibytes in [250, 350, 500, 600, 700] {
        let Some(ran) = under(&place, mebibytes, &predict) else { return };
        let refused = ran.err.matches("MiB of memory, and ").count();
        assert!(matches!(ran.code, Some(0)), "with {mebibytes} MiB: {ran:?}");
        assert_eq!(ran.out.lines().count() + refused, 5, "with {mebibytes} MiB: {ran:?}");
        assert!(mebibytes < 700 || ran.out == classes, "with {mebibytes} MiB: {ran:?}");
    }
}

#[test]
fn a_picture_that_does_not_fit_the_memory_is_refused() {
    let place = Place::trained();
    place.write("large.png", large_picture(16_000, 5_400));
    let Some(ran) = under(&place, 250, &["predict", "runs/digits-001", "--device", "cpu", "large.png"])
    else {
        return;
    };
    ran.failed(3, &["large.png needs about ", "MiB", "ulimit -v", "scale the picture down"]);
    let mut command = Command::new("bash");
    let script = "ulimit -v 256000; exec $W predict runs/digits-001 --device cpu - < large.png";
    command.args(["-c", script]).env("W", env!("CARGO_BIN_EXE_wgrad")).current_dir(place.path(""));
    Ran::of(&mut command).failed(3, &["stdin needs about ", "MiB", "scale the picture down"]);
}
