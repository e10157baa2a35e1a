//! What ingestion hands out: documents, surveys, and why it had to stop.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::{Origin, Problem};

/// One document, cleaned, before it is counted, split and stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Never empty, and unlike every other title of its survey.
    pub title: String,
    /// The abstract as given. See [`lead`] for a document without one.
    pub abstract_text: Option<String>,
    /// The full text, never empty: LF line ends, no NUL, no reference list.
    pub text: String,
    /// The byte of the text that each page begins at, from the second page on; empty for a document without pages.
    pub pages: Vec<usize>,
    pub url: Option<String>,
    /// Fields that have no meaning here, kept as they were.
    pub extra: Map<String, Value>,
    pub origin: Origin,
}

/// What is known of a survey once all its documents have been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub title: String,
    /// Fields of the survey's line other than its title and papers, kept as they were.
    pub extra: Map<String, Value>,
    pub origin: Origin,
}

/// Takes what is read, in order. An error that it returns ends the reading.
///
/// Surveys are numbered from 0 in the order of their first documents. A survey is announced after its documents, since
/// its title may stand behind them in the file, and two surveys may be open at a time: the one in a JSONL line and the
/// one that files, folders and loose lines make together.
pub trait Sink {
    /// One more document of survey number `survey`.
    fn document(&mut self, survey: usize, document: Document) -> Result<(), BoxError>;
    /// Survey number `number` has had its last document, and at least one.
    fn survey(&mut self, number: usize, survey: Survey) -> Result<(), BoxError>;
    /// Something was dropped or changed, or looks wrong.
    fn problem(&mut self, problem: Problem) -> Result<(), BoxError>;
}

/// Any error, as a [`Sink`] returns it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How much was handed out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub surveys: usize,
    pub documents: usize,
    pub problems: usize,
}

/// Why reading had to stop. Anything less is a [`Problem`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("{}: no such file or folder", path.display())]
    NotFound { path: PathBuf },
    #[error("{}: cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// A source that belongs to no survey, and no title for one.
    #[error("{origin}: an article is to be made of this, and needs a title: pass --title \"...\"")]
    NoTitle { origin: Origin },
    #[error("no source with any text in {}; {problems} problem(s) reported", list(inputs))]
    Empty { inputs: Vec<PathBuf>, problems: usize },
    #[error("a document that was read could not be taken on")]
    Sink(#[source] BoxError),
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "an empty list of inputs".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
