//! The bus of many processes, on NATS JetStream.
//!
//! - **Tasks** are a work-queue stream with a durable consumer for each kind. A task's subject ends in the task's id,
//!   and the stream takes one message per subject, so an outstanding task can't be published twice.
//! - **Outcomes** are a stream with a subject for each job. Readers give the first outcome of a task only.
//! - **Blobs** are an object store for each job; tasks and outcomes that are larger than a message go there as well.
//! - **Replies** are a key-value bucket.
//! - **Jobs** are a work queue with a lease for each job's coordinator, and a bucket of states.
//! - **Gossip** is plain messages: nothing keeps them.
//!
//! A server that dies with its machine may forget acknowledged writes. Readers notice and read on from the server's
//! present end; [`Bus::disturbances`] tells the coordinator to publish outstanding tasks again.

mod gossip;
mod jobs;
mod journal;
mod link;
mod names;
mod objects;
mod options;
mod oversized;
mod puller;
mod receipt;
mod replies;
mod streams;
mod tasks;
mod version;

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use async_nats::connection::State;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use super::{Bus, BusError, Claim, Delivery, Entry, GivesWay, JobQueue, Kinds, Lag, Result};
use crate::{
    id::{BlobId, CallId, JobId},
    job::Job,
    task::{Kind, Outcome, Task},
};

use self::{
    jobs::NatsJobs,
    journal::NatsJournal,
    link::{ANSWER, NatsLink},
    objects::ObjectStores,
    replies::ReplyBucket,
    streams::BusStreams,
    tasks::NatsTasks,
};

pub use self::{
    names::NatsNames,
    options::{Auth, NatsOptions, Tls},
};

/// A bus on a NATS server or a cluster of servers. Clones share the connection.
#[derive(Clone)]
pub struct NatsBus {
    link: Arc<NatsLink>,
    objects: Arc<ObjectStores>,
    tasks: Arc<NatsTasks>,
    journal: Arc<NatsJournal>,
    replies: Arc<ReplyBucket>,
    jobs: Arc<NatsJobs>,
}

impl NatsBus {
    /// Connects, and creates missing streams, consumers and buckets.
    ///
    /// # Errors
    ///
    /// [`BusError::Unusable`] where somebody has to mend the settings or the server first: the address, the prefix, the
    /// login, TLS, the server's version, JetStream. [`BusError::Unavailable`] where no server answers, where a stream
    /// can't be created, or where a stream under our name has another shape.
    pub async fn connect(options: NatsOptions) -> Result<Self> {
        let link = Arc::new(NatsLink::connect(options).await?);
        let bus = link.while_leaders_are_elected(|| Self::open(link.clone())).await?;
        tokio::spawn(keep_open(Arc::downgrade(&bus.link), Arc::downgrade(&bus.jobs)));
        Ok(bus)
    }

    async fn open(link: Arc<NatsLink>) -> Result<Self> {
        link.check_server().await?;
        let streams = BusStreams::ensure(&link).await?;
        let objects = Arc::new(ObjectStores::new(link.clone()));
        let journal = Arc::new(NatsJournal::new(link.clone(), objects.clone(), streams.journal));
        let tasks = Arc::new(NatsTasks::new(link.clone(), objects.clone(), journal.clone(), streams.tasks));
        let replies = Arc::new(ReplyBucket::open(link.clone(), objects.clone()).await?);
        let jobs = Arc::new(NatsJobs::open(link.clone(), objects.clone()).await?);
        Ok(Self { link, objects, tasks, journal, replies, jobs })
    }

    /// True while a server is connected. Calls that need a server wait for the next connection.
    pub fn is_connected(&self) -> bool {
        self.link.client.connection_state() == State::Connected
    }

    /// Waits until all messages have left for the server, while connected; due before the process ends.
    pub async fn flush(&self) -> Result<()> {
        let flushed = tokio::time::timeout(ANSWER, self.link.client.flush()).await;
        let flushed = flushed.map_err(|_| self.link.failed("failed to flush: no answer in time"))?;
        flushed.map_err(|error| self.link.failed(error))
    }
}

