//! Jobs: what is asked for, and how far it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::pipeline::Request;
use crate::{
    id::{Hasher, JobId},
    settings::{JobSettings, WireSettings},
    source::{Source, SourceId},
    task::{Stage, Usage},
    wire,
};

/// A job: a request, and the corpus that it is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The hash of the rest, made by whoever submits the job.
    pub id: JobId,
    pub request: Request,
    pub settings: WireSettings<JobSettings>,
    /// The only source of chance.
    pub seed: u64,
    /// `S1` first.
    pub sources: Vec<Source>,
}

impl Job {
    pub fn new(request: impl Into<Request>, settings: JobSettings, seed: u64, sources: Vec<Source>) -> Self {
        let request = request.into();
        let settings = WireSettings::from(settings);
        let mut hasher = Hasher::new("job");
        request.hash(&mut hasher);
        hasher.part(&settings.identity()).part(&seed.to_le_bytes());
        for source in &sources {
            hasher.part(&wire::fields(source));
        }
        Self { id: JobId::of(&hasher), request, settings, seed, sources }
    }

    /// What people know the job by.
    pub fn title(&self) -> &str {
        self.request.title()
    }

    /// A source by its handle.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.index()]
    }

    /// Settings that a newer build sent and this one doesn't know, by their paths.
    pub fn unknown_settings(&self) -> Vec<String> {
        [self.settings.unknown(), self.request.unknown_settings()].concat()
    }
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub stages: BTreeMap<Stage, StageProgress>,
    /// Why nothing goes on, where a job waits for something: `no worker serves extractive; 1 worker serves openai/x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

impl Progress {
    /// Tasks that have ended so far.
    pub fn ended(&self) -> u64 {
        self.stages.values().map(|stage| stage.ended).sum()
    }

    /// What the job has cost so far.
    pub fn usage(&self) -> Usage {
        let mut sum = Usage::default();
        self.stages.values().for_each(|stage| sum += stage.usage);
        sum
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageProgress {
    /// Tasks asked for so far. Later ones may still come.
    pub asked: u64,
    /// Tasks that have ended.
    pub ended: u64,
    /// Of these, tasks that a fallback had to end.
    pub degraded: u64,
    pub usage: Usage,
}
