//! An article as it will be read.

use tributary_protocol::survey::article::Article;

use super::number::Numbering;

/// An article as it will be read, and what had to be done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    pub article: Article,
    pub numbering: Numbering,
    pub mended: Mended,
    pub words: usize,
}

/// What reduction changed, for the report.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Mended {
    /// Sources that no section had cited, and whose strongest note was added to the section that it belongs to.
    pub sources_added: Vec<String>,
    /// Sentences that stood in the article before and were taken out, their sources going to the first.
    pub repeated_sentences_removed: u64,
    /// Citations of sources that the job doesn't have.
    pub unknown_citations_removed: u64,
}
