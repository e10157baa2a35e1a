//! Reduce: from a finished job to the files that its user reads.
//!
//! The article's parts are put together, sources that no section cites are given their say ([`cover`]), what is repeated
//! or cites nothing real is taken out ([`tidy`]), citations are numbered ([`number`]), and the result is rendered
//! ([`markdown`], [`jsonl`]) with a [`report`] of all that went in, came out, and was lost on the way.

use tributary_protocol::{article::Article, job::Job};
use unicode_segmentation::UnicodeSegmentation;

use crate::machine::Finished;

pub mod cover;
pub mod jsonl;
pub mod markdown;
pub mod number;
pub mod output;
pub mod report;
pub mod tidy;

/// An article as it will be read, and what had to be done to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduced {
    pub article: Article,
    pub numbering: number::Numbering,
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

pub fn reduce(job: &Job, finished: &Finished) -> Reduced {
    let mut article = finished.article.clone();
    let mut mended = Mended { sources_added: cover::cover(&mut article, finished), ..Mended::default() };
    tidy::tidy(&mut article, job.sources.len(), &mut mended);
    let numbering = number::Numbering::of(&article);
    let words = words_of(&article);
    Reduced { article, numbering, mended, words }
}

/// Words of the article's prose, headings, figures and references aside. Of Chinese each character counts, as is usual.
fn words_of(article: &Article) -> usize {
    let mut words = 0;
    number::walk(article, &mut |part| {
        if let number::Part::Sentence(sentence) = part {
            words += sentence.text.unicode_words().count();
        }
    });
    words
}
