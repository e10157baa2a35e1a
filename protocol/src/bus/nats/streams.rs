//! The streams and their consumers: created where they are missing, checked where they exist.

use std::time::Duration;

use async_nats::jetstream::{
    ErrorCode,
    consumer::{AckPolicy, Consumer, pull},
    context::GetStreamErrorKind,
    kv,
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
};

use super::link::NatsLink;
use crate::{
    bus::{BusError, BusProblem, Result},
    task::Kind,
};

/// Most pull requests that wait at a consumer at once.
const WAITING: i64 = 16_384;

/// The streams of tasks and outcomes.
pub(super) struct BusStreams {
    pub tasks: Stream,
    pub journal: Stream,
}

impl BusStreams {
    pub async fn ensure(link: &NatsLink) -> Result<Self> {
        let (names, options) = (&link.names, &link.options);
        let tasks = one_per_subject(
            names.tasks(),
            names.all_tasks(),
            RetentionPolicy::WorkQueue,
            Duration::ZERO,
            "Tasks that wait or are in a worker's hands",
        );
        let journal = Config {
            name: names.journal(),
            subjects: vec![names.all_journals()],
            description: Some("Outcomes of tasks, by job".into()),
            max_messages_per_subject: -1,
            max_age: options.last_resort(),
            ..Config::default()
        };
        let dead = Config {
            name: names.dead(),
            subjects: vec![names.all_dead_letters()],
            description: Some("Tasks that were given up".into()),
            max_messages_per_subject: 1,
            max_age: options.dead_letters,
            ..Config::default()
        };
        let streams = Self { tasks: ensure(link, tasks).await?, journal: ensure(link, journal).await? };
        ensure(link, dead).await?;
        for kind in Kind::all() {
            ensure_consumer(link, &streams.tasks, kind).await?;
        }
        Ok(streams)
    }
}

/// Configures a stream that rejects a second message of a subject while it holds the first.
pub(super) fn one_per_subject(
    name: String,
    subjects: String,
    retention: RetentionPolicy,
    max_age: Duration,
    description: &str,
) -> Config {
    Config {
        name,
        subjects: vec![subjects],
        description: Some(description.into()),
        retention,
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        discard_new_per_subject: true,
        max_age,
        ..Config::default()
    }
}

/// Opens a stream and checks its shape, or creates the stream.
pub(super) async fn ensure(link: &NatsLink, mut wanted: Config) -> Result<Stream> {
    wanted.num_replicas = link.options.replicas;
    wanted.storage = StorageType::File;
    wanted.allow_direct = true;
    let name = wanted.name.clone();
    let what = format!("the stream {name}");
    for _ in 0..3 {
        match link.jetstream.get_stream(&name).await {
            Ok(stream) => {
                let found = &stream.cached_info().config;
                if let Some(difference) = difference(&wanted, found) {
                    return Err(link.error(BusProblem::OtherShape { what, difference }));
                }
                if link.options.adjust {
                    let (num_replicas, max_age) = (wanted.num_replicas, wanted.max_age);
                    update(link, found, Config { num_replicas, max_age, ..found.clone() }).await?;
                }
                return Ok(stream);
            }
            Err(error) if is_missing(&error.kind()) => {
                // Another process may create the stream at the same time; the next round finds the stream.
                if let Err(error) = link.jetstream.create_stream(wanted.clone()).await {
                    tracing::debug!(%error, "{what} was not created");
                    if !error.to_string().contains("in use") {
                        return Err(not_created(link, what, error));
                    }
                }
            }
            Err(error) => return Err(not_created(link, what, error)),
        }
    }
    Err(not_created(link, what, "created and removed by others at the same time"))
}

fn not_created(link: &NatsLink, what: String, cause: impl ToString) -> BusError {
    link.error(BusProblem::NotCreated { what, cause: cause.to_string() })
}

fn not_changed(link: &NatsLink, what: String, cause: impl ToString) -> BusError {
    link.error(BusProblem::NotChanged { what, cause: cause.to_string() })
}

