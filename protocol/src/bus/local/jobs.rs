//! The job queue of a single process: waiting jobs are on disk, leases are in memory.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Notify, watch};

use super::{disk::LocalDisk, tasks::LEASE};
use crate::{
    bus::{Receipt, Result},
    id::JobId,
    job::Job,
};

/// The unfinished jobs, and the listeners to their states.
#[derive(Default)]
pub(super) struct LocalJobs {
    queue: Mutex<UnfinishedJobs>,
    waiting: Notify,
    /// Senders that are notified of each write about a job.
    changed: Mutex<HashMap<JobId, watch::Sender<()>>>,
    /// Locked while a state is compared and written.
    pub writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct UnfinishedJobs {
    waiting: VecDeque<Arc<Job>>,
    out: HashSet<JobId>,
}

impl LocalJobs {
    /// Queues the jobs that were unfinished when the folder was last closed.
    pub fn new(jobs: Vec<Job>) -> Self {
        let this = Self::default();
        for job in jobs {
            this.submit(job);
        }
        this
    }

    /// Queues a job; false where the job is queued already.
    pub fn submit(&self, job: Job) -> bool {
        let mut queue = self.lock();
        let new = queue.out.insert(job.id);
        if new {
            queue.waiting.push_back(Arc::new(job));
            self.waiting.notify_one();
        }
        new
    }

    pub async fn claim(&self) -> Arc<Job> {
        loop {
            let waiting = self.waiting.notified();
            if let Some(claimed) = self.take() {
                return claimed;
            }
            waiting.await;
        }
    }

    fn take(&self) -> Option<Arc<Job>> {
        let mut queue = self.lock();
        let job = queue.waiting.pop_front()?;
        if !queue.waiting.is_empty() {
            self.waiting.notify_one();
        }
        Some(job)
    }

    fn release(&self, job: Arc<Job>) {
        let mut queue = self.lock();
        if queue.out.contains(&job.id) {
            queue.waiting.push_back(job);
            self.waiting.notify_one();
        }
    }

    fn finish(&self, job: JobId) {
        let mut queue = self.lock();
        queue.out.remove(&job);
    }

    /// Notifies of each write about a job.
    pub fn changes(&self, job: JobId) -> watch::Receiver<()> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        changed.entry(job).or_default().subscribe()
    }

    pub fn change(&self, job: JobId) {
        let changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(changed) = changed.get(&job) {
            changed.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, UnfinishedJobs> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that a coordinator holds. A job that is dropped before its end is queued again.
pub(super) struct HeldJob {
    pub disk: LocalDisk,
    pub jobs: Arc<LocalJobs>,
    pub job: Arc<Job>,
    pub armed: bool,
}

impl Drop for HeldJob {
    fn drop(&mut self) {
        if self.armed {
            self.jobs.release(self.job.clone());
        }
    }
}

#[async_trait]
impl Receipt for HeldJob {
    async fn extend_lease(&self) -> Result<()> {
        Ok(())
    }

    fn abandon(mut self: Box<Self>) {
        self.armed = false;
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    async fn acknowledge(mut self: Box<Self>) -> Result<()> {
        let job = self.job.id;
        self.disk.run(move |store| store.remove_about("job", job)).await?;
        self.armed = false;
        self.jobs.finish(job);
        Ok(())
    }

    async fn requeue_after(mut self: Box<Self>, delay: Duration) -> Result<()> {
        self.armed = false;
        let (jobs, job) = (Arc::downgrade(&self.jobs), self.job.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            if let Some(jobs) = jobs.upgrade() {
                jobs.release(job);
            }
        });
        Ok(())
    }
}
