//! Which tensor of a file belongs to which parameter: by names, or by the order of the layers and their shapes.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::text::shorten;

/// The most layers that a message lists.
const LISTED: usize = 6;

/// A tensor by its name and shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
}

/// Indices of a parameter and its tensor in the file.
pub(crate) type Pair = (usize, usize);

/// The parameters for which the file has a tensor of the same name and shape, behind a prefix that all have, such as
/// `module.`, or without it. None of a layer with a tensor of another shape: half a layer computes nothing of use.
pub(crate) fn by_name(wanted: &[Tensor], found: &[Tensor]) -> Vec<Pair> {
    let pairs = |prefix: &str| -> Vec<Pair> {
        let bare = |tensor: &Tensor| tensor.name.strip_prefix(prefix).map(str::to_owned);
        let places: HashMap<String, usize> =
            found.iter().enumerate().filter_map(|(at, tensor)| Some((bare(tensor)?, at))).collect();
        let place = |tensor: &Tensor| places.get(&tensor.name).copied();
        let is_reshaped =
            |tensor: &&Tensor| place(tensor).is_some_and(|place| found[place].shape != tensor.shape);
        let torn: HashSet<&str> =
            wanted.iter().filter(is_reshaped).map(|tensor| layer_of(&tensor.name)).collect();
        let whole = wanted.iter().enumerate().filter(|(_, tensor)| !torn.contains(layer_of(&tensor.name)));
        whole.filter_map(|(at, tensor)| Some((at, place(tensor)?))).collect()
    };
    let (plain, behind) = (pairs(""), pairs(common_prefix(found)));
    if behind.len() > plain.len() { behind } else { plain }
}

/// Whether a layer is left out that is like one of the pairs, and whose name comes before that of the last pair.
///
/// Layers of files whose numbers count activations and of those whose numbers don't may agree in some names by chance.
pub(crate) fn skips_a_layer(pairs: &[Pair], found: &[Tensor]) -> bool {
    let layers = layers(found);
    let is_used =
        |layer: &Layer| layer.tensors.iter().any(|tensor| pairs.iter().any(|(_, at)| *at == tensor.index));
    let used: Vec<&Layer> = layers.iter().filter(|layer| is_used(layer)).collect();
    let is_skipped = |layer: &&Layer| {
        !is_used(layer)
            && used
                .iter()
                .any(|other| other.is_like(layer) && natural(layer.name, other.name) == Ordering::Less)
    };
    layers.iter().any(|layer| is_skipped(&layer))
}

/// The name of a tensor's layer, which is empty for a name without a dot, and the tensor's last name.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

/// The beginning of a tensor's name that all tensors of its layer have.
pub(crate) fn layer_of(name: &str) -> &str {
    parts(name).0
}

/// The longest prefix up to a dot that all names have.
fn common_prefix(found: &[Tensor]) -> &str {
    let Some((first, rest)) = found.split_first() else { return "" };
    let mut ends = first.name.rmatch_indices('.').map(|(at, _)| &first.name[..=at]);
    ends.find(|prefix| rest.iter().all(|tensor| tensor.name.starts_with(prefix))).unwrap_or_default()
}

/// Layers that were matched by their order and shapes.
#[derive(Debug, Default)]
pub(crate) struct ByOrder {
    pub pairs: Vec<Pair>,
    /// Layers of the network without a counterpart in the file, with their shapes.
    pub missing: Vec<String>,
    /// Layers of the file without a counterpart in the network, with their shapes.
    pub left: Vec<String>,
    /// Why a layer could be one or another, as the rest of a sentence that begins with the file.
    pub ambiguous: Option<String>,
}

