//! TF-IDF vectors (Salton & Buckley 1988) and their cosine.

use std::collections::{BTreeMap, HashMap};

/// A sparse vector of length one, or empty. Ascending by term.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TermVector(Vec<(u32, f64)>);

impl TermVector {
    /// The cosine of two vectors, from 0 to 1: both have length one and no negative part.
    pub fn cosine(&self, other: &Self) -> f64 {
        let (mut sum, mut left, mut right) = (0.0, self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&&(a, x)), Some(&&(b, y))) = (left.peek(), right.peek()) {
            if a == b {
                sum += x * y;
            }
            if a <= b {
                left.next();
            }
            if b <= a {
                right.next();
            }
        }
        sum.clamp(0.0, 1.0)
    }

    /// The direction of the weighted sum.
    pub fn mean<'a>(parts: impl IntoIterator<Item = (&'a Self, f64)>) -> Self {
        let mut sum: BTreeMap<u32, f64> = BTreeMap::new();
        for (vector, weight) in parts {
            for &(term, value) in &vector.0 {
                *sum.entry(term).or_default() += weight * value;
            }
        }
        Self::unit(sum.into_iter().collect())
    }

    fn unit(mut values: Vec<(u32, f64)>) -> Self {
        let norm = values.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        if norm <= 0.0 {
            return Self::default();
        }
        values.iter_mut().for_each(|(_, value)| *value /= norm);
        Self(values)
    }
}

/// The terms of a collection and their rarity.
pub struct TermSpace {
    ids: HashMap<String, u32>,
    rarity: Vec<f64>,
}

impl TermSpace {
    /// Learns how rare terms are among `documents`.
    pub fn of(documents: &[Vec<String>]) -> Self {
        let mut ids = HashMap::new();
        let mut holding: Vec<u32> = Vec::new();
        // The last document counted for each term.
        let mut counted: Vec<usize> = Vec::new();
        for (i, document) in documents.iter().enumerate() {
            for term in document {
                let next = ids.len() as u32;
                let id = match ids.get(term) {
                    Some(&id) => id as usize,
                    None => {
                        ids.insert(term.clone(), next);
                        holding.push(0);
                        counted.push(usize::MAX);
                        next as usize
                    }
                };
                if counted[id] != i {
                    counted[id] = i;
                    holding[id] += 1;
                }
            }
        }
        let all = documents.len() as f64;
        Self { ids, rarity: holding.into_iter().map(|count| (1.0 + all / f64::from(count)).ln()).collect() }
    }

    /// The space of some documents, and their vectors in it.
    pub fn with_vectors(documents: &[Vec<String>]) -> (Self, Vec<TermVector>) {
        let space = Self::of(documents);
        let vectors = documents.iter().map(|document| space.vector(document)).collect();
        (space, vectors)
    }

    /// A text's vector, without terms unknown to the collection.
    pub fn vector(&self, terms: &[String]) -> TermVector {
        let mut counts: BTreeMap<u32, f64> = BTreeMap::new();
        for id in terms.iter().filter_map(|term| self.ids.get(term)) {
            *counts.entry(*id).or_default() += 1.0;
        }
        let weigh = |(id, count): (u32, f64)| (id, (1.0 + count.ln()) * self.rarity[id as usize]);
        TermVector::unit(counts.into_iter().map(weigh).collect())
    }
}

/// The first index with the greatest value; none where there is none, or none is a number.
pub fn greatest(values: impl IntoIterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (i, value) in values.into_iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|(_, most)| value > most) {
            best = Some((i, value));
        }
    }
    best.map(|(i, _)| i)
}

/// Indices by descending value; equals by index.
pub fn descending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    order
}
