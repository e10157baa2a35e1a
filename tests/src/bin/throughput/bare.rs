//! Measures the same messages through JetStream's client alone, as fast as possible: a separate connection for each
//! side, many messages in flight in every direction, file-backed streams like the bus.

use std::time::Instant;

use anyhow::{Context as _, Result};
use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, Consumer, pull},
    context::{Context, ContextBuilder},
    stream::{Config, RetentionPolicy},
};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tributary_protocol::wire;

use crate::{
    Run,
    work::{self, Work},
};

/// The messages in flight, in each direction.
const AT_ONCE: usize = 512;

pub async fn run(url: &str, work: &Work) -> Result<Run> {
    let (coordinator, worker) = (connect(url).await?, connect(url).await?);
    let tasks = queue(&coordinator).await?;
    let outcomes = journal(&coordinator).await?;
    let payloads: Vec<Bytes> = work.tasks.iter().map(|task| wire::encode(task).into()).collect();
    let last = work.tasks.last().context("there are no tasks")?;
    let outcome = Bytes::from(wire::encode(&work::outcome(last)));
    let count = payloads.len();
    let begin = Instant::now();
    let publisher = tokio::spawn(publish(coordinator, payloads));
    let working = tokio::spawn(perform(worker, tasks, count, outcome));
    read(outcomes, count).await?;
    let took = begin.elapsed();
    publisher.await??;
    working.await??;
    Ok(Run { tasks: count as u64, took })
}

async fn connect(url: &str) -> Result<Context> {
    let client = async_nats::connect(url).await?;
    Ok(ContextBuilder::new().max_ack_inflight(8192).backpressure_on_inflight(true).build(client))
}

async fn queue(jetstream: &Context) -> Result<Consumer<pull::Config>> {
    let config = Config {
        name: "tasks".into(),
        subjects: vec!["task".into()],
        retention: RetentionPolicy::WorkQueue,
        ..Config::default()
    };
    let config_of_consumer =
        pull::Config { durable_name: Some("workers".into()), max_ack_pending: -1, ..pull::Config::default() };
    Ok(jetstream.create_stream(config).await?.create_consumer(config_of_consumer).await?)
}

async fn journal(jetstream: &Context) -> Result<Consumer<pull::Config>> {
    let config = Config { name: "outcomes".into(), subjects: vec!["outcome".into()], ..Config::default() };
    let config_of_consumer = pull::Config { ack_policy: AckPolicy::None, ..pull::Config::default() };
    Ok(jetstream.create_stream(config).await?.create_consumer(config_of_consumer).await?)
}

/// Publishes the tasks. Returns after all are acknowledged.
async fn publish(jetstream: Context, tasks: Vec<Bytes>) -> Result<()> {
    let publishing = tasks.into_iter().map(|task| async {
        jetstream.publish("task", task).await?.await?;
        Ok::<_, anyhow::Error>(())
    });
    stream::iter(publishing).buffered(AT_ONCE).try_collect().await
}

/// Takes each task, publishes an outcome, and acknowledges the task after the outcome is stored.
async fn perform(jetstream: Context, tasks: Consumer<pull::Config>, count: usize, outcome: Bytes) -> Result<()> {
    let perform = |task: jetstream::Message| {
        let (jetstream, outcome) = (&jetstream, outcome.clone());
        async move {
            jetstream.publish("outcome", outcome).await?.await?;
            task.ack().await.map_err(anyhow::Error::from_boxed)
        }
    };
    let tasks = tasks.stream().max_messages_per_batch(AT_ONCE).messages().await?;
    tasks.take(count).map_err(anyhow::Error::from).try_for_each_concurrent(AT_ONCE, perform).await
}

/// Reads `count` outcomes.
async fn read(outcomes: Consumer<pull::Config>, count: usize) -> Result<()> {
    let outcomes = outcomes.stream().max_messages_per_batch(AT_ONCE).messages().await?;
    outcomes.take(count).try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}
