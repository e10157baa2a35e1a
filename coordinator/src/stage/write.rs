//! Write: bottom-up, leaves from their notes, parents from their children, figures beside them.

use std::{collections::BTreeMap, fmt};

use tributary_protocol::{
    article::{Article, Figure, Paragraph, Passage, Sentence, WrittenSection},
    budget::{count, pack},
    digest::Note,
    outline::{Outline, Section, SectionId},
    task::{Product, SectionBrief, Work, Written},
};

use super::{Asked, Context};
use crate::rooms::{HANDLE, MOST_NOTES};

/// Words that introduce a chapter, and the article.
const INTRODUCTION_WORDS: u32 = 120;

/// Where in this stage an outcome belongs. Sections are numbered in reading order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Condense { section: usize, level: usize, batch: usize },
    Leaf { section: usize },
    Introduction { section: usize },
    Figure { chapter: usize },
    Summary,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Condense { section, level, batch } => {
                write!(f, "condense section {} {}/{}", section + 1, level + 1, batch + 1)
            }
            Self::Leaf { section } => write!(f, "section {}", section + 1),
            Self::Introduction { section } => write!(f, "introduction of section {}", section + 1),
            Self::Figure { chapter } => write!(f, "figure for section {}", chapter + 1),
            Self::Summary => f.write_str("summary"),
        }
    }
}

pub(crate) struct Write {
    sections: Vec<Writing>,
    chapters: Vec<usize>,
    summary: Option<Passage>,
    /// Tasks that have not ended.
    open: usize,
    /// Notes that were merged with others for want of room.
    pub(crate) condensed: usize,
}

/// A section being written.
struct Writing {
    brief: SectionBrief,
    parent: Option<usize>,
    children: Vec<usize>,
    /// Children without their text.
    waiting: usize,
    /// What it is written from, as the digests gave it.
    notes: Vec<Note>,
    /// What remains to be condensed, by batch of the level at hand.
    condensing: Vec<Option<Vec<Note>>>,
    missing: usize,
    passage: Option<Passage>,
    figure: Option<Figure>,
}

impl Write {
    pub(crate) fn start(
        context: &Context,
        asked: &mut Asked,
        outline: &Outline,
        mut notes: BTreeMap<SectionId, Vec<Note>>,
    ) -> Self {
        let mut write = Self { sections: Vec::new(), chapters: Vec::new(), summary: None, open: 0, condensed: 0 };
        for chapter in &outline.sections {
            // What no source says anything about is not written.
            if let Some(chapter) = write.lay_out(chapter, None, &[], &outline.sections, &mut notes) {
                write.chapters.push(chapter);
            }
        }
        for section in 0..write.sections.len() {
            if write.sections[section].children.is_empty() {
                let notes = write.sections[section].notes.clone();
                write.write_leaf(context, asked, section, 0, notes);
            }
        }
        if context.job.settings.writing.figures {
            for chapter in write.chapters.clone() {
                write.illustrate(context, asked, chapter);
            }
        }
        write
    }

    /// Numbers a section and what is below it, children after their parent.
    fn lay_out(
        &mut self,
        section: &Section,
        parent: Option<usize>,
        above: &[String],
        beside: &[Section],
        notes: &mut BTreeMap<SectionId, Vec<Note>>,
    ) -> Option<usize> {
        let path: Vec<String> = above.iter().chain([&section.title]).cloned().collect();
        let others = beside.iter().filter(|other| !std::ptr::eq(*other, section)).map(|other| other.title.clone());
        let number = self.sections.len();
        self.sections.push(Writing {
            brief: SectionBrief::of(path.clone(), section, others.collect()),
            parent,
            children: Vec::new(),
            waiting: 0,
            notes: section.origin.and_then(|id| notes.remove(&id)).unwrap_or_default(),
            condensing: Vec::new(),
            missing: 0,
            passage: None,
            figure: None,
        });
        let children: Vec<usize> = section
            .children
            .iter()
            .filter_map(|child| self.lay_out(child, Some(number), &path, &section.children, notes))
            .collect();
        if children.is_empty() && self.sections[number].notes.is_empty() {
            self.sections.truncate(number);
            return None;
        }
        self.sections[number].waiting = children.len();
        self.sections[number].children = children;
        Some(number)
    }

