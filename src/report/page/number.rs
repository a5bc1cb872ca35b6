//! Numbers as text, with the digits that are significant.

/// Significant digits: an f32 has a little more than seven, and rounding errors cost the last.
const DIGITS: i32 = 6;

/// The texts of non-finite values.
const NOT_A_NUMBER: &str = "not a number";
const INFINITY: &str = "∞";

/// Whether a text contains a number that has overflowed, as written by [`number`].
pub(super) fn overflows(text: &str) -> bool {
    text.contains(INFINITY) || text.contains(NOT_A_NUMBER)
}

/// A number with at most six significant digits and no zeros at the end.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return NOT_A_NUMBER.to_owned();
    }
    if value.is_infinite() {
        let sign = if value > 0.0 { "" } else { "-" };
        return format!("{sign}{INFINITY}");
    }
    let exponent = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    if !(-4..9).contains(&exponent) {
        let text = format!("{value:.*e}", DIGITS as usize - 3);
        // 1.0800e-27 is 1.08e-27
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{power}", trim(digits));
    }
    let text = format!("{value:.*}", (DIGITS - 1 - exponent).max(0) as usize);
    match trim(&text) {
        "-0" => "0".to_owned(),
        text => text.to_owned(),
    }
}

/// Removes zeros behind the last significant digit.
fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// The text of an f32, as by [`number`].
pub fn digits(value: f32) -> String {
    number(value.into())
}

/// `1 number`, `2 numbers`.
pub fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// The most numbers of a list that are written out.
const LISTED: usize = 8;

/// `0.1, 0.2, 0`; a long list is cut, with the number of its values.
pub fn list(values: &[f32]) -> String {
    let shown = if values.len() > LISTED { LISTED - 1 } else { values.len() };
    let mut texts: Vec<String> = values[..shown].iter().map(|value| digits(*value)).collect();
    if shown < values.len() {
        texts.push(format!("… ({} numbers)", values.len()));
    }
    texts.join(", ")
}

/// A factor in a formula, in brackets if it is negative.
pub fn factor(value: f32) -> String {
    let text = digits(value);
    if text.starts_with('-') { format!("({text})") } else { text }
}

/// `name = formula = value`, with the value on a second line where one is too short.
pub fn equation(name: &str, formula: &str, value: &str) -> Vec<String> {
    let line = format!("{name} = {formula} = {value}");
    // Pages are 80 columns wide and indent formulas.
    if line.chars().count() <= 76 {
        return vec![line];
    }
    let indent = " ".repeat(name.chars().count());
    vec![format!("{name} = {formula}"), format!("{indent} = {value}")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits_and_no_idle_zeros() {
        let texts = [
            (0.0, "0"),
            (f64::from(0.1f32), "0.1"),
            (f64::from(-0.3f32), "-0.3"),
            (0.000_235_449_76, "0.00023545"),
            (0.000_090_137_12, "9.014e-5"),
            (1.08e-27, "1.08e-27"),
            (5.25, "5.25"),
            (1_234_567.0, "1234567"),
            (2e10, "2e10"),
            (-1e-40, "-1e-40"),
            (0.999_999_96, "1"),
            (f64::INFINITY, "∞"),
            (f64::NAN, "not a number"),
        ];
        for (value, text) in texts {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        assert_eq!(list(&[0.1, -2.0]), "0.1, -2");
        assert_eq!(list(&[1.0; 8]), "1, 1, 1, 1, 1, 1, 1, 1");
        assert_eq!(list(&[1.0; 9]), "1, 1, 1, 1, 1, 1, 1, … (9 numbers)");
    }

    #[test]
    fn overflow_is_seen_in_text() {
        let [fits, infinite, none] = [1.0, f32::NEG_INFINITY, f32::NAN].map(|value| list(&[0.5, value]));
        assert!(!overflows(&fits) && overflows(&infinite) && overflows(&none));
    }

    #[test]
    fn negative_factors_stand_in_brackets() {
        assert_eq!(factor(-0.3), "(-0.3)");
        assert_eq!(factor(0.3), "0.3");
    }
}
