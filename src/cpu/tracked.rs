//! Arithmetic with error bounds: a twin written once over [`Number`] computes its values with `f64` and its bounds
//! with [`Tracked`].

use std::ops::{Add, Div, Mul, Sub};

use super::{DIVISION, EPS, TINY};

/// Relative error of an f32 square root: that of 1 / inverseSqrt, 2 ULP and a division.
const ROOT: f64 = 5.0 * EPS;

/// The arithmetic of an update.
pub trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// A number that is exact in f32.
    fn exact(value: f64) -> Self;
    fn sqrt(self) -> Self;
    /// -1, 0 or 1.
    fn sign(self) -> Self;
    fn max(self, other: Self) -> Self;
}

impl Number for f64 {
    fn exact(value: f64) -> f64 {
        value
    }
    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
    fn sign(self) -> f64 {
        if self == 0.0 { 0.0 } else { self.signum() }
    }
    fn max(self, other: f64) -> f64 {
        f64::max(self, other)
    }
}

/// A value, and the largest error of the same arithmetic in f32.
#[derive(Clone, Copy, Debug)]
pub struct Tracked {
    pub value: f64,
    pub error: f64,
}

impl Add for Tracked {
    type Output = Tracked;
    fn add(self, other: Tracked) -> Tracked {
        // Relative to both terms, not to their sum, because sums may have another order.
        let size = self.value.abs() + other.value.abs();
        let error = self.error + other.error;
        Tracked { value: self.value + other.value, error: error + EPS * (size + error) + TINY }
    }
}

impl Sub for Tracked {
    type Output = Tracked;
    fn sub(self, other: Tracked) -> Tracked {
        self + Tracked { value: -other.value, ..other }
    }
}

impl Mul for Tracked {
    type Output = Tracked;
    fn mul(self, other: Tracked) -> Tracked {
        let value = self.value * other.value;
        let error =
            self.value.abs() * other.error + other.value.abs() * self.error + self.error * other.error;
        Tracked { value, error: error + EPS * (value.abs() + error) + TINY }
    }
}

impl Div for Tracked {
    type Output = Tracked;
    fn div(self, other: Tracked) -> Tracked {
        let value = self.value / other.value;
        // By the least that the divisor may be; where that is 0, the quotient may be anything.
        let least = other.value.abs() - other.error;
        let error = (self.error + value.abs() * other.error) / least;
        let error = if least > 0.0 { error } else { f64::INFINITY };
        Tracked { value, error: error + DIVISION * (value.abs() + error) + TINY }
    }
}

impl Number for Tracked {
    fn exact(value: f64) -> Tracked {
        Tracked { value, error: 0.0 }
    }
    fn sqrt(self) -> Tracked {
        let value = self.value.sqrt();
        // |√x - √y| is at most |x - y| / √x, and at most √|x - y|.
        let error = (self.error / value).min(self.error.sqrt());
        // The radicand may be flushed to zero.
        let error = error.max(if self.value < 2.0 * TINY { (2.0 * TINY).sqrt() } else { 0.0 });
        Tracked { value, error: error + ROOT * (value + error) + TINY }
    }
    fn sign(self) -> Tracked {
        let sure = self.value.abs() > self.error || (self.value == 0.0 && self.error == 0.0);
        Tracked { value: self.value.sign(), error: if sure { 0.0 } else { 2.0 } }
    }
    fn max(self, other: Tracked) -> Tracked {
        Tracked { value: self.value.max(other.value), error: self.error.max(other.error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few operations whose f32 result is known: each is within its bound, and the bound isn't much larger.
    #[test]
    fn f32_results_are_within_the_tracked_error() {
        for (x, y) in [(1.1f32, 3.7f32), (-1e-20, 5.5), (200.0, 1e-3), (0.3, 0.300_000_1)] {
            let [a, b] = [x, y].map(|value| Tracked::exact(value.into()));
            for (tracked, single) in [
                (a + b, x + y),
                (a - b, x - y),
                (a * b, x * y),
                (a / b, x / y),
                (b.sqrt(), y.sqrt()),
                ((a * b + a) / (b.sqrt() + Tracked::exact(1.0)), (x * y + x) / (y.sqrt() + 1.0)),
            ] {
                let difference = (tracked.value - f64::from(single)).abs();
                assert!(difference <= tracked.error, "{x} {y}: {single} is off by {difference:e}");
                let size = tracked.value.abs() + f64::from(x.abs() + y.abs());
                assert!(tracked.error <= 40.0 * EPS * size + 40.0 * TINY, "{x} {y}: {tracked:?}");
            }
        }
    }

    #[test]
    fn a_sign_that_is_not_sure_may_be_any() {
        let close = Tracked { value: 1e-9, error: 1e-8 };
        assert_eq!((close.sign().value, close.sign().error), (1.0, 2.0));
        assert_eq!(Tracked::exact(-3.0).sign().error, 0.0);
        assert_eq!(Tracked::exact(0.0).sign().value, 0.0);
    }

    #[test]
    fn a_quotient_by_a_possible_zero_has_an_infinite_bound() {
        let nothing = Tracked { value: 1e-9, error: 1e-8 };
        assert_eq!((Tracked::exact(1.0) / nothing).error, f64::INFINITY);
    }
}
