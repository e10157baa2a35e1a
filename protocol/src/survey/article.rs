//! The article: sentences with their sources.
//!
//! A citation is never text here: a sentence lists its sources' ids, so a wrong citation can't hide in prose. Numbers
//! and brackets appear when the article is rendered.

use serde::{Deserialize, Serialize};

use crate::source::SourceId;

/// A sentence and its sources (none for a mere transition).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    pub text: String,
    pub sources: Vec<SourceId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paragraph {
    pub sentences: Vec<Sentence>,
}

/// The prose of a section, without its children's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    pub paragraphs: Vec<Paragraph>,
}

impl Passage {
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        self.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences)
    }
}

/// A table or a diagram, for content that prose conveys less well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    Table { caption: String, header: Vec<String>, rows: Vec<Row> },
    Diagram { caption: String, nodes: Vec<String>, edges: Vec<Edge>, sources: Vec<SourceId> },
}

/// A row of a table, with as many cells as the table's header.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub cells: Vec<String>,
    pub sources: Vec<SourceId>,
}

/// An arrow between two nodes of a diagram, by their places in its list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub label: String,
}

/// A written section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrittenSection {
    pub title: String,
    pub passage: Passage,
    pub figure: Option<Figure>,
    pub children: Vec<WrittenSection>,
}

/// The whole article before its citations are numbered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Article {
    pub title: String,
    /// The text before the first chapter.
    pub summary: Passage,
    pub sections: Vec<WrittenSection>,
}
