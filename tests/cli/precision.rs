//! `--precision`.

use crate::place::Place;

#[test]
fn half_precision_is_kept_in_the_recipe_and_what_stays_single_is_said() {
    let place = Place::new();
    let ran = place.run(&["train", "--epochs", "1", "--device", "cpu", "--precision", "half"]).ok();
    let said =
        "precision half: for all products but convolutions and those of sizes that are no multiples of 4";
    assert!(ran.err.contains(said), "{}", ran.err);
    // Ten outputs are no multiple of four.
    assert!(
        ran.err.contains("2 dense: weighted sums") && !ran.err.contains("0 dense: weighted"),
        "{}",
        ran.err
    );
    let measured =
        "what training measures is computed so as well, and wgrad eval and predict compute in single";
    assert!(ran.err.contains(measured), "{}", ran.err);
    let recipe = String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap();
    assert!(recipe.contains("\nprecision = \"half\"\n"), "{recipe}");
    // What is told of the run is told of its steps.
    let shown = place.run(&["summary", "runs/digits-001", "--device", "cpu"]).ok();
    assert!(shown.out.contains("matmul_f16") && !shown.err.contains("experimental"), "{}", shown.out);
    assert!(shown.err.contains(&format!("the run has precision half; {measured}")), "{}", shown.err);
    let single = place.run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    assert!(!single.err.contains("precision"), "{}", single.err);
    let shown = place.run(&["summary", "runs/digits-002", "--device", "cpu"]).ok();
    assert_eq!(shown.err, "");
}

#[test]
fn a_precision_that_there_is_not_is_refused() {
    let place = Place::new();
    place.refuses(
        2,
        &["train", "--precision", "halv"],
        &["“halv” is neither single nor half, did you mean “half”?"],
    );
}
