//! Sources: the documents of a corpus.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::BlobId;

/// A source's number in its job, from 1. Models read and write the number as a short handle, `S17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub u32);

impl SourceId {
    /// Returns the source's place in its job's list, from 0.
    pub fn index(self) -> usize {
        self.0 as usize - 1
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S{}", self.0)
    }
}

impl FromStr for SourceId {
    type Err = ();

    /// Reads a handle as models write it: `S17`, `s17`, `[S17]`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.trim().trim_start_matches('[').trim_end_matches(']');
        let digits = text.strip_prefix(['S', 's']).ok_or(())?;
        match digits.parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(()),
        }
    }
}

/// The coordinator's record of a source in memory: places and sizes, no text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub id: SourceId,
    pub title: String,
    pub title_tokens: u32,
    /// A [`Card`], stored.
    pub card: BlobId,
    /// Tokens of the card's title and lead.
    pub card_tokens: u32,
    /// The full text, in order: a single chunk if it fits a prompt, else split at its own headings and paragraphs.
    pub chunks: Vec<Chunk>,
    /// The byte of the full text at the start of each page, from the second page on; empty for a source without pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<u64>,
    /// The heading in force at each chunk's start, empty for none. The whole list is empty if no chunk starts under a
    /// heading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunk_headings: Vec<String>,
}

impl Source {
    /// Returns the number of the page with a byte of the full text, from 1; none for a source without pages.
    pub fn page_of(&self, byte: u64) -> Option<u32> {
        let page = self.pages.partition_point(|start| *start <= byte) + 1;
        (!self.pages.is_empty()).then_some(page as u32)
    }

    /// Returns the heading in force at a chunk's start.
    pub fn heading_of(&self, chunk: usize) -> Option<&str> {
        self.chunk_headings.get(chunk).map(String::as_str).filter(|heading| !heading.is_empty())
    }
}

/// A part of a source's text that fits a prompt, stored as UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    pub text: BlobId,
    pub tokens: u32,
    /// The byte of the full text at the chunk's start.
    #[serde(default)]
    pub start: u64,
}

/// A source without its text: the input of stages before the digest, and the data of the reference list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub title: String,
    /// The abstract, or the first paragraphs of a source without an abstract.
    pub lead: String,
    pub url: Option<String>,
    /// Fields of the input without meaning here, kept for the output.
    pub extra: Map<String, Value>,
}

/// A source by handle and title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TitledSource {
    pub id: SourceId,
    pub title: String,
    /// Tokens of the title.
    pub tokens: u32,
}

impl From<&Source> for TitledSource {
    fn from(source: &Source) -> Self {
        Self { id: source.id, title: source.title.clone(), tokens: source.title_tokens }
    }
}

/// A source by handle and stored card.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CardRef {
    pub id: SourceId,
    pub card: BlobId,
}
