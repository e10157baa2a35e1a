//! Reduce: turns a finished job into the user's files.
//!
//! The article's parts are put together. Sources that no section cites are added ([`cover`]), repetitions and citations
//! of nothing are removed ([`tidy`]), citations are numbered ([`number`]), and the result is rendered ([`markdown`],
//! [`jsonl`]) with a [`report`] of all input, output and losses.

use tributary_protocol::bus::Bus;

pub(super) use self::report::FinishedRun;
use self::{
    reduced::{Mended, Reduced},
    report::Report,
    words::words_of,
};
use super::{context::SurveyContext, finished::FinishedSurvey};
use crate::artifact::{ArtifactError, ArtifactSink, ResultSummary};

mod cover;
mod jsonl;
mod markdown;
mod number;
mod output;
mod reduced;
mod report;
mod tidy;
mod words;

/// Writes the article, the JSONL and the report of a finished survey to a sink.
///
/// # Errors
///
/// A card that is missing from the bus, and the errors of the sink.
pub(super) async fn make_result(
    context: &SurveyContext,
    finished: &FinishedSurvey,
    run: FinishedRun<'_>,
    bus: &dyn Bus,
    sink: &mut dyn ArtifactSink,
) -> Result<ResultSummary, ArtifactError> {
    let reduced = reduce(context.job.sources.len(), finished);
    let extra = run.input.extra.clone();
    let report = Report::new(context, finished, &reduced, run);
    output::write(bus, &context.job, &reduced, &report, &extra, sink).await?;
    Ok(report.summary())
}

fn reduce(sources: usize, finished: &FinishedSurvey) -> Reduced {
    let mut article = finished.article.clone();
    let mut mended = Mended { sources_added: cover::cover(&mut article, finished), ..Mended::default() };
    tidy::tidy(&mut article, sources, &mut mended);
    let numbering = number::Numbering::of(&article);
    let words = words_of(&article);
    Reduced { article, numbering, mended, words }
}
