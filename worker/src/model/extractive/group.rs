//! Groups of a fixed size, of sources whose titles are alike.

use tributary_protocol::{source::SourceId, task::Titled};

use super::{
    cluster::{Likeness, likeness},
    terms::terms,
    vectors::{Space, descending, greatest},
};

/// Parts sources into groups of `size`, the last one smaller where they don't come out even. Each group grows from the
/// closest pair that is left, by the source nearest to it: the clusters' size is fixed, so a dendrogram wouldn't help.
pub fn groups(sources: &[Titled], size: u32) -> Vec<Vec<SourceId>> {
    let size = size.max(1) as usize;
    let titles: Vec<_> = sources.iter().map(|source| terms(&source.title)).collect();
    let (_, vectors) = Space::with_vectors(&titles);
    let rows = likeness(&vectors);
    let mut open: Vec<usize> = (0..sources.len()).collect();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for seed in seeds(&rows) {
        if size < 2 || open.len() < size {
            break;
        }
        if let Some(group) = grow(seed, &rows, &mut open, size) {
            groups.push(group);
        }
    }
    groups.extend(open.chunks(size).map(<[usize]>::to_vec));
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.into_iter().map(|group| group.into_iter().map(|i| sources[i].id).collect()).collect()
}

/// Pairs that have anything in common, the closest first.
fn seeds(rows: &Likeness) -> Vec<(usize, usize)> {
    let pairs: Vec<_> = (0..rows.len())
        .flat_map(|i| (i + 1..rows.len()).map(move |j| (i, j)))
        .filter(|&(i, j)| rows[i][j] > 0.0)
        .collect();
    let values: Vec<f64> = pairs.iter().map(|&(i, j)| rows[i][j]).collect();
    descending(&values).into_iter().map(|at| pairs[at]).collect()
}

/// Takes the group that grows from a pair out of `open`; none where one of the pair is gone.
fn grow(seed: (usize, usize), rows: &Likeness, open: &mut Vec<usize>, size: usize) -> Option<Vec<usize>> {
    if !(open.contains(&seed.0) && open.contains(&seed.1)) {
        return None;
    }
    let mut group = vec![seed.0, seed.1];
    open.retain(|i| !group.contains(i));
    while group.len() < size {
        let nearness = |&i: &usize| group.iter().map(|&member| rows[i][member]).sum::<f64>();
        let place = greatest(open.iter().map(nearness))?;
        group.push(open.remove(place));
    }
    Some(group)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn titled(titles: &[String]) -> Vec<Titled> {
        titles.iter().zip(1..).map(|(title, id)| Titled { id: SourceId(id), title: title.clone() }).collect()
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
