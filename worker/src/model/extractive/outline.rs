//! A first outline, from the leads of a few sources.

use std::collections::BTreeSet;

use tributary_protocol::{
    outline::{Outline, Section},
    source::{Card, SourceId},
    task::{Brief, CardRef},
};

use super::{
    amend,
    cluster::{likeness, partition, softened},
    phrasing,
    terms::terms,
    titles::{Telling, Text},
    vectors::Space,
};

/// Terms that a section's `extract` names when it is made.
pub const TERMS: usize = 8;

/// Clusters sources by title and lead into sections, about one for every two of them: what is too fine here is clustered
/// again where outlines are merged, over all sources.
pub fn outline(sources: &[CardRef], cards: &[Card], brief: &Brief) -> Outline {
    let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    let cards = &cards[..cards.len().min(ids.len())];
    let words: Vec<Vec<String>> = cards.iter().map(words).collect();
    let (_, vectors) = Space::with_vectors(&words);
    let likeness = softened(likeness(&vectors));
    let count = cards.len().div_ceil(2).clamp(1, brief.limits.sections.max(1) as usize);
    let texts: Vec<_> = cards.iter().map(|card| Text { title: &card.title, body: &card.lead }).collect();
    let telling = Telling::of(&texts, &brief.title);
    let mut taken = BTreeSet::new();
    let sections = partition(&likeness, &vec![1.0; cards.len()], count)
        .into_iter()
        .map(|cluster| {
            let members: Vec<_> = cluster.iter().map(|&i| (i, 1.0)).collect();
            let title = telling.title(&members, &mut taken, brief.language);
            let terms = telling.terms(&members, TERMS);
            section(title, &terms, cluster.iter().map(|&i| ids[i]).collect(), brief)
        })
        .collect();
    amend::fit(Outline { sections }, brief)
}

/// A title's words count three times.
fn words(card: &Card) -> Vec<String> {
    let title = terms(&card.title);
    [title.clone(), title.clone(), title, terms(&card.lead)].concat()
}

/// A section that is made from its terms.
pub fn section(title: String, terms: &[String], sources: BTreeSet<SourceId>, brief: &Brief) -> Section {
    Section {
        origin: None,
        title,
        extract: phrasing::extract(terms, brief.language),
        analyse: phrasing::analyse(terms, brief.language),
        sources: sources.into_iter().collect(),
        children: Vec::new(),
    }
}
