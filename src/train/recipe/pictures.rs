//! The defaults for a folder of pictures.

use super::{NetworkChoice, Overrides, Recipe, Value};
use crate::data::DataSize;
use crate::error::Result;
use crate::program::shape::Shape;

/// Steps that a small network needs to learn a small set.
pub(crate) const SMALL_SET_STEPS: usize = 1500;

/// The fewest and the most epochs, whatever the number of samples.
const EPOCHS: (usize, usize) = (10, 100);

/// The fewest pictures of which a part is taken for validation, and that part. It has 90 pictures or more: the standard
/// error of its accuracy is then 5.3 % at the most.
const VALIDATION: (usize, f64) = (600, 0.15);

/// The shortest side of pictures that a convolution and pooling suit, in pixels.
const SHORTEST: usize = 8;

/// The longest side of grey pictures that a dense network suits, in pixels.
const DENSE_SIDE: usize = 16;

/// The shortest side from which the first convolution has stride 2, in pixels.
const STRIDE_SIDE: usize = 96;

/// The most channels of a convolution.
const MOST_CHANNELS: usize = 64;

impl Recipe {
    /// The recipe for data of a known size. A folder of pictures has defaults of its own: `cnn` layers that
    /// fit the pictures' size, and epochs, batch size and a validation part by their number.
    ///
    /// # Errors
    /// As [`Overrides::check`].
    pub fn resolve_for(given: &Overrides, size: &DataSize) -> Result<Recipe> {
        let recipe = |given: &Overrides| Recipe::resolve(given, size.shape.len(), size.classes, size.train);
        if !size.pictures {
            return recipe(given);
        }
        given.check()?;
        recipe(&given.clone().or(defaults(given, size)))
    }

    /// The settings that [`Recipe::resolve_for`] chose for pictures, as a sentence with marks. None for other data, and
    /// when all were given.
    pub fn chosen(&self, given: &Overrides, size: &DataSize) -> Option<String> {
        let chosen = defaults(given, size);
        let settings = [
            chosen.network.is_some().then(|| "the layers below".to_owned()),
            marked("batch_size", (&chosen.batch_size, &given.batch_size), &self.batch_size),
            marked("epochs", (&chosen.epochs, &given.epochs), &self.epochs),
            marked("optimiser", (&chosen.optimiser, &given.optimiser), &self.optimiser),
            marked("learning_rate", (&chosen.learning_rate, &given.learning_rate), &self.learning_rate),
            marked("schedule", (&chosen.schedule, &given.schedule), &self.schedule),
            marked("validation", (&chosen.validation, &given.validation), &self.validation),
        ];
        let settings: Vec<String> = settings.into_iter().flatten().collect();
        (size.pictures && !settings.is_empty())
            .then(|| format!("chosen for {} pictures of {}: {}", size.train, size.shape, settings.join(", ")))
    }
}

/// The mark of a setting that was chosen and not given.
fn marked<T>(key: &str, (chosen, given): (&Option<T>, &Option<T>), value: &impl Value) -> Option<String> {
    (chosen.is_some() && given.is_none()).then(|| format!("⟨{key} {}⟩", value.text()))
}

/// The defaults that differ from those of other data.
pub(super) fn defaults(given: &Overrides, size: &DataSize) -> Overrides {
    // Data that have a validation part need none of the train part.
    let enough = size.validation == 0 && size.train >= VALIDATION.0;
    let validation = if enough { VALIDATION.1 } else { 0.0 };
    let part = given.validation.unwrap_or(validation);
    let train = size.train.saturating_sub((part * size.train as f64).round() as usize).max(1);
    let batch_size = match train {
        ..5_000 => 16,
        5_000..20_000 => 32,
        _ => 64,
    }
    .min(train);
    let steps = train.div_ceil(given.batch_size.unwrap_or(batch_size).max(1));
    let common = Overrides {
        epochs: Some(SMALL_SET_STEPS.div_ceil(steps).clamp(EPOCHS.0, EPOCHS.1)),
        batch_size: Some(batch_size),
        validation: Some(validation),
        ..Overrides::default()
    };
    // Given layers keep their optimiser, learning rate and schedule; only the common settings are new.
    match (&given.network, layers(&size.shape, size.classes)) {
        (None, Some(layers)) => {
            let network =
                layers.parse().map(NetworkChoice::Layers).expect("these layers are written by the rules");
            // An optimiser that is given comes with its learning rate.
            let own = given.optimiser.is_none() && given.momentum.is_none();
            Overrides {
                network: Some(network),
                optimiser: own.then(|| "adam".parse().expect("there is such an optimiser")),
                learning_rate: own.then_some(0.005),
                schedule: Some("one-cycle".parse().expect("there is such a schedule")),
                ..common
            }
        }
        _ => common,
    }
}

