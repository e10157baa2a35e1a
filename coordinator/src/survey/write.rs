//! Write: bottom-up, leaves from their notes, parents from the leaves below them, figures in parallel.
//!
//! Each text waits for its own inputs alone: a leaf for its notes, a chapter's figure for the chapter's notes, an
//! introduction for the leaves it introduces, the summary for all leaves.

mod place;
mod section;
mod text;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use tributary_protocol::{
    budget::{count, pack},
    survey::{
        SurveyProduct, SurveyWork,
        article::{Paragraph, Passage, Sentence},
        digest::Note,
        outline::{Outline, Section, SectionId},
        work::{SectionBrief, WrittenPart},
    },
};

pub(crate) use self::{place::WritePlace, text::WrittenText};
use self::{
    section::{LeafPart, SectionState, TextState, as_they_are, condensed_to},
    text::BELOW,
};
use super::{
    context::{Ask, PhaseWith, SurveyContext},
    prompt_budget::{HANDLE, HANDLE_IN_REPLY, MOST_NOTES},
};

/// Words of an introduction to a chapter, and to the article.
const INTRODUCTION_WORDS: u32 = 120;

/// The most parts of a section: its text has to have an end.
const MOST_PARTS: usize = 16;

/// Condensing goes on as long as a level reduces the number of prompts to at most this share: all levels together then
/// read no more than three times the input of the first.
const WORTHWHILE: f64 = 2.0 / 3.0;

/// The least words of a part of a section.
const LEAST_WORDS: u32 = 100;

pub(crate) struct SectionWriter {
    sections: Vec<SectionState>,
    chapters: Vec<usize>,
    /// Sections by the leaf with their notes.
    leaves: BTreeMap<SectionId, usize>,
    /// The number of leaves without text.
    unwritten: usize,
    /// Leaves without any notes, each given by the titles down to it.
    left_out: Vec<String>,
    summary: Option<Passage>,
    /// The number of tasks without an outcome.
    open: usize,
    /// The number of notes merged with others for want of room.
    pub(crate) condensed: usize,
    /// The number of notes left unused, since there were too many and they could not be condensed.
    pub(crate) unwritten_notes: usize,
}

impl SectionWriter {
    /// Asks for all texts with complete inputs. `unread` leaves wait for [`SectionWriter::read`].
    pub(crate) fn start<P: PhaseWith<WritePlace>>(
        ask: &mut Ask<'_, P>,
        outline: &Outline,
        mut notes: BTreeMap<SectionId, Vec<Note>>,
        unread: &BTreeSet<SectionId>,
    ) -> Self {
        // Leaves without any notes are not written.
        notes.retain(|leaf, notes| !notes.is_empty() || unread.contains(leaf));
        let mut write = Self {
            sections: Vec::new(),
            chapters: Vec::new(),
            leaves: BTreeMap::new(),
            unwritten: 0,
            left_out: Vec::new(),
            summary: None,
            open: 0,
            condensed: 0,
            unwritten_notes: 0,
        };
        for chapter in &outline.sections {
            if let Some(chapter) = write.lay_out(chapter, None, &[], &outline.sections, &notes) {
                write.chapters.push(chapter);
            }
        }
        let leaves = write.leaves.clone();
        for section in leaves.values() {
            write.up_from(*section, |above| {
                above.unread += 1;
                above.unwritten += 1;
            });
            write.unwritten += 1;
        }
        for leaf in leaves.keys().filter(|leaf| !unread.contains(leaf)) {
            write.read(ask, *leaf, notes.remove(leaf).unwrap_or_default());
        }
        write
    }

