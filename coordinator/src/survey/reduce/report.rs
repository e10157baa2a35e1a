//! The report: input, output, cost, and all flaws.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use tributary_protocol::{
    settings::JobSettings,
    survey::{SurveySettings, article::WrittenSection},
};

use super::reduced::{Mended, Reduced};
use crate::{
    artifact::ResultSummary,
    cost::{self, Cost},
    ingest::{Problem, Severity},
    prepare::InputNotes,
    survey::{
        context::SurveyContext,
        finished::{Economies, FinishedSurvey},
    },
    tasks::{Flaw, JobLedger},
};

/// The run of a finished survey, for the report.
pub struct FinishedRun<'a> {
    pub ledger: &'a JobLedger,
    pub flaws: Vec<Flaw>,
    pub economies: Economies,
    pub input: InputNotes,
    /// The time of this run of the job.
    pub wall: Duration,
}

/// The report of a survey.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub title: String,
    pub job: String,
    pub seed: u64,
    pub settings: ReportedSettings,
    /// Settings without effect: a newer build sent them, and this build doesn't know them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown_settings: Vec<String>,
    pub sources: Sources,
    pub article: Size,
    pub citations: Citations,
    /// The time of this run alone, in seconds. Calls that an earlier run paid for take no time here.
    #[serde(rename = "wall_seconds", serialize_with = "cost::in_seconds")]
    pub wall: Duration,
    pub total: Cost,
    /// Costs by stage.
    pub stages: Map<String, Value>,
    pub mended: Mended,
    pub economies: Economies,
    /// Units made by a fallback, and units without a result.
    pub degraded: Vec<Flaw>,
    /// Pieces of the input that were dropped or changed.
    pub input_problems: Vec<Problem>,
}

/// All settings that the article depends on, as the settings file has them.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedSettings {
    #[serde(flatten)]
    pub job: JobSettings,
    #[serde(flatten)]
    pub survey: SurveySettings,
}

/// The sources of a survey, in figures.
#[derive(Clone, Debug, Serialize)]
pub struct Sources {
    /// Sources that the job began with.
    pub given: usize,
    /// Sources with notes.
    pub used: usize,
    pub cited: usize,
    /// The share of given sources that are cited, 0 to 1.
    pub coverage: f64,
    /// Sources without notes, by handle and title.
    pub unused: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Size {
    pub words: usize,
    pub sections: usize,
    /// Sections of the outline without any notes, each given by the titles down to it.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Citations {
    pub made: usize,
    /// Citations removed, since the call was not given the source.
    pub removed: u64,
}

impl Report {
    /// Returns the number of pieces of the input that were dropped.
    pub fn dropped(&self) -> usize {
        self.input_problems.iter().filter(|problem| problem.severity == Severity::Dropped).count()
    }

    /// Sums up the job in a few figures.
    pub fn summary(&self) -> ResultSummary {
        let figures = [("words", self.article.words), ("cited", self.sources.cited), ("sources", self.sources.given)];
        ResultSummary {
            figures: figures.map(|(name, figure)| (name.to_owned(), figure as u64)).into(),
            degraded: self.degraded.len() as u64,
            dropped: self.dropped() as u64,
            wall: self.wall,
        }
    }

    pub(super) fn new(
        context: &SurveyContext,
        finished: &FinishedSurvey,
        reduced: &Reduced,
        run: FinishedRun<'_>,
    ) -> Self {
        let FinishedRun { ledger, flaws, economies, input, wall } = run;
        let job = &context.job;
        let given = job.sources.len();
        let cited = reduced.numbering.cited().len();
        let named = |id: &tributary_protocol::source::SourceId| format!("{id} {}", job.source(*id).title);
        Self {
            title: job.title().to_owned(),
            job: job.id.to_string(),
            seed: job.seed,
            settings: ReportedSettings { job: JobSettings::clone(&job.settings), survey: context.settings.clone() },
            unknown_settings: job.unknown_settings(),
            sources: Sources {
                given,
                used: given - finished.silent.len(),
                cited,
                coverage: cited as f64 / given.max(1) as f64,
                unused: finished.silent.iter().map(named).collect(),
            },
            article: Size {
                words: reduced.words,
                sections: count_of(&reduced.article.sections),
                left_out: finished.left_out.clone(),
            },
            citations: Citations {
                made: reduced.numbering.citations(),
                removed: ledger.citations_removed() + reduced.mended.unknown_citations_removed,
            },
            wall,
            total: Cost::of_all(ledger.progress()),
            stages: Cost::by_stage(ledger.progress()),
            mended: reduced.mended.clone(),
            economies,
            degraded: flaws,
            input_problems: input.problems,
        }
    }
}

fn count_of(sections: &[WrittenSection]) -> usize {
    sections.iter().map(|section| 1 + count_of(&section.children)).sum()
}
