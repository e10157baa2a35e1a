//! Measures tasks sent over the bus to a worker's pool, and the outcomes sent back, without any model.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use tributary_protocol::{
    bus::{
        Bus as _, Entry, Kinds,
        nats::{NatsBus, NatsOptions},
    },
    id::JobId,
};
use tributary_worker::pool::{Pool, PoolOptions};

use crate::{
    Run,
    work::{Nothing, Work},
};

pub async fn run(url: &str, work: &Work, slots: usize) -> Result<Run> {
    let coordinator = connect(url).await?;
    let pool = start_pool(url, slots).await?;
    let (publisher, tasks) = (coordinator.clone(), work.tasks.clone());
    let begin = Instant::now();
    let published = tokio::spawn(async move { publisher.publish_all(&tasks).await });
    read(&coordinator, work.job.id, work.tasks.len()).await?;
    let took = begin.elapsed();
    published.await??;
    end_pool(pool).await?;
    Ok(Run { tasks: work.tasks.len() as u64, took })
}

/// Reads `outcomes` outcomes.
async fn read(bus: &NatsBus, job: JobId, outcomes: usize) -> Result<()> {
    let mut journal = bus.journal(job).await?;
    let mut seen = 0;
    while seen < outcomes {
        if let Entry::Outcome(_) = journal.next().await.context("a journal has no end")?? {
            seen += 1;
        }
    }
    Ok(())
}

pub async fn connect(url: &str) -> Result<NatsBus> {
    Ok(NatsBus::connect(NatsOptions { url: url.into(), ..NatsOptions::default() }).await?)
}

pub async fn start_pool(url: &str, slots: usize) -> Result<Pool> {
    let options = PoolOptions { concurrency: slots, kinds: Kinds::all() };
    Ok(Pool::start(Arc::new(connect(url).await?), Arc::new(Nothing), options).await?)
}

/// Waits for the acknowledgement of the last tasks.
pub async fn end_pool(pool: Pool) -> Result<()> {
    ensure!(pool.drain(Duration::from_secs(10)).await, "tasks were handed back");
    Ok(())
}
