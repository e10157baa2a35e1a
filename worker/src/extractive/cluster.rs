//! Clusters of similar things, and a reading order.

use kodama::{Method, linkage};

use super::vectors::{TermVector, greatest};

/// Likeness of any two of some things, from 0 to 1.
pub type LikenessMatrix = Vec<Vec<f64>>;

/// Cosines of any two vectors.
pub fn likeness(vectors: &[TermVector]) -> LikenessMatrix {
    let mut rows = vec![vec![1.0; vectors.len()]; vectors.len()];
    for i in 0..vectors.len() {
        for j in i + 1..vectors.len() {
            let cosine = vectors[i].cosine(&vectors[j]);
            (rows[i][j], rows[j][i]) = (cosine, cosine);
        }
    }
    rows
}

/// The most things whose similarity is softened; the cost grows with the cube.
const SOFTENED: usize = 400;

/// The mean of direct similarity and of similarity in relation to all others: short texts on one subject often share no
/// term with each other, but do with a third.
pub fn softened(rows: LikenessMatrix) -> LikenessMatrix {
    if rows.len() > SOFTENED {
        return rows;
    }
    let norms: Vec<f64> = rows.iter().map(|row| row.iter().map(|x| x * x).sum::<f64>().sqrt()).collect();
    let second = |i: usize, j: usize| {
        rows[i].iter().zip(&rows[j]).map(|(x, y)| x * y).sum::<f64>() / (norms[i] * norms[j]).max(f64::MIN_POSITIVE)
    };
    (0..rows.len()).map(|i| (0..rows.len()).map(|j| (rows[i][j] + second(i, j)) / 2.0).collect()).collect()
}

/// Parts things into `count` clusters (fewer where there are fewer things): agglomerative clustering with Ward's linkage
/// (Ward 1963; Müllner 2011), cut from the top where a cluster is both wide and heavy, so that clusters are of like
/// weight. Members ascend, clusters by their first member.
pub fn partition(likeness: &LikenessMatrix, weights: &[f64], count: usize) -> Vec<Vec<usize>> {
    let things = likeness.len();
    if things == 0 {
        return Vec::new();
    }
    let nodes = tree(likeness);
    let weight = |node: &ClusterNode| node.members.iter().map(|&i| weights[i]).sum::<f64>();
    let mut open = vec![nodes.len() - 1];
    while open.len() < count {
        let gain = open.iter().map(|&at| match nodes[at].parts {
            Some(_) => nodes[at].height.max(1e-9) * weight(&nodes[at]),
            None => f64::NAN,
        });
        let Some(place) = greatest(gain) else { break };
        let (left, right) = nodes[open.remove(place)].parts.expect("only what has parts can be cut");
        open.extend([left, right]);
    }
    let mut clusters: Vec<Vec<usize>> = open.into_iter().map(|at| nodes[at].members.clone()).collect();
    clusters.iter_mut().for_each(|members| members.sort_unstable());
    clusters.sort_by_key(|members| members[0]);
    clusters
}

struct ClusterNode {
    members: Vec<usize>,
    height: f64,
    parts: Option<(usize, usize)>,
}

/// The dendrogram's nodes: the things, then each merger after its parts.
fn tree(likeness: &LikenessMatrix) -> Vec<ClusterNode> {
    let things = likeness.len();
    let leaf = |i| ClusterNode { members: vec![i], height: 0.0, parts: None };
    let mut nodes: Vec<ClusterNode> = (0..things).map(leaf).collect();
    let mut distances: Vec<f64> = (0..things)
        .flat_map(|i| (i + 1..things).map(move |j| (i, j)))
        .map(|(i, j)| (2.0 - 2.0 * likeness[i][j]).max(0.0).sqrt())
        .collect();
    for step in linkage(&mut distances, things, Method::Ward).steps() {
        let (left, right) = (step.cluster1, step.cluster2);
        let members = [nodes[left].members.as_slice(), &nodes[right].members].concat();
        nodes.push(ClusterNode { members, height: step.dissimilarity, parts: Some((left, right)) });
    }
    nodes
}

/// An order of all things, each followed by the most similar thing left, from `first` on.
pub fn chain(likeness: &LikenessMatrix, first: usize) -> Vec<usize> {
    let mut open: Vec<usize> = (0..likeness.len()).filter(|&i| i != first).collect();
    let mut order = vec![first];
    while let Some(place) = greatest(open.iter().map(|&i| likeness[order[order.len() - 1]][i])) {
        order.push(open.remove(place));
    }
    order
}

/// Mean likeness between members of any two clusters.
pub fn between(likeness: &LikenessMatrix, clusters: &[Vec<usize>]) -> LikenessMatrix {
    let mean = |left: &[usize], right: &[usize]| {
        let sum: f64 = left.iter().flat_map(|&i| right.iter().map(move |&j| likeness[i][j])).sum();
        sum / (left.len() * right.len()).max(1) as f64
    };
    clusters.iter().map(|left| clusters.iter().map(|right| mean(left, right)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_things_are_put_together_and_read_in_a_row() {
        let near = |i: usize, j: usize| {
            if i == j {
                1.0
            } else if i % 2 == j % 2 {
                0.9
            } else {
                0.1
            }
        };
        let rows: LikenessMatrix = (0..6).map(|i| (0..6).map(|j| near(i, j)).collect()).collect();
        assert_eq!(partition(&rows, &[1.0; 6], 2), [vec![0, 2, 4], vec![1, 3, 5]]);
        assert_eq!(partition(&rows, &[1.0; 6], 9).len(), 6);
        assert_eq!(chain(&rows, 1), [1, 3, 5, 0, 2, 4]);
    }
}
