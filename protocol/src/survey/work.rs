//! The survey's tasks: their work, and their products.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use strum::{EnumDiscriminants, EnumIter, IntoStaticStr};

use super::{
    article::{Figure, Passage},
    digest::{Digest, Note, SourceDigest},
    outline::{Section, SectionId, SharedOutline},
    suggestion::{Candidate, OutlineScore},
};
use crate::{
    id::{BlobId, Hasher},
    source::{CardRef, SourceId, TitledSource},
    wire,
};

/// The work of a survey's task. Each kind has its own kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(SurveyKind),
    doc = "A kind of task of the survey.",
    derive(PartialOrd, Ord, Hash, EnumIter, IntoStaticStr),
    strum(serialize_all = "kebab-case")
)]
pub enum SurveyWork {
    /// Put related sources into groups of `size`. Gives [`SurveyProduct::Groups`].
    Group { sources: Vec<TitledSource>, size: u32 },
    /// Outline an article from the leads of a few sources. Gives [`SurveyProduct::Outline`].
    Outline { sources: Vec<CardRef> },
    /// Merge several outlines. Gives [`SurveyProduct::Outline`].
    MergeOutlines { outlines: Vec<SharedOutline> },
    /// Read (a chunk of) a source against the outline. Gives [`SurveyProduct::Digest`].
    Digest {
        source: TitledSource,
        text: BlobId,
        /// This chunk's number, from 1, and the number of chunks.
        part: (u32, u32),
        outline: SharedOutline,
        /// The leaves to digest for; all leaves if empty.
        only: Vec<SectionId>,
    },
    /// Make a suggestion of a group's digests, and improve the outline by it. Gives [`SurveyProduct::Candidate`].
    Feedback { outline: SharedOutline, digests: Vec<SourceDigest> },
    /// Judge an outline. Gives [`SurveyProduct::Score`].
    Score { outline: SharedOutline },
    /// Merge the candidates of a receptive field into one. Gives [`SurveyProduct::Candidate`].
    Convolve { members: Vec<Arc<Candidate>> },
    /// Criticise an outline, then mend it. `attempt` tells attempts of a round apart. Gives
    /// [`SurveyProduct::Candidate`].
    Refine { outline: SharedOutline, round: u32, attempt: u32 },
    /// Condense notes to at most `room` tokens. Gives [`SurveyProduct::Notes`].
    Condense { section: SectionBrief, notes: Vec<Note>, room: u32 },
    /// Write a section without children. Gives [`SurveyProduct::Passage`].
    Write { section: SectionBrief, notes: Vec<Note>, words: u32 },
    /// Write the text before a section's children, or before the whole article if `section` is none. Gives
    /// [`SurveyProduct::Passage`].
    Introduce { section: Option<SectionBrief>, children: Vec<WrittenPart>, words: u32 },
    /// Make a table or a diagram for a chapter, if prose conveys less. Gives [`SurveyProduct::Figure`].
    Illustrate { section: SectionBrief, notes: Vec<Note> },
}

impl SurveyWork {
    /// Hashes the whole work. An outline is hashed by its id: outlines are large, and many tasks share them.
    pub(crate) fn hash(&self, hasher: &mut Hasher) {
        let kind: &str = SurveyKind::from(self).into();
        let rest = match self {
            Self::MergeOutlines { outlines } => {
                wire::fields(&outlines.iter().map(SharedOutline::id).collect::<Vec<_>>())
            }
            Self::Digest { source, text, part, outline, only } => {
                wire::fields(&(source, text, part, outline.id(), only))
            }
            Self::Feedback { outline, digests } => wire::fields(&(outline.id(), digests)),
            Self::Score { outline } => wire::fields(&outline.id()),
            Self::Convolve { members } => {
                let members = members.iter().map(|member| (member.outline.id(), &member.suggestion, member.tokens));
                wire::fields(&members.collect::<Vec<_>>())
            }
            Self::Refine { outline, round, attempt } => wire::fields(&(outline.id(), round, attempt)),
            Self::Group { .. }
            | Self::Outline { .. }
            | Self::Condense { .. }
            | Self::Write { .. }
            | Self::Introduce { .. }
            | Self::Illustrate { .. } => wire::fields(self),
        };
        hasher.part(kind.as_bytes()).part(&rest);
    }

    /// Returns the blobs of the work, in the order in which its kernel gets their bytes.
    pub fn blobs(&self) -> Vec<BlobId> {
        match self {
            Self::Outline { sources } => sources.iter().map(|source| source.card).collect(),
            Self::Digest { text, .. } => vec![*text],
            Self::Group { .. }
            | Self::MergeOutlines { .. }
            | Self::Feedback { .. }
            | Self::Score { .. }
            | Self::Convolve { .. }
            | Self::Refine { .. }
            | Self::Condense { .. }
            | Self::Write { .. }
            | Self::Introduce { .. }
            | Self::Illustrate { .. } => Vec::new(),
        }
    }
}

/// A section for its writer: its path in the outline, its description, and the titles of its siblings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionBrief {
    /// Titles from the chapter down to the section itself.
    pub path: Vec<String>,
    pub extract: String,
    pub analyse: String,
    /// Titles of the sibling sections, to avoid repeating their content.
    pub beside: Vec<String>,
}

impl SectionBrief {
    pub fn of(path: Vec<String>, section: &Section, beside: Vec<String>) -> Self {
        Self { path, extract: section.extract.clone(), analyse: section.analyse.clone(), beside }
    }

    pub fn title(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// A written section for its parent's writer: its title and enough of its text to introduce it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrittenPart {
    pub title: String,
    /// Sentences with their sources.
    pub passage: Passage,
    pub tokens: u32,
}

/// The product of a survey's task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SurveyProduct {
    Groups(Vec<Vec<SourceId>>),
    Outline(SharedOutline),
    Digest(Digest),
    Candidate(Candidate),
    Score(OutlineScore),
    Notes(Vec<Note>),
    Passage(Passage),
    /// None if prose conveys more.
    Figure(Option<Figure>),
}
