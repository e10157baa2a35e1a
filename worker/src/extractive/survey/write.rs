//! Sections: quotes in an order that reads.

use std::collections::BTreeMap;

use tributary_protocol::{
    budget::count,
    source::SourceId,
    survey::{
        SurveyBrief,
        article::{Paragraph, Passage, Sentence},
        digest::Note,
        work::SectionBrief,
    },
};

use super::condense::{NoteChoice, covering, distinct};
use crate::extractive::{
    cluster::{LikenessMatrix, between, chain, likeness, partition, softened},
    rank::choose,
    terms::length,
    vectors::{TermVector, descending, greatest},
};

/// The bonus in similarity for sentences of the same source.
const SAME_SOURCE: f64 = 0.25;
/// Sentences of a theme, on average.
const THEME: usize = 6;
/// The bonus for the first note of a source.
const FIRST: f64 = 0.2;
/// The malus of each further sentence of a source: a section belongs to more than one source.
const WEARINESS: f64 = 0.06;
/// Sentences of a paragraph, at least and at most.
const PARAGRAPH: (usize, usize) = (3, 6);

/// Writes a section from its notes alone: each sentence a note, each note at most once, each source at least once, then
/// more up to about so many words.
pub fn write(section: &SectionBrief, notes: &[Note], words: u32, brief: &SurveyBrief) -> Passage {
    let notes = distinct(notes);
    let choice = NoteChoice::of(section, &notes);
    let lengths: Vec<u32> = notes.iter().map(|note| length(&note.text) as u32).collect();
    let chosen = pick(&choice, &notes, &lengths, words, brief.limits.passage);
    let vectors: Vec<TermVector> = chosen.iter().map(|&i| choice.vectors[i].clone()).collect();
    let relevance: Vec<f64> = chosen.iter().map(|&i| choice.relevance[i]).collect();
    let notes: Vec<&Note> = chosen.iter().map(|&i| &notes[i]).collect();
    let rows = kinship(&vectors, &notes);
    let order = order(&rows, &notes, &relevance);
    let paragraphs = paragraphs(&order, &rows, &notes);
    let sentence = |&i: &usize| Sentence { text: notes[i].text.clone(), sources: notes[i].sources.clone() };
    Passage {
        paragraphs: paragraphs.iter().map(|own| Paragraph { sentences: own.iter().map(sentence).collect() }).collect(),
    }
}

/// The notes to quote, in their order. Coverage of every source comes before length; the rest keeps within the
/// requested words and the allowed tokens.
fn pick(choice: &NoteChoice, notes: &[Note], lengths: &[u32], words: u32, room: u32) -> Vec<usize> {
    let tokens: Vec<u32> = notes.iter().map(|note| count(&note.text)).collect();
    let total = |chosen: &[usize]| chosen.iter().map(|&i| tokens[i]).sum::<u32>();
    let worth = wearied(choice, notes);
    let mut chosen = covering(notes, |i| worth[i]);
    if total(&chosen) > room {
        chosen = covering(notes, |i| -f64::from(tokens[i]));
    }
    if total(&chosen) < room {
        choose(&worth, &choice.vectors, lengths, words + words / 8, &mut chosen);
        let mut left = room;
        chosen.retain(|&i| {
            tokens[i] <= left && {
                left -= tokens[i];
                true
            }
        });
    }
    chosen.sort_unstable();
    chosen
}

/// Relevance, raised for the first note of a source, and lowered for each better note of the same source.
fn wearied(choice: &NoteChoice, notes: &[Note]) -> Vec<f64> {
    let mut heard: BTreeMap<SourceId, f64> = BTreeMap::new();
    let mut worth = first_favoured(&choice.relevance, notes);
    for i in descending(&worth.clone()) {
        let count = heard.entry(notes[i].sources[0]).or_default();
        worth[i] -= WEARINESS * *count;
        *count += 1.0;
    }
    worth
}

/// Relevance, raised for the first note of each source, the introduction to the others.
fn first_favoured(relevance: &[f64], notes: &[Note]) -> Vec<f64> {
    let mut met = std::collections::BTreeSet::new();
    let bonus = |note: &Note| if met.insert(note.sources[0]) { FIRST } else { 0.0 };
    relevance.iter().zip(notes.iter().map(bonus)).map(|(relevance, bonus)| relevance + bonus).collect()
}

/// Similarity of notes, raised for a common source.
fn kinship(vectors: &[TermVector], notes: &[&Note]) -> LikenessMatrix {
    let mut rows = softened(likeness(vectors));
    for (i, row) in rows.iter_mut().enumerate() {
        for (j, alike) in row.iter_mut().enumerate() {
            if notes[i].sources[0] == notes[j].sources[0] {
                *alike = (*alike + SAME_SOURCE).min(1.0);
            }
        }
    }
    rows
}

