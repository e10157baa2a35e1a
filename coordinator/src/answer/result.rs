//! The artifacts of an answer: Markdown for people, JSON for programs, and the report.

use serde::Serialize;
use tributary_protocol::{
    answer::finding::{Answer, Quote},
    bus::Bus,
    job::Job,
    source::Card,
    wire,
};

use super::{context::AnswerContext, markdown, report::AnswerReport};
use crate::artifact::{ArtifactError, ArtifactName, ArtifactSink};

/// The answer with its quotes' places, in the shape of the JSON artifact.
#[derive(Serialize)]
pub(super) struct PlacedAnswer<'a> {
    pub question: &'a str,
    pub answered: bool,
    pub answer: &'a str,
    /// The confidence, from 0 to 5.
    pub confidence: f64,
    pub quotes: Vec<PlacedQuote<'a>>,
    pub against: Vec<PlacedObjection<'a>>,
    /// Chunks of the corpus that were read.
    pub chunks: u64,
    /// Chunks read that had nothing to say to the question.
    pub silent_chunks: u64,
    pub sources: usize,
}

#[derive(Serialize)]
pub(super) struct PlacedObjection<'a> {
    pub text: &'a str,
    pub quotes: Vec<PlacedQuote<'a>>,
}

/// A quote with its place.
#[derive(Serialize)]
pub(super) struct PlacedQuote<'a> {
    pub text: &'a str,
    /// The source's handle, `S3`.
    pub source: String,
    pub title: &'a str,
    pub url: Option<String>,
    pub heading: Option<&'a str>,
    /// The page of a source that has pages, from 1.
    pub page: Option<u32>,
    /// The bytes of the quote in the source's text, from the first to the byte after the last.
    pub bytes: (u64, u64),
}

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
