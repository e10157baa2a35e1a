//! Generates empty work: a job with one source, divided into one chunk per task, each without content.
//!
//! A task takes about 2 kB: the request, the outline to compare with, and a long title as padding.

use std::sync::Arc;

use async_trait::async_trait;
use tributary_coordinator::jobs;
use tributary_protocol::{
    id::BlobId,
    job::Job,
    settings::JobSettings,
    source::{Chunk, Source, SourceId},
    survey::{SurveyProduct, SurveyRequest, SurveySettings, SurveyWork, digest::Digest},
    task::{Outcome, Task, Usage, Verdict, Work as Asked},
    wire,
};
use tributary_worker::perform::{NoOutcome, Perform};

pub struct Work {
    pub job: Arc<Job>,
    /// The tasks of the job's widest stage: the digests of the chunks.
    pub tasks: Vec<Task>,
}

impl Work {
    pub fn new(tasks: u32) -> Self {
        let chunk = |n: u32| Chunk { text: BlobId::of_bytes(&n.to_le_bytes()), tokens: 4_000, start: 0 };
        let source = Source {
            id: SourceId(1),
            title: "A source of many chunks. ".repeat(12),
            title_tokens: 72,
            card: BlobId::of_bytes(b"its card"),
            card_tokens: 150,
            chunks: (0..tasks).map(chunk).collect(),
            pages: Vec::new(),
            chunk_headings: Vec::new(),
        };
        let request = SurveyRequest::new("Of no work", SurveySettings::default());
        let job = Arc::new(Job::new(request, JobSettings::default(), 1, vec![source]));
        let (mut machine, outlines) = jobs::begin(job.clone());
        let digests = outlines.iter().flat_map(|new| machine.apply(&outcome(&new.task)));
        let tasks = digests.map(|new| new.task).collect();
        Self { job, tasks }
    }

    pub fn task_bytes(&self) -> usize {
        self.tasks.last().map_or(0, |task| wire::encode(task).len())
    }

    pub fn outcome_bytes(&self) -> usize {
        self.tasks.last().map_or(0, |task| wire::encode(&outcome(task)).len())
    }
}

/// Returns an empty outcome for a chunk. The few other tasks get a typical reply of a model, so that the job advances.
pub fn outcome(task: &Task) -> Outcome {
    match &task.work {
        Asked::Survey(_, SurveyWork::Digest { .. }) => Outcome {
            task: task.id,
            verdict: Verdict::Done(SurveyProduct::Digest(Digest::default()).into()),
            usage: Usage::default(),
            citations_removed: 0,
        },
        _ => jobs::dry_run(task).outcome,
    }
}

/// A performer without any work.
pub struct Nothing;

#[async_trait]
impl Perform for Nothing {
    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, NoOutcome> {
        Ok(outcome(task))
    }
}