    fn ask(&mut self, context: &Context, asked: &mut Asked, place: Place, work: Work) {
        self.open += 1;
        asked.ask(context, super::Place::Write(place), work);
    }

    /// Asks for a leaf's text, or, where its notes don't fit a prompt, for shorter ones first.
    fn write_leaf(&mut self, context: &Context, asked: &mut Asked, section: usize, level: usize, notes: Vec<Note>) {
        let brief = self.sections[section].brief.clone();
        let batches = batches_of(context, &notes);
        if batches.len() < 2 {
            let words = context.job.settings.writing.words;
            return self.ask(context, asked, Place::Leaf { section }, Work::Write { section: brief, notes, words });
        }
        // What comes back has to fit one prompt the sooner the better, but no reply can be larger than it may be.
        let room = (context.rooms.notes / batches.len() as u32).clamp(200, context.rooms.limits.passage.max(200));
        self.condensed += notes.len();
        self.sections[section].condensing = vec![None; batches.len()];
        self.sections[section].missing = batches.len();
        for (batch, range) in batches.into_iter().enumerate() {
            let notes = notes[range].to_vec();
            self.sections[section].condensing[batch] = Some(notes.clone());
            let work = Work::Condense { section: brief.clone(), notes, room };
            self.ask(context, asked, Place::Condense { section, level, batch }, work);
        }
    }

    fn illustrate(&mut self, context: &Context, asked: &mut Asked, chapter: usize) {
        let mut below = vec![chapter];
        let mut notes = Vec::new();
        while let Some(section) = below.pop() {
            notes.extend_from_slice(&self.sections[section].notes);
            below.extend(self.sections[section].children.iter().rev());
        }
        // A figure shows a choice: as much of the notes as one prompt holds, taken evenly over all of them.
        let parts = batches_of(context, &notes).len().max(1);
        let notes: Vec<Note> = notes.into_iter().step_by(parts).collect();
        if notes.len() < 3 {
            return;
        }
        let work = Work::Illustrate { section: self.sections[chapter].brief.clone(), notes };
        self.ask(context, asked, Place::Figure { chapter }, work);
    }

    /// Takes an outcome. Without a product notes stand as they are, in place of a text made of them; a parent goes
    /// without introduction and a chapter without figure.
    pub(crate) fn accept(&mut self, context: &Context, asked: &mut Asked, place: Place, product: Option<Product>) {
        self.open -= 1;
        match place {
            Place::Condense { section, level, batch } => {
                self.condensed_to(section, batch, product);
                self.sections[section].missing -= 1;
                if self.sections[section].missing == 0 {
                    let notes = self.sections[section].condensing.drain(..).flatten().flatten().collect();
                    self.write_leaf(context, asked, section, level + 1, notes);
                }
            }
            Place::Leaf { section } => {
                let passage = match product {
                    Some(Product::Passage(passage)) => passage,
                    _ => as_they_are(&self.sections[section].notes),
                };
                self.written(context, asked, section, passage);
            }
            Place::Introduction { section } => {
                let passage = if let Some(Product::Passage(passage)) = product { passage } else { Passage::default() };
                self.written(context, asked, section, passage);
            }
            Place::Figure { chapter } => {
                if let Some(Product::Figure(figure)) = product {
                    self.sections[chapter].figure = figure;
                }
            }
            Place::Summary => {
                self.summary =
                    Some(if let Some(Product::Passage(passage)) = product { passage } else { Passage::default() });
            }
        }
    }

