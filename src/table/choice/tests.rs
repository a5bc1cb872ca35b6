//! Tests of which kernel each shape gets, and of a choice's text.

use super::*;
use crate::kernel::consts;
use crate::table;

fn product(choice: &Choice, [m, n, k]: [usize; 3]) -> &'static str {
    choice.matmul(consts! { M: m, N: n, K: k, TRANSPOSE_A: false }).0.name
}

#[test]
fn a_shape_that_a_variant_refuses_gets_another_kernel() {
    let choice = Choice::SOFTWARE_SUBGROUPS;
    let names = [[64, 16, 64], [64, 20, 64], [64, 128, 784], [1_024, 1_024, 64]];
    assert_eq!(
        names.map(|shape| product(&choice, shape)),
        ["matmul_register", "matmul_subgroup", "matmul_subgroup", "matmul_subgroup"]
    );
    // Not in whole vec4s.
    assert_eq!([[64, 18, 64], [64, 128, 785]].map(|shape| product(&choice, shape)), ["matmul_register"; 2]);
    let of = |choice: &Choice, inputs, outputs| {
        choice.weight_gradient(64, inputs, outputs, false).map(|(kernel, _)| kernel.name)
    };
    let gradient = |choice: &Choice, inputs| of(choice, inputs, 12);
    assert_eq!(gradient(&choice, 784), Some("weight_gradient_subgroup"));
    assert_eq!(gradient(&choice, 785), Some("weight_gradient"));
    assert_eq!(of(&choice, 784, 10), Some("weight_gradient_narrow_subgroup"));
    assert_eq!(of(&choice, 784, 33), Some("weight_gradient"));
    assert_eq!(gradient(&Choice::GPU, 784), Some("weight_gradient_vectors"));
    assert_eq!(gradient(&Choice::GPU, 785), Some("weight_gradient_tiled"));
    let separate = choice.with(&"weights separate".parse().unwrap());
    assert_eq!([784, 785].map(|inputs| gradient(&separate, inputs)), [None; 2]);
}

/// The slices and their length of a product with a transposed B.
fn slices(choice: &Choice, [m, n, k]: [usize; 3]) -> Option<[usize; 2]> {
    let consts = consts! { M: m, N: n, K: k, TRANSPOSE_A: false, TRANSPOSE_B: true };
    choice.slices(&consts).map(|consts| ["SLICES", "SLICE"].map(|name| consts.uint(name)))
}

#[test]
fn long_sums_of_few_tiles_are_cut_on_a_gpu() {
    assert_eq!(slices(&Choice::GPU, [64, 128, 784]), Some([13, 64]));
    // Columns need not be whole vec4s, but terms.
    assert_eq!(slices(&Choice::GPU, [64, 127, 256]), Some([4, 64]));
    assert_eq!(slices(&Choice::GPU, [64, 128, 785]), None);
    // A hundred times as many terms are not cut into as many slices.
    assert_eq!(slices(&Choice::GPU, [64, 128, 78_400]), Some([32, 2_464]));
    // Neither need there be many.
    assert_eq!(slices(&Choice::GPU, [64, 10, 3_136]), Some([25, 128]));
    // Short sums, enough tiles, and programs on a CPU.
    for shape in [[64, 128, 255], [64, 16, 255], [512, 512, 784]] {
        assert_eq!(slices(&Choice::GPU, shape), None, "{shape:?}");
    }
    assert_eq!(slices(&Choice::SOFTWARE, [64, 128, 784]), None);
    let uncut = Choice::GPU.with(&"long matmul".parse().unwrap());
    assert_eq!(slices(&uncut, [64, 128, 784]), None);
    // A product in one dispatch is never cut.
    assert_eq!(product(&Choice::GPU, [64, 128, 784]), "matmul_vectors");
    assert_eq!(product(&Choice::GPU, [64, 128, 785]), "matmul");
}

#[test]
fn picks_change_only_their_own_classes() {
    let picks: Picks = "long matmul_naive, conv conv".parse().unwrap();
    let choice = Choice::SOFTWARE.with(&picks);
    let names = [[64, 16, 784], [64, 128, 784], [64, 128, 64]].map(|shape| product(&choice, shape));
    assert_eq!(names, ["matmul_register", "matmul_naive", "matmul_register"]);
    let whole = choice.picks();
    assert_eq!(
        (whole.get(Class::Long), whole.get(Class::Conv)),
        (picks.get(Class::Long), picks.get(Class::Conv))
    );
    assert_eq!(whole.get(Class::ConvWeights), Some(Variant::of(&table::CONV_WEIGHTS_REGISTER)));
}

#[test]
fn variants_have_distinct_names() {
    for class in Class::ALL {
        let names: Vec<String> = class.variants().iter().map(|one| one.to_string()).collect();
        let known = |name: &String| names.iter().filter(|other| *other == name).count();
        assert!(names.iter().all(|name| known(name) == 1), "{names:?}");
    }
    let wide = Variant { constants: &[("TILE", 64), ("BLOCK", 8)], ..Variant::of(&table::MATMUL) };
    assert_eq!(wide.to_string(), "matmul tile 64 block 8");
    assert!(wide != Variant::of(&table::MATMUL));
}

#[test]
fn every_choice_is_read_back_as_it_was_written() {
    for whole in [Choice::NAIVE, Choice::CPU, Choice::GPU, Choice::SOFTWARE, Choice::SOFTWARE_SUBGROUPS] {
        let choice = whole.picks();
        assert_eq!(choice.iter().count(), Class::ALL.len());
        assert_eq!(choice.to_string().parse::<Picks>().unwrap(), choice);
    }
    for (class, variant) in
        Class::ALL.iter().flat_map(|class| class.variants().iter().map(|one| (*class, *one)))
    {
        let choice = Picks::default().with(class, variant);
        assert_eq!(choice.to_string().parse::<Picks>().unwrap(), choice, "{choice}");
    }
    let spaced = " large   matmul_register ,narrow matmul".parse::<Picks>().unwrap();
    assert_eq!(spaced.to_string(), "narrow matmul, large matmul_register");
    assert_eq!(spaced.get(Class::Large), Some(Variant::of(&table::MATMUL_REGISTER)));
    assert_eq!(spaced.get(Class::Small), None);
}

#[test]
fn former_names_of_kernels_are_read() {
    let former = "first pixel_dense_subgroup, last dense_loss_subgroup".parse::<Picks>().unwrap();
    assert_eq!(former.to_string(), "first gather_dense_subgroup, last dense_softmax_loss_subgroup");
}

#[test]
fn misspelt_choices_are_refused_with_the_known_names() {
    for (text, words) in [
        ("larg matmul", ["no class of work “larg”, did you mean “large”?", "conv-weights"]),
        ("large matmul_regster", ["large has no variant “matmul_regster”", "“matmul_register”?"]),
        ("large conv", ["large has no variant “conv”", "matmul_subgroup"]),
        ("large", ["large has no variant “”", "matmul_naive"]),
        ("large matmul tile 64", ["large has no variant “matmul tile 64”", "it has"]),
        ("large matmul, large matmul", ["names large twice", "leave one out"]),
        ("large matmul,, long matmul", ["between commas", "as in"]),
        ("", ["tuning “”", "between commas"]),
    ] {
        let error = text.parse::<Picks>().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let message = error.to_string();
        words.iter().for_each(|word| assert!(message.contains(word), "“{word}” is not in “{message}”"));
    }
}
