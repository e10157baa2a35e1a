//! The tasks that a job asks for: new ones, and the open ones of a phase.
//!
//! A stage asks with [`Ask`], under a [`Place`] that says what the outcome is for. [`PhaseTasks`] keeps the places of the
//! tasks that have no outcome, and the [`JobLedger`] what the job's phases have asked for and spent.

use std::{collections::HashMap, fmt};

use tributary_protocol::{
    id::TaskId,
    job::{Job, Progress},
    task::{Outcome, Product, Stage, Task, Verdict, Work},
};

/// A task that a pipeline asks for, and how urgent it is.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub task: Task,
    pub urgency: Urgency,
}

/// How urgent a task is among the tasks of its job. Ordered: the least goes out first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency {
    /// The rank, from 0. What has the longest way still to go should not wait.
    pub rank: u8,
    /// The task carries much memory while it waits, such as outlines or digests.
    pub heavy: bool,
    /// The task goes before the ones of its rank that wait already.
    pub newest_first: bool,
}

/// A place where a job's result is not all that it could be, for the report.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Flaw {
    pub stage: Stage,
    /// The unit of work: a task, a source, a section.
    pub unit: String,
    pub reason: String,
    /// What the job went on with instead.
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
    /// How far the job is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Citations that replies made of sources they were not given.
    pub fn citations_removed(&self) -> u64 {
        self.citations_removed
    }

    /// The tasks that were asked for since the last call.
    pub(crate) fn take_new(&mut self) -> Vec<NewTask> {
        std::mem::take(&mut self.new)
    }
}

/// Where in a phase of a job an outcome belongs. Places are ordered as people read of them in a report.
pub trait Place: Copy + Ord + fmt::Display + Send + Sync + 'static {
    fn stage(self) -> Stage;

    /// What the stage goes on with where nothing came of the task, for the report.
    fn instead(self) -> &'static str;

    /// The unit of work, for the report.
    fn unit(self, _job: &Job) -> String {
        self.to_string()
    }
}

/// The tasks of one phase of a job that have no outcome, and what went wrong with those that have one.
///
/// Each phase has its own, with its own type of places: the outcome of one phase's task can't reach another phase.
pub struct PhaseTasks<P> {
    open: HashMap<TaskId, P>,
    flaws: Vec<(P, Flaw)>,
}

impl<P> Default for PhaseTasks<P> {
    fn default() -> Self {
        Self { open: HashMap::new(), flaws: Vec::new() }
    }
}

impl<P: Place> PhaseTasks<P> {
    pub fn awaits(&self, task: TaskId) -> bool {
        self.open.contains_key(&task)
    }

    /// Ends the task of an outcome: books what it cost, and returns its place and what came of it. None where the phase
    /// doesn't await the task.
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

    /// What went wrong so far, in the order of places (not of arrival).
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws: Vec<_> = self.flaws.iter().collect();
        flaws.sort_by_key(|(place, _)| *place);
        flaws.into_iter().map(|(_, flaw)| flaw.clone()).collect()
    }
}

/// What all phases of a pipeline's job work with.
pub trait JobContext {
    /// What the pipeline's tasks ask.
    type Work;

    fn job(&self) -> &Job;

    /// Completes a task's work with what it shares with all tasks of the job.
    fn complete(&self, work: Self::Work) -> Work;

    fn urgency(&self, stage: Stage, work: &Self::Work) -> Urgency;
}

/// The right to ask for tasks of one phase. A stage that is given `Ask<'_, C, P>` can ask for the places that `P` can be made
/// from, and no others.
pub struct Ask<'a, C, P> {
    pub context: &'a C,
    tasks: &'a mut PhaseTasks<P>,
    ledger: &'a mut JobLedger,
}

impl<'a, C: JobContext, P: Place> Ask<'a, C, P> {
    pub fn new(context: &'a C, tasks: &'a mut PhaseTasks<P>, ledger: &'a mut JobLedger) -> Self {
        Self { context, tasks, ledger }
    }

    /// Asks the model that the job's settings name for this kind of task.
    pub fn ask(&mut self, place: impl Into<P>, work: C::Work) {
        self.ask_model(place, work, None);
    }

    /// Asks a model, or the one that the settings name where none is given.
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
