//! Reduce: from a finished job to the files that its user reads.
//!
//! The article's parts are put together, sources that no section cites are given their say ([`cover`]), what is repeated
//! or cites nothing real is taken out ([`tidy`]), citations are numbered ([`number`]), and the result is rendered
//! ([`markdown`], [`jsonl`]) with a [`report`] of all that went in, came out, and was lost on the way.

use std::time::Instant;

use serde_json::{Map, Value};
use tributary_protocol::{article::Article, bus::Bus, job::Job};
use unicode_segmentation::UnicodeSegmentation;

use self::{
    output::{Files, OutputError},
    report::Report,
};
use crate::{
    ingest::Problem,
    machine::{Finished, Machine},
};

mod cover;
mod jsonl;
mod markdown;
mod number;
pub mod output;
pub mod report;
mod tidy;

/// Makes the files of a finished job. `extra` are fields of the survey's own line, `problems` what was wrong with the input,
/// and the job `began` when this run of it did.
///
/// # Errors
///
/// A job without an article, a file that can't be written, and a text that the bus doesn't have.
pub async fn write(
    bus: &dyn Bus,
    job: &Job,
    machine: &Machine,
    problems: Vec<Problem>,
    extra: &Map<String, Value>,
    files: &Files,
    began: Instant,
) -> Result<Report, OutputError> {
    let finished = machine.finished().ok_or(OutputError::Unfinished)?;
    let reduced = reduce(job, finished);
    let report = Report::new(job, machine, finished, &reduced, problems, began.elapsed());
    output::write(bus, job, &reduced, &report, extra, files).await?;
    Ok(report)
}

/// An article as it will be read, and what had to be done to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reduced {
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

fn reduce(job: &Job, finished: &Finished) -> Reduced {
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
