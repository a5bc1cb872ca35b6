//! Augmentation: the effect of each change, by the twin. Needs no adapter.

use wgrad::internals::data::{Normaliser, Samples};
use wgrad::internals::kernel::Augmentation;
use wgrad::internals::program::shape::Shape;

fn augmentation(text: &str) -> Augmentation {
    text.parse().unwrap()
}

/// Copies of one image, and a normaliser that leaves bytes as they are.
fn copies(
    height: usize,
    width: usize,
    count: usize,
    byte: impl Fn(usize, usize) -> u8,
) -> (Samples, Normaliser) {
    let image = (0..height * width).map(|at| byte(at % width, at / width));
    let pixels = image.collect::<Vec<u8>>().repeat(count);
    let shape = Shape::image(1, height, width);
    let samples = Samples { shape, pixels, labels: vec![0; count] };
    (samples, Normaliser { mean: vec![0.0], std: vec![1.0] })
}

/// Every sample as it is in one epoch.
fn shown(text: &str, (samples, normaliser): &(Samples, Normaliser), epoch: u32) -> Vec<Vec<u8>> {
    let augmentation = augmentation(text);
    (0..samples.len()).map(|at| samples.augmented(at, &augmentation, normaliser, (3, epoch))).collect()
}

/// A picture without any symmetry.
fn uneven(x: usize, y: usize) -> u8 {
    (x * 23 + y * y * 11) as u8
}

#[test]
fn changes_follow_from_seed_epoch_and_sample_alone() {
    let data = copies(6, 5, 20, uneven);
    let all = "shift 1, rotate 20, scale 0.2, shear 0.1, flip, cutout 2, brightness 0.1, contrast 0.1";
    let once = shown(all, &data, 1);
    assert_eq!(once, shown(all, &data, 1));
    let differ = |other: &[Vec<u8>]| once.iter().zip(other).filter(|(a, b)| a != b).count();
    assert_eq!(differ(&shown(all, &data, 2)), 20);
    let (samples, normaliser) = &data;
    let other_seed: Vec<_> =
        (0..20).map(|at| samples.augmented(at, &augmentation(all), normaliser, (4, 1))).collect();
    assert_eq!(differ(&other_seed), 20);
    // Samples of one epoch differ as well.
    assert!((1..20).all(|at| once[at] != once[at - 1]));
}

#[test]
fn a_flip_mirrors_half_of_the_samples_to_the_bit() {
    let data = copies(4, 5, 400, uneven);
    let image = data.0.image(0);
    let mirrored: Vec<u8> = image.chunks(5).flat_map(|row| row.iter().rev().copied()).collect();
    let all = shown("flip", &data, 1);
    let flipped = all.iter().filter(|shown| **shown == mirrored).count();
    assert_eq!(all.iter().filter(|shown| *shown == image).count() + flipped, 400);
    // 200, with a deviation of 10: five of them to either side.
    assert!((150..=250).contains(&flipped), "{flipped}");
}

#[test]
fn cut_outs_are_squares_anywhere_that_may_reach_over_the_edge() {
    let data = copies(6, 8, 500, |_, _| 9);
    let mut middles = std::collections::BTreeSet::new();
    for image in shown("cutout 3", &data, 1) {
        let cut: Vec<(usize, usize)> =
            (0..48).filter(|at| image[*at] == 0).map(|at| (at % 8, at / 8)).collect();
        assert!(image.iter().all(|value| [0, 9].contains(value)));
        let bounds = |axis: &dyn Fn(&(usize, usize)) -> usize| {
            (cut.iter().map(axis).min().unwrap(), cut.iter().map(axis).max().unwrap())
        };
        let ((left, right), (top, bottom)) = (bounds(&|at| at.0), bounds(&|at| at.1));
        assert_eq!(cut.len(), (right - left + 1) * (bottom - top + 1));
        let whole =
            |first: usize, last: usize, length: usize| last - first == 2 || first == 0 || last == length - 1;
        assert!(whole(left, right, 8) && whole(top, bottom, 6));
        middles.insert((
            if left == 0 { right - 1 } else { left + 1 },
            if top == 0 { bottom - 1 } else { top + 1 },
        ));
    }
    // Every pixel is the middle of some square, though at the upper and left borders two look alike.
    assert!(middles.len() >= 40, "{}", middles.len());
}

