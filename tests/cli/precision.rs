//! `--precision`.

use crate::place::Place;

#[test]
fn the_recipe_has_the_precision_f16_and_products_in_f32_are_listed() {
    let place = Place::new();
    let ran = place.run(&["train", "--epochs", "1", "--device", "cpu", "--precision", "f16"]).ok();
    let said =
        "precision f16: for all products but convolutions and those of sizes that are no multiples of 4";
    assert!(ran.err.contains(said), "{}", ran.err);
    // Ten outputs are no multiple of four.
    assert!(
        ran.err.contains("2 dense: weighted sums") && !ran.err.contains("0 dense: weighted"),
        "{}",
        ran.err
    );
    let measured = "training measures in the same precision; wgrad eval and predict compute in f32";
    assert!(ran.err.contains(measured), "{}", ran.err);
    let recipe = String::from_utf8(place.read("runs/digits-001/recipe.toml")).unwrap();
    assert!(recipe.contains("\nprecision = \"f16\"\n"), "{recipe}");
    // The summary of the run has f16 steps too.
    let shown = place.run(&["summary", "runs/digits-001", "--device", "cpu"]).ok();
    assert!(shown.out.contains("matmul_f16") && !shown.err.contains("experimental"), "{}", shown.out);
    assert!(shown.err.contains(&format!("the run has precision f16; {measured}")), "{}", shown.err);
    let plain = place.run(&["train", "--epochs", "1", "--device", "cpu"]).ok();
    assert!(!plain.err.contains("precision"), "{}", plain.err);
    let shown = place.run(&["summary", "runs/digits-002", "--device", "cpu"]).ok();
    assert_eq!(shown.err, "");
}

#[test]
fn an_unknown_precision_is_refused() {
    let place = Place::new();
    place.refuses(
        2,
        &["train", "--precision", "f61"],
        &["“f61” is neither f32 nor f16, did you mean “f16”?"],
    );
}
