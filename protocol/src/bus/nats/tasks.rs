//! Tasks: published once while outstanding, pulled by kind, and given up after too many deliveries.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use async_nats::jetstream::stream::Stream;
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use tokio::sync::{mpsc, oneshot};

use super::{
    journal::NatsJournal,
    link::NatsLink,
    names::NatsNames,
    objects::ObjectStores,
    oversized,
    puller::{self, MessageSender, PullSource},
    receipt::HeldMessage,
    streams::ensure_consumer,
};
use crate::{
    bus::{Delivery, Kinds, Lag, Result},
    id::{JobId, TaskId},
    task::{Kind, Outcome, Task, Usage, Verdict},
    wire,
};

/// Most tasks that are published at once.
const AT_ONCE: usize = 512;

/// The header with the reason for giving a task up.
const REASON: &str = "Tributary-Reason";

pub(super) struct NatsTasks {
    link: Arc<NatsLink>,
    objects: Arc<ObjectStores>,
    journal: Arc<NatsJournal>,
    stream: Stream,
    /// The running pullers, by the kinds that they pull.
    pullers: Mutex<HashMap<Vec<Kind>, mpsc::UnboundedSender<MessageSender>>>,
}

impl NatsTasks {
    pub fn new(link: Arc<NatsLink>, objects: Arc<ObjectStores>, journal: Arc<NatsJournal>, stream: Stream) -> Self {
        Self { link, objects, journal, stream, pullers: Mutex::default() }
    }

    pub async fn publish(&self, task: &Task) -> Result<()> {
        let subject = self.link.names.task(task.kind(), task.job, task.id);
        let name = |_: &Bytes| format!("task-{}", task.id);
        let (headers, payload) = oversized::pack(&self.link, &self.objects, task.job, name, wire::encode(task)).await?;
        self.link.store(subject, headers, payload).await?;
        Ok(())
    }

    pub async fn publish_all(&self, tasks: &[Task]) -> Result<()> {
        stream::iter(0..tasks.len()).map(|n| self.publish(&tasks[n])).buffered(AT_ONCE).try_collect().await
    }

    pub async fn pull(&self, kinds: &Kinds) -> Result<Delivery> {
        loop {
            let (caller, waiting) = oneshot::channel();
            let sent = self.puller(kinds).await?.send(caller);
            let Ok(held) = waiting.await else {
                sent.map_err(|_| self.link.failed("the puller of tasks has ended"))?;
                continue;
            };
            if let Some(delivery) = self.unpack(held).await? {
                return Ok(delivery);
            }
        }
    }

    async fn puller(&self, kinds: &Kinds) -> Result<mpsc::UnboundedSender<MessageSender>> {
        let key: Vec<_> = kinds.iter().collect();
        if let Some(puller) = self.pullers.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(puller.clone());
        }
        let mut lease = self.link.options.ack_wait;
        let mut consumers = Vec::new();
        for kind in &key {
            let consumer = ensure_consumer(&self.link, &self.stream, *kind).await?;
            lease = lease.min(consumer.cached_info().config.ack_wait);
            consumers.push(self.link.names.tasks_consumer(*kind));
        }
        let source = PullSource { stream: self.link.names.tasks(), consumers, lease };
        let puller = puller::start(self.link.clone(), source).await?;
        let mut pullers = self.pullers.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(pullers.entry(key).or_insert(puller).clone())
    }

    /// Reads the task in a message. None where there is no task to do: the message is dealt with then.
    async fn unpack(&self, held: HeldMessage) -> Result<Option<Delivery>> {
        let Some((kind, job, id)) = NatsNames::read_task(&held.message.subject) else {
            tracing::warn!(subject = %held.message.subject, "dropped a message that is no task");
            held.settle().await?;
            return Ok(None);
        };
        if held.deliveries > self.link.options.max_deliver {
            self.give_up(held, kind, job, id).boxed().await?;
            return Ok(None);
        }
        let Some(payload) = oversized::unpack(&self.link, &self.objects, job, &held.message).await? else {
            tracing::debug!(%job, task = %id, "dropped a task of a cleared job");
            held.settle().await?;
            return Ok(None);
        };
        match wire::decode(&payload) {
            Ok(task) => {
                let deliveries = held.deliveries;
                Ok(Some(Delivery::new(Arc::new(task), deliveries, Box::new(held))))
            }
            Err(error) => {
                // A newer worker may be able to read the task.
                tracing::warn!(%job, task = %id, %error, "failed to read a task; leaving the task to another worker");
                let delay = self.link.options.ack_wait;
                tokio::spawn(async move {
                    if let Err(error) = crate::bus::Receipt::requeue_uncounted(Box::new(held), delay).await {
                        tracing::warn!(%job, task = %id, %error, "failed to pass the task on; its lease will expire");
                    }
                });
                Ok(None)
            }
        }
    }

    /// Gives a task up after too many deliveries: a copy is kept for inspection, and the job goes on without the task.
    async fn give_up(&self, held: HeldMessage, kind: Kind, job: JobId, task: TaskId) -> Result<()> {
        let deliveries = self.link.options.max_deliver;
        let reason =
            format!("given up after {deliveries} deliveries: each of its workers died, stalled or requeued it");
        tracing::error!(%job, %task, kind = kind.name(), reason, "gave a task up; its job goes on without it");
        let mut headers = held.message.headers.clone().unwrap_or_default();
        headers.insert(REASON, reason.as_str());
        let letter = self.link.names.dead_letter(kind, job, task);
        self.link.store(letter, headers, held.message.payload.clone()).await?;
        let verdict = Verdict::Failed { reason };
        let outcome = Outcome { task, verdict, usage: Usage::default(), citations_removed: 0 };
        self.journal.record(job, &outcome).await?;
        held.settle().await
    }

    /// Asks the server about the consumers, without retries: callers ask again soon.
    pub async fn lag(&self) -> Result<BTreeMap<Kind, Lag>> {
        Ok(try_join_all(Kind::all().map(|kind| self.lag_of(kind))).await?.into_iter().collect())
    }

    async fn lag_of(&self, kind: Kind) -> Result<(Kind, Lag)> {
        let name = self.link.names.tasks_consumer(kind);
        let info = self.stream.consumer_info(&name).await;
        let info = info.map_err(|error| self.link.failed(format!("failed to look up the consumer {name}: {error}")))?;
        Ok((kind, Lag { waiting: info.num_pending, in_hand: info.num_ack_pending as u64 }))
    }

    pub async fn clear(&self, job: JobId) -> Result<()> {
        let subject = self.link.names.tasks_of_job(job);
        self.link.persist("delete tasks", || async { Ok(self.stream.purge().filter(&subject).await.map(drop)?) }).await
    }
}
