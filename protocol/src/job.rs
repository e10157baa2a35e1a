//! Jobs: their requests and their progress.

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

/// A job: a request, and the corpus for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The hash of the other fields, made by the submitting client.
    pub id: JobId,
    pub request: Request,
    pub settings: WireSettings<JobSettings>,
    /// The only source of randomness.
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

    /// Returns the job's name for people.
    pub fn title(&self) -> &str {
        self.request.title()
    }

    /// Returns a source by its handle.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.sources[id.index()]
    }

    /// Returns the paths of settings from a newer build that this build doesn't know.
    pub fn unknown_settings(&self) -> Vec<String> {
        [self.settings.unknown(), self.request.unknown_settings()].concat()
    }
}

/// The progress of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub stages: BTreeMap<Stage, StageProgress>,
    /// The reason why a job waits: `no worker serves extractive; 1 worker serves openai/x`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

impl Progress {
    /// Returns the number of ended tasks.
    pub fn ended(&self) -> u64 {
        self.stages.values().map(|stage| stage.ended).sum()
    }

    /// Returns the cost of the job so far.
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
    /// Ended tasks with a fallback's result.
    pub degraded: u64,
    pub usage: Usage,
}
