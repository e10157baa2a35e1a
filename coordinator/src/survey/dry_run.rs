//! A dry run: products of typical size for every kind of the survey's tasks, without a model.
//!
//! The machine can't tell them from real products, so a job can be played through to its end in no time. `tributary
//! plan` counts the calls and tokens of a dry run; the machine's tests and benchmarks use it as their model.

mod reply;

use std::{collections::BTreeSet, sync::LazyLock};

use rand::{RngExt, seq::SliceRandom};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tributary_protocol::{
    budget::count,
    id::{Hasher, TaskId},
    source::SourceId,
    survey::{
        SurveyBrief, SurveyProduct, SurveyWork,
        article::{Paragraph, Passage, Sentence},
        digest::{Digest, Note},
        outline::{Outline, Section, SectionId, SharedOutline},
        suggestion::{Candidate, OutlineScore},
    },
};

pub(crate) use self::reply::reply_tokens;

/// Words of a typical section's title and description, of a note, of a sentence.
const TITLE_WORDS: usize = 5;
const DESCRIPTION_WORDS: usize = 16;
const NOTE_WORDS: usize = 30;
const SENTENCE_WORDS: usize = 20;

/// Sections that a merge or a refinement typically rewrites.
const SECTIONS_REWRITTEN: usize = 3;

/// Sources that a new section typically names.
const SOURCES_OF_NEW: usize = 6;

/// Notes of a typical source, if there is room for them.
const MOST_NOTES: usize = 5;

/// Enough different words for a reworded section to count as changed.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "systems language design safety values memory patterns traits errors types modules compilers macros \
    tests syntax owners threads channels locks futures streams buffers pointers closures iterators \
    generics bounds constants crates features editions stability lints warnings numbers strings slices \
    arrays tuples structs enums unions fields methods operators overloading coercion inference dispatch \
    objects layout alignment padding targets platforms linking symbols panics unwinding destructors \
    moves copies borrows regions variance"
        .split_whitespace()
        .collect()
});

/// Returns the product of a typical reply to a task. Depends on the task alone.
pub(crate) fn product(task: TaskId, brief: &SurveyBrief, work: &SurveyWork) -> SurveyProduct {
    let mut hasher = Hasher::new("rehearsal");
    hasher.part(task.to_string().as_bytes());
    let mut play = Play { chance: ChaCha8Rng::from_seed(hasher.seed()), brief };
    match work {
        SurveyWork::Group { sources, size } => {
            let mut ids: Vec<_> = sources.iter().map(|source| source.id).collect();
            ids.shuffle(&mut play.chance);
            SurveyProduct::Groups(ids.chunks(*size as usize).map(<[_]>::to_vec).collect())
        }
        SurveyWork::Outline { sources } => {
            let sources: Vec<_> = sources.iter().map(|source| source.id).collect();
            SurveyProduct::Outline(play.outline(&sources).into())
        }
        SurveyWork::MergeOutlines { outlines } => {
            let mut sources: Vec<SourceId> = outlines
                .iter()
                .flat_map(|outline| outline.walk())
                .flat_map(|placed| placed.section.sources.clone())
                .collect();
            sources.sort_unstable();
            sources.dedup();
            SurveyProduct::Outline(play.outline(&sources).into())
        }
        SurveyWork::Digest { source, outline, only, .. } => {
            SurveyProduct::Digest(play.digest(source.id, outline, only))
        }
        SurveyWork::Feedback { outline, .. } | SurveyWork::Refine { outline, .. } => {
            SurveyProduct::Candidate(play.candidate(outline))
        }
        SurveyWork::Convolve { members } => SurveyProduct::Candidate(play.candidate(&members[0].outline)),
        SurveyWork::Score { .. } => {
            let mut mark = || play.chance.random_range(0..=20) as f64 / 2.0;
            SurveyProduct::Score(OutlineScore { structure: mark(), descriptions: mark() })
        }
        SurveyWork::Condense { notes, room, .. } => SurveyProduct::Notes(play.condense(notes, *room)),
        SurveyWork::Write { notes, words, .. } => SurveyProduct::Passage(play.passage(notes, *words)),
        SurveyWork::Introduce { children, words, .. } => {
            let sources: Vec<_> = children.iter().flat_map(|child| child.passage.sentences()).collect();
            let note =
                |sentence: &&Sentence| (!sentence.sources.is_empty()).then(|| Note::new("", sentence.sources.clone()));
            let notes: Vec<Note> = sources.iter().filter_map(note).collect();
            SurveyProduct::Passage(play.passage(&notes, *words))
        }
        SurveyWork::Illustrate { .. } => SurveyProduct::Figure(None),
    }
}

