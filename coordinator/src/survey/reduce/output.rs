//! The artifacts of a survey: the article as Markdown, the same as JSONL, and the report.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tributary_protocol::{
    bus::{Bus, BusError},
    job::Job,
    source::{Card, SourceId},
    wire,
};

use super::{
    jsonl::{Head, Line},
    markdown::{self, Reference},
    reduced::Reduced,
    report::Report,
};
use crate::artifact::{ArtifactError, ArtifactName, ArtifactSink};

/// Writes all three artifacts to the sink.
///
/// # Errors
///
/// A card that is missing from the bus, and the errors of the sink.
pub(super) async fn write(
    bus: &dyn Bus,
    job: &Job,
    reduced: &Reduced,
    report: &Report,
    extra: &Map<String, Value>,
    sink: &mut dyn ArtifactSink,
) -> Result<(), ArtifactError> {
    let mut cited = HashMap::new();
    let mut references = Vec::new();
    for (i, id) in reduced.numbering.cited().iter().enumerate() {
        cited.insert(*id, i + 1);
        references.push(card(bus, job, *id).await?);
    }
    let language = job.settings.language;
    let shown = references.iter().map(|card| Reference { title: &card.title, url: card.url.as_deref() });
    let ref_str = markdown::references(shown, language);
    let content = markdown::content(&reduced.article, &reduced.numbering, language);
    let outline = markdown::outline(&reduced.article);

    sink.begin(&ArtifactName::new("md/*.md")).await?;
    sink.write(format!("{content}\n\n{ref_str}\n").as_bytes()).await?;
    sink.end().await?;

    sink.begin(&ArtifactName::new("*.jsonl")).await?;
    let head = Head {
        title: job.title(),
        outline: &outline,
        content: &content,
        ref_str: &ref_str,
        cite_ratio: report.sources.coverage,
        extra,
    };
    let mut line = Line::begin(sink, &head).await?;
    // The n-th paper is reference n: cited papers first, by number.
    let rest = job.sources.iter().map(|source| source.id).filter(|id| !cited.contains_key(id));
    for id in reduced.numbering.cited().iter().copied().chain(rest) {
        let card = card(bus, job, id).await?;
        let texts: Vec<_> = job.source(id).chunks.iter().map(|chunk| chunk.text).collect();
        line.paper(&card, &texts, cited.get(&id).copied()).await?;
    }
    line.end().await?;
    sink.end().await?;

    sink.begin(&ArtifactName::new("*.report.json")).await?;
    let report = serde_json::to_string_pretty(report).expect("a report is JSON");
    sink.write(format!("{report}\n").as_bytes()).await?;
    sink.end().await
}

async fn card(bus: &dyn Bus, job: &Job, id: SourceId) -> Result<Card, BusError> {
    Ok(wire::decode(&bus.get(job.id, job.source(id).card).await?)?)
}
