//! The report of an answer: sources read, findings kept and left out, and the cost.

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
    /// Settings without effect: a newer build sent them, and this build doesn't know them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_settings: Vec<String>,
    pub answered: bool,
    pub confidence: f64,
    /// The number of sources read.
    pub sources: u64,
    /// The number of sources that the answer quotes.
    pub sources_quoted: u64,
    pub found: FindingCounts,
    /// The time of this run alone, in seconds. Calls that an earlier run paid for take no time here.
    #[serde(rename = "wall_seconds", serialize_with = "cost::in_seconds")]
    pub wall: Duration,
    pub total: Cost,
    /// Costs by stage.
    pub stages: Map<String, Value>,
    /// Units made by a fallback, and units without a result.
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

/// Counts of chunks and findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FindingCounts {
    /// Chunks of sources that were read.
    pub chunks: u64,
    /// Chunks read that had nothing to say to the question.
    pub silent_chunks: u64,
    pub findings: u64,
    /// Findings that the last prompt had no room for: the least sure ones.
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

    /// Sums up the job in a few figures.
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
