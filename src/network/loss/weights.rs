//! Class weights: how much the samples of each class count.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::program::View;

/// What cross-entropy takes besides logits and labels.
#[derive(Clone, Copy, Debug)]
pub struct Weighting {
    /// One per class.
    pub weights: View,
    pub smoothing: f32,
}

/// How much each class counts in the loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All the same.
    #[default]
    Even,
    /// The rarer a class, the more: each class counts as much as any other, all its samples together.
    Balanced,
    /// One number per class.
    Given(Vec<f32>),
}

impl ClassWeights {
    /// A weight per class, scaled so that the mean over these samples is 1: the loss and the
    /// learning rate then keep their meaning. Empty when all are the same.
    ///
    /// # Errors
    /// [`Error::Usage`] when there are not as many weights as classes, or no sample counts.
    pub fn resolve(&self, labels: &[u32], classes: usize) -> Result<Vec<f32>> {
        let mut counts = vec![0usize; classes];
        labels.iter().for_each(|label| counts[*label as usize] += 1);
        let weights: Vec<f64> = match self {
            ClassWeights::Even => return Ok(Vec::new()),
            // Of a class without samples no weight is ever asked for.
            ClassWeights::Balanced => counts.iter().map(|count| 1.0 / (*count).max(1) as f64).collect(),
            ClassWeights::Given(weights) if weights.len() == classes => {
                weights.iter().map(|weight| f64::from(*weight)).collect()
            }
            ClassWeights::Given(weights) => {
                return Err(Error::Usage(format!(
                    "class weights: there are {} of them, but the data have {classes} classes: give one for each",
                    weights.len()
                )));
            }
        };
        let total: f64 = weights.iter().zip(&counts).map(|(weight, count)| weight * *count as f64).sum();
        if total == 0.0 {
            return Err(Error::Usage(
                "class weights: all classes that have samples weigh 0, so nothing would be learned: \
                 give some class a weight above 0"
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
                "class weights “{text}”: they are even, balanced, or a number from 0 for each class, as in 1,2,0.5"
            ))
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
        assert!(resolve("1,2", 3).unwrap_err().to_string().contains("there are 2 of them"));
        assert!(resolve("0,0,0", 3).unwrap_err().to_string().contains("weigh 0"));
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