struct Play<'a> {
    chance: ChaCha8Rng,
    brief: &'a SurveyBrief,
}

impl Play<'_> {
    fn words(&mut self, count: usize) -> String {
        let words: Vec<_> = (0..count).map(|_| WORDS[self.chance.random_range(0..WORDS.len())]).collect();
        words.join(" ")
    }

    fn section(&mut self, origin: Option<SectionId>, sources: Vec<SourceId>) -> Section {
        Section {
            origin,
            title: self.words(TITLE_WORDS),
            extract: self.words(DESCRIPTION_WORDS),
            analyse: self.words(DESCRIPTION_WORDS),
            sources,
            children: Vec::new(),
        }
    }

    /// Makes an outline with four fifths of the sections allowed, a chapter per three leaves. The leaves share the
    /// sources.
    fn outline(&mut self, sources: &[SourceId]) -> Outline {
        let all = ((self.brief.limits.sections as usize * 13 + 8) / 16).max(2);
        let chapters = (all / 4).max(1);
        let leaves = all - chapters;
        let of_leaf = |leaf: usize| sources.iter().skip(leaf).step_by(leaves).copied().collect();
        let sections = (0..chapters).map(|chapter| {
            let below = chapter * leaves / chapters..(chapter + 1) * leaves / chapters;
            let children = below.map(|leaf| self.section(None, of_leaf(leaf))).collect();
            Section { children, ..self.section(None, Vec::new()) }
        });
        Outline { sections: sections.collect() }
    }

    fn digest(&mut self, source: SourceId, outline: &Outline, only: &[SectionId]) -> Digest {
        let leaves: Vec<SectionId> = outline.leaves().filter_map(|leaf| leaf.origin).collect();
        let leaves = if only.is_empty() { leaves } else { only.to_vec() };
        let notes = (self.brief.limits.digest as usize / 80).clamp(1, MOST_NOTES);
        let notes = (0..notes)
            .map(|_| {
                let leaf = leaves[self.chance.random_range(0..leaves.len())];
                (leaf, Note::new(format!("{source}: {}", self.words(NOTE_WORDS)), vec![source]))
            })
            .collect();
        Digest::new(notes, self.suggestion())
    }

    /// Rewrites some sections of the outline and makes a leaf new: no source has been read for it, and it names the
    /// sources to read.
    fn candidate(&mut self, outline: &Outline) -> Candidate {
        let mut outline = outline.clone();
        let sections = outline.walk().count().max(1);
        let rewritten: Vec<(usize, String, String)> = (0..SECTIONS_REWRITTEN)
            .map(|_| (self.chance.random_range(0..sections), self.words(TITLE_WORDS), self.words(DESCRIPTION_WORDS)))
            .collect();
        let sources: BTreeSet<SourceId> = outline.leaves().flat_map(|leaf| &leaf.sources).copied().collect();
        let sources: Vec<SourceId> = sources.into_iter().take(SOURCES_OF_NEW).collect();
        let (mut number, mut has_new) = (0, false);
        outline.walk_mut(|section| {
            if let Some((_, title, extract)) = rewritten.iter().find(|(place, ..)| *place == number) {
                section.title.clone_from(title);
                section.extract.clone_from(extract);
            }
            if section.is_leaf() && !has_new {
                (section.origin, has_new) = (None, true);
                section.sources.clone_from(&sources);
            }
            number += 1;
        });
        let suggestion = self.suggestion();
        let outline = SharedOutline::new(outline);
        let tokens = outline.tokens() + count(&suggestion);
        Candidate { suggestion, outline, tokens }
    }

    fn suggestion(&mut self) -> String {
        self.words(self.brief.limits.suggestion as usize * 3 / 5)
    }

    fn condense(&mut self, notes: &[Note], room: u32) -> Vec<Note> {
        let count = (room as usize / 60).max(1);
        let each = notes.len().div_ceil(count);
        notes
            .chunks(each)
            .map(|notes| {
                Note::new(self.words(NOTE_WORDS), notes.iter().flat_map(|note| note.sources.clone()).collect())
            })
            .collect()
    }

    fn passage(&mut self, notes: &[Note], words: u32) -> Passage {
        let sentences = (words as usize / SENTENCE_WORDS).max(1);
        let sentence = |i: usize| {
            // Each sentence stands for two notes.
            let mut sources: Vec<SourceId> =
                notes.iter().cycle().skip(i).take(2.min(notes.len())).flat_map(|note| note.sources.clone()).collect();
            sources.sort_unstable();
            sources.dedup();
            Sentence { text: format!("{}.", self.words(SENTENCE_WORDS)), sources }
        };
        Passage { paragraphs: vec![Paragraph { sentences: (0..sentences).map(sentence).collect() }] }
    }
}
