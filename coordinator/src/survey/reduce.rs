//! Reduce: from a finished job to the files that its user reads.
//!
//! The article's parts are put together, sources that no section cites are given their say ([`cover`]), what is repeated
//! or cites nothing real is taken out ([`tidy`]), citations are numbered ([`number`]), and the result is rendered
//! ([`markdown`], [`jsonl`]) with a [`report`] of all that went in, came out, and was lost on the way.

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

/// Gives the article, the JSONL and the report of a finished survey to a sink.
///
/// # Errors
///
/// A card that the bus doesn't have, and the sink's.
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
