//! A job's look for workers that serve its tasks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::gauge;
use tributary_protocol::{id::JobId, task::Task};

use crate::roster::Roster;

/// The time without an outcome after which a job looks for workers that serve its tasks.
const UNSERVED: Duration = Duration::from_secs(6);

/// Finds out whether a job stands still because no worker serves its tasks.
pub(super) struct WorkerWatch {
    job: JobId,
    /// None where nobody announces workers: the job then never counts as unserved.
    roster: Option<Arc<Roster>>,
    /// The time of the last entries from the journal. Publications don't count: unserved tasks are published again.
    read_at: Instant,
    unserved: Option<UnservedJob>,
}

impl WorkerWatch {
    pub fn new(job: JobId, roster: Option<Arc<Roster>>) -> Self {
        Self { job, roster, read_at: Instant::now(), unserved: None }
    }

    /// Why the job waits for workers. None while workers serve the job.
    pub fn reason(&self) -> Option<&str> {
        self.unserved.as_ref().map(|unserved| unserved.reason.as_str())
    }

    /// Notes that the journal had entries: somebody works on the job.
    pub fn heard_of_work(&mut self) {
        self.read_at = Instant::now();
        if self.unserved.take().is_some() {
            tracing::info!(job = %self.job, "the job makes progress again");
        }
    }

    /// Looks for workers that serve the tasks in flight, and logs if there are none. True if the reason has changed.
    pub fn look<'a>(&mut self, in_flight: impl Iterator<Item = &'a Task>) -> bool {
        let Some(roster) = self.roster.as_ref().filter(|_| self.read_at.elapsed() >= UNSERVED) else { return false };
        let reason = roster.unserved(in_flight.map(|task| (task.kind(), task.model.as_str())));
        if reason.as_deref() == self.reason() {
            return false;
        }
        match &reason {
            Some(reason) => tracing::warn!(job = %self.job, reason, "the job waits for workers"),
            None => tracing::info!(job = %self.job, "workers serve the job's tasks again"),
        }
        self.unserved = reason.map(UnservedJob::new);
        true
    }
}

/// A job without a worker for its tasks, counted by a gauge until the value is dropped.
struct UnservedJob {
    reason: String,
}

impl UnservedJob {
    const JOBS: &str = "tributary_jobs_unserved";

    fn new(reason: String) -> Self {
        gauge!(Self::JOBS).increment(1.0);
        Self { reason }
    }
}

/// Sets the gauge of unserved jobs to zero, so that the gauge exists before the first such job.
pub(super) fn set_up_gauge() {
    gauge!(UnservedJob::JOBS).increment(0.0);
}

impl Drop for UnservedJob {
    fn drop(&mut self) {
        gauge!(Self::JOBS).decrement(1.0);
    }
}
