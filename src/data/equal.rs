//! Which samples have the same pixels.

use std::hash::{DefaultHasher, Hasher};

use super::dataset::Samples;

/// For each sample of the parts, counted through, the first sample with the same pixels.
///
/// All parts have images of one size.
pub(super) fn first_equals(parts: &[&Samples]) -> Vec<usize> {
    let image = {
        let starts: Vec<usize> =
            parts.iter().scan(0, |end, part| Some(std::mem::replace(end, *end + part.len()))).collect();
        move |at: usize| {
            let part = starts.partition_point(|start| *start <= at) - 1;
            // Empty parts begin where the next one does, and the last of them is found.
            parts[part].image(at - starts[part])
        }
    };
    let count = parts.iter().map(|part| part.len()).sum();
    let hash = |at: usize| {
        let mut hasher = DefaultHasher::new();
        hasher.write(image(at));
        (hasher.finish(), at)
    };
    let mut hashes: Vec<(u64, usize)> = (0..count).map(hash).collect();
    hashes.sort_unstable();
    let mut first: Vec<usize> = (0..count).collect();
    for group in hashes.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1) {
        // Images with one hash are nearly always equal; each is compared with the different ones before it.
        let mut different: Vec<usize> = Vec::new();
        for &(_, at) in group {
            match different.iter().find(|known| image(**known) == image(at)) {
                Some(known) => first[at] = *known,
                None => different.push(at),
            }
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::shape::Shape;

    #[test]
    fn parts_may_be_empty() {
        let samples = |pixels: &[u8], labels: &[u32]| Samples {
            shape: Shape::image(1, 2, 2),
            pixels: pixels.to_vec(),
            labels: labels.to_vec(),
        };
        let (none, some) = (samples(&[], &[]), samples(&[1, 2, 3, 4], &[0]));
        assert_eq!(first_equals(&[&none, &some, &none, &some]), [0, 0]);
    }
}
