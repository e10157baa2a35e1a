//! The job queue: a stream that coordinators pull from, a bucket of states, and an object store of submitted jobs and
//! results.

use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{
    HeaderMap,
    jetstream::{
        consumer::{Consumer, pull},
        kv::{self, Operation, Store},
        stream::{RetentionPolicy, Stream},
    },
};
use bytes::Bytes;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::MissedTickBehavior,
};

use super::{
    link::{NatsLink, StoreAnswer},
    objects::ObjectStores,
    puller::{self, MessageSender, PullSource},
    receipt::HeldMessage,
    streams::{ensure, ensure_bucket, one_per_subject, queue_consumer},
};
use crate::{
    bus::{Claim, GivesWay, Receipt, Result},
    id::JobId,
    job::Job,
    wire,
};

/// Most states that are read at once.
const AT_ONCE: usize = 64;

/// Time between reads of a watched key.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

pub(super) struct NatsJobs {
    link: Arc<NatsLink>,
    objects: Arc<ObjectStores>,
    stream: Stream,
    states: Store,
    puller: Mutex<Option<mpsc::UnboundedSender<MessageSender>>>,
}

impl NatsJobs {
    pub async fn open(link: Arc<NatsLink>, objects: Arc<ObjectStores>) -> Result<Self> {
        let names = &link.names;
        let jobs = one_per_subject(
            names.jobs(),
            names.all_jobs(),
            RetentionPolicy::WorkQueue,
            Duration::ZERO,
            "Jobs that wait or that a coordinator holds",
        );
        let states = kv::Config {
            bucket: names.states(),
            description: "States of jobs, and requests to cancel jobs".into(),
            max_age: link.options.last_resort(),
            max_bytes: -1,
            ..kv::Config::default()
        };
        let (stream, states) = (ensure(&link, jobs).await?, ensure_bucket(&link, states).await?);
        Ok(Self { objects, stream, states, puller: Mutex::default(), link })
    }

    pub async fn submit(&self, job: &Job) -> Result<bool> {
        let document = Bytes::from(wire::encode(job));
        self.objects.put(&self.link.names.results(), &document_name(job.id), &document).await?;
        self.withdraw(job.id).await?;
        let stored = self.link.store(self.link.names.job(job.id), HeaderMap::new(), Bytes::new()).await?;
        Ok(stored == StoreAnswer::Stored)
    }

    pub async fn document(&self, job: JobId) -> Result<Option<Job>> {
        let document = self.objects.get(&self.link.names.results(), &document_name(job)).await?;
        Ok(document.map(|document| wire::decode(&document)).transpose()?)
    }

    pub async fn claim(&self) -> Result<Claim> {
        loop {
            let (caller, waiting) = oneshot::channel();
            let sent = self.puller().await?.send(caller);
            let Ok(held) = waiting.await else {
                sent.map_err(|_| self.link.failed("the puller of jobs has ended"))?;
                continue;
            };
            let id = held.message.subject.rsplit('.').next().and_then(|id| id.parse::<JobId>().ok());
            let document = match id {
                Some(id) => self.objects.get(&self.link.names.results(), &document_name(id)).await?,
                None => None,
            };
            let subject = held.message.subject.clone();
            let Some(document) = document else {
                // A server that lags behind may not have the document yet. Of a deleted job there is no state either.
                let is_known = match id {
                    Some(id) => self.state(id).await?.is_some(),
                    None => false,
                };
                if is_known && held.deliveries <= self.link.options.max_deliver {
                    tracing::warn!(%subject, "failed to find the document of a job; requeueing the job");
                    self.requeue(held).await?;
                } else {
                    tracing::warn!(%subject, "dropped a job without a document");
                    held.settle().await?;
                }
                continue;
            };
            match wire::decode::<Job>(&document) {
                Ok(job) => return Ok(Claim::new(Arc::new(job), Box::new(held))),
                Err(error) => {
                    tracing::warn!(%subject, %error, "failed to read a job; requeueing the job");
                    self.requeue(held).await?;
                }
            }
        }
    }

    async fn requeue(&self, held: HeldMessage) -> Result<()> {
        Receipt::requeue_after(Box::new(held), self.link.options.lease).await
    }

    async fn puller(&self) -> Result<mpsc::UnboundedSender<MessageSender>> {
        let open = self.puller.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(open) = open {
            return Ok(open);
        }
        let names = &self.link.names;
        let lease = self.consumer().await?.cached_info().config.ack_wait;
        let source = PullSource { stream: names.jobs(), consumers: vec![names.jobs_consumer()], lease };
        let started = puller::start(self.link.clone(), source).await?;
        Ok(self.puller.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(started).clone())
    }

    async fn consumer(&self) -> Result<Consumer<pull::Config>> {
        let (names, lease) = (&self.link.names, self.link.options.lease);
        queue_consumer(&self.link, &self.stream, names.jobs_consumer(), names.all_jobs(), lease).await
    }

    /// Creates the coordinators' consumer again if this process claims jobs and the consumer is gone.
    pub async fn ensure_consumer(&self) -> Result<()> {
        let claims = self.puller.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if claims { self.consumer().await.map(drop) } else { Ok(()) }
    }

    /// Compares and writes by revision: the server rejects a write after any other write, even a late write from before
    /// a reconnect.
    pub async fn replace_state(&self, job: JobId, state: Bytes, gives_way: &GivesWay<'_>) -> Result<bool> {
        let key = state_key(job);
        self.link
            .persist("write a job's state", || async {
                let last = self.states.entry(&key).await?;
                let written = last.as_ref().filter(|last| last.operation == Operation::Put).map(|last| &last.value);
                if written == Some(&state) {
                    return Ok(true);
                }
                if !gives_way(written.map(|written| &written[..])) {
                    return Ok(false);
                }
                let revision = last.as_ref().map_or(0, |last| last.revision);
                self.states.update(&key, state.clone(), revision).await?;
                Ok(true)
            })
            .await
    }

