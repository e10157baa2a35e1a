//! The job queue that the coordinators of a deployment share.
//!
//! Each job is a message in a queue. A coordinator holds the message and extends its lease; when the coordinator falls
//! silent, another coordinator takes the job over and reads its journal. Any number of coordinators may run.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::{error::Result, receipt::Receipt};
use crate::{id::JobId, job::Job};

/// Decides whether the stored state of a job, None where there is no state, may be overwritten.
pub type GivesWay<'a> = dyn Fn(Option<&[u8]>) -> bool + Send + Sync + 'a;

/// The queue of jobs, with their states and results. Coordinators use the queue beside a [`Bus`](super::Bus), and
/// programs that submit jobs use the queue alone.
///
/// # Errors
///
/// Errors are like those of a [`Bus`](super::Bus): [`BusError::Unavailable`](super::BusError::Unavailable) comes only
/// after the adapter has retried for long enough, and the write may have happened all the same. A job or a state that
/// this build can't read is a [`BusError::Wire`](super::BusError::Wire).
#[async_trait]
pub trait JobQueue: Send + Sync + 'static {
    /// Queues a job for the coordinators, and withdraws an earlier request to cancel the job. Returns when the job is
    /// safe; false where the job was queued already and stays as it was.
    async fn submit(&self, job: &Job) -> Result<bool>;

    /// Reads a job as submitted, as long as the document is kept. Some adapters keep the document only until the job is
    /// over.
    async fn document(&self, job: JobId) -> Result<Option<Job>>;

    /// Waits for a job that no living coordinator holds. Safe to cancel.
    async fn claim(&self) -> Result<Claim>;

    /// Writes the job's state, in the coordinator's format. The last state is kept.
    async fn set_state(&self, job: JobId, state: Bytes) -> Result<()> {
        self.replace_state(job, state, &|_| true).await.map(drop)
    }

    /// Writes the job's state if the stored state gives way, and returns false otherwise. Nobody else writes between
    /// the comparison and the write.
    async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool>;

    /// Reads the job's state. None where no state was written.
    async fn state(&self, job: JobId) -> Result<Option<Bytes>>;

    /// Reads the states of all jobs, in the order of their ids.
    async fn states(&self) -> Result<Vec<(JobId, Bytes)>>;

    /// Gives the job's state, then each new state, without an end. Of states in quick succession all but the last may
    /// be left out.
    async fn watch(&self, job: JobId) -> Result<BoxStream<'static, Result<Bytes>>>;

    /// Requests that the job is cancelled. [`JobQueue::cancelled`] tells the present or next holder.
    async fn cancel(&self, job: JobId) -> Result<()>;

    /// Withdraws a request to cancel the job.
    async fn withdraw(&self, job: JobId) -> Result<()>;

    /// Waits until cancelling the job is requested, or returns at once where that has happened. Safe to cancel.
    async fn cancelled(&self, job: JobId) -> Result<()>;

    /// Keeps a part of the job's result, in the coordinator's format, until [`JobQueue::forget`]. Parts are numbered
    /// from 0 without a gap: the result of a large corpus is larger than memory.
    async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()>;

    /// Reads a part of the job's result, once the part is there.
    async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>>;

    /// Deletes the job's state and result, and any request to cancel the job.
    async fn forget(&self, job: JobId) -> Result<()>;

    /// The time for which coordinators keep the remains of a job that has ended; None for ever.
    fn retention(&self) -> Option<Duration> {
        None
    }
}

/// A job that a coordinator holds, under a lease. A claim that is dropped goes to another coordinator.
pub struct Claim {
    pub job: Arc<Job>,
    receipt: Box<dyn Receipt>,
}

impl Claim {
    pub fn new(job: Arc<Job>, receipt: Box<dyn Receipt>) -> Self {
        Self { job, receipt }
    }

    /// Extends the lease; due more often than [`Claim::lease`].
    pub async fn extend_lease(&self) -> Result<()> {
        self.receipt.extend_lease().await
    }

    /// The time after which the queue gives the job to another coordinator, unless the lease is extended.
    pub fn lease(&self) -> Duration {
        self.receipt.lease()
    }

    /// Leaves the job to another coordinator that has taken the job over. A claim that is only dropped would take the
    /// job from both.
    pub fn abandon(self) {
        self.receipt.abandon();
    }

    /// Acknowledges the job: the job is over.
    pub async fn acknowledge(self) -> Result<()> {
        self.receipt.acknowledge().await
    }

    /// Requeues the job for another coordinator after `delay`.
    pub async fn requeue_after(self, delay: Duration) -> Result<()> {
        self.receipt.requeue_after(delay).await
    }
}