/// Creates again, after each reconnect, whatever a server without its store has lost. Ends with the connection.
async fn keep_open(link: Weak<NatsLink>, jobs: Weak<NatsJobs>) {
    let Some(mut epoch) = link.upgrade().map(|link| link.epoch.clone()) else { return };
    epoch.mark_unchanged();
    while epoch.changed().await.is_ok() {
        let (Some(link), Some(jobs)) = (link.upgrade(), jobs.upgrade()) else { return };
        let open = || async {
            NatsBus::open(link.clone()).await?;
            jobs.ensure_consumer().await
        };
        if let Err(error) = link.while_leaders_are_elected(open).await {
            tracing::warn!(%error, "failed to check the streams and buckets after a reconnect");
        }
    }
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, task: &Task) -> Result<()> {
        self.tasks.publish(task).await
    }

    async fn publish_all(&self, tasks: &[Task]) -> Result<()> {
        self.tasks.publish_all(tasks).await
    }

    async fn pull(&self, kinds: &Kinds) -> Result<Delivery> {
        self.tasks.pull(kinds).await
    }

    async fn record(&self, job: JobId, outcome: &Outcome) -> Result<()> {
        self.journal.record(job, outcome).await
    }

    async fn journal(&self, job: JobId) -> Result<BoxStream<'static, Result<Entry>>> {
        Ok(self.journal.follow(job))
    }

    async fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId> {
        let blob = BlobId::of_bytes(&bytes);
        self.objects.put(&self.link.names.blobs(job), &blob.to_string(), &bytes).await?;
        Ok(blob)
    }

    async fn get(&self, job: JobId, blob: BlobId) -> Result<Bytes> {
        let bytes = self.objects.get(&self.link.names.blobs(job), &blob.to_string()).await?;
        bytes.ok_or(BusError::NoBlob(blob))
    }

    async fn reply(&self, call: CallId) -> Result<Option<Bytes>> {
        self.replies.get(call).await
    }

    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()> {
        self.replies.keep(call, reply).await
    }

    async fn clear_work(&self, job: JobId) -> Result<()> {
        self.tasks.clear(job).await?;
        self.journal.clear(job).await
    }

    async fn clear(&self, job: JobId) -> Result<()> {
        self.clear_work(job).await?;
        self.objects.remove(&self.link.names.blobs(job)).await
    }

    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>> {
        self.tasks.lag().await
    }

    fn disturbances(&self) -> BoxStream<'static, ()> {
        let mut epoch = self.link.epoch.clone();
        epoch.mark_unchanged();
        stream::unfold(epoch, |mut epoch| async {
            match epoch.changed().await {
                Ok(()) => Some(((), epoch)),
                Err(_) => std::future::pending().await,
            }
        })
        .boxed()
    }
}

#[async_trait]
impl JobQueue for NatsBus {
    async fn claim(&self) -> Result<Claim> {
        self.jobs.claim().await
    }

    async fn document(&self, job: JobId) -> Result<Option<Job>> {
        self.jobs.document(job).await
    }

    async fn watch(&self, job: JobId) -> Result<BoxStream<'static, Result<Bytes>>> {
        Ok(self.jobs.watch(job))
    }

    async fn submit(&self, job: &Job) -> Result<bool> {
        self.jobs.submit(job).await
    }

    async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool> {
        self.jobs.replace_state(job, state, gives_way).await
    }

    async fn state(&self, job: JobId) -> Result<Option<Bytes>> {
        self.jobs.state(job).await
    }

    async fn states(&self) -> Result<Vec<(JobId, Bytes)>> {
        self.jobs.states().await
    }

    async fn cancel(&self, job: JobId) -> Result<()> {
        self.jobs.cancel(job).await
    }

    async fn withdraw(&self, job: JobId) -> Result<()> {
        self.jobs.withdraw(job).await
    }

    async fn cancelled(&self, job: JobId) -> Result<()> {
        self.jobs.cancelled(job).await
    }

    async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()> {
        self.jobs.keep_result(job, part, result).await
    }

    async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>> {
        self.jobs.result(job, part).await
    }

    async fn forget(&self, job: JobId) -> Result<()> {
        self.jobs.forget(job).await
    }

    fn retention(&self) -> Option<Duration> {
        Some(self.link.options.retention).filter(|retention| !retention.is_zero())
    }
}
