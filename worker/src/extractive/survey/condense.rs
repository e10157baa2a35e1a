//! Notes: duplicates merged, and the best of too many chosen.

use std::collections::{BTreeMap, BTreeSet};

use tributary_protocol::{
    source::SourceId,
    survey::{digest::Note, work::SectionBrief},
};

use crate::extractive::{
    quotable::{UNFIT, flaw},
    rank::{centrality, choose, scaled, textrank},
    terms::terms,
    vectors::{TermSpace, TermVector, greatest},
};

/// The most notes with pairwise centrality.
const RANKED: usize = 400;

/// Keeps the most telling notes within `room` tokens, in their order: a note of each source as far as there is room,
/// then by relevance against redundancy.
pub fn condense(section: &SectionBrief, notes: &[Note], room: u32) -> Vec<Note> {
    let notes = distinct(notes);
    let choice = NoteChoice::of(section, &notes);
    let costs: Vec<u32> = notes.iter().map(|note| note.tokens).collect();
    let mut chosen = choice.cover(&notes, &costs, room);
    choose(&choice.relevance, &choice.vectors, &costs, room, &mut chosen);
    chosen.sort_unstable();
    chosen.into_iter().map(|i| notes[i].clone()).collect()
}

/// Merges notes of equal text into the first, with the sources of all.
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

/// The grounds for a choice of notes.
pub struct NoteChoice {
    pub vectors: Vec<TermVector>,
    /// The relevance of each note to the section, at most about 1.
    pub relevance: Vec<f64>,
}

impl NoteChoice {
    pub fn of(section: &SectionBrief, notes: &[Note]) -> Self {
        let mut words: Vec<Vec<String>> = notes.iter().map(|note| terms(&note.text)).collect();
        let title = terms(section.title());
        words.push([title.clone(), title, terms(&section.extract)].concat());
        let (_, mut vectors) = TermSpace::with_vectors(&words);
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

    /// The most relevant note of each source, or the shortest where room is short, as far as there is room.
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

/// Notes with every source among them, each the best note of a source not yet covered.
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
