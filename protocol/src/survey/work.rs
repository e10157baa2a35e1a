//! The survey's tasks: what each asks, and what comes of it.

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

/// What a survey's task asks. One kernel serves each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumDiscriminants)]
#[strum_discriminants(
    name(SurveyKind),
    doc = "A kind of task of the survey.",
    derive(PartialOrd, Ord, Hash, EnumIter, IntoStaticStr),
    strum(serialize_all = "kebab-case")
)]
pub enum SurveyWork {
    /// Put sources that belong together into groups of `size`. Gives [`SurveyProduct::Groups`].
    Group { sources: Vec<TitledSource>, size: u32 },
    /// Outline an article from the leads of a few sources. Gives [`SurveyProduct::Outline`].
    Outline { sources: Vec<CardRef> },
    /// Make one outline of several. Gives [`SurveyProduct::Outline`].
    MergeOutlines { outlines: Vec<SharedOutline> },
    /// Read (a chunk of) a source against the outline. Gives [`SurveyProduct::Digest`].
    Digest {
        source: TitledSource,
        text: BlobId,
        /// This chunk's number, from 1, and how many there are.
        part: (u32, u32),
        outline: SharedOutline,
        /// The leaves that are asked for; all of them where it is empty.
        only: Vec<SectionId>,
    },
    /// Make one suggestion, and the outline that it leads to, of a group's digests. Gives [`SurveyProduct::Candidate`].
    Feedback { outline: SharedOutline, digests: Vec<SourceDigest> },
    /// Judge an outline. Gives [`SurveyProduct::Score`].
    Score { outline: SharedOutline },
    /// Merge the candidates of a receptive field into one. Gives [`SurveyProduct::Candidate`].
    Convolve { members: Vec<Arc<Candidate>> },
    /// Criticise an outline, then mend it. `attempt` tells tries of one round apart. Gives [`SurveyProduct::Candidate`].
    Refine { outline: SharedOutline, round: u32, attempt: u32 },
    /// Say in at most `room` tokens of notes what these notes say. Gives [`SurveyProduct::Notes`].
    Condense { section: SectionBrief, notes: Vec<Note>, room: u32 },
    /// Write a section that has no children. Gives [`SurveyProduct::Passage`].
    Write { section: SectionBrief, notes: Vec<Note>, words: u32 },
    /// Write what stands before a section's children, or before the whole article where `section` is none.
    /// Gives [`SurveyProduct::Passage`].
    Introduce { section: Option<SectionBrief>, children: Vec<WrittenPart>, words: u32 },
    /// Make a table or a diagram for a chapter, where one carries more than prose. Gives [`SurveyProduct::Figure`].
    Illustrate { section: SectionBrief, notes: Vec<Note> },
}

impl SurveyWork {
    /// Hashes everything that is asked. An outline is hashed by its name: it is large, and many tasks share it.
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

    /// The blobs that the work refers to, in the order in which its kernel is given their bytes.
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

/// A section as its writer needs it: its place in the outline, its description, and the titles of its neighbours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionBrief {
    /// Titles from the chapter down to the section itself.
    pub path: Vec<String>,
    pub extract: String,
    pub analyse: String,
    /// Titles of the other sections beside it, so that it doesn't say what they will.
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

/// A written section as its parent's writer sees it: its title and enough of its text to introduce it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrittenPart {
    pub title: String,
    /// Sentences with the sources they rest on.
    pub passage: Passage,
    pub tokens: u32,
}

/// What a survey's task makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SurveyProduct {
    Groups(Vec<Vec<SourceId>>),
    Outline(SharedOutline),
    Digest(Digest),
    Candidate(Candidate),
    Score(OutlineScore),
    Notes(Vec<Note>),
    Passage(Passage),
    /// None where prose says it better.
    Figure(Option<Figure>),
}
