//! Digests: what sources say, by section of an outline.

use std::{ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

use super::outline::SectionId;
use crate::{
    budget,
    source::{SourceId, TitledSource},
};

/// A statement that its sources make. Clones share it: a job holds several notes of every source from its digest to the
/// article, in many places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Note(Arc<Statement>);

/// What a [`Note`] says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    pub text: String,
    /// The sources that say it, ascending, never empty.
    pub sources: Vec<SourceId>,
    /// Tokens of the note as it is shown to a model, handles included.
    pub tokens: u32,
}

impl Note {
    /// A note with its tokens counted.
    ///
    /// # Panics
    /// Where no source is named: a statement without a source is not a note.
    pub fn new(text: impl Into<String>, mut sources: Vec<SourceId>) -> Self {
        assert!(!sources.is_empty(), "a note names its sources");
        sources.sort_unstable();
        sources.dedup();
        let text = text.into();
        let tokens = budget::count(&text) + 3 + 3 * sources.len() as u32;
        Self(Arc::new(Statement { text, sources, tokens }))
    }
}

impl Deref for Note {
    type Target = Statement;

    fn deref(&self) -> &Statement {
        &self.0
    }
}

/// What one source (or one chunk of it) contributes, and how it would better the outline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// In the source's order; every note names just this source.
    pub notes: Vec<(SectionId, Note)>,
    /// One suggestion to improve the outline from this source's view; empty where it has none.
    pub suggestion: String,
    /// Tokens of all of it as it is shown to a model.
    pub tokens: u32,
}

impl Digest {
    /// A digest with its tokens counted.
    pub fn new(notes: Vec<(SectionId, Note)>, suggestion: String) -> Self {
        let tokens = notes.iter().map(|(_, note)| note.tokens + 4).sum::<u32>() + budget::count(&suggestion);
        Self { notes, suggestion, tokens }
    }
}

/// A source's digest with the source's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceDigest {
    pub source: TitledSource,
    pub digest: Digest,
}

impl SourceDigest {
    /// Tokens of the digest as it is shown to a model.
    pub fn tokens(&self) -> u32 {
        12 + self.source.tokens + self.digest.tokens
    }
}
