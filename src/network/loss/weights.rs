//! Class weights: a factor for the loss of the samples of each class.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::program::View;
use crate::text::shorten;

/// Class weights and label smoothing of a recorded cross-entropy.
#[derive(Clone, Copy, Debug)]
pub struct Weighting {
    /// A weight per class.
    pub weights: View,
    /// The label smoothing, from 0 to below 1.
    pub smoothing: f32,
}

/// The weight of each class in the loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// The same weight for all classes.
    #[default]
    Even,
    /// Weights in inverse proportion to the number of samples.
    ///
    /// Each class then counts the same in total.
    Balanced,
    /// A weight per class.
    Given(Vec<f32>),
}

impl ClassWeights {
    /// A weight per class, with mean 1 over the samples of `labels`.
    ///
    /// Empty when all are the same.
    ///
    /// With that mean the loss and the learning rate keep their meaning.
    ///
    /// # Errors
    /// [`Error::Setting`] when there are not as many weights as classes, or all samples have weight 0.
    pub fn resolve(&self, labels: &[u32], classes: usize) -> Result<Vec<f32>> {
        let refused = |problem| Error::Setting { key: "class_weights", problem };
        let mut counts = vec![0usize; classes];
        labels.iter().for_each(|label| counts[*label as usize] += 1);
        let weights: Vec<f64> = match self {
            ClassWeights::Even => return Ok(Vec::new()),
            // The weight of a class without samples is never used.
            ClassWeights::Balanced => counts.iter().map(|count| 1.0 / (*count).max(1) as f64).collect(),
            ClassWeights::Given(weights) if weights.len() == classes => {
                weights.iter().map(|weight| f64::from(*weight)).collect()
            }
            ClassWeights::Given(weights) => {
                return Err(refused(format!(
                    "there are {} ⟨class_weights⟩, but the data have {classes} classes: give one for each",
                    weights.len()
                )));
            }
        };
        let total: f64 = weights.iter().zip(&counts).map(|(weight, count)| weight * *count as f64).sum();
        if total == 0.0 {
            return Err(refused(
                "the ⟨class_weights⟩ of all classes with samples are 0, so nothing would be learned: \
                 give one of them a weight above 0"
                    .to_owned(),
            ));
        }
        let scale = labels.len() as f64 / total;
        Ok(weights.iter().map(|weight| (weight * scale) as f32).collect())
    }
}

impl FromStr for ClassWeights {
    type Err = Error;

    /// Reads `even`, `balanced`, or numbers with commas between them.
    fn from_str(text: &str) -> Result<ClassWeights> {
        match text {
            "even" => return Ok(ClassWeights::Even),
            "balanced" => return Ok(ClassWeights::Balanced),
            _ => {}
        }
        let number = |text: &str| text.trim().parse().ok().filter(|x: &f32| x.is_finite() && *x >= 0.0);
        let numbers: Option<Vec<f32>> = text.split(',').map(number).collect();
        numbers.map(ClassWeights::Given).ok_or_else(|| {
            Error::Usage(format!(
                "⟨class_weights⟩ “{text}”: they are even, balanced, or a number from 0 for each class, as in 1,2,0.5", text = shorten(text)))
        })
    }
}

impl fmt::Display for ClassWeights {
    /// The text form that [`ClassWeights::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ClassWeights::Even => f.write_str("even"),
            ClassWeights::Balanced => f.write_str("balanced"),
            ClassWeights::Given(weights) => {
                let weights: Vec<String> = weights.iter().map(f32::to_string).collect();
                f.write_str(&weights.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_mean_1_over_the_samples() {
        let labels = [0, 0, 0, 1, 2, 2];
        let resolve = |text: &str, classes| text.parse::<ClassWeights>().unwrap().resolve(&labels, classes);
        assert!(resolve("even", 3).unwrap().is_empty());
        // Each class has a third of the six samples' weight.
        assert_eq!(resolve("balanced", 3).unwrap(), [2.0 / 3.0, 2.0, 1.0]);
        assert_eq!(resolve("1,2,0.5", 3).unwrap(), [1.0, 2.0, 0.5]);
        assert_eq!(resolve("2,4,1", 3).unwrap(), [1.0, 2.0, 0.5]);
        assert!(resolve("1,2", 3).unwrap_err().to_string().contains("there are 2 class_weights"));
        assert!(resolve("0,0,0", 3).unwrap_err().to_string().contains("are 0"));
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        for text in ["even", "balanced", "1,0,2.5"] {
            assert_eq!(text.parse::<ClassWeights>().unwrap().to_string(), text);
        }
        for text in ["", "balance", "1,,2", "1,-2", "nan", "inf,1"] {
            let error = text.parse::<ClassWeights>().unwrap_err();
            assert!(error.to_string().contains("even, balanced"), "{error}");
        }
    }
}
