//! Sections: quotes in an order that reads.

use std::collections::BTreeMap;

use tributary_protocol::{
    article::{Paragraph, Passage, Sentence},
    digest::Note,
    source::SourceId,
    task::{Brief, SectionBrief},
};

use super::{
    cluster::{Likeness, between, chain, likeness, partition, softened},
    condense::{Choice, covering, distinct},
    rank::choose,
    terms::length,
    vectors::{Vector, greatest},
};

/// What one source's sentences are the more alike for it.
const SAME_SOURCE: f64 = 0.25;
/// Sentences of a theme, on average.
const THEME: usize = 6;
/// Sentences of a paragraph, at least and at most.
const PARAGRAPH: (usize, usize) = (3, 6);

/// Writes a section from its notes alone: each sentence a note, each note at most once, each source at least once, then
/// more up to so many words.
pub fn write(section: &SectionBrief, notes: &[Note], words: u32, brief: &Brief) -> Passage {
    let notes = distinct(notes);
    let choice = Choice::of(section, &notes);
    let lengths: Vec<u32> = notes.iter().map(|note| length(&note.text) as u32).collect();
    let chosen = pick(&choice, &notes, &lengths, words, brief.limits.passage);
    let vectors: Vec<Vector> = chosen.iter().map(|&i| choice.vectors[i].clone()).collect();
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

/// What to quote, in the notes' order. That every source is quoted comes before any length; the rest keeps to the words
/// asked for and the tokens allowed.
fn pick(choice: &Choice, notes: &[Note], lengths: &[u32], words: u32, room: u32) -> Vec<usize> {
    let tokens: Vec<u32> = notes.iter().map(|note| note.tokens).collect();
    let mut chosen = choice.cover(notes, &tokens, room);
    let covered = chosen.iter().flat_map(|&i| &notes[i].sources).collect::<std::collections::BTreeSet<_>>().len();
    let sources = notes.iter().flat_map(|note| &note.sources).collect::<std::collections::BTreeSet<_>>().len();
    if covered < sources {
        chosen = covering(notes, |i| -f64::from(tokens[i]));
    }
    let spent: u32 = chosen.iter().map(|&i| tokens[i]).sum();
    if spent < room {
        choose(&choice.relevance, &choice.vectors, lengths, words, &mut chosen);
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

/// Likeness of notes, more where they share a source.
fn kinship(vectors: &[Vector], notes: &[&Note]) -> Likeness {
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

/// One reading order: themes, the most relevant first, each followed by the one most like it; in a theme, its sources in
/// such an order too; of a source, its own.
fn order(rows: &Likeness, notes: &[&Note], relevance: &[f64]) -> Vec<usize> {
    let weights = vec![1.0; notes.len()];
    let themes = partition(rows, &weights, notes.len().div_ceil(THEME));
    let mean = |group: &[usize]| group.iter().map(|&i| relevance[i]).sum::<f64>() / group.len().max(1) as f64;
    let follow = |groups: Vec<Vec<usize>>| {
        let likeness = between(rows, &groups);
        let Some(first) = greatest(groups.iter().map(|group| mean(group))) else { return groups };
        chain(&likeness, first).into_iter().map(|at| groups[at].clone()).collect()
    };
    let by_source = |theme: &Vec<usize>| {
        let mut groups: BTreeMap<SourceId, Vec<usize>> = BTreeMap::new();
        theme.iter().for_each(|&i| groups.entry(notes[i].sources[0]).or_default().push(i));
        follow(groups.into_values().collect()).concat()
    };
    follow(themes).iter().flat_map(by_source).collect()
}

/// Cuts an order into paragraphs where neighbours are least alike (after TextTiling, Hearst 1997).
fn paragraphs(order: &[usize], rows: &Likeness, notes: &[&Note]) -> Vec<Vec<usize>> {
    let (least, most) = PARAGRAPH;
    let mut paragraphs = Vec::new();
    let mut rest = order;
    while rest.len() > most {
        // Leave no paragraph that is too short behind.
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
