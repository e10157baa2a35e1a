//! Digests: statements of sources, by section of an outline.

use std::{ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

use super::outline::SectionId;
use crate::{
    budget,
    source::{SourceId, TitledSource},
};

/// A statement made by its sources. Clones share the text: a job holds several notes of every source from its digest to
/// the article, in many places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Note(Arc<Statement>);

/// The content of a [`Note`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    pub text: String,
    /// The sources of the statement, ascending, never empty.
    pub sources: Vec<SourceId>,
    /// Tokens of the note in a prompt, handles included.
    pub tokens: u32,
}

impl Note {
    /// Makes a note and counts its tokens.
    ///
    /// # Panics
    ///
    /// Panics if no source is named: a statement without a source is not a note.
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

/// The notes of a source (or of a chunk), and a suggestion for the outline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The notes in the source's order; every note names just this source.
    pub notes: Vec<(SectionId, Note)>,
    /// A suggestion to improve the outline from this source's view; may be empty.
    pub suggestion: String,
    /// Tokens of the whole digest in a prompt.
    pub tokens: u32,
}

impl Digest {
    /// Makes a digest and counts its tokens.
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
    /// Returns the tokens of the digest in a prompt.
    pub fn tokens(&self) -> u32 {
        12 + self.source.tokens + self.digest.tokens
    }
}
