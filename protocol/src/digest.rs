//! Digests: what sources say, by section of an outline.

use serde::{Deserialize, Serialize};

use crate::{budget, outline::SectionId, source::SourceId};

/// A statement that its sources make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Note {
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
        Self { text, sources, tokens }
    }
}

/// What one source (or one chunk of it) contributes, and how it would better the outline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// In the source's order; every note names just this source.
    pub notes: Vec<(SectionId, Note)>,
    /// One suggestion to improve the outline from this source's view; empty where it has none.
    pub suggestion: String,
}