    /// Numbers a section and its descendants, children after their parent.
    fn lay_out(
        &mut self,
        section: &Section,
        parent: Option<usize>,
        above: &[String],
        beside: &[Section],
        notes: &BTreeMap<SectionId, Vec<Note>>,
    ) -> Option<usize> {
        let path: Vec<String> = above.iter().chain([&section.title]).cloned().collect();
        let others = beside.iter().filter(|other| !std::ptr::eq(*other, section)).map(|other| other.title.clone());
        let number = self.sections.len();
        self.sections.push(SectionState {
            brief: SectionBrief::of(path.clone(), section, others.collect()),
            parent,
            children: Vec::new(),
            unread: 0,
            unwritten: 0,
            notes: Vec::new(),
            text: TextState::Waiting,
            figure: None,
        });
        let children: Vec<usize> = section
            .children
            .iter()
            .filter_map(|child| self.lay_out(child, Some(number), &path, &section.children, notes))
            .collect();
        if children.is_empty() {
            let Some(leaf) = section.origin.filter(|id| notes.contains_key(id)) else {
                self.sections.truncate(number);
                if section.is_leaf() {
                    self.left_out.push(path.join(BELOW));
                }
                return None;
            };
            self.leaves.insert(leaf, number);
        }
        self.sections[number].children = children;
        Some(number)
    }

    /// Changes a section and all its ancestors. Returns the chapter.
    fn up_from(&mut self, section: usize, mut change: impl FnMut(&mut SectionState)) -> usize {
        let mut at = section;
        loop {
            change(&mut self.sections[at]);
            match self.sections[at].parent {
                Some(parent) => at = parent,
                None => return at,
            }
        }
    }

    /// Takes all notes of a leaf and asks for its text. The last leaf of a chapter starts the chapter's figure.
    pub(crate) fn read<P: PhaseWith<WritePlace>>(&mut self, ask: &mut Ask<'_, P>, leaf: SectionId, notes: Vec<Note>) {
        let Some(section) = self.leaves.get(&leaf).copied() else { return };
        self.sections[section].notes.clone_from(&notes);
        let chapter = self.up_from(section, |above| above.unread -= 1);
        if notes.is_empty() {
            self.leaf_written(ask, section, Passage::default());
        } else {
            self.write_leaf(ask, section, 0, notes, None);
        }
        if self.sections[chapter].unread == 0 && ask.context.settings.writing.figures {
            self.illustrate(ask, chapter);
        }
    }

    fn ask<P: PhaseWith<WritePlace>>(&mut self, ask: &mut Ask<'_, P>, place: WritePlace, work: SurveyWork) {
        self.open += 1;
        ask.ask(place, work);
    }

