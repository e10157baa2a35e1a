//! The output of ingestion: documents, surveys, and errors that stop the reading.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Map, Value};

use super::problem::{Origin, Problem};

/// A cleaned document, before counting, splitting and storing.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The title: never empty, and unique within the survey.
    pub title: String,
    /// The abstract as given. See [`lead`] for a document without an abstract.
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

/// A survey's own data, known once all its documents have been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub title: String,
    /// Fields of the survey's line other than title and papers, kept as they were.
    pub extra: Map<String, Value>,
    pub origin: Origin,
}

/// Takes documents, surveys and problems, in order. Any error ends the reading.
///
/// Surveys are numbered from 0 in the order of their first documents. A survey is announced after its documents, since
/// its title may come later in the file. Two surveys may be open at a time: the survey of a JSONL line, and the survey
/// made of files, folders and loose lines.
pub trait Sink {
    /// Takes a document of survey number `survey`.
    fn document(&mut self, survey: usize, document: Document) -> Result<(), BoxError>;
    /// Takes survey number `number`, after its last document. Every survey has at least one document.
    fn survey(&mut self, number: usize, survey: Survey) -> Result<(), BoxError>;
    /// Takes a problem: input that was dropped or changed, or looks wrong.
    fn problem(&mut self, problem: Problem) -> Result<(), BoxError>;
}

/// Any error, as a [`Sink`] returns it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Totals of a reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub surveys: usize,
    pub documents: usize,
    pub problems: usize,
}

/// Why reading had to stop. Lesser faults are [`Problem`]s.
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
    /// A source outside of any survey, without a title for a survey of its own.
    #[error("{origin}: an article is to be made of this, and needs a title: pass --title \"...\"")]
    NoTitle { origin: Origin },
    #[error("no source with any text in {}; {problems} problem(s) reported", list(inputs))]
    Empty { inputs: Vec<PathBuf>, problems: usize },
    #[error("failed to prepare a document")]
    Sink(#[source] BoxError),
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "an empty list of inputs".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
