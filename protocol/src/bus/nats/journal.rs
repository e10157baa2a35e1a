//! The journals: a stream of all jobs' outcomes, with a subject for each job.
//!
//! An outcome may be stored twice, where an acknowledgement was lost: readers give the first and leave out the others.

use std::{
    collections::{HashSet, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use async_nats::{
    Message,
    jetstream::{
        consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
        stream::Stream,
    },
};
use bytes::Bytes;
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use tokio::{runtime::Handle, sync::watch};

use super::{
    link::{AttemptError, NatsLink},
    objects::ObjectStores,
    oversized,
};
use crate::{
    bus::{Entry, Result},
    id::{BlobId, JobId, TaskId},
    task::Outcome,
    wire,
};

/// Most messages on their way to a reader.
const PAGE: usize = 512;
/// Time for which the server keeps a reader's consumer after the last sign of the reader.
const ABSENT: Duration = Duration::from_secs(60);
/// Interval of the server's heartbeats. A reader that misses two opens the journal again.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Silence after which a reader that waits for known messages asks the server about them.
const SILENT: Duration = Duration::from_secs(3);

pub(super) struct NatsJournal {
    link: Arc<NatsLink>,
    objects: Arc<ObjectStores>,
    stream: Stream,
}

impl NatsJournal {
    pub fn new(link: Arc<NatsLink>, objects: Arc<ObjectStores>, stream: Stream) -> Self {
        Self { link, objects, stream }
    }

    pub async fn record(&self, job: JobId, outcome: &Outcome) -> Result<()> {
        let subject = self.link.names.journal_of_job(job);
        // Two outcomes of a task are two objects, and each message names its own.
        let name = |payload: &Bytes| format!("outcome-{}-{}", outcome.task, BlobId::of_bytes(payload));
        let payload = wire::encode(outcome);
        let (headers, payload) = oversized::pack(&self.link, &self.objects, job, name, payload).await?;
        self.link.store(subject, headers, payload).await?;
        Ok(())
    }

    pub async fn clear(&self, job: JobId) -> Result<()> {
        let subject = self.link.names.journal_of_job(job);
        self.link
            .persist("clear a journal", || async { Ok(self.stream.purge().filter(&subject).await.map(drop)?) })
            .await?;
        self.link.persist("delete a journal's readers", || self.remove_readers(job)).await
    }

    /// Deletes the consumers of readers that died; a living reader opens the journal again.
    async fn remove_readers(&self, job: JobId) -> Result<(), AttemptError> {
        let all: Vec<String> = self.stream.consumer_names().try_collect().await?;
        let of_job = reader_name(job, "");
        for reader in all.iter().filter(|name| name.starts_with(&of_job)) {
            if let Err(error) = self.stream.delete_consumer(reader).await {
                tracing::debug!(reader, %error, "failed to delete a reader of a journal; it may be gone already");
            }
        }
        Ok(())
    }

    pub fn follow(self: &Arc<Self>, job: JobId) -> BoxStream<'static, Result<Entry>> {
        let mut epoch = self.link.epoch.clone();
        epoch.mark_unchanged();
        let reader = JournalReader {
            journal: self.clone(),
            job,
            epoch,
            open: None,
            last: None,
            latest: i128::MIN,
            given: HashSet::new(),
            behind: None,
            ready: VecDeque::new(),
        };
        stream::unfold(reader, |mut reader| async {
            let entry = reader.entry().await;
            Some((entry, reader))
        })
        .boxed()
    }

    /// Reads the outcome in a message. None where the payload is gone: a server that fell may keep a message without
    /// its object.
    async fn unpack(&self, job: JobId, message: &Message) -> Result<Option<Outcome>> {
        let payload = oversized::unpack(&self.link, &self.objects, job, message).await?;
        Ok(payload.map(|payload| wire::decode(&payload)).transpose()?)
    }
}

/// Reads a job's journal. A server that fell may come back with fewer outcomes: the reader then begins anew and leaves
/// out outcomes that were given already.
struct JournalReader {
    journal: Arc<NatsJournal>,
    job: JobId,
    epoch: watch::Receiver<u64>,
    open: Option<JournalCursor>,
    /// Number in the stream and time of storing, in nanoseconds, of the last message read.
    last: Option<(u64, i128)>,
    /// The latest time of storing among all messages read. Stopped outcomes from before are no news.
    latest: i128,
    /// The tasks whose final outcomes were given.
    given: HashSet<TaskId>,
    /// Messages left until [`Entry::CaughtUp`]. None before the first reading; 0 once the entry was given.
    behind: Option<u64>,
    ready: VecDeque<Entry>,
}

/// An open consumer: arriving messages, and the server's note of the reader's place.
struct JournalCursor {
    messages: Pin<Box<pull::Stream>>,
    consumer: String,
    /// Messages that arrived, by the server's count.
    taken: u64,
    journal: Arc<NatsJournal>,
}

/// Deletes the consumer, which the server would keep for a while.
impl Drop for JournalCursor {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the server deletes the consumer when it expires.
        let Ok(runtime) = Handle::try_current() else { return };
        let (journal, consumer) = (self.journal.clone(), std::mem::take(&mut self.consumer));
        runtime.spawn(async move {
            if let Err(error) = journal.stream.delete_consumer(&consumer).await {
                tracing::debug!(consumer, %error, "failed to delete a reader of a journal; the reader will expire");
            }
        });
    }
}

