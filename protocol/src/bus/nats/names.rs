//! The names of everything on the server. Deployments, dashboards and permissions are written against these names.

use async_nats::Subject;

use crate::{
    bus::BusProblem,
    id::{JobId, TaskId},
    task::Kind,
};

/// The names under a prefix.
#[derive(Clone, Debug)]
pub struct NatsNames {
    prefix: String,
}

impl NatsNames {
    /// Checks the prefix.
    ///
    /// # Errors
    ///
    /// [`BusProblem::Prefix`] where the prefix can't begin a name.
    pub fn new(prefix: &str) -> Result<Self, BusProblem> {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if prefix.is_empty() || !prefix.chars().all(good) {
            return Err(BusProblem::Prefix { prefix: prefix.to_owned() });
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    /// The stream of outstanding tasks.
    pub fn tasks(&self) -> String {
        format!("{}-tasks", self.prefix)
    }

    /// The durable consumer of a kind of task. Workers are scaled by its lag.
    pub fn tasks_consumer(&self, kind: Kind) -> String {
        kind.name().to_owned()
    }

    pub fn task(&self, kind: Kind, job: JobId, task: TaskId) -> String {
        format!("{}.task.{}.{job}.{task}", self.prefix, kind.name())
    }

    pub fn tasks_of_kind(&self, kind: Kind) -> String {
        format!("{}.task.{}.*.*", self.prefix, kind.name())
    }

    pub fn tasks_of_job(&self, job: JobId) -> String {
        format!("{}.task.*.{job}.*", self.prefix)
    }

    pub fn all_tasks(&self) -> String {
        format!("{}.task.*.*.*", self.prefix)
    }

    /// Reads the kind, job and task from a task's subject.
    pub fn read_task(subject: &Subject) -> Option<(Kind, JobId, TaskId)> {
        let mut parts = subject.rsplit('.');
        let (task, job, kind) = (parts.next()?, parts.next()?, parts.next()?);
        Some((kind.parse().ok()?, job.parse().ok()?, task.parse().ok()?))
    }

    /// The stream of tasks that were given up.
    pub fn dead(&self) -> String {
        format!("{}-dead", self.prefix)
    }

    pub fn dead_letter(&self, kind: Kind, job: JobId, task: TaskId) -> String {
        format!("{}.dead.{}.{job}.{task}", self.prefix, kind.name())
    }

    pub fn all_dead_letters(&self) -> String {
        format!("{}.dead.*.*.*", self.prefix)
    }

    /// The stream of all jobs' outcomes.
    pub fn journal(&self) -> String {
        format!("{}-journal", self.prefix)
    }

    pub fn journal_of_job(&self, job: JobId) -> String {
        format!("{}.journal.{job}", self.prefix)
    }

    pub fn all_journals(&self) -> String {
        format!("{}.journal.*", self.prefix)
    }

    /// The object store of a job's blobs, deleted with the job.
    pub fn blobs(&self, job: JobId) -> String {
        format!("{}-blobs-{job}", self.prefix)
    }

    /// The key-value bucket of models' replies.
    pub fn replies(&self) -> String {
        format!("{}-replies", self.prefix)
    }

    /// The object store of replies that are too large for the bucket.
    pub fn large_replies(&self) -> String {
        format!("{}-large-replies", self.prefix)
    }

    /// The stream of unfinished jobs.
    pub fn jobs(&self) -> String {
        format!("{}-jobs", self.prefix)
    }

    /// The durable consumer of coordinators.
    pub fn jobs_consumer(&self) -> String {
        "coordinators".to_owned()
    }

    pub fn job(&self, job: JobId) -> String {
        format!("{}.job.{job}", self.prefix)
    }

    pub fn all_jobs(&self) -> String {
        format!("{}.job.*", self.prefix)
    }

    /// The subject of a group's gossip. A group may have any name; a hash stands for the name.
    pub fn member(&self, group: &str) -> String {
        let hash = blake3::hash(group.as_bytes()).to_hex();
        format!("{}.member.{}", self.prefix, &hash[..16])
    }

    /// The key-value bucket of jobs' states, and of requests to cancel jobs.
    pub fn states(&self) -> String {
        format!("{}-states", self.prefix)
    }

    /// The object store of submitted jobs and of their results.
    pub fn results(&self) -> String {
        format!("{}-results", self.prefix)
    }
}
