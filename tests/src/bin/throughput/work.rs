//! Work that is none: a job of one source in as many chunks as there are to be tasks, each of which says nothing.
//!
//! Its tasks are of some 2 kB: what is asked, the outline that it is asked against, and a title of the length that is left.

use std::sync::Arc;

use async_trait::async_trait;
use tributary_coordinator::{machine::Machine, rehearsal};
use tributary_protocol::{
    digest::Digest,
    id::BlobId,
    job::Job,
    settings::Settings,
    source::{Chunk, Source, SourceId},
    task::{Kind, Outcome, Product, Task, Usage, Verdict},
    wire,
};
use tributary_worker::perform::{Perform, Undone};

pub struct Work {
    pub job: Arc<Job>,
    /// The job's widest stage, that of the chunks.
    pub tasks: Vec<Task>,
}

impl Work {
    pub fn new(tasks: u32) -> Self {
        let chunk = |n: u32| Chunk { text: BlobId::of_bytes(&n.to_le_bytes()), tokens: 4_000 };
        let source = Source {
            id: SourceId(1),
            title: "A source of many chunks. ".repeat(12),
            title_tokens: 72,
            card: BlobId::of_bytes(b"its card"),
            card_tokens: 150,
            chunks: (0..tasks).map(chunk).collect(),
        };
        let job = Arc::new(Job::new("Of no work".into(), Settings::default(), 1, vec![source]));
        let (mut machine, outlines) = Machine::new(job.clone());
        let tasks = outlines.iter().flat_map(|task| machine.apply(&outcome(task))).collect();
        Self { job, tasks }
    }

    pub fn task_bytes(&self) -> usize {
        self.tasks.last().map_or(0, |task| wire::encode(task).len())
    }

    pub fn outcome_bytes(&self) -> usize {
        self.tasks.last().map_or(0, |task| wire::encode(&outcome(task)).len())
    }
}

/// Nothing for a chunk; for the few other tasks what a model would typically say, so that the job goes on.
pub fn outcome(task: &Task) -> Outcome {
    match task.kind() {
        Kind::Digest => Outcome {
            task: task.id,
            verdict: Verdict::Done(Product::Digest(Digest::default())),
            usage: Usage::default(),
            citations_removed: 0,
        },
        _ => rehearsal::outcome(task),
    }
}

/// Does tasks in no time.
pub struct Nothing;

#[async_trait]
impl Perform for Nothing {
    async fn perform(&self, task: &Arc<Task>) -> Result<Outcome, Undone> {
        Ok(outcome(task))
    }
}
