//! The bus of a single process: tasks wait in memory, everything else is on the local disk.
//!
//! Tasks need no disk, since whoever opens the journal again publishes the outstanding tasks. Bytes written by
//! `record`, `keep_reply` and `put` have reached the operating system when the call returns, so they survive any death
//! of the process; a power failure loses at most the last [`LocalOptions::sync_every`].

mod blobs;
mod folder;
mod gossip;
mod jobs;
mod journal;
mod store;
mod tasks;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::sync::Semaphore;

use super::{Bus, BusError, Claim, Delivery, Entry, GivesWay, JobQueue, Kinds, Lag, Result};
use crate::{
    id::{BlobId, CallId, JobId},
    job::Job,
    task::{Kind, Outcome, Task},
};

use self::{gossip::LocalGossip, jobs::LocalJobs, store::LocalStore, tasks::LocalTasks};

/// Threads that wait for the disk at a time. Each keeps some memory of its past work: hundreds of threads, as a large
/// corpus would have at once, keep a gigabyte.
const THREADS: usize = 8;

/// The settings of a [`LocalBus`]. The defaults suit corpora of kilobytes to gigabytes.
#[derive(Clone, Debug)]
pub struct LocalOptions {
    /// Memory for recently read data, in bytes.
    pub cache: u64,
    /// Time between syncs against power failures.
    pub sync_every: Duration,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { cache: 16 << 20, sync_every: Duration::from_secs(1) }
    }
}

/// A bus for the coordinator and workers of a single process, kept in a folder. Clones share the bus; the folder is
/// free for another process when the last clone, delivery and journal stream is dropped.
#[derive(Clone)]
pub struct LocalBus {
    store: Arc<LocalStore>,
    threads: Arc<Semaphore>,
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
        let threads = Arc::new(Semaphore::new(THREADS));
        Ok(Self { store: Arc::new(store), threads, tasks: Arc::default(), jobs, gossip: Arc::default() })
    }

    /// Runs blocking disk work on another thread. The work is carried out whole, even if the caller is cancelled.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LocalStore) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (store, threads) = (self.store.clone(), self.threads.clone());
        let ended = tokio::spawn(async move {
            let _thread = threads.acquire_owned().await;
            tokio::task::spawn_blocking(move || work(&store)).await
        });
        match ended.await.and_then(|ended| ended) {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(self.store.failed("failed to use the disk: the process is ending")),
            },
        }
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, task: &Task) -> Result<()> {
        let (job, id) = (task.job, task.id);
        if !self.on_disk(move |store| store.journal.has_ended(job, id)).await? {
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
        self.on_disk(move |store| store.journal.append(job, &outcome)).await?;
        if ends {
            self.tasks.finish(task);
        }
        Ok(())
    }

    async fn journal(&self, job: JobId) -> Result<BoxStream<'static, Result<Entry>>> {
        let log = self.on_disk(move |store| store.journal.log(job)).await?;
        Ok(journal::follow(self.clone(), job, log))
    }

    async fn put(&self, job: JobId, bytes: Bytes) -> Result<BlobId> {
        self.on_disk(move |store| store.blobs.put(job, bytes)).await
    }

    async fn get(&self, job: JobId, blob: BlobId) -> Result<Bytes> {
        self.on_disk(move |store| store.blobs.get(job, blob)).await?.ok_or(BusError::NoBlob(blob))
    }

    async fn reply(&self, call: CallId) -> Result<Option<Bytes>> {
        self.on_disk(move |store| store.reply(call)).await
    }

    async fn keep_reply(&self, call: CallId, reply: Bytes) -> Result<()> {
        self.on_disk(move |store| store.keep_reply(call, reply)).await
    }

    async fn clear_work(&self, job: JobId) -> Result<()> {
        self.tasks.clear(job);
        self.on_disk(move |store| store.clear_journal(job)).await
    }

    async fn clear(&self, job: JobId) -> Result<()> {
        self.tasks.clear(job);
        self.on_disk(move |store| store.clear(job)).await
    }

    async fn lag(&self) -> Result<BTreeMap<Kind, Lag>> {
        Ok(self.tasks.lag())
    }
}

#[async_trait]
impl JobQueue for LocalBus {
    async fn submit(&self, job: &Job) -> Result<bool> {
        let document = job.clone();
        self.on_disk(move |store| store.submit(&document)).await?;
        Ok(self.jobs.submit(job.clone()))
    }

    async fn document(&self, job: JobId) -> Result<Option<Job>> {
        let document = self.on_disk(move |store| store.about("job", job)).await?;
        Ok(document.map(|document| crate::wire::decode(&document)).transpose()?)
    }

    async fn claim(&self) -> Result<Claim> {
        let job = self.jobs.claim().await;
        let held = jobs::HeldJob { bus: self.clone(), job: job.clone(), armed: true };
        Ok(Claim::new(job, Box::new(held)))
    }

    async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool> {
        let _alone = self.jobs.writing.lock().await;
        if !gives_way(self.state(job).await?.as_deref()) {
            return Ok(false);
        }
        self.on_disk(move |store| store.set_about("state", job, state)).await?;
        self.jobs.change(job);
        Ok(true)
    }

    async fn state(&self, job: JobId) -> Result<Option<Bytes>> {
        self.on_disk(move |store| store.about("state", job)).await
    }

    async fn states(&self) -> Result<Vec<(JobId, Bytes)>> {
        self.on_disk(LocalStore::states).await
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
        self.on_disk(move |store| store.set_about("cancel", job, Bytes::new())).await?;
        self.jobs.change(job);
        Ok(())
    }

    async fn withdraw(&self, job: JobId) -> Result<()> {
        self.on_disk(move |store| store.remove_about("cancel", job)).await
    }

    async fn cancelled(&self, job: JobId) -> Result<()> {
        let mut changes = self.jobs.changes(job);
        while self.on_disk(move |store| store.about("cancel", job)).await?.is_none() {
            changes
                .changed()
                .await
                .map_err(|_| self.store.failed("failed to wait for a request to cancel: the bus is closed"))?;
        }
        Ok(())
    }

    async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()> {
        self.on_disk(move |store| store.keep_result(job, part, result)).await
    }

    async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>> {
        self.on_disk(move |store| store.result(job, part)).await
    }

    async fn forget(&self, job: JobId) -> Result<()> {
        self.on_disk(move |store| store.forget(job)).await
    }
}
