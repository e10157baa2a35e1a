//! Groups of a fixed size, of sources with similar titles.

use tributary_protocol::source::{SourceId, TitledSource};

use crate::extractive::{
    terms::terms,
    vectors::{TermSpace, TermVector, descending, greatest},
};

/// The number of neighbours of each source considered for a group's first pair.
const NEIGHBOURS: usize = 8;

/// Parts sources into groups of `size`, the last one smaller where sources don't come out even. Each group grows from
/// the closest remaining pair by the nearest source: with sizes fixed, a dendrogram would not help.
pub fn groups(sources: &[TitledSource], size: u32) -> Vec<Vec<SourceId>> {
    let size = size.max(1) as usize;
    let titles: Vec<_> = sources.iter().map(|source| terms(&source.title)).collect();
    let (_, vectors) = TermSpace::with_vectors(&titles);
    let mut open: Vec<usize> = (0..sources.len()).collect();
    let mut grouped = vec![false; sources.len()];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (one, other) in seeds(&vectors) {
        if size < 2 || open.len() < size {
            break;
        }
        if !grouped[one] && !grouped[other] {
            let group = grow(vec![one, other], &vectors, &mut open, size);
            group.iter().for_each(|&i| grouped[i] = true);
            groups.push(group);
        }
    }
    groups.extend(open.chunks(size).map(<[usize]>::to_vec));
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.into_iter().map(|group| group.into_iter().map(|i| sources[i].id).collect()).collect()
}

/// Near pairs with anything in common, the closest first.
fn seeds(vectors: &[TermVector]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut values = Vec::new();
    for (i, vector) in vectors.iter().enumerate() {
        let alike: Vec<f64> = vectors[i + 1..].iter().map(|other| vector.cosine(other)).collect();
        for at in descending(&alike).into_iter().take(NEIGHBOURS).filter(|&at| alike[at] > 0.0) {
            pairs.push((i, i + 1 + at));
            values.push(alike[at]);
        }
    }
    descending(&values).into_iter().map(|at| pairs[at]).collect()
}

/// Takes a pair and its nearest sources out of `open`.
fn grow(mut group: Vec<usize>, vectors: &[TermVector], open: &mut Vec<usize>, size: usize) -> Vec<usize> {
    open.retain(|i| !group.contains(i));
    while group.len() < size {
        let nearness = |&i: &usize| group.iter().map(|&member| vectors[i].cosine(&vectors[member])).sum::<f64>();
        let Some(place) = greatest(open.iter().map(nearness)) else { break };
        group.push(open.remove(place));
    }
    group
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn titled(titles: &[String]) -> Vec<TitledSource> {
        titles
            .iter()
            .zip(1..)
            .map(|(title, id)| TitledSource { id: SourceId(id), title: title.clone(), tokens: 0 })
            .collect()
    }

    proptest! {
        #[test]
        fn every_source_is_in_one_group(titles in prop::collection::vec("[abc]{2} [abcd]{2} [xyz]{2}", 0..40), size in 0_u32..6) {
            let groups = groups(&titled(&titles), size);
            let size = size.max(1) as usize;
            prop_assert!(groups.iter().rev().skip(1).all(|group| group.len() == size));
            prop_assert!(groups.last().is_none_or(|group| (1..=size).contains(&group.len())));
            let mut all: Vec<u32> = groups.into_iter().flatten().map(|id| id.0).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (1..=titles.len() as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn like_titles_meet() {
        let titles = ["Guard patterns", "Cargo features", "Or patterns", "Cargo lock file"].map(str::to_owned);
        let ids = groups(&titled(&titles), 2);
        assert_eq!(ids, [[SourceId(1), SourceId(3)], [SourceId(2), SourceId(4)]]);
    }
}
