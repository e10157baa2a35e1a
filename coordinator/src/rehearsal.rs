//! A rehearsal: products of typical size for every kind of work, without a model.
//!
//! The machine can't tell them from real ones, so a job can be played through to its end in no time. `tributary plan`
//! counts the calls and tokens of such a play; the machine's tests and benchmarks use it as their model.

use rand::{RngExt, seq::SliceRandom};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use tributary_protocol::{
    article::{Paragraph, Passage, Sentence},
    digest::{Digest, Note},
    id::Hasher,
    outline::{Outline, Section, SectionId, SharedOutline},
    source::SourceId,
    suggestion::{Candidate, Score},
    task::{Brief, Outcome, Product, Task, Usage, Verdict, Work},
};

/// Words of a typical section's description, of a note, of a sentence.
const DESCRIPTION_WORDS: usize = 18;
const NOTE_WORDS: usize = 24;
const SENTENCE_WORDS: usize = 20;

/// What a typical reply to the task would be. Depends on the task alone.
pub fn outcome(task: &Task) -> Outcome {
    let verdict = Verdict::Done(product(task));
    Outcome { task: task.id, verdict, usage: Usage::default(), citations_removed: 0 }
}

fn product(task: &Task) -> Product {
    let mut hasher = Hasher::new("rehearsal");
    hasher.part(task.id.to_string().as_bytes());
    let mut play = Play { chance: ChaCha8Rng::from_seed(hasher.seed()), brief: &task.brief };
    match &task.work {
        Work::Group { sources, size } => {
            let mut ids: Vec<_> = sources.iter().map(|source| source.id).collect();
            ids.shuffle(&mut play.chance);
            Product::Groups(ids.chunks(*size as usize).map(<[_]>::to_vec).collect())
        }
        Work::Outline { sources } => {
            let sources: Vec<_> = sources.iter().map(|source| source.id).collect();
            Product::Outline(play.outline(&sources).into())
        }
        Work::MergeOutlines { outlines } => {
            let mut sources: Vec<SourceId> = outlines
                .iter()
                .flat_map(|outline| outline.walk())
                .flat_map(|placed| placed.section.sources.clone())
                .collect();
            sources.sort_unstable();
            sources.dedup();
            Product::Outline(play.outline(&sources).into())
        }
        Work::Digest { source, outline, only, .. } => Product::Digest(play.digest(source.id, outline, only)),
        Work::Feedback { outline, .. } | Work::Refine { outline, .. } => Product::Candidate(play.candidate(outline)),
        Work::Convolve { members } => Product::Candidate(play.candidate(&members[0].outline)),
        Work::Score { .. } => {
            let mut mark = || play.chance.random_range(0..=20) as f64 / 2.0;
            Product::Score(Score { structure: mark(), descriptions: mark() })
        }
        Work::Condense { notes, room, .. } => Product::Notes(play.condense(notes, *room)),
        Work::Write { notes, words, .. } => Product::Passage(play.passage(notes, *words)),
        Work::Introduce { children, words, .. } => {
            let sources: Vec<_> = children.iter().flat_map(|child| child.passage.sentences()).collect();
            let note =
                |sentence: &&Sentence| (!sentence.sources.is_empty()).then(|| Note::new("", sentence.sources.clone()));
            let notes: Vec<Note> = sources.iter().filter_map(note).collect();
            Product::Passage(play.passage(&notes, *words))
        }
        Work::Illustrate { .. } => Product::Figure(None),
    }
}

struct Play<'a> {
    chance: ChaCha8Rng,
    brief: &'a Brief,
}

impl Play<'_> {
    fn words(&mut self, count: usize) -> String {
        const WORDS: [&str; 16] = [
            "systems",
            "language",
            "design",
            "safety",
            "values",
            "memory",
            "patterns",
            "traits",
            "errors",
            "types",
            "modules",
            "compilers",
            "macros",
            "tests",
            "syntax",
            "owners",
        ];
        let words: Vec<_> = (0..count).map(|_| WORDS[self.chance.random_range(0..WORDS.len())]).collect();
        words.join(" ")
    }

    fn section(&mut self, origin: Option<SectionId>, sources: Vec<SourceId>) -> Section {
        Section {
            origin,
            title: self.words(4),
            extract: self.words(DESCRIPTION_WORDS),
            analyse: self.words(DESCRIPTION_WORDS),
            sources,
            children: Vec::new(),
        }
    }

    /// Chapters of three leaves each, which share the sources.
    fn outline(&mut self, sources: &[SourceId]) -> Outline {
        let most = self.brief.limits.sections as usize;
        let chapters = (most * 4 / 5 / 4).max(1);
        let leaves = chapters * 3;
        let of_leaf = |leaf: usize| sources.iter().skip(leaf).step_by(leaves).copied().collect();
        let sections = (0..chapters).map(|chapter| {
            let children = (0..3).map(|leaf| self.section(None, of_leaf(chapter * 3 + leaf))).collect();
            Section { children, ..self.section(None, Vec::new()) }
        });
        Outline { sections: sections.collect() }
    }

    fn digest(&mut self, source: SourceId, outline: &Outline, only: &[SectionId]) -> Digest {
        let leaves: Vec<SectionId> = outline.leaves().filter_map(|leaf| leaf.origin).collect();
        let leaves = if only.is_empty() { leaves } else { only.to_vec() };
        let notes = (self.brief.limits.digest as usize / 50).clamp(1, 12);
        let notes = (0..notes)
            .map(|_| {
                let leaf = leaves[self.chance.random_range(0..leaves.len())];
                (leaf, Note::new(format!("{source}: {}", self.words(NOTE_WORDS)), vec![source]))
            })
            .collect();
        let words = self.brief.limits.suggestion as usize * 2 / 5;
        Digest::new(notes, self.words(words))
    }

    /// The outline with one section reworded, now and then one that is new.
    fn candidate(&mut self, outline: &Outline) -> Candidate {
        let mut outline = outline.clone();
        let changed = self.chance.random_range(0..outline.walk().count().max(1));
        let new = self.chance.random_range(0..8) == 0;
        let extract = self.words(DESCRIPTION_WORDS);
        let mut number = 0;
        outline.walk_mut(|section| {
            if number == changed {
                section.extract.clone_from(&extract);
                if new && section.is_leaf() {
                    section.origin = None;
                }
            }
            number += 1;
        });
        let words = self.brief.limits.suggestion as usize * 2 / 5;
        let suggestion = self.words(words);
        let outline = SharedOutline::new(outline);
        let tokens = outline.tokens() + self.brief.limits.suggestion / 2;
        Candidate { suggestion, outline, tokens }
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
            let sources = notes.get(i % notes.len().max(1)).map(|note| note.sources.clone()).unwrap_or_default();
            Sentence { text: format!("{}.", self.words(SENTENCE_WORDS)), sources }
        };
        Passage { paragraphs: vec![Paragraph { sentences: (0..sentences).map(sentence).collect() }] }
    }
}
