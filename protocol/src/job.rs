//! Jobs: what is asked for, and how it stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{Hasher, JobId},
    settings::Settings,
    source::Source,
    task::{Stage, Usage},
    wire,
};

/// One article to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The hash of the rest.
    pub id: JobId,
    pub title: String,
    pub settings: Settings,
    /// The only source of chance.
    pub seed: u64,
    /// `S1` first.
    pub sources: Vec<Source>,
}

impl Job {
    pub fn new(title: String, settings: Settings, seed: u64, sources: Vec<Source>) -> Self {
        let mut hasher = Hasher::new("job");
        hasher.part(&wire::fields(&(&title, &settings, seed)));
        for source in &sources {
            hasher.part(&wire::fields(source));
        }
        Self { id: JobId::of(&hasher), title, settings, seed, sources }
    }
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub stages: BTreeMap<Stage, StageProgress>,
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
