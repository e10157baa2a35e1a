//! An outline's information entropy.

use std::collections::BTreeMap;

use tributary_protocol::survey::{
    outline::{Outline, Section},
    suggestion::OutlineScore,
};

use crate::extractive::{cluster::likeness, terms::terms, vectors::TermSpace};

/// Scores an outline by Shannon's entropy (1948). Structure: the evenness of its content over chapters and over leaves,
/// less redundancy. Descriptions: the information in each of their words.
pub fn score(outline: &Outline) -> OutlineScore {
    let leaves: Vec<&Section> = outline.leaves().collect();
    let said: Vec<Vec<String>> = leaves.iter().map(|leaf| described(leaf)).collect();
    let masses: Vec<f64> = leaves.iter().zip(&said).map(|(leaf, said)| mass(leaf, said)).collect();
    let chapters: Vec<f64> = outline.sections.iter().map(chapter_mass).collect();
    let spread = (balance(&masses) + balance(&chapters)) / 2.0;
    let words = said.concat();
    OutlineScore {
        structure: 10.0 * spread * (1.0 - redundancy(&said)),
        descriptions: 10.0 * diversity(&words, leaves.len()),
    }
}

fn described(section: &Section) -> Vec<String> {
    [terms(&section.title), terms(&section.extract), terms(&section.analyse)].concat()
}

/// The weight of a section: its terms and its sources.
fn mass(section: &Section, said: &[String]) -> f64 {
    let distinct: std::collections::BTreeSet<_> = said.iter().collect();
    (distinct.len() as f64).sqrt() + section.sources.len() as f64
}

fn chapter_mass(chapter: &Section) -> f64 {
    if chapter.is_leaf() {
        return mass(chapter, &described(chapter));
    }
    chapter.children.iter().map(chapter_mass).sum()
}

/// Entropy in bits.
fn entropy(masses: &[f64]) -> f64 {
    let all: f64 = masses.iter().sum();
    if all <= 0.0 {
        return 0.0;
    }
    masses.iter().map(|mass| mass / all).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum()
}

/// Entropy as a share of the entropy of equal masses; 0 for fewer than two masses.
fn balance(masses: &[f64]) -> f64 {
    if masses.len() < 2 { 0.0 } else { (entropy(masses) / (masses.len() as f64).log2()).clamp(0.0, 1.0) }
}

/// Mean likeness between any two leaves.
fn redundancy(said: &[Vec<String>]) -> f64 {
    let rows = likeness(&TermSpace::with_vectors(said).1);
    let pairs = said.len() * said.len().saturating_sub(1);
    let sum: f64 = rows
        .iter()
        .enumerate()
        .flat_map(|(i, row)| row.iter().enumerate().filter(move |(j, _)| i != *j))
        .map(|(_, alike)| alike)
        .sum();
    if pairs == 0 { 0.0 } else { (sum / pairs as f64).clamp(0.0, 1.0) }
}

/// The evenness of word use, times the fullness of descriptions: eight different words for a section are full.
fn diversity(words: &[String], sections: usize) -> f64 {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    words.iter().for_each(|word| *counts.entry(word).or_default() += 1.0);
    let counts: Vec<f64> = counts.into_values().collect();
    let full = (counts.len() as f64 / (8.0 * sections.max(1) as f64)).min(1.0).sqrt();
    balance(&counts) * full
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tributary_protocol::source::SourceId;

    use super::*;

    fn outlines() -> impl Strategy<Value = Outline> {
        let section = (0_usize..3, "[a-z汉字 ]{0,30}", prop::collection::vec(1_u32..20, 0..5)).prop_map(
            |(depth, text, sources)| {
                let section = Section {
                    origin: None,
                    title: text.clone(),
                    extract: text.chars().rev().collect(),
                    analyse: text,
                    sources: sources.into_iter().map(SourceId).collect(),
                    children: Vec::new(),
                };
                (depth, section)
            },
        );
        prop::collection::vec(section, 0..12).prop_map(Outline::from_flat)
    }

    proptest! {
        #[test]
        fn a_score_is_from_0_to_10(outline in outlines()) {
            let score = score(&outline);
            prop_assert!((0.0..=10.0).contains(&score.structure) && (0.0..=10.0).contains(&score.descriptions), "{score:?}");
        }
    }
}
