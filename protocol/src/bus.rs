//! The one seam between coordinator and worker.
//!
//! A coordinator publishes tasks and reads the journal; a worker pulls tasks and records outcomes; both put and get
//! blobs. What stands behind is an adapter's business: [`local`] keeps it on this machine's disk for one process,
//! [`nats`] gives it to JetStream for many. Both pass the same conformance suite, and everything above is the same code.
//!
//! What a bus promises:
//! - **Tasks** are delivered at least once, until they are acknowledged. A task that is published again under the same id
//!   while it is outstanding is delivered no more often for it.
//! - **Outcomes** are recorded before their tasks are acknowledged. The journal keeps the first outcome of each task
//!   that finished it, in the order in which they arrived, until the job is cleared. A [`Stopped`](crate::task::Verdict::Stopped) finishes no
//!   task: it is kept beside the outcome that comes later.
//! - **Blobs** are immutable and belong to a job. **Replies** outlive jobs.
//! - What was acknowledged to its writer survives the death of any process (`kill -9`).

mod error;
mod jobs;
pub mod local;
mod members;
pub mod nats;

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
    jobs::{Claim, GivesWay, JobQueue},
    members::Members,
};

/// See the module's documentation for what is promised.
///
/// # Errors
///
/// [`BusError::Unavailable`] comes only after the adapter has tried for as long as its settings say
/// ([`NatsOptions::outage`](nats::NatsOptions::outage)), so there is little use in trying again at once. What was to be
/// published, recorded, put, kept or cleared may be so nevertheless, since the word on it may be what was lost: all of it may
/// be done again. [`BusError::Wire`] is of something that another build wrote and this one can't read.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Puts a task where a worker will find it. Returns when it is safe.
    async fn publish(&self, task: &Task) -> Result<()>;

    /// Publishes many at once, in order; some of them may be out already when it fails.
    async fn publish_all(&self, tasks: &[Task]) -> Result<()> {
        for task in tasks {
            self.publish(task).await?;
        }
        Ok(())
    }

    /// Waits for a task of one of these kinds. Safe to cancel: a task that was not handed out is not lost.
    async fn pull(&self, kinds: &Kinds) -> Result<Delivery>;

    /// Appends an outcome to the job's journal; of a task that has finished already it is silently left out.
    /// Returns when it is safe.
    async fn record(&self, job: JobId, outcome: &Outcome) -> Result<()>;

    /// The job's outcomes from the first, then those to come, without an end. A reader that has seen what was there when
    /// it began is told so once by [`Entry::Caught`].
    async fn journal(&self, job: JobId) -> Result<BoxStream<'static, Result<Entry>>>;

    /// Stores bytes for a job, once however often they are put.
    async fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId>;

    /// Bytes that were stored for a job. [`BusError::NoBlob`] where they never were, or the job was cleared: waiting doesn't
    /// bring them.
    async fn get(&self, job: JobId, blob: BlobId) -> Result<Bytes>;

    /// What a model answered to this very call, at any time before, where that is kept.
    async fn reply(&self, call: CallId) -> Result<Option<Bytes>>;

    /// Keeps a model's answer. Returns when it is safe.
    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()>;

    /// Forgets all of a job but the replies: its journal, its blobs, the tasks that are still out.
    async fn clear(&self, job: JobId) -> Result<()>;

    /// Forgets a job's journal and the tasks that are still out. Its blobs stay: its result may refer to them.
    async fn clear_work(&self, job: JobId) -> Result<()>;

    /// How many tasks of every kind are out now, of all jobs.
    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>>;

    /// Gives something each time the bus may have forgotten what it acknowledged, as a server may that lost its power:
    /// what is outstanding is then to be published again. Never, where that can't happen.
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

    /// None where there is no kind: such a worker would wait for ever.
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

/// Tasks that are out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// They wait for a worker.
    pub waiting: u64,
    /// They were delivered and are not done: in a worker's hands, or handed back for later.
    pub in_hand: u64,
}

/// What a journal's reader is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Outcome(Arc<Outcome>),
    /// All that was there when the reading began has been given.
    Caught,
}

/// A task in a worker's hands. Dropped without a word, it goes to another worker at once; when its process dies, then when
/// its time is up.
pub struct Delivery {
    pub task: Arc<Task>,
    /// How often it has been delivered, this time included.
    pub delivery: u32,
    receipt: Box<dyn Receipt>,
}

impl Delivery {
    pub fn new(task: Arc<Task>, delivery: u32, receipt: Box<dyn Receipt>) -> Self {
        Self { task, delivery, receipt }
    }

    /// Says that the work goes on; due more often than [`Delivery::patience`].
    pub async fn working(&self) -> Result<()> {
        self.receipt.working().await
    }

    /// How long the bus waits for a sign of life before it gives the task to another.
    pub fn patience(&self) -> Duration {
        self.receipt.patience()
    }

    /// The task is out no more, and may be asked for again when this returns.
    pub async fn done(self) -> Result<()> {
        self.receipt.done().await
    }

    /// The task's end is recorded: nobody asks for it again, so the bus's word on it is not waited for. Should the bus
    /// not hear of it, the task comes again, which does no harm.
    pub async fn done_unconfirmed(self) -> Result<()> {
        self.receipt.done_unconfirmed().await
    }

    /// Gives the task to another worker after `delay`.
    pub async fn hand_back(self, delay: Duration) -> Result<()> {
        self.receipt.hand_back(delay).await
    }

    /// Leaves the task to another worker, `delay` or somewhat less from now: returns after that. Unlike a task that is handed
    /// back it comes no closer to being given up. It is gone if its job was cleared.
    pub async fn pass_on(self, delay: Duration) -> Result<()> {
        self.receipt.pass_on(delay).await
    }
}

/// An adapter's side of a [`Delivery`].
#[async_trait]
pub trait Receipt: Send + Sync {
    async fn working(&self) -> Result<()>;
    fn patience(&self) -> Duration;
    /// Another has it by now: nothing is said of it any more.
    fn leave(self: Box<Self>);
    async fn done(self: Box<Self>) -> Result<()>;
    async fn done_unconfirmed(self: Box<Self>) -> Result<()> {
        self.done().await
    }
    async fn hand_back(self: Box<Self>, delay: Duration) -> Result<()>;
    async fn pass_on(self: Box<Self>, delay: Duration) -> Result<()> {
        self.hand_back(delay).await
    }
}
