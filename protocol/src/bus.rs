//! The seam between coordinator and worker.
//!
//! A coordinator publishes tasks and reads the journal; a worker pulls tasks and records outcomes; both put and get
//! blobs. Two adapters implement the seam: [`local`] on this machine's disk for a single process, [`nats`] on NATS
//! JetStream for many. Both pass the same conformance suite, and all code above them is the same.
//!
//! A bus promises:
//! - **Tasks** are delivered at least once, until they are acknowledged. Publishing a task again while the task is
//!   outstanding adds no delivery.
//! - **Outcomes** are recorded before their tasks are acknowledged. The journal keeps the first outcome that finished
//!   each task, in the order of arrival, until the job is cleared. A [`Stopped`](crate::task::Verdict::Stopped) outcome
//!   finishes no task: the journal keeps the later outcome as well.
//! - **Blobs** are immutable and belong to a job. **Replies** outlive jobs.
//! - Acknowledged writes survive the death of any process (`kill -9`).

mod error;
mod gossip;
mod jobs;
pub mod local;
pub mod nats;
mod receipt;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use crate::{
    id::{BlobId, CallId, JobId},
    task::{Kind, Outcome, Task},
};

pub use self::{
    error::{BusError, BusProblem, Result},
    gossip::Gossip,
    jobs::{Claim, GivesWay, JobQueue},
    receipt::Receipt,
};

/// Carries tasks, outcomes, blobs and replies; the module's documentation says what a bus promises.
///
/// # Errors
///
/// [`BusError::Unavailable`] comes only after the adapter has retried for as long as its settings say
/// ([`NatsOptions::outage`](nats::NatsOptions::outage)), so an immediate retry is of little use. The write may have
/// happened all the same, since only its acknowledgement may be lost: every write may be repeated. [`BusError::Wire`]
/// stands for bytes that another build wrote and this build can't read.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Publishes a task for the workers of its kind. Returns when the task is safe.
    async fn publish(&self, task: &Task) -> Result<()>;

    /// Publishes many tasks in order. Some of them may be out already when the call fails.
    async fn publish_all(&self, tasks: &[Task]) -> Result<()> {
        for task in tasks {
            self.publish(task).await?;
        }
        Ok(())
    }

    /// Waits for a task of the given kinds. Safe to cancel: a task that was not handed out is not lost.
    async fn pull(&self, kinds: &Kinds) -> Result<Delivery>;

    /// Appends an outcome to the job's journal, and leaves out outcomes of finished tasks. Returns when the outcome is
    /// safe.
    async fn record(&self, job: JobId, outcome: &Outcome) -> Result<()>;

    /// Reads the job's outcomes from the first, then follows the journal without an end. [`Entry::CaughtUp`] comes once,
    /// after the outcomes that were there at the beginning.
    async fn journal(&self, job: JobId) -> Result<BoxStream<'static, Result<Entry>>>;

    /// Stores bytes for a job, once however often they are put.
    async fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId>;

    /// Reads bytes that were stored for a job. Fails with [`BusError::NoBlob`] where they never were, or where the job
    /// was cleared: waiting doesn't help.
    async fn get(&self, job: JobId, blob: BlobId) -> Result<Bytes>;

    /// Looks up a model's earlier reply to the same call, where replies are kept.
    async fn reply(&self, call: CallId) -> Result<Option<Bytes>>;

    /// Keeps a model's reply. Returns when the reply is safe.
    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()>;

    /// Deletes the job's journal, blobs and outstanding tasks. Replies stay.
    async fn clear(&self, job: JobId) -> Result<()>;

    /// Deletes the job's journal and outstanding tasks. Blobs stay: the job's result may refer to them.
    async fn clear_work(&self, job: JobId) -> Result<()>;

    /// Counts the outstanding tasks of all jobs, by kind.
    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>>;

    /// Gives an item each time the bus may have forgotten acknowledged writes, as a server may after a power failure:
    /// outstanding tasks are then to be published again. Gives none where that can't happen.
    fn disturbances(&self) -> BoxStream<'static, ()> {
        stream::pending().boxed()
    }
}

/// The kinds of task that a worker serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds(BTreeSet<Kind>);

impl Kinds {
    pub fn all() -> Self {
        Self(Kind::all().collect())
    }

    /// Makes a set of at least one kind. None where there is no kind: such a worker would wait for ever.
    pub fn only(kinds: impl IntoIterator<Item = Kind>) -> Option<Self> {
        let kinds: BTreeSet<_> = kinds.into_iter().collect();
        (!kinds.is_empty()).then_some(Self(kinds))
    }

    pub fn contains(&self, kind: Kind) -> bool {
        self.0.contains(&kind)
    }

    pub fn iter(&self) -> impl Iterator<Item = Kind> {
        self.0.iter().copied()
    }
}

/// Counts of outstanding tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// Tasks that wait for a worker.
    pub waiting: u64,
    /// Tasks in flight: delivered, and neither acknowledged nor waiting again. Tasks that were requeued for later count
    /// as well.
    pub in_hand: u64,
}

/// An item of a journal as its reader gets it.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Outcome(Arc<Outcome>),
    /// The reader has got all outcomes that were there when the reading began.
    CaughtUp,
}

/// A task that a worker holds, under a lease. A delivery that is dropped is redelivered at once; after the death of the
/// worker's process, the task is redelivered when the lease expires.
pub struct Delivery {
    pub task: Arc<Task>,
    /// The number of deliveries of this task, including this delivery.
    pub delivery: u32,
    receipt: Box<dyn Receipt>,
}

impl Delivery {
    pub fn new(task: Arc<Task>, delivery: u32, receipt: Box<dyn Receipt>) -> Self {
        Self { task, delivery, receipt }
    }

    /// Extends the lease; due more often than [`Delivery::lease`].
    pub async fn extend_lease(&self) -> Result<()> {
        self.receipt.extend_lease().await
    }

    /// The time after which the bus redelivers the task, unless the lease is extended.
    pub fn lease(&self) -> Duration {
        self.receipt.lease()
    }

    /// Acknowledges the task. The task may be published again when this returns.
    pub async fn acknowledge(self) -> Result<()> {
        self.receipt.acknowledge().await
    }

    /// Acknowledges the task without waiting for the bus to confirm, for a task whose end is recorded. If the
    /// acknowledgement is lost, the task is redelivered, which does no harm.
    pub async fn acknowledge_unconfirmed(self) -> Result<()> {
        self.receipt.acknowledge_unconfirmed().await
    }

    /// Requeues the task for another worker after `delay`.
    pub async fn requeue_after(self, delay: Duration) -> Result<()> {
        self.receipt.requeue_after(delay).await
    }

    /// Leaves the task to another worker, after `delay` or somewhat less, without counting this delivery towards
    /// [`NatsOptions::max_deliver`](nats::NatsOptions::max_deliver). Returns when the task is out again. A task of a
    /// cleared job is dropped.
    pub async fn requeue_uncounted(self, delay: Duration) -> Result<()> {
        self.receipt.requeue_uncounted(delay).await
    }
}
