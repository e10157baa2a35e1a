//! Tasks: what is asked of a worker, and what came of it.

use serde::{Deserialize, Serialize};

use crate::{
    id::{Hasher, JobId, TaskId},
    wire,
};
pub use crate::{
    kind::Kind,
    pipeline::{Product, Work},
    stage::Stage,
};

/// A unit of work: a value that says everything it asks, so that any worker can do it at any time, any number of times,
/// with the same meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The hash of the rest, in which outlines stand by their names.
    pub id: TaskId,
    pub job: JobId,
    pub stage: Stage,
    /// The place in the job that the outcome fills, for people: `convolution 2/7 score`.
    pub place: String,
    /// The model that is to do it.
    pub model: String,
    pub work: Work,
}

impl Task {
    pub fn new(job: JobId, stage: Stage, place: String, model: String, work: Work) -> Self {
        let mut hasher = Hasher::new("task");
        hasher.part(&wire::fields(&(job, stage, &place, &model)));
        work.hash(&mut hasher);
        Self { id: TaskId::of(&hasher), job, stage, place, model, work }
    }

    pub fn kind(&self) -> Kind {
        self.work.kind()
    }
}

/// The end of a task. The stream of a job's outcomes is its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub task: TaskId,
    pub verdict: Verdict,
    pub usage: Usage,
    /// Citations that a reply made of sources it was not given, and that were taken out.
    pub citations_removed: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Done(Product),
    /// The model failed at it; the kernel's fallback made this instead.
    Degraded {
        product: Product,
        reason: String,
    },
    /// Nothing came of it and nothing will: the stage goes on with its own fallback.
    Failed {
        reason: String,
    },
    /// The model can't be used at all (a wrong key, no quota, no answer): the job stops, and the task is asked again when
    /// the job is taken up again.
    Stopped {
        reason: String,
    },
}

impl Verdict {
    /// All that [`Verdict::name`] may be.
    pub const NAMES: [&str; 4] = ["done", "degraded", "failed", "stopped"];

    /// False where the task is to be asked again.
    pub fn ends_task(&self) -> bool {
        !matches!(self, Self::Stopped { .. })
    }

    /// The name in metrics and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Degraded { .. } => "degraded",
            Self::Failed { .. } => "failed",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Why the model didn't do it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done(_) => None,
            Self::Degraded { reason, .. } | Self::Failed { reason } | Self::Stopped { reason } => Some(reason),
        }
    }
}

/// What a task or a stage has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls that a model answered and that were paid for, whatever the reply was worth.
    pub calls: u64,
    /// Calls whose reply was known already, from an earlier run or an equal call.
    pub calls_from_cache: u64,
    /// Calls that failed: no reply, nothing paid.
    pub calls_failed: u64,
    /// Calls that were made a second time since the first took long. One of the two was dropped: it is among `calls`, with
    /// its prompt, for it is paid for.
    #[serde(default)]
    pub calls_hedged: u64,
    pub prompt_tokens: u64,
    /// Of these, tokens that the server had in its own prefix cache.
    pub prompt_tokens_cached: u64,
    pub reply_tokens: u64,
    /// In millionths of a US dollar, where prices are configured.
    pub cost_micros: u64,
    /// Time that calls took, in milliseconds, added up.
    pub call_millis: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.calls_from_cache += other.calls_from_cache;
        self.calls_failed += other.calls_failed;
        self.calls_hedged += other.calls_hedged;
        self.prompt_tokens += other.prompt_tokens;
        self.prompt_tokens_cached += other.prompt_tokens_cached;
        self.reply_tokens += other.reply_tokens;
        self.cost_micros += other.cost_micros;
        self.call_millis += other.call_millis;
    }
}
