//! The report: what went in, what came out, what it cost, and everything that is not as it should be.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use tributary_protocol::{
    job::{Job, Progress, StageProgress},
    settings::Settings,
    task::Usage,
};

use super::{Mended, Reduced};
use crate::{
    ingest::{Problem, Severity},
    machine::{Economies, Finished, Flaw, Machine},
};

#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub title: String,
    pub job: String,
    pub seed: u64,
    pub settings: Settings,
    pub sources: Sources,
    pub article: Size,
    pub citations: Citations,
    /// Of this run alone, in seconds; calls that an earlier run paid for cost no time here.
    #[serde(rename = "wall_seconds", serialize_with = "in_seconds")]
    pub wall: Duration,
    pub total: Cost,
    pub stages: BTreeMap<&'static str, Cost>,
    pub mended: Mended,
    pub economies: Economies,
    /// Units that a fallback had to make, and units that nothing came of.
    pub degraded: Vec<Flaw>,
    /// What was dropped or changed on the way in.
    pub input_problems: Vec<Problem>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Sources {
    /// Sources that the job began with.
    pub given: usize,
    /// Of these, sources that a note was made of.
    pub used: usize,
    pub cited: usize,
    /// Cited of given, 0 to 1.
    pub coverage: f64,
    /// Sources of which no note was made, by handle and title.
    pub unused: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Size {
    pub words: usize,
    pub sections: usize,
    /// Sections of the outline that no source said anything for, by the titles down to them.
    pub left_out: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Citations {
    pub made: usize,
    /// Citations in replies of sources that the call was not given: taken out.
    pub removed: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Cost {
    pub tasks: u64,
    pub degraded: u64,
    /// Calls that were answered and paid for, over all runs of the job.
    pub calls: u64,
    pub calls_from_cache: u64,
    pub calls_failed: u64,
    /// Calls that were made a second time since the first took long.
    pub calls_hedged: u64,
    pub prompt_tokens: u64,
    pub prompt_tokens_cached: u64,
    pub reply_tokens: u64,
    pub cost_usd: f64,
    /// Time that calls took, added up over those that ran beside each other.
    pub call_seconds: f64,
}

impl Cost {
    fn of(tasks: u64, degraded: u64, usage: Usage) -> Self {
        Self {
            tasks,
            degraded,
            calls: usage.calls,
            calls_from_cache: usage.calls_from_cache,
            calls_failed: usage.calls_failed,
            calls_hedged: usage.calls_hedged,
            prompt_tokens: usage.prompt_tokens,
            prompt_tokens_cached: usage.prompt_tokens_cached,
            reply_tokens: usage.reply_tokens,
            cost_usd: usage.cost_micros as f64 / 1e6,
            call_seconds: usage.call_millis as f64 / 1e3,
        }
    }

    fn of_stage(stage: &StageProgress) -> Self {
        Self::of(stage.ended, stage.degraded, stage.usage)
    }

    fn of_all(progress: &Progress) -> Self {
        let stages = progress.stages.values();
        let sum = |number: fn(&StageProgress) -> u64| stages.clone().map(number).sum();
        Self::of(sum(|stage| stage.ended), sum(|stage| stage.degraded), progress.usage())
    }
}

fn in_seconds<S: serde::Serializer>(wall: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(wall.as_secs_f64())
}

impl Report {
    /// Pieces of the input that were dropped.
    pub fn dropped(&self) -> usize {
        self.input_problems.iter().filter(|problem| problem.severity == Severity::Dropped).count()
    }

    pub(super) fn new(
        job: &Job,
        machine: &Machine,
        finished: &Finished,
        reduced: &Reduced,
        problems: Vec<Problem>,
        wall: Duration,
    ) -> Self {
        let given = job.sources.len();
        let cited = reduced.numbering.cited().len();
        let named = |id: &tributary_protocol::source::SourceId| format!("{id} {}", job.sources[id.index()].title);
        let progress = machine.progress();
        let mut sections = 0;
        let mut open: Vec<_> = reduced.article.sections.iter().collect();
        while let Some(section) = open.pop() {
            sections += 1;
            open.extend(&section.children);
        }
        Self {
            title: job.title.clone(),
            job: job.id.to_string(),
            seed: job.seed,
            settings: job.settings.clone(),
            sources: Sources {
                given,
                used: given - finished.silent.len(),
                cited,
                coverage: cited as f64 / given.max(1) as f64,
                unused: finished.silent.iter().map(named).collect(),
            },
            article: Size { words: reduced.words, sections, left_out: finished.left_out.clone() },
            citations: Citations {
                made: reduced.numbering.citations(),
                removed: machine.citations_removed() + reduced.mended.unknown_citations_removed,
            },
            wall,
            total: Cost::of_all(progress),
            stages: progress.stages.iter().map(|(stage, progress)| (stage.name(), Cost::of_stage(progress))).collect(),
            mended: reduced.mended.clone(),
            economies: machine.economies().clone(),
            degraded: machine.flaws(),
            input_problems: problems,
        }
    }
}
