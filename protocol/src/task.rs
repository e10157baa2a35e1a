//! Tasks: a worker's work, and its outcomes.

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

/// A unit of work: a self-contained value, so any worker can do the task at any time, any number of times, with the
/// same meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// The hash of the other fields, with outlines hashed by their ids.
    pub id: TaskId,
    pub job: JobId,
    pub stage: Stage,
    /// The outcome's place in the job, for people: `convolution 2/7 score`.
    pub place: String,
    /// The model for the task.
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
    /// Citations removed from the reply, since the call was not given the source.
    pub citations_removed: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Done(Product),
    /// The model failed; the kernel's fallback made this product instead.
    Degraded {
        product: Product,
        reason: String,
    },
    /// No product was made, and none will be: the stage goes on with its own fallback.
    Failed {
        reason: String,
    },
    /// The model is unusable (a wrong key, no quota, no answer): the job stops, and the task is asked again when the
    /// job is resumed.
    Stopped {
        reason: String,
    },
}

impl Verdict {
    /// All values of [`Verdict::name`].
    pub const NAMES: [&str; 4] = ["done", "degraded", "failed", "stopped"];

    /// Returns false if the task is to be asked again.
    pub fn ends_task(&self) -> bool {
        !matches!(self, Self::Stopped { .. })
    }

    /// Returns the name in metrics and traces.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Degraded { .. } => "degraded",
            Self::Failed { .. } => "failed",
            Self::Stopped { .. } => "stopped",
        }
    }

    /// Returns the reason for a verdict other than done.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done(_) => None,
            Self::Degraded { reason, .. } | Self::Failed { reason } | Self::Stopped { reason } => Some(reason),
        }
    }
}

/// The cost of a task or a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Calls answered by a model and paid for, whatever the value of the reply.
    pub calls: u64,
    /// Calls with a known reply, from an earlier run or an equal call.
    pub calls_from_cache: u64,
    /// Calls that failed: no reply, nothing paid.
    pub calls_failed: u64,
    /// Hedged calls: made a second time since the first took long. The dropped call of the two is paid for, so it is
    /// among `calls`, with its prompt.
    #[serde(default)]
    pub calls_hedged: u64,
    pub prompt_tokens: u64,
    /// Prompt tokens from the server's own prefix cache.
    pub prompt_tokens_cached: u64,
    pub reply_tokens: u64,
    /// The cost in millionths of a US dollar, if prices are configured.
    pub cost_micros: u64,
    /// The sum of all calls' durations, in milliseconds.
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