/// Matches layers whose tensors have the same last names and shapes: the only one of its kind, or several in the order
/// of their names, numbers as numbers.
///
/// Files have their tensors in the order of the alphabet, so that order says nothing. Names say it if they differ in
/// numbers alone, as `features.0` and `features.3` do.
pub(crate) fn by_order(wanted: &[Tensor], found: &[Tensor]) -> ByOrder {
    let (ours, mut theirs) = (layers(wanted), layers(found));
    theirs.sort_by(|one, two| natural(one.name, two.name));
    let mut result = ByOrder::default();
    let mut seen: Vec<&Layer> = Vec::new();
    for layer in &ours {
        if seen.iter().any(|other| other.is_like(layer)) {
            continue;
        }
        seen.push(layer);
        let alike = |layers: &[Layer]| -> Vec<usize> {
            (0..layers.len()).filter(|at| layers[*at].is_like(layer)).collect()
        };
        let (ours_alike, theirs_alike) = (alike(&ours), alike(&theirs));
        let named = |layers: &[Layer], alike: &[usize]| {
            list(alike.iter().map(|at| layers[*at].title().to_owned()).collect())
        };
        let stem = |at: &usize| theirs[*at].name.replace(|letter: char| letter.is_ascii_digit(), "");
        // conv1 and conv01 have one number.
        let is_before =
            |pair: &[usize]| natural(theirs[pair[0]].name, theirs[pair[1]].name) == Ordering::Less;
        let in_order = ours_alike.len() == theirs_alike.len()
            && theirs_alike.iter().all(|at| stem(at) == stem(&theirs_alike[0]))
            && theirs_alike.windows(2).all(is_before);
        if theirs_alike.is_empty() {
            result.missing.extend(ours_alike.iter().map(|at| ours[*at].description()));
        } else if in_order {
            for (ours_at, theirs_at) in ours_alike.iter().zip(&theirs_alike) {
                let pairs = ours[*ours_at].tensors.iter().zip(&theirs[*theirs_at].tensors);
                result.pairs.extend(pairs.map(|(one, two)| (one.index, two.index)));
            }
        } else if result.ambiguous.is_none() {
            result.ambiguous = Some(format!(
                "has {} where the network has {}, all with {}, and their names don't say which is which, so rename the \
                 tensors of the file as the network's",
                named(&theirs, &theirs_alike),
                named(&ours, &ours_alike),
                layer.shapes()
            ));
        }
    }
    let left = theirs.iter().filter(|layer| !seen.iter().any(|other| other.is_like(layer)));
    result.left = left.map(Layer::description).collect();
    result.pairs.sort_unstable();
    result
}

/// A layer: the tensors whose names have the same beginning.
struct Layer<'a> {
    /// The beginning without its dot; empty for names without a dot.
    name: &'a str,
    /// In the order of their last names.
    tensors: Vec<Member<'a>>,
}

/// A tensor of a layer.
struct Member<'a> {
    index: usize,
    /// Its last name, such as `weight`.
    last: &'a str,
    shape: &'a [usize],
}

/// The layers of tensors, in the order of their first tensors.
fn layers(tensors: &[Tensor]) -> Vec<Layer<'_>> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut places = HashMap::new();
    for (index, Tensor { name, shape }) in tensors.iter().enumerate() {
        let (name, last) = parts(name);
        let place = *places.entry(name).or_insert(layers.len());
        if place == layers.len() {
            layers.push(Layer { name, tensors: Vec::new() });
        }
        layers[place].tensors.push(Member { index, last, shape });
    }
    layers.iter_mut().for_each(|layer| layer.tensors.sort_by_key(|tensor| tensor.last));
    layers
}

impl Layer<'_> {
    fn is_like(&self, other: &Layer) -> bool {
        let same = |(one, two): (&Member, &Member)| (one.last, one.shape) == (two.last, two.shape);
        self.tensors.len() == other.tensors.len() && self.tensors.iter().zip(&other.tensors).all(same)
    }

    fn title(&self) -> &str {
        if self.name.is_empty() { self.tensors[0].last } else { self.name }
    }

    /// Its tensors with their shapes, the weight first.
    fn shapes(&self) -> String {
        let mut tensors: Vec<&Member> = self.tensors.iter().collect();
        tensors.sort_by_key(|tensor| tensor.last != "weight");
        let each = |tensor: &&Member| format!("{} {}", shorten(tensor.last), sizes(tensor.shape));
        list(tensors.iter().map(each).collect())
    }

    fn description(&self) -> String {
        format!("{} ({})", shorten(self.title()), self.shapes())
    }
}

/// The shape as text, such as 10×64.
pub(crate) fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().take(8).map(usize::to_string).collect();
    if sizes.is_empty() { "()".to_owned() } else { sizes.join("×") }
}

/// The first of some texts, with commas, and the number of the others.
pub(crate) fn list(texts: Vec<String>) -> String {
    let more = texts.len().saturating_sub(LISTED);
    let listed: Vec<String> = texts.iter().take(LISTED).map(|text| shorten(text)).collect();
    let listed = listed.join(", ");
    if more == 0 { listed } else { format!("{listed} and {more} more") }
}

/// The order of names in which numbers count as numbers.
fn natural(one: &str, two: &str) -> Ordering {
    let (mut one, mut two) = (one, two);
    loop {
        let (first, second) = (head(&mut one), head(&mut two));
        let number = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        let order = if number(first) && number(second) {
            let (first, second) = (first.trim_start_matches('0'), second.trim_start_matches('0'));
            first.len().cmp(&second.len()).then(first.cmp(second))
        } else {
            first.cmp(second)
        };
        if order != Ordering::Equal || (first.is_empty() && second.is_empty()) {
            return order;
        }
    }
}