    pub async fn state(&self, job: JobId) -> Result<Option<Bytes>> {
        self.read(&state_key(job)).await
    }

    pub async fn states(&self) -> Result<Vec<(JobId, Bytes)>> {
        let keys: Vec<String> =
            self.link.persist("list jobs", || async { Ok(self.states.keys().await?.try_collect().await?) }).await?;
        let jobs = keys.iter().filter_map(|key| key.strip_prefix("state.")?.parse::<JobId>().ok());
        let reading: Vec<_> = jobs.map(|job| async move { self.state(job).await.map(|state| (job, state)) }).collect();
        let found: Vec<(JobId, Option<Bytes>)> = stream::iter(reading).buffered(AT_ONCE).try_collect().await?;
        let mut states: Vec<_> = found.into_iter().filter_map(|(job, state)| Some((job, state?))).collect();
        states.sort_unstable_by_key(|(job, _)| *job);
        Ok(states)
    }

    pub fn watch(self: &Arc<Self>, job: JobId) -> BoxStream<'static, Result<Bytes>> {
        self.clone().values(state_key(job))
    }

    pub async fn cancel(&self, job: JobId) -> Result<()> {
        self.write(&cancel_key(job), Bytes::from_static(b"1")).await
    }

    pub async fn withdraw(&self, job: JobId) -> Result<()> {
        self.remove(&cancel_key(job)).await
    }

    pub async fn cancelled(self: &Arc<Self>, job: JobId) -> Result<()> {
        let mut wishes = pin!(self.clone().values(cancel_key(job)));
        wishes.next().await.transpose().map(drop)
    }

    /// Gives the values of a key from now on. Reconnects begin a new watch.
    ///
    /// A watch may miss a value and make up for the loss many seconds later. So the key is read as well, at once and at
    /// intervals.
    fn values(self: Arc<Self>, key: String) -> BoxStream<'static, Result<Bytes>> {
        let mut epoch = self.link.epoch.clone();
        epoch.mark_unchanged();
        stream::unfold((self, key, epoch, None, 0), |(jobs, key, mut epoch, mut open, mut seen)| async move {
            loop {
                let Some((watch, look)) = &mut open else {
                    let watch = jobs
                        .link
                        .persist("watch a job", || async { Ok(Box::pin(jobs.states.watch_with_history(&key).await?)) });
                    match watch.await {
                        Ok(watch) => {
                            let mut look = tokio::time::interval(LOOK_AGAIN);
                            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
                            (open, seen) = (Some((watch, look)), 0);
                        }
                        Err(error) => return Some((Err(error), (jobs, key, epoch, None, 0))),
                    }
                    continue;
                };
                let entry = tokio::select! {
                    entry = watch.next() => match entry {
                        Some(Ok(entry)) => Some(entry),
                        Some(Err(_)) | None => {
                            open = None;
                            continue;
                        }
                    },
                    _ = look.tick() => {
                        let entry = || async { Ok(jobs.states.entry(&key).await?) };
                        match jobs.link.persist("read a job's state", entry).await {
                            Ok(entry) => entry,
                            Err(error) => return Some((Err(error), (jobs, key, epoch, None, 0))),
                        }
                    }
                    Ok(()) = epoch.changed() => {
                        open = None;
                        continue;
                    }
                };
                if let Some(entry) = entry.filter(|entry| entry.revision > seen) {
                    seen = entry.revision;
                    if entry.operation == Operation::Put {
                        return Some((Ok(entry.value), (jobs, key, epoch, open, seen)));
                    }
                }
            }
        })
        .boxed()
    }

    pub async fn keep_result(&self, job: JobId, part: u32, result: Bytes) -> Result<()> {
        self.objects.replace(&self.link.names.results(), &result_name(job, part), &result).await
    }

    pub async fn result(&self, job: JobId, part: u32) -> Result<Option<Bytes>> {
        self.objects.get(&self.link.names.results(), &result_name(job, part)).await
    }

    /// Deletes the state last: as long as the state is there, a cleanup finds the remains of a deletion that was cut
    /// short.
    pub async fn forget(&self, job: JobId) -> Result<()> {
        self.remove(&cancel_key(job)).await?;
        let results = self.link.names.results();
        self.objects.delete(&results, &document_name(job)).await?;
        // The first part is written last and may be missing.
        self.objects.delete(&results, &result_name(job, 0)).await?;
        let mut part = 1;
        while self.objects.delete(&results, &result_name(job, part)).await? {
            part += 1;
        }
        self.remove(&state_key(job)).await
    }

    async fn write(&self, key: &str, value: Bytes) -> Result<()> {
        let write = || async { Ok(self.states.put(key, value.clone()).await.map(drop)?) };
        self.link.persist("write a job's state", write).await
    }

    async fn read(&self, key: &str) -> Result<Option<Bytes>> {
        self.link.persist("read a job's state", || async { Ok(self.states.get(key).await?) }).await
    }

    async fn remove(&self, key: &str) -> Result<()> {
        self.link
            .persist("delete a job's state", || async {
                if self.states.get(key).await?.is_some() {
                    self.states.purge(key).await?;
                }
                Ok(())
            })
            .await
    }
}

fn state_key(job: JobId) -> String {
    format!("state.{job}")
}

fn cancel_key(job: JobId) -> String {
    format!("cancel.{job}")
}

fn document_name(job: JobId) -> String {
    format!("job-{job}")
}

fn result_name(job: JobId, part: u32) -> String {
    format!("result-{job}-{part}")
}
