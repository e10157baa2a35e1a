//! The artifacts of an answer: Markdown for people, JSON for programs, and the report.

use serde::Serialize;
use tributary_protocol::{
    answer::finding::{Answer, Quote},
    bus::Bus,
    job::Job,
    source::Card,
    wire,
};

use super::{
    context::AnswerContext,
    markdown,
    placed::{PlacedAnswer, PlacedObjection, PlacedQuote},
    report::AnswerReport,
};
use crate::artifact::{ArtifactError, ArtifactName, ArtifactSink};

/// Writes all three artifacts to the sink.
///
/// # Errors
///
/// A card that is missing from the bus, and the errors of the sink.
pub(super) async fn write(
    context: &AnswerContext,
    bus: &dyn Bus,
    answer: &Answer,
    report: &AnswerReport,
    sink: &mut dyn ArtifactSink,
) -> Result<(), ArtifactError> {
    let job = &context.job;
    let mut against = Vec::new();
    for objection in &answer.against {
        against.push(PlacedObjection { text: &objection.text, quotes: placed(job, bus, &objection.quotes).await? });
    }
    let placed = PlacedAnswer {
        question: &context.brief.question,
        answered: report.answered,
        answer: &answer.text,
        confidence: answer.confidence.mark(),
        quotes: placed(job, bus, &answer.quotes).await?,
        against,
        chunks: report.found.chunks,
        silent_chunks: report.found.silent_chunks,
        sources: job.sources.len(),
    };
    write_one(sink, "*.answer.md", &markdown::page(&placed, job.settings.language)).await?;
    write_one(sink, "*.answer.json", &json(&placed)).await?;
    write_one(sink, "*.report.json", &json(report)).await
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("answers and reports are JSON")
}

async fn write_one(sink: &mut dyn ArtifactSink, name: &str, text: &str) -> Result<(), ArtifactError> {
    sink.begin(&ArtifactName::new(name)).await?;
    sink.write(text.as_bytes()).await?;
    sink.write(b"\n").await?;
    sink.end().await
}

/// Finds the places of quotes. The address of a source comes from its card.
async fn placed<'a>(job: &'a Job, bus: &dyn Bus, quotes: &'a [Quote]) -> Result<Vec<PlacedQuote<'a>>, ArtifactError> {
    let mut placed = Vec::new();
    for quote in quotes {
        let source = job.source(quote.source);
        let card: Card =
            wire::decode(&bus.get(job.id, source.card).await?).map_err(tributary_protocol::bus::BusError::from)?;
        let start = source.chunks.get(quote.chunk as usize).map_or(0, |chunk| chunk.start);
        let bytes = (start + u64::from(quote.bytes.0), start + u64::from(quote.bytes.1));
        placed.push(PlacedQuote {
            text: &quote.text,
            source: quote.source.to_string(),
            title: &source.title,
            url: card.url,
            heading: quote.heading.as_deref(),
            page: source.page_of(bytes.0),
            bytes,
        });
    }
    Ok(placed)
}
