//! A first outline, from the leads of a few sources.

use std::collections::BTreeSet;

use tributary_protocol::{
    source::{Card, CardRef, SourceId},
    survey::{
        SurveyBrief,
        outline::{Outline, Section},
    },
};

use super::amend;
use crate::extractive::{
    blocks,
    cluster::{likeness, partition, softened},
    phrasing,
    terms::terms,
    titles::{TellingPhrases, TitledText},
    vectors::TermSpace,
};

/// The number of terms in a new section's `extract`.
pub const TERMS: usize = 8;

/// Clusters sources by title and lead into sections, mostly of a single source: a batch is too small for larger
/// clusters, and the merger of outlines clusters all sections again.
pub fn outline(sources: &[CardRef], cards: &[Card], brief: &SurveyBrief) -> Outline {
    let ids: Vec<SourceId> = sources.iter().map(|source| source.id).collect();
    let cards = &cards[..cards.len().min(ids.len())];
    let leads: Vec<String> = cards.iter().map(lead).collect();
    let words: Vec<Vec<String>> = cards.iter().zip(&leads).map(|(card, lead)| words(&card.title, lead)).collect();
    let (_, vectors) = TermSpace::with_vectors(&words);
    let likeness = softened(likeness(&vectors));
    let count = (cards.len() - cards.len() / 5).clamp(1, brief.limits.sections.max(1) as usize);
    let texts: Vec<_> = cards.iter().zip(&leads).map(|(card, body)| TitledText { title: &card.title, body }).collect();
    let telling = TellingPhrases::of(&texts, &brief.title);
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

/// The prose of a card's lead, or the whole lead for want of prose.
fn lead(card: &Card) -> String {
    let prose: Vec<String> = blocks::prose(&card.lead).into_iter().map(|block| block.text).collect();
    if prose.is_empty() { card.lead.clone() } else { prose.join("\n\n") }
}

/// A title's words count three times.
fn words(title: &str, lead: &str) -> Vec<String> {
    let title = terms(title);
    [title.clone(), title.clone(), title, terms(lead)].concat()
}

/// A section made of its terms.
pub fn section(title: String, terms: &[String], sources: BTreeSet<SourceId>, brief: &SurveyBrief) -> Section {
    Section {
        origin: None,
        title,
        extract: phrasing::extract(terms, brief.language),
        analyse: phrasing::analyse(terms, brief.language),
        sources: sources.into_iter().collect(),
        children: Vec::new(),
    }
}