pub(super) fn is_missing(error: &GetStreamErrorKind) -> bool {
    matches!(error, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// Describes the first difference that matters between the wanted and the found stream.
fn difference(wanted: &Config, found: &Config) -> Option<String> {
    let unlike = |what: &str, wanted: String, found: String| {
        (wanted != found).then(|| format!("its {what} should be {wanted} and is {found}"))
    };
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}");
    unlike("subjects", text(&wanted.subjects), text(&found.subjects))
        .or_else(|| unlike("retention", text(&wanted.retention), text(&found.retention)))
        .or_else(|| unlike("storage", text(&wanted.storage), text(&found.storage)))
        .or_else(|| unlike("discard policy", text(&wanted.discard), text(&found.discard)))
        .or_else(|| {
            let (wanted, found) = (wanted.max_messages_per_subject, found.max_messages_per_subject);
            unlike("limit of messages a subject", wanted.to_string(), found.to_string())
        })
        .or_else(|| {
            let (wanted, found) = (wanted.discard_new_per_subject, found.discard_new_per_subject);
            unlike("refusal of new messages a subject", wanted.to_string(), found.to_string())
        })
}

pub(super) async fn ensure_consumer(link: &NatsLink, tasks: &Stream, kind: Kind) -> Result<Consumer<pull::Config>> {
    let name = link.names.tasks_consumer(kind);
    let subject = link.names.tasks_of_kind(kind);
    queue_consumer(link, tasks, name, subject, link.options.ack_wait).await
}

/// Opens or creates a durable consumer whose messages are acknowledged one by one.
pub(super) async fn queue_consumer(
    link: &NatsLink,
    stream: &Stream,
    name: String,
    subject: String,
    ack_wait: Duration,
) -> Result<Consumer<pull::Config>> {
    let wanted = pull::Config {
        durable_name: Some(name.clone()),
        filter_subject: subject,
        ack_policy: AckPolicy::Explicit,
        ack_wait,
        // The puller counts deliveries and removes the task: the server would only stop delivering.
        max_deliver: -1,
        max_ack_pending: -1,
        max_waiting: WAITING,
        ..pull::Config::default()
    };
    let what = format!("the consumer {name}");
    let consumer: Consumer<pull::Config> = match stream.get_or_create_consumer(&name, wanted.clone()).await {
        Ok(consumer) => consumer,
        Err(error) => return Err(not_created(link, what, error)),
    };
    let found = &consumer.cached_info().config;
    if found.filter_subject != wanted.filter_subject || found.ack_policy != wanted.ack_policy {
        let difference = format!(
            "it should acknowledge {} explicitly, and acknowledges {} by {:?}",
            wanted.filter_subject, found.filter_subject, found.ack_policy
        );
        return Err(link.error(BusProblem::OtherShape { what, difference }));
    }
    if link.options.adjust && found.ack_wait != wanted.ack_wait {
        return stream.update_consumer(wanted).await.map_err(|error| not_changed(link, what, error));
    }
    Ok(consumer)
}

/// Opens or creates a key-value bucket. A full bucket deletes old entries to make room for new ones.
pub(super) async fn ensure_bucket(link: &NatsLink, wanted: kv::Config) -> Result<kv::Store> {
    let name = wanted.bucket.clone();
    let wanted = kv::Config { history: 1, num_replicas: link.options.replicas, ..wanted };
    let (store, is_new) = match link.jetstream.get_key_value(&name).await {
        Ok(store) => (store, false),
        Err(_) => create_bucket(link, wanted.clone()).await?,
    };
    if is_new || link.options.adjust {
        adjust_bucket(link, &store, &wanted).await?;
    }
    Ok(store)
}

/// Creates a bucket, or opens the bucket of a process that was faster; true where the bucket is new.
async fn create_bucket(link: &NatsLink, wanted: kv::Config) -> Result<(kv::Store, bool)> {
    let name = wanted.bucket.clone();
    match link.jetstream.create_key_value(wanted).await {
        Ok(store) => Ok((store, true)),
        Err(error) => match link.jetstream.get_key_value(&name).await {
            Ok(store) => Ok((store, false)),
            Err(_) => Err(not_created(link, format!("the bucket {name}"), error)),
        },
    }
}

/// Configures a bucket's stream. The client creates every bucket so that a full bucket rejects new entries.
async fn adjust_bucket(link: &NatsLink, store: &kv::Store, wanted: &kv::Config) -> Result<()> {
    let found = &store.stream.cached_info().config;
    let changed = Config {
        discard: DiscardPolicy::Old,
        max_bytes: wanted.max_bytes,
        max_age: wanted.max_age,
        num_replicas: wanted.num_replicas,
        ..found.clone()
    };
    update(link, found, changed).await
}

/// Changes a stream to another configuration, where the two differ.
pub(super) async fn update(link: &NatsLink, found: &Config, mut wanted: Config) -> Result<()> {
    if !wanted.max_age.is_zero() {
        // The server rejects a window longer than the age.
        wanted.duplicate_window = wanted.duplicate_window.min(wanted.max_age);
    }
    if wanted == *found {
        return Ok(());
    }
    let name = wanted.name.clone();
    let updated = link.jetstream.update_stream(wanted).await.map(drop);
    updated.map_err(|error| not_changed(link, format!("the stream {name}"), error))
}