    /// Asks for a leaf's text. Notes too many for a prompt are condensed first, level by level; each level reads all
    /// notes left by the level before. If a level fills more than [`WORTHWHILE`] of the prompts `before`, or each note
    /// has too many sources to share a prompt, the leaf is written in parts.
    fn write_leaf<P: PhaseWith<WritePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        section: usize,
        level: usize,
        notes: Vec<Note>,
        before: Option<usize>,
    ) {
        let parts = batches_of(ask.context, &notes, HANDLE);
        let batches = batches_of(ask.context, &notes, HANDLE + HANDLE_IN_REPLY);
        let is_too_many = |before: usize| batches.len() as f64 > before as f64 * WORTHWHILE;
        let is_stuck = batches.len() == notes.len() || before.is_some_and(is_too_many);
        if parts.len() < 2 || is_stuck {
            return match parts.len().div_ceil(MOST_PARTS) {
                0 | 1 => self.write_parts(ask, section, &notes, parts),
                every => {
                    // An even selection of the notes.
                    let chosen: Vec<Note> = notes.iter().step_by(every).cloned().collect();
                    self.unwritten_notes += notes.len() - chosen.len();
                    let parts = batches_of(ask.context, &chosen, HANDLE);
                    self.write_parts(ask, section, &chosen, parts);
                }
            };
        }
        // The condensed notes should fit a prompt as soon as possible, but replies have a size limit.
        let room =
            (ask.context.budget.notes / batches.len() as u32).clamp(200, ask.context.budget.limits.passage.max(200));
        self.condensed += notes.len();
        let batches: Vec<Vec<Note>> = batches.into_iter().map(|range| notes[range].to_vec()).collect();
        for (batch, notes) in batches.iter().enumerate() {
            let brief = self.sections[section].brief.clone();
            let work = SurveyWork::Condense { section: brief, notes: notes.clone(), room };
            self.ask(ask, WritePlace::Condense { section, level, batch }, work);
        }
        let missing = batches.len();
        self.sections[section].text = TextState::Condensing { batches, missing };
    }

    fn write_parts<P: PhaseWith<WritePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        section: usize,
        notes: &[Note],
        parts: Vec<Range<usize>>,
    ) {
        let words = ask.context.settings.writing.words.min(ask.context.budget.limits.passage * 2 / 3);
        let words = (words / parts.len() as u32).max(LEAST_WORDS.min(words));
        let part = |range: Range<usize>| LeafPart { notes: notes[range].to_vec(), passage: Passage::default() };
        let parts: Vec<LeafPart> = parts.into_iter().map(part).collect();
        for (number, part) in parts.iter().enumerate() {
            let brief = self.sections[section].brief.clone();
            let work = SurveyWork::Write { section: brief, notes: part.notes.clone(), words };
            self.ask(ask, WritePlace::Leaf { section, part: number }, work);
        }
        let missing = parts.len();
        self.sections[section].text = TextState::Writing { parts, missing };
    }

    fn illustrate<P: PhaseWith<WritePlace>>(&mut self, ask: &mut Ask<'_, P>, chapter: usize) {
        let mut below = vec![chapter];
        let mut notes = Vec::new();
        while let Some(section) = below.pop() {
            notes.extend_from_slice(&self.sections[section].notes);
            below.extend(self.sections[section].children.iter().rev());
        }
        // A figure shows a selection: as many notes as a prompt holds, evenly taken.
        let parts = batches_of(ask.context, &notes, HANDLE).len().max(1);
        let notes: Vec<Note> = notes.into_iter().step_by(parts).collect();
        if notes.len() < 3 {
            return;
        }
        let work = SurveyWork::Illustrate { section: self.sections[chapter].brief.clone(), notes };
        self.ask(ask, WritePlace::Figure { chapter }, work);
    }

    /// Takes an outcome. Without a product, the notes themselves replace condensed notes or the text; a parent has no
    /// introduction and a chapter no figure.
    pub(crate) fn accept<P: PhaseWith<WritePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: WritePlace,
        product: Option<SurveyProduct>,
    ) {
        self.open -= 1;
        match place {
            WritePlace::Condense { section, level, batch } => {
                let TextState::Condensing { batches, missing } = &mut self.sections[section].text else {
                    unreachable!("a leaf is written once its notes are condensed")
                };
                condensed_to(&mut batches[batch], product);
                *missing -= 1;
                if *missing == 0 {
                    let batches = std::mem::take(batches);
                    self.write_leaf(ask, section, level + 1, batches.concat(), Some(batches.len()));
                }
            }
            WritePlace::Leaf { section, part } => {
                let TextState::Writing { parts, missing } = &mut self.sections[section].text else {
                    unreachable!("a leaf is written once all of its parts are")
                };
                parts[part].passage = match product {
                    Some(SurveyProduct::Passage(passage)) => passage,
                    _ => as_they_are(&parts[part].notes),
                };
                *missing -= 1;
                if *missing == 0 {
                    let paragraphs =
                        std::mem::take(parts).into_iter().flat_map(|part| part.passage.paragraphs).collect();
                    self.leaf_written(ask, section, Passage { paragraphs });
                }
            }
            WritePlace::Introduction { section } => {
                self.sections[section].text = TextState::Written(match product {
                    Some(SurveyProduct::Passage(passage)) => passage,
                    _ => Passage::default(),
                });
            }
            WritePlace::Figure { chapter } => {
                if let Some(SurveyProduct::Figure(figure)) = product {
                    self.sections[chapter].figure = figure;
                }
            }
            WritePlace::Summary => {
                self.summary = Some(if let Some(SurveyProduct::Passage(passage)) = product {
                    passage
                } else {
                    Passage::default()
                });
            }
        }
    }

    /// Stores the text of a leaf, and asks for introductions that waited for this leaf alone.
    fn leaf_written<P: PhaseWith<WritePlace>>(&mut self, ask: &mut Ask<'_, P>, leaf: usize, passage: Passage) {
        self.sections[leaf].text = TextState::Written(passage);
        self.up_from(leaf, |above| above.unwritten -= 1);
        let mut at = leaf;
        while let Some(parent) = self.sections[at].parent {
            at = parent;
            if self.sections[at].unwritten == 0 {
                let section = Some(self.sections[at].brief.clone());
                self.introduce(
                    ask,
                    WritePlace::Introduction { section: at },
                    section,
                    &self.sections[at].children.clone(),
                );
            }
        }
        self.unwritten -= 1;
        if self.unwritten == 0 {
            self.introduce(ask, WritePlace::Summary, None, &self.chapters.clone());
        }
    }

    /// Asks for an introduction to sections. Sections without any text need no introduction.
    fn introduce<P: PhaseWith<WritePlace>>(
        &mut self,
        ask: &mut Ask<'_, P>,
        place: WritePlace,
        section: Option<SectionBrief>,
        below: &[usize],
    ) {
        let children = self.shown(ask.context, below);
        if !children.is_empty() {
            self.ask(ask, place, SurveyWork::Introduce { section, children, words: INTRODUCTION_WORDS });
        }
    }

    /// Returns the beginnings of sections, cut so that all of them fit: a leaf's own text, a parent's leaves.
    fn shown(&self, context: &SurveyContext, sections: &[usize]) -> Vec<WrittenPart> {
        let each = (context.budget.children / sections.len().max(1) as u32).min(300);
        let show = |section: &usize| {
            let title = self.sections[*section].brief.title();
            let leaves = self.leaves_below(*section);
            // A few sentences of every leaf rather than all of the first.
            let of_leaf = if leaves.len() == 1 { usize::MAX } else { 2 };
            let passages = leaves.iter().filter_map(|leaf| self.sections[*leaf].passage());
            let mut tokens = count(title) + 4;
            let mut sentences: Vec<Sentence> = Vec::new();
            for sentence in passages.flat_map(|passage| passage.sentences().take(of_leaf)) {
                let more = count(&sentence.text) + HANDLE * sentence.sources.len() as u32;
                if tokens + more > each && !sentences.is_empty() {
                    break;
                }
                tokens += more;
                sentences.push(sentence.clone());
            }
            let passage = Passage { paragraphs: vec![Paragraph { sentences }] };
            WrittenPart { title: title.to_owned(), passage, tokens }
        };
        sections.iter().map(show).filter(|written| written.passage.sentences().next().is_some()).collect()
    }

    fn leaves_below(&self, section: usize) -> Vec<usize> {
        let children = &self.sections[section].children;
        if children.is_empty() {
            return vec![section];
        }
        children.iter().flat_map(|child| self.leaves_below(*child)).collect()
    }

    /// Puts all texts together.
    pub(crate) fn text(&self, title: &str) -> WrittenText {
        let summary = self.summary.clone().unwrap_or_default();
        text::put_together(title, summary, &self.sections, &self.chapters, &self.left_out)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.open == 0 && self.unwritten == 0
    }
}

/// Packs notes into as few prompts as possible, at `handle` tokens for each of their handles.
fn batches_of(context: &SurveyContext, notes: &[Note], handle: u32) -> Vec<Range<usize>> {
    let tokens: Vec<_> = notes.iter().map(|note| note.tokens + handle * note.sources.len() as u32).collect();
    pack(&tokens, context.budget.notes, MOST_NOTES)
}