/// A convolutional network for pictures; none for small grey ones.
///
/// Blocks of convolution and pooling follow until the shortest side is below 6 pixels. Global average pooling keeps the
/// dense layer small at any size, and has fewer weights to over-fit a small set with.
fn layers(shape: &Shape, classes: usize) -> Option<String> {
    let (shortest, longest) = (shape.height.min(shape.width), shape.height.max(shape.width));
    let photos = longest > DENSE_SIDE || shape.channels >= 3;
    if shape.flat || !photos || shortest < SHORTEST {
        return None;
    }
    let (mut side, mut channels, mut text) = (shortest, 16, String::new());
    while side >= 6 || text.is_empty() {
        let stride = if text.is_empty() && side >= STRIDE_SIDE { 2 } else { 1 };
        let how = if stride == 2 { " stride 2" } else { "" };
        text += &format!("conv {channels} 3x3{how} pad 1, batchnorm, relu, maxpool 2, ");
        side /= 2 * stride;
        channels = (2 * channels).min(MOST_CHANNELS);
    }
    Some(text + &format!("globalavgpool, dense {classes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(shape: Shape, train: usize) -> DataSize {
        DataSize { shape, classes: 3, train, held_out: 9, validation: 0, reading: 0, pictures: true }
    }

    #[test]
    fn pictures_have_defaults_by_size_and_number() {
        let cats = Overrides { data: Some("./cats".into()), ..Overrides::default() };
        let resolve = |shape, train| Recipe::resolve_for(&cats, &size(shape, train)).unwrap();
        let few = resolve(Shape::image(3, 48, 48), 168);
        assert_eq!((few.batch_size, few.epochs, few.validation), (16, 100, 0.0));
        assert_eq!((few.optimiser.to_string().as_str(), few.learning_rate), ("adam", 0.005));
        let many = resolve(Shape::image(3, 48, 48), 1000);
        assert_eq!((many.batch_size, many.epochs, many.validation), (16, 28, 0.15));
        for (height, width, blocks) in [(8, 8, 1), (32, 32, 3), (64, 64, 4), (200, 150, 4), (1000, 800, 7)] {
            let shape = Shape::image(3, height, width);
            let network = resolve(shape, 168).network;
            assert_eq!(network.to_string().matches("maxpool").count(), blocks, "{shape}: {network}");
            let shapes = network.shapes(&shape).unwrap();
            assert_eq!(shapes.last().unwrap().len(), 3);
        }
        // Small grey pictures keep a dense network.
        assert!(resolve(Shape::image(1, 8, 8), 168).network.to_string().starts_with("dense 128"));
        assert_eq!(resolve(Shape::image(1, 8, 8), 3).batch_size, 3);
    }

    #[test]
    fn given_settings_win_and_other_data_are_unchanged() {
        let size = size(Shape::image(3, 48, 48), 168);
        let read = |text| super::super::parse_toml(text, std::path::Path::new("r.toml")).unwrap();
        let given = read("epochs = 3\noptimiser = 'sgd'\nnetwork = 'dense 3'\nvalidation = 0.5");
        let recipe = Recipe::resolve_for(&given, &size).unwrap();
        assert_eq!((recipe.epochs, recipe.validation, recipe.batch_size), (3, 0.5, 16));
        assert_eq!(recipe.network.to_string(), "dense 3");
        assert_eq!(
            recipe.chosen(&given, &size).unwrap(),
            "chosen for 168 pictures of 3×48×48: ⟨batch_size 16⟩"
        );
        let cnn = read("network = 'cnn'");
        assert_eq!(Recipe::resolve_for(&cnn, &size).unwrap().learning_rate, 0.003);
        let other = DataSize { pictures: false, ..size };
        let plain = Recipe::resolve(&Overrides::default(), size.shape.len(), 3, 168).unwrap();
        assert_eq!(Recipe::resolve_for(&Overrides::default(), &other).unwrap(), plain);
        assert_eq!(plain.chosen(&Overrides::default(), &other), None);
    }
}
