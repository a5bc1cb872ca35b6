//! Replaces former names in custom shaders that were written for an earlier version.

use std::collections::HashSet;

use crate::kernel::{Kernel, words};
use crate::table::former;

/// The text of a custom shader for `ours` with present names for former ones.
///
/// A former name stays if the shader already uses the present one, other than for a field. Errors give positions in the
/// new text and show its lines, which keep their numbers.
pub(super) fn with_present_names(text: &str, ours: &Kernel) -> String {
    let mut all = String::with_capacity(text.len());
    let (mut done, mut before) = (0, [""; 2]);
    let all_words: HashSet<&str> = words(text).map(|(_, word)| word).collect();
    let own_struct = all_words.contains("struct");
    for (at, word) in words(text) {
        if let Some(present) = former::word(word, before, ours).filter(|name| match before {
            // A field of a struct of the shader's own is none of ours.
            [value, "."] => value == "step" || !own_struct,
            _ => !all_words.contains(name),
        }) {
            all += &text[done..at];
            all += present;
            done = at + word.len();
        }
        before = [before[1], word];
    }
    all + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{EMA, FROBENIUS_NORMALISE, GRADIENT_PARTS};

    #[test]
    fn former_names_become_present_ones_where_they_name_what_is_ours() {
        let own = "fn unit_size() { let slope = activation_slope(a, b, c); } // unit_size";
        let now = "fn frobenius_normalise() { let slope = activation_derivative(a, b, c); } // unit_size";
        assert_eq!(with_present_names(own, &FROBENIUS_NORMALISE), now);
        // A shader for another kernel may have functions with these names.
        assert_eq!(with_present_names("fn unit_size() {}", &EMA), "fn unit_size() {}");
        let own = "fn\naverage() { let average = step . average; step.index; }";
        let now = "fn\nema() { let average = step . ema_decay; step.index; }";
        assert_eq!(with_present_names(own, &EMA), now);
        // The present name is declared, so the former one means something else.
        let own = "fn average() {} fn ema() {}";
        assert_eq!(with_present_names(own, &EMA), own);
        assert_eq!(
            with_present_names("w.flaws = é; /* flaws */", &GRADIENT_PARTS),
            "w.non_finite = é; /* flaws */"
        );
        // Fields, by whichever name of their struct, and a variable with the present name of the field.
        for (own, now) in [
            ("let s = step; s.average", "let s = step; s.ema_decay"),
            ("let ema_decay = (step).average;", "let ema_decay = (step).ema_decay;"),
            (
                "struct Own { average: f32 } o.average; step.average",
                "struct Own { average: f32 } o.average; step.ema_decay",
            ),
        ] {
            assert_eq!(with_present_names(own, &EMA), now);
        }
        let own = "let non_finite = watch.flaws;";
        assert_eq!(with_present_names(own, &GRADIENT_PARTS), "let non_finite = watch.non_finite;");
    }
}