#[test]
fn shifts_reach_as_far_as_asked_and_no_farther() {
    // A bright column in the middle: its centre of mass shows the shift.
    let data = copies(9, 41, 500, |x, _| if x == 20 { 200 } else { 0 });
    let moved: Vec<f64> = shown("shift 5", &data, 1)
        .iter()
        .map(|image| {
            let row = &image[4 * 41..5 * 41];
            let sum: f64 = row.iter().map(|value| f64::from(*value)).sum();
            row.iter().enumerate().map(|(x, value)| x as f64 * f64::from(*value)).sum::<f64>() / sum - 20.0
        })
        .collect();
    let (least, most) = moved.iter().fold((0.0f64, 0.0f64), |(a, b), x| (a.min(*x), b.max(*x)));
    assert!((-5.02..-4.8).contains(&least) && (4.8..5.02).contains(&most), "{least} to {most}");
    let mean = moved.iter().sum::<f64>() / 500.0;
    // Uniform within ±5 has a deviation of 5/√3, so their mean one of 0.13.
    assert!(mean.abs() < 0.6, "{mean}");
}

#[test]
fn whole_turns_of_a_round_picture_leave_it_alike() {
    // A disc about the middle, soft enough that pixels between pixels are near it.
    let disc = |x: usize, y: usize| {
        let distance = ((x as f64 - 10.0).powi(2) + (y as f64 - 10.0).powi(2)).sqrt();
        (255.0 / (1.0 + (distance - 6.0).exp())) as u8
    };
    let data = copies(21, 21, 50, disc);
    let image = data.0.image(0);
    for turned in shown("rotate 180", &data, 1) {
        let worst = turned.iter().zip(image).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        // Between pixels the mean of four differs from the disc by less than its curvature, and at
        // the corners, 4 pixels from its foot, black comes in.
        assert!(worst <= 8, "{worst}");
    }
    // A picture that isn't round changes.
    let line = copies(21, 21, 50, |x, _| if x == 10 { 255 } else { 0 });
    let same = shown("rotate 180", &line, 1).iter().filter(|shown| *shown == line.0.image(0)).count();
    assert_eq!(same, 0);
}

#[test]
fn brightness_and_contrast_move_all_pixels_alike() {
    let data = copies(2, 2, 300, |x, y| if x == y { 50 } else { 100 });
    let (mut bright, mut strong) = (Vec::new(), Vec::new());
    for image in shown("brightness 0.1", &data, 1) {
        assert_eq!(i32::from(image[1]) - i32::from(image[0]), 50);
        bright.push(i32::from(image[0]) - 50);
    }
    for image in shown("contrast 0.5", &data, 1) {
        assert!((2 * i32::from(image[0]) - i32::from(image[1])).abs() <= 1, "{image:?}");
        strong.push(i32::from(image[1]) - 100);
    }
    let range = |values: &[i32]| (*values.iter().min().unwrap(), *values.iter().max().unwrap());
    // A tenth of 255, and half of 100: of 300 draws the outermost come within a few percent.
    let ((darker, brighter), (weaker, stronger)) = (range(&bright), range(&strong));
    assert!((-26..=-24).contains(&darker) && (24..=26).contains(&brighter), "{darker} to {brighter}");
    assert!((-50..=-48).contains(&weaker) && (48..=50).contains(&stronger), "{weaker} to {stronger}");
}

#[test]
fn scales_and_shears_keep_the_middle() {
    // A cross through the middle; away from it, scaling and shearing move its arms.
    let data = copies(21, 21, 60, |x, y| if x == 10 || y == 10 { 250 } else { 0 });
    for text in ["scale 0.5", "shear 0.5", "scale 0.3, shear 0.3"] {
        for image in shown(text, &data, 1) {
            assert_eq!(image[10 * 21 + 10], 250, "{text}");
            // The horizontal arm stays where it is.
            assert!(image[10 * 21..11 * 21].iter().skip(5).take(11).all(|value| *value == 250), "{text}");
        }
    }
    let sheared = shown("shear 0.5", &data, 1);
    assert!(sheared.iter().any(|image| image[10] < 50), "the top of the vertical arm has moved in none");
}
