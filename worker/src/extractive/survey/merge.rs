//! A merged outline: the sections of several clustered anew, into leaves and the leaves into chapters.

use std::collections::BTreeSet;

use tributary_protocol::{
    source::SourceId,
    survey::{
        SurveyBrief,
        outline::{Outline, Section, SharedOutline},
    },
};

use super::{
    amend,
    outline::{TERMS, section},
};
use crate::extractive::{
    cluster::{LikenessMatrix, between, chain, likeness, partition, softened},
    phrasing,
    terms::terms,
    titles::{TellingPhrases, TitledText},
    vectors::{TermSpace, greatest},
};

/// The numbers of chapters and leaves for so many sources: both grow more slowly than the corpus.
fn sizes(sources: usize, sections: usize) -> (usize, usize) {
    let sources = sources.max(1) as f64;
    let chapters = (2.2 * sources.powf(0.27)).round();
    let leaves = (3.3 * sources.powf(0.36)).round();
    let fit = (sections as f64 / (chapters + leaves)).min(1.0);
    let (chapters, leaves) = ((chapters * fit).floor().max(1.0), (leaves * fit).floor().max(1.0));
    (chapters as usize, leaves as usize)
}

/// Merges outlines. Their chapters are dissolved: chapters of a part are not chapters of the whole.
pub fn merge(outlines: &[SharedOutline], brief: &SurveyBrief) -> Outline {
    let items: Vec<&Section> = outlines.iter().flat_map(|outline| outline.leaves()).collect();
    let sources: BTreeSet<SourceId> = items.iter().flat_map(|item| &item.sources).copied().collect();
    let known = if sources.is_empty() { items.len() } else { sources.len() };
    let (chapters, leaves) = sizes(known, brief.limits.sections.max(1) as usize);
    let weights: Vec<f64> = items.iter().map(|item| item.sources.len().max(1) as f64).collect();
    let likeness = likeness_of(&items);
    let leaves = partition(&likeness, &weights, leaves);
    let leaf_weights: Vec<f64> = leaves.iter().map(|leaf| leaf.iter().map(|&i| weights[i]).sum()).collect();
    let among = between(&likeness, &leaves);
    let chapters = ordered(partition(&among, &leaf_weights, chapters), &among, &leaf_weights);
    let extracts: Vec<String> = items.iter().map(|item| named(item)).collect();
    let texts: Vec<_> =
        items.iter().zip(&extracts).map(|(item, body)| TitledText { title: &item.title, body }).collect();
    let writer = OutlineWriter { telling: TellingPhrases::of(&texts, &brief.title), items, weights, brief };
    amend::fit(writer.outline(&chapters, &leaves), brief)
}

/// Sections are alike by their titles' and extracts' terms.
fn likeness_of(items: &[&Section]) -> LikenessMatrix {
    let words: Vec<Vec<String>> = items
        .iter()
        .map(|item| {
            let title = terms(&item.title);
            [title.clone(), title, terms(&named(item))].concat()
        })
        .collect();
    let (_, vectors) = TermSpace::with_vectors(&words);
    softened(likeness(&vectors))
}

/// The terms of a section's extract, without the sentence around them.
fn named(item: &Section) -> String {
    phrasing::extracted(&item.extract).map_or_else(|| item.extract.clone(), |terms| terms.join(", "))
}

/// A good reading order: first the largest and most coherent chapter, then each followed by its most similar; within
/// chapters the same for leaves.
fn ordered(chapters: Vec<Vec<usize>>, among: &LikenessMatrix, weights: &[f64]) -> Vec<Vec<usize>> {
    let follow = |clusters: Vec<Vec<usize>>| {
        let rows = between(among, &clusters);
        let weight = |cluster: &[usize]| cluster.iter().map(|&i| weights[i]).sum::<f64>();
        let solid = (0..clusters.len()).map(|at| rows[at][at] * weight(&clusters[at]).powf(0.75));
        let Some(first) = greatest(solid) else { return clusters };
        chain(&rows, first).into_iter().map(|i| clusters[i].clone()).collect()
    };
    let chapters = follow(chapters);
    let leaves = |chapter: Vec<usize>| follow(chapter.into_iter().map(|leaf| vec![leaf]).collect()).concat();
    chapters.into_iter().map(leaves).collect()
}

struct OutlineWriter<'a> {
    items: Vec<&'a Section>,
    weights: Vec<f64>,
    telling: TellingPhrases,
    brief: &'a SurveyBrief,
}

impl OutlineWriter<'_> {
    fn outline(&self, chapters: &[Vec<usize>], leaves: &[Vec<usize>]) -> Outline {
        let mut taken = BTreeSet::new();
        let chapters = chapters.iter().map(|chapter| self.chapter(chapter, leaves, &mut taken)).collect();
        Outline { sections: chapters }
    }

    /// A chapter, without children where there would be a single child.
    fn chapter(&self, chapter: &[usize], leaves: &[Vec<usize>], taken: &mut BTreeSet<String>) -> Section {
        let items: Vec<usize> = chapter.iter().flat_map(|&leaf| leaves[leaf].iter().copied()).collect();
        let children: Vec<Section> = chapter.iter().map(|&leaf| self.section(&leaves[leaf], taken)).collect();
        match <[Section; 1]>::try_from(children) {
            Ok([only]) => only,
            Err(children) => Section { children, ..self.section(&items, taken) },
        }
    }

    fn section(&self, items: &[usize], taken: &mut BTreeSet<String>) -> Section {
        let members: Vec<(usize, f64)> = items.iter().map(|&i| (i, self.weights[i])).collect();
        let title = self.telling.title(&members, taken, self.brief.language);
        let terms = self.telling.terms(&members, TERMS + members.len().min(4));
        let sources = items.iter().flat_map(|&i| &self.items[i].sources).copied().collect();
        section(title, &terms, sources, self.brief)
    }
}
