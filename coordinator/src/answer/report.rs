//! The report of an answer: what was read, what was found and left out, and the cost.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;
use serde_json::{Map, Value};
use tributary_protocol::{
    answer::{
        AnswerSettings,
        finding::{Answer, Confidence},
    },
    settings::JobSettings,
};

use super::context::AnswerContext;
use crate::{
    artifact::ResultSummary,
    cost::{self, Cost},
    ingest::{Problem, Severity},
    prepare::InputNotes,
    tasks::{Flaw, JobLedger},
};

/// The report of an answer.
#[derive(Clone, Debug, Serialize)]
pub struct AnswerReport {
    pub question: String,
    pub job: String,
    pub seed: u64,
    pub settings: ReportedAnswerSettings,
    /// Settings that a newer build sent and this one didn't know: they had no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_settings: Vec<String>,
    pub answered: bool,
    pub confidence: f64,
    /// Sources that were read, and sources that the answer quotes.
    pub sources: u64,
    pub sources_quoted: u64,
    pub found: FindingCounts,
    /// Of this run alone, in seconds; calls that an earlier run paid for cost no time here.
    #[serde(rename = "wall_seconds", serialize_with = "cost::in_seconds")]
    pub wall: Duration,
    pub total: Cost,
    /// By stage.
    pub stages: Map<String, Value>,
    /// Units that a fallback had to make, and units that nothing came of.
    pub degraded: Vec<Flaw>,
    /// Pieces of the input that were dropped or changed.
    pub input_problems: Vec<Problem>,
}

/// All settings that the answer depends on, as the settings file has them.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedAnswerSettings {
    #[serde(flatten)]
    pub job: JobSettings,
    pub answer: AnswerSettings,
}

/// What became of chunks and findings, in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Chunks of sources that were read.
    pub chunks: u64,
    /// Of these, chunks that had nothing to say to the question.
    pub silent_chunks: u64,
    pub findings: u64,
    /// Findings that no prompt had room for in the end: the least sure ones.
    pub dropped_findings: u64,
}

impl AnswerReport {
    pub(super) fn new(
        context: &AnswerContext,
        ledger: &JobLedger,
        answer: &Answer,
        found: FindingCounts,
        degraded: Vec<Flaw>,
        input: InputNotes,
        wall: Duration,
    ) -> Self {
        let job = &context.job;
        let quoted: BTreeSet<_> = answer.quotes.iter().map(|quote| quote.source).collect();
        Self {
            question: context.brief.question.clone(),
            job: job.id.to_string(),
            seed: job.seed,
            settings: ReportedAnswerSettings { job: JobSettings::clone(&job.settings), answer: context.settings },
            unknown_settings: job.unknown_settings(),
            answered: !answer.text.is_empty(),
            confidence: answer.confidence.mark(),
            sources: job.sources.len() as u64,
            sources_quoted: quoted.len() as u64,
            found,
            wall,
            total: Cost::of_all(ledger.progress()),
            stages: Cost::by_stage(ledger.progress()),
            degraded,
            input_problems: input.problems,
        }
    }

    /// The job in a few figures.
    pub fn summary(&self) -> ResultSummary {
        let dropped = self.input_problems.iter().filter(|problem| problem.severity == Severity::Dropped).count();
        let figures = [
            ("answered", u64::from(self.answered)),
            ("confidence_tenths", Confidence::of(self.confidence).tenths()),
            ("sources_quoted", self.sources_quoted),
            ("sources", self.sources),
        ];
        ResultSummary {
            figures: figures.map(|(name, figure)| (name.to_owned(), figure)).into(),
            degraded: self.degraded.len() as u64,
            dropped: dropped as u64,
            wall: self.wall,
        }
    }
}
