//! The bus of a single process: tasks wait in memory, everything else is on the local disk.
//!
//! Tasks need no disk, since whoever opens the journal again publishes the outstanding tasks. Bytes written by
//! `record`, `keep_reply` and `put` have reached the operating system when the call returns, so they survive any death
//! of the process; a power failure loses at most the last [`LocalOptions::sync_every`].

mod blobs;
mod disk;
mod folder;
mod gossip;
mod jobs;
mod journal;
mod journal_reader;
mod options;
mod store;
mod tasks;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use super::{Bus, BusError, Claim, Delivery, Entry, GivesWay, Gossip, JobQueue, Kinds, Lag, Result};
use crate::{
    id::{BlobId, CallId, JobId},
    job::Job,
    task::{Kind, Outcome, Task},
};

pub use self::options::LocalOptions;
use self::{disk::LocalDisk, gossip::LocalGossip, jobs::LocalJobs, store::LocalStore, tasks::LocalTasks};

/// A bus for the coordinator and workers of a single process, kept in a folder. Clones share the bus; the folder is
/// free for another process when the last clone, delivery and journal stream is dropped.
#[derive(Clone)]
pub struct LocalBus {
    disk: LocalDisk,
    tasks: Arc<LocalTasks>,
    jobs: Arc<LocalJobs>,
    gossip: Arc<LocalGossip>,
}

impl LocalBus {
    /// Opens the state in `folder`, or begins there; its journals can be read at once.
    ///
    /// # Errors
    ///
    /// [`BusError::InUse`] where another process has the folder open, [`BusError::Unavailable`] where the folder can't
    /// be read or written, [`BusError::Unusable`] where the folder holds something else or is damaged.
    pub fn open(folder: &Path, options: LocalOptions) -> Result<Self> {
        let store = LocalStore::open(folder, &options)?;
        let jobs = Arc::new(LocalJobs::new(store.submitted()?));
        Ok(Self { disk: LocalDisk::new(store), tasks: Arc::default(), jobs, gossip: Arc::default() })
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, task: &Task) -> Result<()> {
        let (job, id) = (task.job, task.id);
        if !self.disk.run(move |store| store.journal.has_ended(job, id)).await? {
            self.tasks.publish(task);
        }
        Ok(())
    }

    async fn pull(&self, kinds: &Kinds) -> Result<Delivery> {
        Ok(self.tasks.pull(kinds).await.into_delivery())
    }

    async fn record(&self, job: JobId, outcome: &Outcome) -> Result<()> {
        let (task, ends) = (outcome.task, outcome.verdict.ends_task());
        let outcome = outcome.clone();
        self.disk.run(move |store| store.journal.append(job, &outcome)).await?;
        if ends {
            self.tasks.finish(task);
        }
        Ok(())
    }

    async fn journal(&self, job: JobId) -> Result<BoxStream<'static, Result<Entry>>> {
        let log = self.disk.run(move |store| store.journal.log(job)).await?;
        Ok(journal_reader::follow(self.disk.clone(), job, log))
    }

    async fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId> {
        self.disk.run(move |store| store.blobs.put(job, bytes)).await
    }

    async fn get(&self, job: JobId, blob: BlobId) -> Result<Bytes> {
        self.disk.run(move |store| store.blobs.get(job, blob)).await?.ok_or(BusError::NoBlob(blob))
    }

    async fn reply(&self, call: CallId) -> Result<Option<Bytes>> {
        self.disk.run(move |store| store.reply(call)).await
    }

    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()> {
        self.disk.run(move |store| store.keep_reply(call, reply)).await
    }

    async fn clear_work(&self, job: JobId) -> Result<()> {
        self.tasks.clear(job);
        self.disk.run(move |store| store.clear_journal(job)).await
    }

    async fn clear(&self, job: JobId) -> Result<()> {
        self.tasks.clear(job);
        self.disk.run(move |store| store.clear(job)).await
    }

    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>> {
        Ok(self.tasks.lag())
    }
}

#[async_trait]
impl JobQueue for LocalBus {
    async fn submit(&self, job: &Job) -> Result<bool> {
        let document = job.clone();
        self.disk.run(move |store| store.submit(&document)).await?;
        Ok(self.jobs.submit(job.clone()))
    }

    async fn document(&self, job: JobId) -> Result<Option<Job>> {
        let document = self.disk.run(move |store| store.about("job", job)).await?;
        Ok(document.map(|document| crate::wire::decode(&document)).transpose()?)
    }

    async fn claim(&self) -> Result<Claim> {
        let job = self.jobs.claim().await;
        let held = jobs::HeldJob { disk: self.disk.clone(), jobs: self.jobs.clone(), job: job.clone(), armed: true };
        Ok(Claim::new(job, Box::new(held)))
    }

    async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool> {
        let _alone = self.jobs.writing.lock().await;
        if !gives_way(self.state(job).await?.as_deref()) {
            return Ok(false);
        }
        self.disk.run(move |store| store.set_about("state", job, state)).await?;
        self.jobs.change(job);
        Ok(true)
    }

    async fn state(&self, job: JobId) -> Result<Option<Bytes>> {
        self.disk.run(move |store| store.about("state", job)).await
    }

    async fn states(&self) -> Result<Vec<(JobId, Bytes)>> {
        self.disk.run(LocalStore::states).await
    }

    async fn watch(&self, job: JobId) -> Result<BoxStream<'static, Result<Bytes>>> {
        let mut changes = self.jobs.changes(job);
        changes.mark_changed();
        Ok(stream::unfold((self.clone(), changes), move |(bus, mut changes)| async move {
            loop {
                changes.changed().await.ok()?;
                if let Some(state) = bus.state(job).await.transpose() {
                    return Some((state, (bus, changes)));
                }
            }
        })
        .boxed())
    }

    async fn cancel(&self, job: JobId) -> Result<()> {
        self.disk.run(move |store| store.set_about("cancel", job, Bytes::new())).await?;
        self.jobs.change(job);
        Ok(())
    }

    async fn withdraw(&self, job: JobId) -> Result<()> {
        self.disk.run(move |store| store.remove_about("cancel", job)).await
    }

    async fn cancelled(&self, job: JobId) -> Result<()> {
        let mut changes = self.jobs.changes(job);
        while self.disk.run(move |store| store.about("cancel", job)).await?.is_none() {
            changes
                .changed()
                .await
                .map_err(|_| self.disk.failed("failed to wait for a request to cancel: the bus is closed"))?;
        }
        Ok(())
    }

    async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()> {
        self.disk.run(move |store| store.keep_result(job, part, result)).await
    }

    async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>> {
        self.disk.run(move |store| store.result(job, part)).await
    }

    async fn forget(&self, job: JobId) -> Result<()> {
        self.disk.run(move |store| store.forget(job)).await
    }
}

#[async_trait]
impl Gossip for LocalBus {
    async fn tell(&self, group: &str, word: Bytes) -> Result<()> {
        self.gossip.tell(group, word);
        Ok(())
    }

    async fn hear(&self, group: &str) -> Result<BoxStream<'static, Bytes>> {
        Ok(self.gossip.hear(group))
    }
}