/// A reading order: themes of sources, the most relevant theme first, each followed by its most similar; sources within
/// a theme likewise; the sentences of a source in the source's own order.
fn order(rows: &LikenessMatrix, notes: &[&Note], relevance: &[f64]) -> Vec<usize> {
    let mut sources: BTreeMap<SourceId, Vec<usize>> = BTreeMap::new();
    (0..notes.len()).for_each(|i| sources.entry(notes[i].sources[0]).or_default().push(i));
    let sources: Vec<Vec<usize>> = sources.into_values().collect();
    let weights: Vec<f64> = sources.iter().map(|own| own.len() as f64).collect();
    let themes = partition(&between(rows, &sources), &weights, notes.len().div_ceil(THEME));
    let of = |theme: &Vec<usize>| theme.iter().map(|&at| sources[at].clone()).collect::<Vec<_>>();
    let weight =
        |group: &[usize]| group.iter().map(|&i| relevance[i]).sum::<f64>() / (group.len().max(1) as f64).sqrt();
    // The order of groups of notes.
    let follow = |groups: Vec<Vec<usize>>| -> Vec<usize> {
        let Some(first) = greatest(groups.iter().map(|group| weight(group))) else { return Vec::new() };
        chain(&between(rows, &groups), first)
    };
    let flat: Vec<Vec<usize>> = themes.iter().map(|theme| of(theme).concat()).collect();
    let within = |theme: usize| {
        let own = of(&themes[theme]);
        follow(own.clone()).into_iter().flat_map(move |at| own[at].clone()).collect::<Vec<_>>()
    };
    follow(flat).into_iter().flat_map(within).collect()
}

/// Cuts an order into paragraphs where neighbours are least alike (after TextTiling, Hearst 1997).
fn paragraphs(order: &[usize], rows: &LikenessMatrix, notes: &[&Note]) -> Vec<Vec<usize>> {
    let (least, most) = PARAGRAPH;
    let mut paragraphs = Vec::new();
    let mut rest = order;
    while rest.len() > most {
        // No short paragraph is left over.
        let cuts = least..=most.min(rest.len() - least);
        let gap = |at: usize| {
            let (before, after) = (rest[at - 1], rest[at]);
            let apart = if notes[before].sources[0] == notes[after].sources[0] { 0.0 } else { 0.3 };
            apart - rows[before][after]
        };
        let cut = least + greatest(cuts.map(gap)).unwrap_or(0);
        let (paragraph, after) = rest.split_at(cut);
        paragraphs.push(paragraph.to_vec());
        rest = after;
    }
    if !rest.is_empty() {
        paragraphs.push(rest.to_vec());
    }
    paragraphs
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use tributary_protocol::{
        budget::Window,
        settings::Language,
        survey::{Genre, SurveyLimits},
    };

    use super::*;

    fn brief() -> SurveyBrief {
        let limits = SurveyLimits { sections: 20, outline: 2000, suggestion: 100, digest: 400, passage: 200 };
        let (title, language, genre) = ("On patterns".to_owned(), Language::En, Genre::Survey);
        SurveyBrief { title, language, genre, window: Window(16_000), limits }
    }

    fn section() -> SectionBrief {
        let path = vec!["Patterns".to_owned(), "Guards".to_owned()];
        SectionBrief {
            path,
            extract: "What the sources say of guards.".to_owned(),
            analyse: String::new(),
            beside: Vec::new(),
        }
    }

    fn notes() -> impl Strategy<Value = Vec<Note>> {
        let note = ("(A|The) [abcd]{2} (guards?|patterns?) [efg]{2,3} it\\.", prop::collection::vec(1_u32..30, 1..3))
            .prop_map(|(text, sources)| Note::new(text, sources.into_iter().map(SourceId).collect()));
        prop::collection::vec(note, 0..60)
    }

    proptest! {
        #[test]
        fn only_notes_are_quoted_each_once_and_of_every_source(notes in notes(), words in 0_u32..300) {
            let passage = write(&section(), &notes, words, &brief());
            let mut said = BTreeSet::new();
            let mut cited: BTreeSet<SourceId> = BTreeSet::new();
            for sentence in passage.sentences() {
                prop_assert!(said.insert(&sentence.text), "twice: {}", sentence.text);
                for source in &sentence.sources {
                    prop_assert!(notes.iter().any(|note| note.text == sentence.text && note.sources.contains(source)));
                }
                cited.extend(&sentence.sources);
            }
            prop_assert!(notes.iter().flat_map(|note| &note.sources).all(|source| cited.contains(source)));
            prop_assert!(passage.paragraphs.iter().all(|paragraph| !paragraph.sentences.is_empty()));
        }
    }
}
