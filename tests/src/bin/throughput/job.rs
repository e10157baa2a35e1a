//! Measures a job of a coordinator and a worker's pool, each with a separate connection.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, ensure};
use tokio::sync::watch;
use tributary_coordinator::actor::{Coordinator, Options};
use tributary_protocol::job::Progress;

use crate::{Run, bus, work::Work};

pub async fn run(url: &str, work: &Work, slots: usize) -> Result<Run> {
    let coordinator = Coordinator::start(Arc::new(bus::connect(url).await?), Options::default(), None).await?;
    let pool = bus::start_pool(url, slots).await?;
    let (progress, watched) = watch::channel(Progress::default());
    let begin = Instant::now();
    let machine = coordinator.run(work.job.clone(), progress).await?.machine;
    let took = begin.elapsed();
    coordinator.stop().await;
    bus::end_pool(pool).await?;
    let tasks = watched.borrow().stages.values().map(|stage| stage.ended).sum();
    ensure!(machine.is_finished() && tasks > work.tasks.len() as u64, "the job ended before its tasks");
    Ok(Run { tasks, took })
}