    /// A reply that is no shorter than what was to be condensed is none: every second note stays, so that the merging
    /// ends whatever a model says.
    fn condensed_to(&mut self, section: usize, batch: usize, product: Option<Product>) {
        let tokens = |notes: &[Note]| notes.iter().map(|note| note.tokens).sum::<u32>();
        let Some(before) = &mut self.sections[section].condensing[batch] else { return };
        match product {
            Some(Product::Notes(notes)) if !notes.is_empty() && tokens(&notes) < tokens(before) => *before = notes,
            _ => *before = before.iter().step_by(2).cloned().collect(),
        }
    }

    /// A section has its text: with the last of its siblings, their parent can be introduced.
    fn written(&mut self, context: &Context, asked: &mut Asked, section: usize, passage: Passage) {
        self.sections[section].passage = Some(passage);
        let Some(parent) = self.sections[section].parent else {
            if self.chapters.iter().all(|chapter| self.sections[*chapter].passage.is_some()) {
                let children = self.shown(context, &self.chapters);
                let work = Work::Introduce { section: None, children, words: INTRODUCTION_WORDS };
                self.ask(context, asked, Place::Summary, work);
            }
            return;
        };
        self.sections[parent].waiting -= 1;
        if self.sections[parent].waiting == 0 {
            let children = self.shown(context, &self.sections[parent].children);
            let section = Some(self.sections[parent].brief.clone());
            let work = Work::Introduce { section, children, words: INTRODUCTION_WORDS };
            self.ask(context, asked, Place::Introduction { section: parent }, work);
        }
    }

    /// The beginnings of sections, as much of each as lets all of them fit. A chapter shows its introduction and, where
    /// that is short, the beginnings of its children.
    fn shown(&self, context: &Context, sections: &[usize]) -> Vec<Written> {
        let each = (context.rooms.children / sections.len().max(1) as u32).min(300);
        let show = |section: &usize| {
            let writing = &self.sections[*section];
            let own = writing.passage.iter().flat_map(Passage::sentences);
            let below = writing.children.iter().filter_map(|child| self.sections[*child].passage.as_ref());
            let mut tokens = count(writing.brief.title()) + 4;
            let mut sentences = Vec::new();
            for sentence in own.chain(below.filter_map(|passage| passage.sentences().next())) {
                tokens += count(&sentence.text) + HANDLE * sentence.sources.len() as u32;
                if tokens > each && !sentences.is_empty() {
                    break;
                }
                sentences.push(sentence.clone());
            }
            let passage = Passage { paragraphs: vec![Paragraph { sentences }] };
            Written { title: writing.brief.title().to_owned(), passage, tokens }
        };
        sections.iter().map(show).collect()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.open == 0
    }

    /// The article, and the notes behind each section in the article's order.
    pub(crate) fn article(&self, title: &str) -> (Article, Vec<Vec<Note>>) {
        let sections = self.chapters.iter().map(|chapter| self.section(*chapter)).collect();
        let article = Article { title: title.to_owned(), summary: self.summary.clone().unwrap_or_default(), sections };
        (article, self.sections.iter().map(|writing| writing.notes.clone()).collect())
    }

    fn section(&self, number: usize) -> WrittenSection {
        let writing = &self.sections[number];
        WrittenSection {
            title: writing.brief.title().to_owned(),
            passage: writing.passage.clone().unwrap_or_default(),
            figure: writing.figure.clone(),
            children: writing.children.iter().map(|child| self.section(*child)).collect(),
        }
    }
}

fn batches_of(context: &Context, notes: &[Note]) -> Vec<std::ops::Range<usize>> {
    let tokens: Vec<_> = notes.iter().map(|note| note.tokens + HANDLE * note.sources.len() as u32).collect();
    pack(&tokens, context.rooms.notes, MOST_NOTES)
}

/// Each note is a sentence with its sources already.
fn as_they_are(notes: &[Note]) -> Passage {
    let sentence = |note: &Note| Sentence { text: note.text.clone(), sources: note.sources.clone() };
    Passage { paragraphs: vec![Paragraph { sentences: notes.iter().map(sentence).collect() }] }
}