impl JournalReader {
    async fn entry(&mut self) -> Result<Entry> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Ok(entry);
            }
            let Some(open) = &mut self.open else {
                self.open().await?;
                continue;
            };
            let is_behind = self.behind.is_some_and(|behind| behind > 0);
            tokio::select! {
                message = open.messages.next() => match message {
                    Some(Ok(message)) => self.take(&message).await?,
                    Some(Err(error)) => {
                        tracing::debug!(%error, "failed to read the journal; opening the journal again");
                        self.open = None;
                    }
                    None => self.open = None,
                },
                Ok(()) = self.epoch.changed() => self.open = None,
                () = tokio::time::sleep(SILENT), if is_behind => self.look_for_more().await,
            }
        }
    }

    /// Asks the server about messages that were counted and don't arrive: the journal may be cleared during the
    /// reading.
    async fn look_for_more(&mut self) {
        let Some(open) = &self.open else { return };
        match self.journal.stream.consumer_info(&open.consumer).await {
            Ok(info) if info.num_pending > 0 => {}
            Ok(info) if info.delivered.consumer_sequence <= open.taken => self.caught(),
            // Messages were lost on the way, or the server has forgotten the consumer.
            Ok(_) => self.open = None,
            Err(error) => {
                tracing::debug!(%error, "failed to read the journal; opening the journal again");
                self.open = None;
            }
        }
    }

    async fn open(&mut self) -> Result<()> {
        let journal = self.journal.clone();
        let subject = journal.link.names.journal_of_job(self.job);
        let last = self.last;
        let opened = journal.link.persist("read a journal", || async {
            let start = match last {
                Some((sequence, stored)) if holds(&journal.stream, sequence, stored).await? => {
                    DeliverPolicy::ByStartSequence { start_sequence: sequence + 1 }
                }
                _ => DeliverPolicy::All,
            };
            let config = pull::Config {
                name: Some(reader_name(self.job, &journal.link.unique())),
                deliver_policy: start,
                ack_policy: AckPolicy::None,
                filter_subject: subject.clone(),
                inactive_threshold: ABSENT,
                memory_storage: true,
                num_replicas: 1,
                ..pull::Config::default()
            };
            let consumer: Consumer<pull::Config> = journal.stream.create_consumer(config).await?;
            let pending = consumer.cached_info().num_pending;
            let stream = consumer.stream().max_messages_per_batch(PAGE).heartbeat(HEARTBEAT).expires(4 * HEARTBEAT);
            let reading = JournalCursor {
                messages: Box::pin(stream.messages().await?),
                consumer: consumer.cached_info().name.clone(),
                taken: 0,
                journal: journal.clone(),
            };
            Ok((reading, pending))
        });
        let (reading, pending) = opened.await?;
        self.open = Some(reading);
        let first = self.last.is_none() && self.given.is_empty() && self.behind.is_none();
        if first && pending == 0 {
            self.caught();
        } else if first || self.behind.is_some_and(|behind| behind > 0) {
            self.behind = Some(pending);
            if pending == 0 {
                self.caught();
            }
        }
        Ok(())
    }

    async fn take(&mut self, message: &async_nats::jetstream::Message) -> Result<()> {
        let info = message.info().map_err(|error| self.journal.link.failed(error))?;
        let (sequence, stored, pending) = (info.stream_sequence, info.published.unix_timestamp_nanos(), info.pending);
        if let Some(open) = &mut self.open {
            open.taken = info.consumer_sequence;
        }
        if let Some(outcome) = self.journal.unpack(self.job, message).await? {
            let new = if outcome.verdict.ends_task() {
                self.given.insert(outcome.task)
            } else {
                stored > self.latest && !self.given.contains(&outcome.task)
            };
            if new {
                self.ready.push_back(Entry::Outcome(Arc::new(outcome)));
            }
        }
        self.last = Some((sequence, stored));
        self.latest = self.latest.max(stored);
        if let Some(behind) = self.behind.filter(|behind| *behind > 0) {
            self.behind = Some(behind - 1);
            if behind == 1 || pending == 0 {
                self.caught();
            }
        }
        Ok(())
    }

    fn caught(&mut self) {
        self.behind = Some(0);
        self.ready.push_back(Entry::CaughtUp);
    }
}

fn reader_name(job: JobId, one: &str) -> String {
    format!("{job}-{one}")
}

/// True if the stream still has the message of this number and time.
async fn holds(stream: &Stream, sequence: u64, stored: i128) -> Result<bool, AttemptError> {
    match stream.get_raw_message(sequence).await {
        Ok(message) => Ok(message.time.unix_timestamp_nanos() == stored),
        Err(error) if is_gone(&error.to_string()) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// True of an error, in the server's words, about a message that is not there.
fn is_gone(error: &str) -> bool {
    error.contains("no message found") || error.contains("deleted message")
}
