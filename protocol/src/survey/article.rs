//! The article: sentences that carry their sources.
//!
//! A citation is never text here. It is a source's id beside the sentence that needs it, so that a wrong one can't hide
//! in prose; numbers and brackets appear when the article is rendered.

use serde::{Deserialize, Serialize};

use crate::source::SourceId;

/// A sentence and the sources that it rests on (none where it only leads the reader on).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sentence {
    pub text: String,
    pub sources: Vec<SourceId>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paragraph {
    pub sentences: Vec<Sentence>,
}

/// The prose of one section, without its children's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Passage {
    pub paragraphs: Vec<Paragraph>,
}

impl Passage {
    pub fn sentences(&self) -> impl Iterator<Item = &Sentence> {
        self.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences)
    }
}

/// What carries more than prose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    Table { caption: String, header: Vec<String>, rows: Vec<Row> },
    Diagram { caption: String, nodes: Vec<String>, edges: Vec<Edge>, sources: Vec<SourceId> },
}

/// A row has as many cells as its table's header.
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
    /// What stands before the first chapter.
    pub summary: Passage,
    pub sections: Vec<WrittenSection>,
}
