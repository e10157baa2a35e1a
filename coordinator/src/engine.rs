//! The engine: the parts of a job common to all pipelines. It knows no stage.
//!
//! A job is a pure function of its outcomes. [`Machine::apply`] takes an outcome and returns the tasks that follow.
//! There is no clock, no I/O and no randomness but the job's seed, and the order of arrivals decides nothing: the same
//! outcomes give the same result. So the journal of outcomes is the whole state of a job, and recovery is to apply the
//! journal again.
//!
//! # Driving a machine
//!
//! The driver of a machine (such as [`crate::actor`]) has four duties:
//!
//! 1. Begin the job with [`crate::jobs::begin`], and keep its first tasks.
//! 2. Replay the journal: [`apply`](Machine::apply) every outcome in the journal, and keep the tasks that follow.
//! 3. Publish the tasks that the machine still [`awaits`](Machine::awaits), the most [urgent](crate::tasks::Urgency)
//!    first. A task asked for during the replay may have an outcome later in the journal.
//! 4. Apply each outcome that arrives, and publish the tasks that follow, until the machine
//!    [is finished](Machine::is_finished). An outcome with the verdict
//!    [`Stopped`](tributary_protocol::task::Verdict::Stopped) changes nothing: the driver stops the job with the
//!    verdict's reason.
//!
//! ```
//! # use std::{collections::VecDeque, sync::Arc};
//! # use tributary_coordinator::{engine::Machine as _, jobs};
//! # use tributary_protocol::{id::BlobId, job::{Job, Request}, settings::JobSettings};
//! # use tributary_protocol::source::{Chunk, Source, SourceId};
//! # use tributary_protocol::survey::{SurveyRequest, SurveySettings};
//! # let chunk = Chunk { text: BlobId::of_bytes(b"text"), tokens: 900, start: 0 };
//! # let source = |id| Source { id: SourceId(id), title: "A source".into(), title_tokens: 2,
//! #     card: BlobId::of_bytes(b"card"), card_tokens: 100, chunks: vec![chunk],
//! #     pages: Vec::new(), chunk_headings: Vec::new() };
//! # let request = SurveyRequest { title: "Mills".into(), settings: SurveySettings::default().into() };
//! # let job = Job::new(Request::Survey(request), JobSettings::default(), 1, (1..=3).map(source).collect());
//! let (mut machine, first) = jobs::begin(Arc::new(job));
//! let mut open = VecDeque::from(first);
//! while let Some(new) = open.pop_front() {
//!     let outcome = jobs::dry_run(&new.task).outcome; // or a worker's outcome
//!     open.extend(machine.apply(&outcome));
//! }
//! assert!(machine.is_finished());
//! ```

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use async_trait::async_trait;
use tributary_protocol::{bus::Bus, id::TaskId, job::Progress, task::Outcome};

use crate::{
    artifact::{ArtifactError, ArtifactSink, ResultSummary},
    pipeline::Pipeline,
    prepare::InputNotes,
    tasks::{JobLedger, NewTask},
};

/// The machine of a job of any pipeline.
#[async_trait]
pub trait Machine: Send + Sync {
    /// Takes an outcome and returns the tasks that follow.
    ///
    /// An early outcome, for a task not asked for yet, is kept until the task is asked for: a journal whose server lost
    /// a part may hold later outcomes before earlier ones. An outcome of a task that has ended has no effect. An
    /// outcome with the verdict that the model is unusable changes nothing.
    fn apply(&mut self, outcome: &Outcome) -> Vec<NewTask>;

    /// True if a task has been asked for and has no outcome yet.
    fn awaits(&self, task: TaskId) -> bool;

    fn progress(&self) -> &Progress;

    /// True if nothing is left to do.
    fn is_finished(&self) -> bool;

    /// Gives a finished job's artifacts to a sink. `bus` has the texts of the job's sources; `wall` is the time of this
    /// run of the job.
    ///
    /// # Errors
    ///
    /// A job that isn't finished, and errors of the bus and of the sink.
    async fn make_result(
        &self,
        bus: &dyn Bus,
        input: InputNotes,
        wall: Duration,
        sink: &mut dyn ArtifactSink,
    ) -> Result<ResultSummary, ArtifactError>;
}

/// A [`Machine`] of a given pipeline.
pub struct Engine<P> {
    pipeline: P,
    ledger: JobLedger,
    /// Outcomes of tasks that have not been asked for yet.
    early: HashMap<TaskId, Outcome>,
}

impl<P: Pipeline> Engine<P> {
    /// Returns the machine of a job at its beginning, and the job's first tasks.
    pub fn new(begin: impl FnOnce(&mut JobLedger) -> P) -> (Self, Vec<NewTask>) {
        let mut ledger = JobLedger::default();
        let pipeline = begin(&mut ledger);
        let first = ledger.take_new();
        (Self { pipeline, ledger, early: HashMap::new() }, first)
    }

    pub fn pipeline(&self) -> &P {
        &self.pipeline
    }
}

#[async_trait]
impl<P: Pipeline> Machine for Engine<P> {
    fn apply(&mut self, outcome: &Outcome) -> Vec<NewTask> {
        if !outcome.verdict.ends_task() {
            return Vec::new();
        }
        if !self.pipeline.settle(&mut self.ledger, outcome) {
            // A repeated outcome of an ended task waits here too: journals hold each outcome once, so telling the two
            // apart isn't worthwhile.
            self.early.insert(outcome.task, outcome.clone());
            return Vec::new();
        }
        let mut asked = VecDeque::from(self.ledger.take_new());
        let mut unanswered = Vec::new();
        while let Some(new) = asked.pop_front() {
            match self.early.remove(&new.task.id) {
                Some(outcome) => {
                    self.pipeline.settle(&mut self.ledger, &outcome);
                    asked.extend(self.ledger.take_new());
                }
                None => unanswered.push(new),
            }
        }
        unanswered
    }

    fn awaits(&self, task: TaskId) -> bool {
        self.pipeline.awaits(task)
    }

    fn progress(&self) -> &Progress {
        self.ledger.progress()
    }

    fn is_finished(&self) -> bool {
        self.pipeline.is_finished()
    }

    async fn make_result(
        &self,
        bus: &dyn Bus,
        input: InputNotes,
        wall: Duration,
        sink: &mut dyn ArtifactSink,
    ) -> Result<ResultSummary, ArtifactError> {
        self.pipeline.make_result(&self.ledger, bus, input, wall, sink).await
    }
}
