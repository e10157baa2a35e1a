//! The tasks of a job: new ones, and the open ones of a phase.
//!
//! A stage asks with [`Ask`], under a [`Place`] for the outcome. [`PhaseTasks`] keeps the places of open tasks, and the
//! [`JobLedger`] the new tasks and the figures of the whole job.

use std::{collections::HashMap, fmt};

use tributary_protocol::{
    id::TaskId,
    job::{Job, Progress},
    task::{Outcome, Product, Stage, Task, Verdict, Work},
};

/// A new task of a pipeline, and its urgency.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub task: Task,
    pub urgency: Urgency,
}

/// The urgency of a task among the tasks of its job. Ordered: the least goes out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    /// The rank, from 0. Tasks with the longest way to the end should not wait.
    pub rank: u8,
    /// The task carries much memory while it waits, such as outlines or digests.
    pub heavy: bool,
    /// The task goes before waiting tasks of its rank.
    pub newest_first: bool,
}

/// A unit of work with a result below the best possible, for the report.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Flaw {
    pub stage: Stage,
    /// The unit of work: a task, a source, a section.
    pub unit: String,
    pub reason: String,
    /// The substitute for the missing result.
    pub instead: &'static str,
}

/// The new tasks of a job, and its figures.
#[derive(Default)]
pub struct JobLedger {
    new: Vec<NewTask>,
    progress: Progress,
    citations_removed: u64,
}

impl JobLedger {
    /// Returns the progress of the job.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Returns the number of citations removed from replies, since the call was not given the source.
    pub fn citations_removed(&self) -> u64 {
        self.citations_removed
    }

    /// Takes the tasks added since the last call.
    pub(crate) fn take_new(&mut self) -> Vec<NewTask> {
        std::mem::take(&mut self.new)
    }
}

/// The position of an outcome within a phase of a job. Places are ordered as a report lists them.
pub trait Place: Copy + Ord + fmt::Display + Send + Sync + 'static {
    fn stage(self) -> Stage;

    /// Returns the substitute for a failed task's result, for the report.
    fn instead(self) -> &'static str;

    /// Returns the unit of work, for the report.
    fn unit(self, _job: &Job) -> String {
        self.to_string()
    }
}

/// The open tasks of a phase, and the flaws of the ended ones.
///
/// Each phase has its own type of places, so the outcome of a phase's task can't reach another phase.
pub struct PhaseTasks<P> {
    open: HashMap<TaskId, P>,
    flaws: Vec<(P, Flaw)>,
}

impl<P> Default for PhaseTasks<P> {
    fn default() -> Self {
        Self { open: HashMap::new(), flaws: Vec::new() }
    }
}

/// The tasks of a phase, for callers to whom the places don't matter.
pub trait OpenTasks {
    /// True if a task has been asked for and has no outcome yet.
    fn awaits(&self, task: TaskId) -> bool;

    /// Returns the flaws so far, in the order of places (not of arrival).
    fn flaws(&self) -> Vec<Flaw>;
}

impl<P: Place> OpenTasks for PhaseTasks<P> {
    fn awaits(&self, task: TaskId) -> bool {
        self.open.contains_key(&task)
    }

    fn flaws(&self) -> Vec<Flaw> {
        let mut flaws: Vec<_> = self.flaws.iter().collect();
        flaws.sort_by_key(|(place, _)| *place);
        flaws.into_iter().map(|(_, flaw)| flaw.clone()).collect()
    }
}

impl<P: Place> PhaseTasks<P> {
    /// Ends the task of an outcome: adds its cost to the ledger, and returns its place and product. Returns none if the
    /// phase doesn't await the task.
    pub fn end<T: TryFrom<Product>>(
        &mut self,
        ledger: &mut JobLedger,
        job: &Job,
        outcome: &Outcome,
    ) -> Option<(P, Option<T>)> {
        let place = self.open.remove(&outcome.task)?;
        let stage = place.stage();
        let progress = ledger.progress.stages.entry(stage).or_default();
        progress.ended += 1;
        progress.usage += outcome.usage;
        ledger.citations_removed += u64::from(outcome.citations_removed);
        let (product, flaw) = match &outcome.verdict {
            Verdict::Done(product) => (Some(product), None),
            Verdict::Degraded { product, reason } => (Some(product), Some((reason, "made without the model"))),
            Verdict::Failed { reason } | Verdict::Stopped { reason } => (None, Some((reason, place.instead()))),
        };
        if let Some((reason, instead)) = flaw {
            progress.degraded += 1;
            self.flaws.push((place, Flaw { stage, unit: place.unit(job), reason: reason.clone(), instead }));
        }
        Some((place, product.and_then(|product| T::try_from(product.clone()).ok())))
    }
}

/// The context of a pipeline's job, shared by all phases.
pub trait JobContext {
    /// The work of the pipeline's tasks.
    type Work;

    fn job(&self) -> &Job;

    /// Completes a task's work with the data shared by all tasks of the job.
    fn complete(&self, work: Self::Work) -> Work;

    fn urgency(&self, stage: Stage, work: &Self::Work) -> Urgency;
}

/// The right to ask for tasks of a phase. A stage with an `Ask<'_, C, P>` can ask for the places convertible into `P`,
/// and no others.
pub struct Ask<'a, C, P> {
    pub context: &'a C,
    tasks: &'a mut PhaseTasks<P>,
    ledger: &'a mut JobLedger,
}

impl<'a, C: JobContext, P: Place> Ask<'a, C, P> {
    pub fn new(context: &'a C, tasks: &'a mut PhaseTasks<P>, ledger: &'a mut JobLedger) -> Self {
        Self { context, tasks, ledger }
    }

    /// Asks the job's model for this kind of task.
    pub fn ask(&mut self, place: impl Into<P>, work: C::Work) {
        self.ask_model(place, work, None);
    }

    /// Asks the given model, or the job's model for this kind of task.
    pub fn ask_model(&mut self, place: impl Into<P>, work: C::Work, model: Option<&str>) {
        let (place, job) = (place.into(), self.context.job());
        let stage = place.stage();
        let urgency = self.context.urgency(stage, &work);
        let work = self.context.complete(work);
        let model = model.unwrap_or_else(|| job.settings.models.of(work.kind())).to_owned();
        let task = Task::new(job.id, stage, place.to_string(), model, work);
        self.ledger.progress.stages.entry(stage).or_default().asked += 1;
        self.tasks.open.insert(task.id, place);
        self.ledger.new.push(NewTask { task, urgency });
    }
}
