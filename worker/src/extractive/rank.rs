//! The ranking of texts by importance, and the choice without redundancy.

use super::vectors::{TermVector, greatest};

/// The chance of TextRank's reader to go on along an edge.
const DAMPING: f64 = 0.85;
const ROUNDS: usize = 30;

/// The weight of relevance against redundancy.
const RELEVANCE: f64 = 0.7;

/// Centrality of each text among its like, the greatest being 1: TextRank (Mihalcea & Tarau 2004), on the graph of
/// TF-IDF cosines. Quadratic, so meant for some hundred texts.
pub fn textrank(vectors: &[TermVector]) -> Vec<f64> {
    let count = vectors.len();
    let mut edges = vec![vec![0.0; count]; count];
    for i in 0..count {
        for j in i + 1..count {
            let likeness = vectors[i].cosine(&vectors[j]);
            (edges[i][j], edges[j][i]) = (likeness, likeness);
        }
    }
    let degree: Vec<f64> = edges.iter().map(|row| row.iter().sum()).collect();
    let mut rank = vec![1.0; count];
    for _ in 0..ROUNDS {
        let share: Vec<f64> =
            rank.iter().zip(&degree).map(|(rank, degree)| if *degree > 0.0 { rank / degree } else { 0.0 }).collect();
        rank = edges
            .iter()
            .map(|row| 1.0 - DAMPING + DAMPING * row.iter().zip(&share).map(|(edge, share)| edge * share).sum::<f64>())
            .collect();
    }
    scaled(rank)
}

/// Likeness of each text to the middle of all, the greatest being 1 (the centroid method of Radev et al. 2004). Linear.
pub fn centrality(vectors: &[TermVector]) -> Vec<f64> {
    let middle = TermVector::mean(vectors.iter().map(|vector| (vector, 1.0)));
    scaled(vectors.iter().map(|vector| vector.cosine(&middle)).collect())
}

/// Values scaled to a maximum of 1.
pub fn scaled(mut values: Vec<f64>) -> Vec<f64> {
    let most = values.iter().copied().fold(0.0, f64::max);
    if most > 0.0 {
        values.iter_mut().for_each(|value| *value /= most);
    }
    values
}

/// Adds the most relevant texts to `chosen`, as long as the costs fit the room: maximal marginal relevance (Carbonell &
/// Goldstein 1998). Texts beyond the room are passed over for shorter texts.
pub fn choose(relevance: &[f64], vectors: &[TermVector], costs: &[u32], room: u32, chosen: &mut Vec<usize>) {
    let mut left = room.saturating_sub(chosen.iter().map(|&i| costs[i]).sum());
    let mut open: Vec<usize> = (0..relevance.len()).filter(|i| !chosen.contains(i)).collect();
    let mut said = vec![0.0_f64; relevance.len()];
    let hear = |said: &mut [f64], open: &[usize], new: usize| {
        for &i in open {
            said[i] = said[i].max(vectors[i].cosine(&vectors[new]));
        }
    };
    for &i in chosen.iter() {
        hear(&mut said, &open, i);
    }
    loop {
        open.retain(|&i| costs[i] <= left);
        let marginal = open.iter().map(|&i| RELEVANCE * relevance[i] - (1.0 - RELEVANCE) * said[i]);
        let Some(place) = greatest(marginal) else { return };
        let best = open.remove(place);
        left -= costs[best];
        chosen.push(best);
        hear(&mut said, &open, best);
    }
}