/// Takes digits, or a text without any, from the front.
fn head<'a>(text: &mut &'a str) -> &'a str {
    let digits = text.starts_with(|letter: char| letter.is_ascii_digit());
    let end = text.find(|letter: char| letter.is_ascii_digit() != digits).unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    *text = rest;
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors(list: &[(&str, &[usize])]) -> Vec<Tensor> {
        list.iter().map(|(name, shape)| Tensor { name: (*name).to_owned(), shape: shape.to_vec() }).collect()
    }

    /// The names of pairs, ours and theirs.
    fn names(pairs: &[Pair], wanted: &[Tensor], found: &[Tensor]) -> Vec<String> {
        pairs.iter().map(|(one, two)| format!("{}={}", wanted[*one].name, found[*two].name)).collect()
    }

    #[test]
    fn names_agree_behind_a_prefix_that_all_have() {
        let wanted = tensors(&[("0.weight", &[4, 3]), ("0.bias", &[4]), ("2.weight", &[2, 4])]);
        let found = tensors(&[("0.bias", &[4]), ("0.weight", &[4, 3]), ("2.weight", &[4, 2])]);
        assert_eq!(names(&by_name(&wanted, &found), &wanted, &found), ["0.weight=0.weight", "0.bias=0.bias"]);
        let found = tensors(&[("module.net.0.bias", &[4]), ("module.net.2.weight", &[2, 4])]);
        assert_eq!(by_name(&wanted, &found), [(1, 0), (2, 1)]);
        // One layer alone has a prefix of its own, which is no prefix of the others'.
        assert_eq!(by_name(&wanted, &tensors(&[("0.weight", &[4, 3]), ("0.bias", &[4])])), [(0, 0), (1, 1)]);
        assert_eq!(by_name(&wanted, &[]), []);
    }

    #[test]
    fn layers_of_one_kind_are_matched_in_the_order_of_their_numbers() {
        let wanted = tensors(&[
            ("0.weight", &[8, 8]),
            ("0.bias", &[8]),
            ("2.weight", &[8, 8]),
            ("2.bias", &[8]),
            ("3.weight", &[8]),
            ("3.bias", &[8]),
            ("4.weight", &[2, 8]),
            ("4.bias", &[2]),
        ]);
        let found = tensors(&[
            ("head.bias", &[2]),
            ("head.weight", &[2, 8]),
            ("norm.bias", &[8]),
            ("norm.weight", &[8]),
            ("fc10.bias", &[8]),
            ("fc10.weight", &[8, 8]),
            ("fc9.bias", &[8]),
            ("fc9.weight", &[8, 8]),
        ]);
        let matched = by_order(&wanted, &found);
        let expected = [
            "0.weight=fc9.weight",
            "0.bias=fc9.bias",
            "2.weight=fc10.weight",
            "2.bias=fc10.bias",
            "3.weight=norm.weight",
            "3.bias=norm.bias",
            "4.weight=head.weight",
            "4.bias=head.bias",
        ];
        assert_eq!(names(&matched.pairs, &wanted, &found), expected);
        assert!(matched.missing.is_empty() && matched.left.is_empty() && matched.ambiguous.is_none());
    }

    #[test]
    fn what_has_no_counterpart_and_what_has_several_is_named() {
        let wanted = tensors(&[("0.weight", &[8, 8]), ("1.weight", &[8, 8]), ("2.weight", &[3, 8])]);
        let matched =
            by_order(&wanted, &tensors(&[("a.weight", &[8, 8]), ("b.weight", &[8, 8]), ("c.bias", &[3])]));
        assert_eq!(matched.pairs, []);
        assert_eq!(
            (matched.missing, matched.left),
            (vec!["2 (weight 3×8)".into()], vec!["c (bias 3)".into()])
        );
        let ambiguous = matched.ambiguous.unwrap();
        assert!(
            ambiguous.starts_with("has a, b where the network has 0, 1, all with weight 8×8"),
            "{ambiguous}"
        );
        let twice = tensors(&[("l1.weight", &[8, 8]), ("l01.weight", &[8, 8])]);
        assert!(by_order(&wanted, &twice).ambiguous.is_some());
        // As many as there are names for, and no others.
        let fewer = by_order(&wanted, &tensors(&[("l1.weight", &[8, 8])]));
        assert!(fewer.ambiguous.unwrap().starts_with("has l1 where the network has 0, 1"));
    }

    #[test]
    fn numbers_in_names_are_compared_as_numbers() {
        let mut names = vec!["a10", "a9", "a", "b1.2", "b1.10", "b01.3", "a9b"];
        names.sort_by(|one, two| natural(one, two));
        assert_eq!(names, ["a", "a9", "a9b", "a10", "b1.2", "b01.3", "b1.10"]);
    }
}
