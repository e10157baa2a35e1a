//! Notes: the same said once, and what is kept of too many.

use std::collections::{BTreeMap, BTreeSet};

use tributary_protocol::{
    source::SourceId,
    survey::{digest::Note, work::SectionBrief},
};

use super::{
    quotable::{UNFIT, flaw},
    rank::{centrality, choose, scaled, textrank},
    terms::terms,
    vectors::{Space, Vector, greatest},
};

/// Most notes whose centrality is measured pair by pair.
const RANKED: usize = 400;

/// Keeps the notes that say most within `room` tokens: one of each source as far as there is room, then by relevance
/// against redundancy. In their order.
pub fn condense(section: &SectionBrief, notes: &[Note], room: u32) -> Vec<Note> {
    let notes = distinct(notes);
    let choice = Choice::of(section, &notes);
    let costs: Vec<u32> = notes.iter().map(|note| note.tokens).collect();
    let mut chosen = choice.cover(&notes, &costs, room);
    choose(&choice.relevance, &choice.vectors, &costs, room, &mut chosen);
    chosen.sort_unstable();
    chosen.into_iter().map(|i| notes[i].clone()).collect()
}

/// Notes that say the same merged into one with the sources of all, where the first of them stands.
pub fn distinct(notes: &[Note]) -> Vec<Note> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged: Vec<(String, Vec<SourceId>)> = Vec::new();
    for note in notes {
        let text = note.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let place = *places.entry(text.clone()).or_insert(merged.len());
        if place == merged.len() {
            merged.push((text, Vec::new()));
        }
        merged[place].1.extend(&note.sources);
    }
    merged
        .into_iter()
        .filter(|(_, sources)| !sources.is_empty())
        .map(|(text, sources)| Note::new(text, sources))
        .collect()
}

/// What notes are chosen by.
pub struct Choice {
    pub vectors: Vec<Vector>,
    /// How much each says of the section, at most about 1.
    pub relevance: Vec<f64>,
}

impl Choice {
    pub fn of(section: &SectionBrief, notes: &[Note]) -> Self {
        let mut words: Vec<Vec<String>> = notes.iter().map(|note| terms(&note.text)).collect();
        let title = terms(section.title());
        words.push([title.clone(), title, terms(&section.extract)].concat());
        let (_, mut vectors) = Space::with_vectors(&words);
        let target = vectors.pop().expect("the section's own");
        let central = if notes.len() <= RANKED { textrank(&vectors) } else { centrality(&vectors) };
        let bears = scaled(vectors.iter().map(|vector| vector.cosine(&target)).collect());
        let relevance = central
            .iter()
            .zip(&bears)
            .zip(notes)
            .map(|((central, bears), note)| 0.5 * central + 0.5 * bears - flaw(&note.text).min(UNFIT))
            .collect();
        Self { vectors, relevance }
    }

    /// For each source its most relevant note, or, where they don't all fit, its shortest, as far as there is room.
    pub fn cover(&self, notes: &[Note], costs: &[u32], room: u32) -> Vec<usize> {
        let best = covering(notes, |i| self.relevance[i]);
        let cost = |chosen: &[usize]| chosen.iter().map(|&i| u64::from(costs[i])).sum::<u64>();
        if cost(&best) <= u64::from(room) {
            return best;
        }
        let shortest = covering(notes, |i| f64::from(notes[i].sources.len() as u32) / f64::from(costs[i].max(1)));
        let mut left = room;
        shortest
            .into_iter()
            .filter(|&i| {
                costs[i] <= left && {
                    left -= costs[i];
                    true
                }
            })
            .collect()
    }
}

/// Notes that name every source between them, each the worthiest of a source that none before it named.
pub fn covering(notes: &[Note], worth: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut of: BTreeMap<SourceId, Vec<usize>> = BTreeMap::new();
    for (i, note) in notes.iter().enumerate() {
        note.sources.iter().for_each(|source| of.entry(*source).or_default().push(i));
    }
    let mut named: BTreeSet<SourceId> = BTreeSet::new();
    let mut chosen = Vec::new();
    for (source, own) in &of {
        if !named.contains(source)
            && let Some(place) = greatest(own.iter().map(|&i| worth(i)))
        {
            chosen.push(own[place]);
            named.extend(&notes[own[place]].sources);
        }
    }
    chosen
}
