//! An article in its final form.

use tributary_protocol::survey::article::Article;

use super::number::Numbering;

/// An article in its final form, and the changes of the reduction.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    pub article: Article,
    pub numbering: Numbering,
    pub mended: Mended,
    pub words: usize,
}

/// Changes of the reduction, for the report.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Mended {
    /// Sources that no section had cited, each added by its strongest note.
    pub sources_added: Vec<String>,
    /// Sentences that were removed since the article had them already. The first occurrence got their sources.
    pub repeated_sentences_removed: u64,
    /// Citations of sources that the job doesn't have.
    pub unknown_citations_removed: u64,
}
